import type { Refusal } from '../../core/channel.js';
import { withMechanics } from '../../core/refusal-cause.js';
import type { RefusalMeaning } from '../provider.js';
import { ADD_CAPACITY, CHECK_CREDENTIALS, CHECK_STATUS, ERRORS, LOOK_AT_LOG } from './error-codes.js';
import { VERIFY_ERRORS } from './verify-error-codes.js';

/** Explains Twilio's refusals, by the tables of error codes. */

const BY_CODE: Readonly<Record<number, RefusalMeaning>> = Object.fromEntries(
  [ERRORS, VERIFY_ERRORS]
    .flatMap((subjects) => Object.values(subjects))
    .flatMap((codes) => Object.entries(codes)),
);

/**
 * A refusal by Twilio's code. Without a code, or with one that is not in the tables, the HTTP status decides: Twilio
 * adds codes now and then, and an unknown one must not end the plan. The refusal's code is Twilio's, or `HTTP_` and the
 * status.
 */
export function describeRefusal(
  code: number | undefined,
  httpStatus: number,
): Pick<Refusal, 'code'> & RefusalMeaning {
  const meaning = (code === undefined ? undefined : meaningOf(code)) ?? byStatus(httpStatus);
  return { code: code === undefined ? `HTTP_${httpStatus}` : String(code), ...withMechanics(meaning) };
}

/** The meaning of a code in our words; `undefined` if the code is not in the tables. */
export function meaningOf(code: number): RefusalMeaning | undefined {
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
}

function byStatus(httpStatus: number): RefusalMeaning {
  if (httpStatus === 401) {
    return {
      reason: 'Twilio does not accept the credentials',
      remedy: CHECK_CREDENTIALS,
      cause: 'account',
    };
  }
  if (httpStatus === 429)
    return { reason: 'Too many requests to the provider at once', remedy: ADD_CAPACITY };
  if (httpStatus >= 500) return { reason: 'The provider is not available', remedy: CHECK_STATUS };
  return { reason: 'Refused by the provider', remedy: LOOK_AT_LOG };
}
