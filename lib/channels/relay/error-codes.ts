import { type Outcome, withEffect } from '../../core/channel.js';
import type { RefusalMeaning } from '../provider.js';

/** Why another hook did not send a code, and what that means for the plan. The texts are ours: the other hook's may hold anything. */

const LOOK_AT_LOG = 'Look at the log of the other hook.';
const CHECK_HEADERS =
  "Check relayChannel's url and headers: the other hook must accept them as it accepts Okta's.";

const ERROR: RefusalMeaning = { reason: 'The other hook answered with an error', remedy: LOOK_AT_LOG };
const FAILED: RefusalMeaning = { reason: 'The other hook answered FAILED', remedy: LOOK_AT_LOG };
const UNAUTHORIZED: RefusalMeaning = {
  reason: 'The other hook does not accept the headers',
  remedy: CHECK_HEADERS,
  cause: 'account',
};

/** The codes of refusals, in the order of docs/reference/provider-codes.md. */
const ERRORS: Readonly<Record<string, RefusalMeaning>> = {
  RELAY_ERROR: ERROR,
  RELAY_FAILED: FAILED,
  HTTP_401: UNAUTHORIZED,
  HTTP_403: UNAUTHORIZED,
};

/**
 * The outcome after an answer that says that the code was not sent: an error, `FAILED`, or a status with an error.
 *
 * @param isTrusted - whether the other hook says so only if nothing went out.
 */
export function describeFailure(answer: 'error' | 'failed' | number, isTrusted: boolean): Outcome {
  const code = typeof answer === 'number' ? `HTTP_${answer}` : `RELAY_${answer.toUpperCase()}`;
  const { reason, remedy, cause } = ERRORS[code] ?? ERROR;
  return isTrusted
    ? { status: 'refused', code, ...withEffect({ reason, remedy, cause }) }
    : { status: 'unknown', reason, remedy };
}
