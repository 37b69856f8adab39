import type { IncomingHttpHeaders } from 'node:http';
import { asList, fieldOf, isObject, parseJson, textFieldOf } from '../../core/json.js';
import { jsonReply, type Reply } from '../server/reply.js';
import { validationFailed } from './errors.js';
import type { HookProof } from './hook-channel.js';
import { type HookPayloadOptions, makeHookPayload } from './hook-payload.js';
import type { EmulatedInlineHook } from './inline-hooks.js';
import { callOut, callOutWithRetry, type Outbound } from './outbound.js';
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

/** Answers `POST /api/v1/inlineHooks/{id}/execute`: calls the hook, and once more where it fails. */
export async function executeHook(
  hook: EmulatedInlineHook,
  payload: unknown,
  prove: () => Promise<HookProof>,
  outbound: Outbound,
): Promise<Reply> {
  const type = textFieldOf(payload, 'eventType');
  if (type !== hook.type) return validationFailed('eventType', `eventType: It is not ${hook.type}.`);
  const proof = await prove();
  if (proof.headers === undefined) return validationFailed('inlineHook', proof.problem);
  const answers = await callOutWithRetry(
    {
      method: 'POST',
      url: hook.channel.uri,
      headers: { ...HOOK_HEADERS, ...proof.headers },
      body: JSON.stringify(payload),
    },
    outbound,
  );
  const { status, text, problem } = answers.at(-1) ?? {};
  if (status === undefined || text === undefined)
    return validationFailed('inlineHook', problem ?? 'no answer');
  const verdict = judgeAnswer({ status, text });
  const body = parseJson(text);
  // FAILED is an answer of the contract like any other.
  const isOfContract = verdict.action !== 'failover' || verdict.reason === 'FAILED';
  if (!isOfContract || !isObject(body)) return validationFailed('inlineHook', verdict.reason);
  return jsonReply(200, {
    error: body['error'] ?? null,
    commands: commandsOf(body),
    debugContext: fieldOf(body, 'debugContext') ?? {},
  });
}

/** What Okta understood of the commands; it leaves out what it does not know. */
function commandsOf(body: object): object[] {
  const commands = fieldOf(body, 'commands');
  if (!Array.isArray(commands)) return [];
  return commands.map((command: unknown) => {
    const values = fieldOf(command, 'value');
    return {
      type: fieldOf(command, 'type'),
      value: asList(values).map((value) => {
        const known = ['status', 'provider', 'transactionId', 'transactionMetadata'];
        return Object.fromEntries(
          known.flatMap((name) => {
            const field = textFieldOf(value, name);
            return field === undefined ? [] : [[name, field]];
          }),
        );
      }),
    };
  });
}
