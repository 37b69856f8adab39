import type { IncomingMessage } from 'node:http';
import type { HookParts } from './call.js';
import { TIMED_OUT, waitAtMost } from './delivery/wait-at-most.js';
import { RequestError } from './errors.js';
import { onlyMethods, parseForm, readBody } from './exchange.js';
import { onlyHeader } from './okta/verify-caller.js';
import { isSignedByTwilio, type FormFields } from './twilio/webhooks.js';

/** HMAC-SHA1 in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

/**
 * The form that Twilio posts to one of our routes, its signature checked against the URL as Twilio was told it, whatever the
 * request says of its host.
 *
 * @param path - of the route, behind `publicUrl`.
 * @throws RequestError `METHOD_NOT_ALLOWED`, `BAD_SIGNATURE`, `SIGNATURE_UNCHECKED`, and those of `readBody`.
 */
export async function readSignedForm(
  req: IncomingMessage,
  path: string,
  { settings }: Pick<HookParts, 'settings'>,
): Promise<FormFields> {
  if (req.method !== 'POST') throw onlyMethods('POST');
  const signature = onlyHeader(req, 'x-twilio-signature');
  // The signature is over the body; without one the body need not be read.
  if (signature === undefined || !SIGNATURE.test(signature)) throw badSignature();
  const endsAt = performance.now() + settings.deadlineMs;
  const params = parseForm(await readBody(req, { type: undefined, waitMs: settings.deadlineMs }));
  const checking = isSignedByTwilio({
    authTokens: settings.twilioAuthTokens,
    url: `${settings.publicUrl ?? ''}${path}`,
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
  return params;
}

function badSignature(): RequestError {
  return new RequestError(
    'BAD_SIGNATURE',
    'The signature does not hold: compare publicUrl and the auth token with what Twilio has.',
  );
}

/** Twilio may be right: a 5xx lets it call again. */
function unchecked(cause: unknown): RequestError {
  return new RequestError('SIGNATURE_UNCHECKED', 'The signature cannot be checked at the moment.', { cause });
}
