import { type DeliveryReport, type Outcome, type Refusal, withEffect } from '../../core/channel.js';
import type { HttpAnswer, HttpResult } from '../../core/http.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import { ProviderError } from '../../core/errors.js';
import { meaningsIn, type RefusalMeaning } from '../provider.js';
import {
  ADD_CAPACITY,
  CHECK_STATUS,
  ERRORS,
  LOOK_AT_LOG,
  UNAUTHORIZED,
  VERIFY_ERRORS,
} from './error-codes.js';

/** Reads Twilio's answers: the outcome of an attempt, the delivery report in a status, and the meaning of an error code. */

/** The ids of messages, calls and verifications, in answers and callbacks. */
export const MESSAGE_SID = /^(SM|MM)[\w-]{1,64}$/;
export const CALL_SID = /^CA[\w-]{1,64}$/;
export const VERIFICATION_SID = /^VE[\w-]{1,64}$/;

/** The namespace of these ids. They are unique over messages and calls; a callback names no channel of ours. */
export const SID_NAMESPACE = 'twilio';

/** Twilio's error codes have up to six digits; anything longer could be a phone number. */
export const PROVIDER_CODE = /^[1-9]\d{0,5}$/;

/** Twilio's codes begin at 10001. A proxy's JSON may have its status as `code`. */
const LOWEST_CODE = 10_000;

/**
 * Makes a reader of the outcomes at one of Twilio's resources.
 *
 * @param expectedSid - the form of the id in the answer to an accepted request.
 */
export function outcomeReader(expectedSid: RegExp): (result: HttpResult) => Outcome {
  const reader: AnswerReader = {
    provider: 'Twilio',
    requestIdHeader: 'twilio-request-id',
    readSuccess: (answer) => outcomeOfSuccess(answer, expectedSid),
    readRefusal: (answer) => {
      const code = readCode(readObject(answer)['code']);
      return code === undefined || code < LOWEST_CODE ? undefined : describeRefusal(code, answer.status);
    },
  };
  return (result) => outcomeOf(result, reader);
}

/** Twilio's code for a resource that does not exist. */
export const NOT_FOUND = '20404';

/**
 * Returns if Twilio accepted the feedback about a message or a verification.
 *
 * @param whereNotFound - the reason for a 404. Twilio knew the resource when the code was sent, so no option is wrong.
 * @throws ProviderError `PROVIDER_UNREACHABLE`, `PROVIDER_NO_ANSWER`, or `PROVIDER_REFUSED` with Twilio's code.
 */
export function requireFeedbackAccepted(result: HttpResult, whereNotFound: string): void {
  if (result.kind === 'not-sent')
    throw new ProviderError('PROVIDER_UNREACHABLE', `Twilio could not be reached (${result.reason})`);
  if (result.kind === 'no-answer')
    throw new ProviderError('PROVIDER_NO_ANSWER', `No complete answer from Twilio (${result.reason})`);
  if (result.status >= 200 && result.status <= 299) return;
  const refusal = describeRefusal(readCode(readObject(result)['code']), result.status);
  const { code: providerCode, reason, remedy } = refusal;
  if (providerCode === NOT_FOUND)
    throw new ProviderError('PROVIDER_REFUSED', whereNotFound, { providerCode });
  throw new ProviderError('PROVIDER_REFUSED', reason, { providerCode, remedy });
}

function outcomeOfSuccess(answer: HttpAnswer, expectedSid: RegExp): Outcome | string | undefined {
  const body = readObject(answer);
  const state = body['status'];
  if (typeof state === 'string' && FAILED_STATUSES.has(state)) {
    const code = readCode(body['error_code']);
    const described = describeRefusal(code, answer.status);
    return {
      status: 'refused',
      ...described,
      code: code === undefined ? state.toUpperCase() : described.code,
    };
  }
  const sid = body['sid'];
  return typeof sid === 'string' && expectedSid.test(sid) ? sid : undefined;
}

export function readCode(value: unknown): number | undefined {
  const isPlain = typeof value === 'number' || typeof value === 'string';
  return isPlain && PROVIDER_CODE.test(String(value)) ? Number(value) : undefined;
}

/** Statuses of a message or call that will not arrive. `busy` and `no-answer` are not among them: the phone rang. */
export const FAILED_STATUSES: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled']);

/** `read` comes after `delivered`. `partially_delivered` is an old status of a message in several parts. */
const DELIVERED_STATUSES: ReadonlySet<string> = new Set([
  'delivered',
  'read',
  'partially_delivered',
  'completed',
]);

/**
 * The report in a status. A status that is neither delivered nor failed is pending: `sent` may be the last status of a
 * text that arrived.
 *
 * @param providerCode - Twilio's error code. Old codes are words.
 */
export function deliveryReportOf(status: string, providerCode: string | undefined): DeliveryReport {
  if (DELIVERED_STATUSES.has(status)) return { status: 'delivered' };
  if (!FAILED_STATUSES.has(status)) return { status: 'pending' };
  const number = Number(providerCode);
  const described = describeRefusal(Number.isNaN(number) ? undefined : number, 400);
  return { status: 'failed', ...described, code: providerCode ?? status.toUpperCase() };
}

const BY_CODE = meaningsIn(ERRORS, VERIFY_ERRORS);

/**
 * What a refusal by Twilio means. Without a code, or with one that is not in the tables, the HTTP status decides: Twilio
 * adds codes now and then, and an unknown one must not end the plan. The refusal's code is Twilio's, or `HTTP_` and the
 * status.
 */
export function describeRefusal(
  code: number | undefined,
  httpStatus: number,
): Pick<Refusal, 'code'> & RefusalMeaning {
  const meaning = (code === undefined ? undefined : meaningOf(code)) ?? byStatus(httpStatus);
  return { code: code === undefined ? `HTTP_${httpStatus}` : String(code), ...withEffect(meaning) };
}

/** The meaning of a code in our words; `undefined` if the code is not in the tables. */
export function meaningOf(code: number): RefusalMeaning | undefined {
  return BY_CODE.get(String(code));
}

function byStatus(httpStatus: number): RefusalMeaning {
  if (httpStatus === 401) return UNAUTHORIZED;
  if (httpStatus === 429)
    return { reason: 'Too many requests to the provider at once', remedy: ADD_CAPACITY };
  if (httpStatus >= 500) return { reason: 'The provider is not available', remedy: CHECK_STATUS };
  return { reason: 'Refused by the provider', remedy: LOOK_AT_LOG };
}
