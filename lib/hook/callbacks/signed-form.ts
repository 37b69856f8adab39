import type { IncomingMessage } from 'node:http';
import type { HookParts } from '../call.js';
import { RequestError } from '../../core/request-error.js';
import { methodNotAllowed, parseForm, readBody } from '../../http/exchange.js';
import { onlyHeader } from '../../okta/verify-caller.js';
import { hasOneReading, isSignedByTwilio, type FormFields } from '../../channels/twilio/signature.js';

/** HMAC-SHA1 in base64. */
const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/;

/**
 * Reads a form that Twilio posts to one of our routes and checks its signature. The signed URL is made from `publicUrl`, never
 * from the request's Host header.
 *
 * @param path - the route's path after `publicUrl`, with the query if Twilio has one.
 * @throws RequestError `METHOD_NOT_ALLOWED`, `BAD_SIGNATURE`, and those of `readBody`.
 */
export async function readSignedForm(
  req: IncomingMessage,
  path: string,
  { settings }: Pick<HookParts, 'settings'>,
): Promise<FormFields> {
  if (req.method !== 'POST') throw methodNotAllowed('POST');
  const signature = onlyHeader(req, 'x-twilio-signature');
  // Without a signature the body need not be read.
  if (signature === undefined || !SIGNATURE.test(signature)) throw badSignature();
  const params = parseForm(await readBody(req, { type: undefined, waitMs: settings.deadlineMs }));
  const isSigned = isSignedByTwilio({
    authTokens: settings.credentials.twilio?.authTokens ?? [],
    url: `${settings.publicUrl ?? ''}${path}`,
    signature,
    params,
  });
  if (!isSigned) throw badSignature();
  if (!hasOneReading(params)) throw badSignature('The form may be another one than Twilio signed.');
  return params;
}

/** The query of a request target with its `?`, unchanged, because Twilio signs every character of it; empty for none. */
export function queryIn(target = ''): string {
  const start = target.indexOf('?');
  return start === -1 ? '' : target.slice(start);
}

function badSignature(
  message = 'The signature does not hold: compare publicUrl and the auth token with what Twilio has.',
): RequestError {
  return new RequestError('BAD_SIGNATURE', message);
}
