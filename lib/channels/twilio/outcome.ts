import type { DeliveryReport, Outcome } from '../../core/channel.js';
import type { HttpAnswer, HttpResult } from '../../http/call.js';
import { outcomeOfCall, readObject, type AnswerReader } from '../../http/outcome.js';
import { ProviderError } from '../../core/errors.js';
import { describeRefusal } from './refusals.js';

/** The ids of messages and calls, as answers and callbacks carry them. */
export const MESSAGE_SID = /^(SM|MM)[\w-]{1,64}$/;
export const CALL_SID = /^CA[\w-]{1,64}$/;
export const VERIFICATION_SID = /^VE[\w-]{1,64}$/;

/** Where these ids come from: they are unique over messages and calls, and callbacks tell nothing else of a channel. */
export const SID_NAMESPACE = 'twilio';

/** Twilio's error codes have five or six digits; anything longer could be a phone number. */
export const PROVIDER_CODE = /^[1-9]\d{0,5}$/;

/**
 * Says what attempts at one of Twilio's resources came to.
 *
 * @param expectedSid the shape of the id that an accepted request is answered with
 */
export function outcomeReader(expectedSid: RegExp): (result: HttpResult) => Outcome {
  const reader: AnswerReader = {
    provider: 'Twilio',
    readSuccess: (answer) => outcomeOfSuccess(answer, expectedSid),
    readRefusal: (answer) => ({
      status: 'refused',
      ...describeRefusal(readCode(readObject(answer)['code']), answer.status),
    }),
  };
  return (result) => outcomeOfCall(result, reader);
}

/**
 * Sends with the status callback; where Twilio refuses exactly that URL (21609), once more without: a code that
 * arrives unreported is better than none.
 */
export function sendReporting(
  statusCallbackUrl: string | undefined,
  send: (statusCallbackUrl: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  return send(statusCallbackUrl).then((outcome) => {
    const isCallbackRefused = outcome.status === 'refused' && outcome.code === '21609';
    return statusCallbackUrl !== undefined && isCallbackRefused ? send(undefined) : outcome;
  });
}

/** Twilio's code for what it does not find. */
const NOT_FOUND = '20404';

/**
 * Whether Twilio has taken what it was told of a message or a verification.
 *
 * @param whereNotFound - why Twilio would not find it: it knew it when it was sent, so that no option is wrong.
 * @throws ProviderError with Twilio's code, or with `UNREACHABLE` or `NO_ANSWER`.
 */
export function requireTaken(result: HttpResult, whereNotFound: string): void {
  if (result.kind === 'not-sent')
    throw new ProviderError('UNREACHABLE', `Twilio could not be reached (${result.reason})`);
  if (result.kind === 'no-answer')
    throw new ProviderError('NO_ANSWER', `No complete answer from Twilio (${result.reason})`);
  if (result.status >= 200 && result.status <= 299) return;
  const { code, reason, remedy } = describeRefusal(readCode(readObject(result)['code']), result.status);
  if (code === NOT_FOUND) throw new ProviderError(code, whereNotFound);
  throw new ProviderError(code, reason, { remedy });
}

function outcomeOfSuccess(answer: HttpAnswer, expectedSid: RegExp): Outcome | undefined {
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
  return typeof sid === 'string' && expectedSid.test(sid)
    ? { status: 'accepted', transactionId: sid }
    : undefined;
}

export function readCode(value: unknown): number | undefined {
  const isPlain = typeof value === 'number' || typeof value === 'string';
  return isPlain && PROVIDER_CODE.test(String(value)) ? Number(value) : undefined;
}

/** It will not arrive. A call that nobody took (`busy`, `no-answer`) did reach the phone. */
export const FAILED_STATUSES: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled']);

/** `read` goes beyond delivered; `partially_delivered` is of several parts, and old. */
const DELIVERED_STATUSES: ReadonlySet<string> = new Set([
  'delivered',
  'read',
  'partially_delivered',
  'completed',
]);

/**
 * What a status says. One that is neither delivered nor failed is pending: `sent` may be the last word on a text that
 * arrived.
 *
 * @param providerCode Twilio's error code, where there is one; it was a word once
 */
export function deliveryReportOf(status: string, providerCode: string | undefined): DeliveryReport {
  if (DELIVERED_STATUSES.has(status)) return { status: 'delivered' };
  if (!FAILED_STATUSES.has(status)) return { status: 'pending' };
  const number = Number(providerCode);
  const described = describeRefusal(Number.isNaN(number) ? undefined : number, 400);
  return { status: 'failed', ...described, code: providerCode ?? status.toUpperCase() };
}
