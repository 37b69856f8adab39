import type { IncomingHttpHeaders } from 'node:http';
import { fieldOf, parseJson } from '../../core/json.js';
import type { OrgContext } from './context.js';
import { makeHookPayload, type HookPayloadOptions } from './hook-payload.js';
import { jsonPost, type Outbound, type OutboundAnswer, type OutboundCall } from '../server/outbound.js';
import type { EmulatedUser } from './users.js';
import { failover, judgeAnswer, type OktaVerdict } from './verdict.js';

/** A call of a telephony hook. */
export interface HookCallOptions extends HookPayloadOptions {
  /**
   * The hook's URL. It gets no credential: give it in `headers`. Default: that of the org's active telephony hook, with the
   * headers that prove Okta to it.
   */
  readonly url?: string | undefined;
  /** More headers. One with the name of a usual header replaces it, e.g. `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Changes the payload before it is sent: in place, or by returning another one. A string is sent unchanged, so
   * that it need not be JSON.
   */
  readonly change?: ((payload: Record<string, unknown>) => unknown) | undefined;
}

/** The members of `HookCallOptions`. */
export const HOOK_CALL_KEYS = Object.keys({
  userId: true,
  login: true,
  requestType: true,
  deliveryChannel: true,
  phoneNumber: true,
  otpCode: true,
  msgTemplate: true,
  locale: true,
  eventId: true,
  preview: true,
  eventTime: true,
  otpExpires: true,
  ipAddress: true,
  url: true,
  headers: true,
  change: true,
} satisfies Record<keyof HookCallOptions, true>);

/** The result of a hook call. */
export interface HookCall {
  /** The payload that was sent. */
  readonly payload: unknown;
  /** The status of the hook's answer; `undefined` without an answer in time. */
  readonly httpStatus: number | undefined;
  /** The headers of the answer, with names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The answer's JSON, or its text if it is not JSON; `undefined` without a whole answer. */
  readonly body: unknown;
  /** From the request to the end of the answer, milliseconds. */
  readonly durationMs: number;
  /** The code that was to be delivered. */
  readonly otpCode: string;
  /** What Okta does with the answer. */
  readonly okta: OktaVerdict;
}

/** A hook to call, and the headers that Okta sends to it. */
export interface HookTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The hook's id, for `source`. Default: a made-up one. */
  readonly hookId?: string | undefined;
  /** Why Okta cannot call the hook: it got no token. */
  readonly problem?: string | undefined;
}

/** The payload of a call, and its code. `user` is the user whom it is for, if the org knows them. */
export function preparePayload(
  options: HookCallOptions,
  user: EmulatedUser | undefined,
  { hookId }: HookTarget,
  { orgUrl, clock }: OrgContext,
): Pick<HookCall, 'payload' | 'otpCode'> {
  const original = makeHookPayload(options, user, { orgUrl, now: clock(), hookId });
  const code = fieldOf(original, 'data', 'messageProfile', 'otpCode');
  const otpCode = typeof code === 'string' || typeof code === 'number' ? String(code) : '';
  return { payload: options.change?.(original) ?? original, otpCode };
}

/** A hook call as it is sent, so that it can be sent again. */
export interface HookRequest extends Pick<HookCall, 'payload' | 'otpCode'> {
  readonly outbound: OutboundCall;
  /** Why Okta cannot call the hook. */
  readonly problem: string | undefined;
}

export function makeHookRequest(
  { payload, otpCode }: Pick<HookCall, 'payload' | 'otpCode'>,
  { url, headers, problem }: HookTarget,
): HookRequest {
  return { payload, otpCode, outbound: jsonPost(url, headers, payload), problem };
}

/** Calls a hook as Okta does: once, within three seconds, without following a redirect. A failing hook is a result, no rejection. */
export async function callHook(request: HookRequest, client: Outbound): Promise<HookCall> {
  const { payload, otpCode } = request;
  const startedAt = performance.now();
  const answer: OutboundAnswer =
    request.problem === undefined
      ? await client.call(request.outbound)
      : { status: undefined, headers: {}, text: undefined, problem: request.problem };
  const durationMs = performance.now() - startedAt;
  const { status: httpStatus, headers, text, problem } = answer;
  const okta =
    text === undefined || httpStatus === undefined
      ? failover(problem ?? 'no answer')
      : judgeAnswer(httpStatus, text);
  const body = text === undefined ? undefined : (parseJson(text) ?? text);
  return { payload, httpStatus, headers, body, durationMs, otpCode, okta };
}
