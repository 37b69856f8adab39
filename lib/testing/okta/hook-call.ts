import type { IncomingHttpHeaders } from 'node:http';
import { fieldOf, parseJson } from '../../core/json.js';
import { makeHookPayload, type HookPayloadOptions } from './hook-payload.js';
import { callOut, type Outbound } from './outbound.js';
import type { EmulatedUser } from './users.js';
import { failover, judgeAnswer, type OktaVerdict } from './verdict.js';

/** A call of a telephony hook. */
export interface HookCallOptions extends HookPayloadOptions {
  /** The hook's URL. Default: that of the org's active telephony hook, with the headers that prove Okta to it. */
  readonly url?: string | undefined;
  /** What Okta proves itself with, e.g. `authorization`. They go before the usual headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Changes the payload before it leaves: in place, or by returning another one. A string is sent as it is, so
   * that it need not be JSON.
   */
  readonly change?: ((payload: Record<string, unknown>) => unknown) | undefined;
}

/** What came of a hook call. */
export interface HookCall {
  /** What was sent. */
  readonly payload: unknown;
  /** `undefined` when no answer came in time. */
  readonly httpStatus: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The answer's JSON; its text where it is none; `undefined` when no whole answer came. */
  readonly body: unknown;
  readonly durationMs: number;
  /** The code that was to be delivered. */
  readonly otpCode: string;
  /** What Okta does now. */
  readonly okta: OktaVerdict;
}

/** Where a hook is, and what Okta brings to it. */
export interface HookTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The hook's id, for `source`. Default: a made-up one. */
  readonly hookId?: string | undefined;
  /** Why the hook cannot be called at all: Okta got no token for it. */
  readonly problem?: string | undefined;
}

/** What every call of a hook says of itself. */
export const HOOK_HEADERS = { accept: 'application/json', 'content-type': 'application/json' };

/** Calls a hook as Okta does: once, within three seconds, following no redirect. Never rejects because of the hook. */
export async function callHook(
  options: HookCallOptions,
  user: EmulatedUser | undefined,
  target: HookTarget,
  org: Outbound & { readonly orgUrl: string; readonly now: number },
): Promise<HookCall> {
  const original = makeHookPayload(options, user, { ...org, hookId: target.hookId });
  const code = fieldOf(original, 'data', 'messageProfile', 'otpCode');
  const otpCode = typeof code === 'number' ? String(code) : typeof code === 'string' ? code : '';
  const payload = options.change?.(original) ?? original;
  if (target.problem !== undefined) {
    const okta = failover(target.problem);
    return { payload, httpStatus: undefined, headers: {}, body: undefined, durationMs: 0, otpCode, okta };
  }
  const startedAt = performance.now();
  const answer = await callOut(
    {
      method: 'POST',
      url: target.url,
      headers: { ...HOOK_HEADERS, ...target.headers },
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
    },
    org,
  );
  const durationMs = performance.now() - startedAt;
  const { status: httpStatus, headers, text, problem } = answer;
  const okta =
    text === undefined || httpStatus === undefined
      ? failover(problem ?? 'no answer')
      : judgeAnswer({ status: httpStatus, text });
  const body = text === undefined ? undefined : (parseJson(text) ?? text);
  return { payload, httpStatus, headers, body, durationMs, otpCode, okta };
}
