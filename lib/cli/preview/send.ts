import { maskText } from '../../core/masking.js';
import type { HttpDispatcher, HttpResult } from '../../http/call.js';
import { OktaApiError } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import type { Administration, Time } from '../../okta/admin/administration.js';
import { OKTA_WAITS_MS, reactionTo, reactionToSilence, type Reaction } from '../../okta/reaction.js';
import { executeTelephonyHook } from '../../okta/admin/telephony-hook-setup.js';
import { post } from '../doctor/gateway-probe.js';
import type { CallSecrets } from './masked-call.js';
import type { Payload } from './payload.js';

/** What a preview came to. */
export interface Sent {
  /** What was answered, where something was; by Okta's API what Okta understood of it. */
  readonly answer: { readonly httpStatus: number; readonly body: unknown } | undefined;
  /** Why there is none, or none that Okta takes. */
  readonly problem: { readonly code: SendProblem; readonly text: string } | undefined;
  readonly durationMs: number;
  /** `undefined` where Okta's API said nothing: what Okta itself got of the hook nobody knows. */
  readonly reaction: Reaction | undefined;
}

/**
 * `NO_SUCCESS`: Okta got no answer that it takes. `UNREACHED`: nothing has left. `NO_ANSWER`: it may have arrived. After
 * each but `UNREACHED` a message may have gone out.
 */
export type SendProblem = 'NO_SUCCESS' | 'UNREACHED' | 'NO_ANSWER' | 'TOO_LATE';

/** Longer than Okta waits, to tell how much too late an answer comes. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Sends by Okta's own execute API.
 * @throws OktaApiError where Okta does not even call the hook.
 */
export async function sendByOkta(
  payload: Payload,
  parts: {
    readonly okta: Administration;
    readonly hookId: string;
    readonly time: Time;
    readonly secrets: CallSecrets;
  },
): Promise<Sent> {
  const { okta, hookId, time, secrets } = parts;
  const startedAt = time.now();
  try {
    const body = await executeTelephonyHook(okta, hookId, payload);
    const durationMs = time.now() - startedAt;
    const answer = { httpStatus: 200, body };
    return { answer, problem: undefined, durationMs, reaction: reactionTo(answer) };
  } catch (error) {
    if (error instanceof OktaApiError && mayHaveCalled(error)) {
      return {
        answer: undefined,
        problem: { code: 'NO_ANSWER', text: `${error.message}. ${ALL_THE_SAME}` },
        durationMs: time.now() - startedAt,
        reaction: undefined,
      };
    }
    if (!(error instanceof OktaApiError) || error.status !== 400) throw withoutCause(error);
    // Okta's sentences may quote the payload.
    const causes = error.cause instanceof Error ? maskText(error.cause.message, secrets) : 'no reason given';
    return {
      answer: undefined,
      problem: { code: 'NO_SUCCESS', text: `Okta got no answer of the hook that it takes: ${causes}` },
      durationMs: time.now() - startedAt,
      reaction: reactionToSilence('the hook gave no answer that Okta takes'),
    };
  }
}

/** What nobody should be told to do again without. */
export const ALL_THE_SAME = 'A message may have gone out all the same.';

/** Whether Okta may have called the hook, although it, or what stands before it, does not say so. */
function mayHaveCalled({ code, status = 0 }: OktaApiError): boolean {
  return code === 'OKTA_NO_ANSWER' || code === 'OKTA_UNREADABLE' || status >= 500;
}

/** An error without Okta's own words, for a call that is about somebody. */
export function withoutCause(error: unknown): unknown {
  if (!(error instanceof OktaApiError)) return error;
  const { code, message, status, headers, remedy } = error;
  return new OktaApiError(code, message, { status, headers, remedy });
}

/** Sends straight to the gateway, as Okta does: one call, no redirect followed, three seconds. */
export async function sendToGateway(
  payload: Payload,
  parts: {
    readonly dispatcher: HttpDispatcher;
    readonly url: string;
    readonly header: { readonly name: string; readonly secret: string };
    readonly time: Time;
  },
): Promise<Sent> {
  const { dispatcher, url, header, time } = parts;
  const startedAt = time.now();
  const result = await post(
    dispatcher,
    url,
    JSON.stringify(payload),
    { 'content-type': 'application/json', [header.name.toLowerCase()]: header.secret },
    LONGEST_WAIT_MS,
  );
  const durationMs = time.now() - startedAt;
  if (result.kind !== 'answered') return silence(result, durationMs);
  const answer = { httpStatus: result.status, body: parse(result.body) };
  if (durationMs > OKTA_WAITS_MS) {
    const text = 'The answer came after Okta had given up';
    return { answer, problem: { code: 'TOO_LATE', text }, durationMs, reaction: reactionToSilence() };
  }
  const reaction = reactionTo({ ...answer, bytes: Buffer.byteLength(result.body) });
  return { answer, problem: undefined, durationMs, reaction };
}

function silence(result: Exclude<HttpResult, { kind: 'answered' }>, durationMs: number): Sent {
  const { kind, reason } = result;
  const hasLeft = kind === 'no-answer';
  return {
    answer: undefined,
    problem: hasLeft
      ? { code: 'NO_ANSWER', text: `The gateway gave no whole answer (${reason})` }
      : { code: 'UNREACHED', text: `The gateway could not be reached (${reason})` },
    durationMs,
    reaction:
      reason === 'TIMEOUT'
        ? reactionToSilence()
        : reactionToSilence(hasLeft ? 'no whole answer came' : 'nobody could be reached'),
  };
}

function parse(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}
