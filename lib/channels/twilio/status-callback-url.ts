import type { Outcome, SendContext } from '../../core/channel.js';

/**
 * The URL of status callbacks. Its query names the attempt that sent the message, so that the hook recognises a message
 * whose id it never got. Twilio's signature covers the query.
 */

/**
 * Sends with the status callback. If Twilio refuses exactly that URL (21609), sends once more without it: a code
 * without a report is better than no code.
 */
export function sendReporting(
  statusCallbackUrl: string | undefined,
  context: Pick<SendContext, 'reference'>,
  send: (statusCallback: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  if (statusCallbackUrl === undefined) return send(undefined);
  return send(statusCallbackUrl + attemptQuery(context.reference)).then((outcome) => {
    const isCallbackRefused = outcome.status === 'refused' && outcome.code === '21609';
    return isCallbackRefused ? send(undefined) : outcome;
  });
}

/** @param reference - `reference` of the attempt's `SendContext`. */
export function attemptQuery(reference: string): string {
  return `?attempt=${reference}`;
}

/**
 * A query with a reference as the hook makes them. Its length is fixed: Twilio signs the URL and the form joined
 * without a separator, so a longer or shorter reference could borrow from the form.
 */
const QUERY = /\?attempt=([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/** Reads the reference in the URL of a request; `undefined` if its query is any other. */
export function readAttemptQuery(url: string | undefined): string | undefined {
  return QUERY.exec(url ?? '')?.[1];
}
