import type { IncomingMessage } from 'node:http';
import { RequestError } from '../core/request-error.js';
import { TIMED_OUT } from '../core/time.js';
import type { OpenCall } from './call.js';
import type { HookParts } from './parts.js';

/**
 * Checks that the caller is Okta.
 *
 * @throws RequestError `CALLER_NOT_PROVEN`; `PROOF_UNAVAILABLE` if Okta's keys cannot be fetched in time.
 */
export async function verifyHook(
  call: OpenCall,
  { verifier }: HookParts,
  req: IncomingMessage,
): Promise<OpenCall> {
  const proof = await call.budget.within(verifier.verify(req), call.budget.remainingMs());
  if (proof === TIMED_OUT)
    throw new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.');
  call.isProven = true;
  return call;
}
