import type { Outcome, SendContext } from '../../core/channel.js';

/** Status callbacks of Twilio: whether they come, and the URL that they go to. */

/** This many messages in a row without a callback mean that callbacks are missing: fewer if none has ever arrived. */
const SILENT_MESSAGES = { never: 3, since: 20 } as const;
/** The longest time until a callback arrives, milliseconds. */
const LATEST_MS = 20_000;

/**
 * Tracks whether Twilio's status callbacks arrive at this hook. Before the first callback, and while callbacks are missing,
 * the hook polls Twilio for each WhatsApp message.
 */
export class StatusCallbacks {
  readonly #onMissing: (count: number) => void;
  #hasCome = false;
  #isMissing = false;
  /** Messages since the last callback, up to the limit, and when the last of these was accepted. */
  #silent = 0;
  #silentSinceMs = 0;

  /** @param onMissing - called once when `count` messages in a row brought no callback; again after the next callback. */
  constructor(onMissing: (count: number) => void) {
    this.#onMissing = onMissing;
  }

  /** Whether callbacks arrive, so that messages need not be polled. */
  get areTrusted(): boolean {
    return this.#hasCome && !this.#isMissing;
  }

  /** Records that a signed callback has arrived. */
  came(): void {
    this.#hasCome = true;
    this.#isMissing = false;
    this.#silent = 0;
  }

  /** Records that Twilio has accepted a message with a callback URL. The next message checks the wait, so no timer is needed. */
  expect(): void {
    if (this.#isMissing) return;
    const most = this.#hasCome ? SILENT_MESSAGES.since : SILENT_MESSAGES.never;
    if (this.#silent < most) {
      this.#silent += 1;
      this.#silentSinceMs = performance.now();
    } else if (performance.now() - this.#silentSinceMs >= LATEST_MS) {
      this.#isMissing = true;
      this.#onMissing(this.#silent);
    }
  }
}

/**
 * Sends with the status callback. The query of its URL names the attempt that sent the message, so that the hook
 * recognises a message whose id it never got. Twilio's signature covers the query.
 *
 * If Twilio refuses exactly that URL (21609), sends once more without it: a code without a report is better than no
 * code.
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
