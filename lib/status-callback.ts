import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HookParts } from './call.js';
import { messageKey } from './delivery/report.js';
import { TIMED_OUT, waitAtMost } from './delivery/wait-at-most.js';
import { RequestError } from './errors.js';
import { answer, onlyMethods, parseForm, readBody } from './exchange.js';
import { onlyHeader } from './okta/verify-caller.js';
import { SID_NAMESPACE } from './twilio/outcome.js';
import { isSignedByTwilio, readStatusCallback } from './twilio/webhooks.js';

/** The route that Twilio tells what became of a message. */

/** HMAC-SHA1 in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

/** Checks the signature against `publicUrl`, whatever the request says of its host, and tells the stream and late failover. */
export function recordDelivery(
  parts: HookParts,
): (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  const { settings, events, lateFailover, twilioCallbacks } = parts;

  const record = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (req.method !== 'POST') throw onlyMethods('POST');
    const signature = onlyHeader(req, 'x-twilio-signature');
    // The signature is over the body; without one the body need not be read.
    if (signature === undefined || !SIGNATURE.test(signature)) throw badSignature();
    const endsAt = performance.now() + settings.deadlineMs;
    const params = parseForm(await readBody(req, { type: undefined, waitMs: settings.deadlineMs }));
    const checking = isSignedByTwilio({
      authTokens: settings.twilioAuthTokens,
      url: settings.twilio.statusCallbackUrl ?? '',
      signature,
      params,
    });
    const isSigned = await waitAtMost(checking, Math.max(0, endsAt - performance.now())).catch(
      (cause: unknown) => {
        throw unchecked(cause);
      },
    );
    if (isSigned === TIMED_OUT) throw unchecked(new Error("Twilio's SDK was not loaded in time"));
    if (!isSigned) throw badSignature();
    answer(req, res, 204, undefined);
    const delivered = readStatusCallback(params);
    if (delivered === undefined) return;
    twilioCallbacks.came();
    const { transactionId, channel, status, providerCode: code, meaning: reason, report } = delivered;
    events.emit({
      type: 'message.status',
      at: events.now(),
      transactionId,
      channel,
      status,
      code,
      reason,
      remedy: report.status === 'failed' ? report.remedy : undefined,
    });
    lateFailover?.report(messageKey(SID_NAMESPACE, transactionId), report);
  };

  return (req, res, next) => {
    // Express 4 does not wait for promises.
    record(req, res).catch((error: unknown) => {
      next(error ?? new Error('a callback failed without an error'));
    });
  };
}

function badSignature(): RequestError {
  return new RequestError(
    'BAD_SIGNATURE',
    'The signature does not hold: compare publicUrl and the auth token with what Twilio has.',
  );
}

/** Twilio may be right: a 5xx lets it report again. */
function unchecked(cause: unknown): RequestError {
  return new RequestError('SIGNATURE_UNCHECKED', 'The signature cannot be checked at the moment.', { cause });
}
