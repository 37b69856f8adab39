import type { Outcome } from '../delivery/channel.js';
import type { HttpAnswer, HttpResult } from '../delivery/http-call.js';
import { ProviderError } from '../errors.js';
import { FAILED_STATUSES } from './delivery-report.js';
import { describeRefusal } from './error-codes.js';

/** The ids of messages and calls, as answers and callbacks carry them. */
export const MESSAGE_SID = /^(SM|MM)[\w-]{1,64}$/;
export const CALL_SID = /^CA[\w-]{1,64}$/;
export const VERIFICATION_SID = /^VE[\w-]{1,64}$/;

/** Where these ids come from: they are unique over messages and calls, and callbacks tell nothing else of a channel. */
export const SID_NAMESPACE = 'twilio';

/** Twilio's error codes have five or six digits; anything longer could be a phone number. */
export const PROVIDER_CODE = /^[1-9]\d{0,5}$/;

/**
 * What an attempt at Twilio came to. Refused is only what has certainly not gone out: it never left, or a
 * complete 3xx, 4xx or 503 came. After 500, 502, 504 and an answer that cannot be read nobody knows.
 *
 * @param expectedSid the shape of the id that an accepted request is answered with
 */
export function outcomeOf(result: HttpResult, expectedSid: RegExp): Outcome {
  if (result.kind === 'not-sent') {
    const reason = `Not sent: Twilio could not be reached (${result.reason})`;
    return { status: 'refused', code: 'UNREACHABLE', reason, moveOn: true, hasLeft: false };
  }
  if (result.kind === 'no-answer') {
    return { status: 'unknown', reason: `No complete answer from Twilio (${result.reason})` };
  }
  const body = readObject(result);
  if (result.status >= 200 && result.status <= 299) return outcomeOfSuccess(result.status, body, expectedSid);
  if (result.status < 500 || result.status === 503) return refusal(readCode(body['code']), result.status);
  return { status: 'unknown', reason: `Twilio answered with status ${result.status}` };
}

/**
 * Sends with the status callback; where Twilio refuses exactly that URL (21609), once more without: a code that
 * arrives unreported is better than none.
 */
export async function sendReporting(
  statusCallbackUrl: string | undefined,
  send: (statusCallbackUrl: string | undefined) => Promise<Outcome>,
): Promise<Outcome> {
  const outcome = await send(statusCallbackUrl);
  const isCallbackRefused = outcome.status === 'refused' && outcome.code === '21609';
  return statusCallbackUrl !== undefined && isCallbackRefused ? send(undefined) : outcome;
}

/**
 * Whether Twilio has taken what it was told of a message or a verification.
 *
 * @throws ProviderError with Twilio's code, or with `UNREACHABLE` or `NO_ANSWER`.
 */
export function requireTaken(result: HttpResult): void {
  if (result.kind === 'not-sent')
    throw new ProviderError('UNREACHABLE', `Twilio could not be reached (${result.reason})`);
  if (result.kind === 'no-answer')
    throw new ProviderError('NO_ANSWER', `No complete answer from Twilio (${result.reason})`);
  if (result.status >= 200 && result.status <= 299) return;
  const { code, reason, remedy } = describeRefusal(readCode(readObject(result)['code']), result.status);
  throw new ProviderError(code, reason, { remedy });
}

function outcomeOfSuccess(
  status: number,
  body: Readonly<Record<string, unknown>>,
  expectedSid: RegExp,
): Outcome {
  const state = body['status'];
  if (typeof state === 'string' && FAILED_STATUSES.has(state)) {
    const code = readCode(body['error_code']);
    const described = refusal(code, status);
    return code === undefined ? { ...described, code: state.toUpperCase() } : described;
  }
  const sid = body['sid'];
  if (typeof sid === 'string' && expectedSid.test(sid)) return { status: 'accepted', transactionId: sid };
  return { status: 'unknown', reason: `Twilio answered with status ${status} and nothing that can be read` };
}

function refusal(code: number | undefined, status: number): Extract<Outcome, { status: 'refused' }> {
  return { status: 'refused', ...describeRefusal(code, status) };
}

/** The answer's JSON object; an empty one where there is none. */
export function readObject(answer: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(answer.body);
    // The entries of any object are unknown until each is looked at.
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Twilio's edge answers in HTML.
  }
  return {};
}

export function readCode(value: unknown): number | undefined {
  const isPlain = typeof value === 'number' || typeof value === 'string';
  return isPlain && PROVIDER_CODE.test(String(value)) ? Number(value) : undefined;
}
