import type { IncomingHttpHeaders } from 'node:http';
import { fieldOf, isObject, parseJson } from '../../../core/json.js';
import { requireKeys } from '../../server/faults.js';
import { jsonPost, type OutboundAnswer, type OutboundCall } from '../../server/outbound.js';
import type { OrgContext } from '../api/context.js';
import type { UserDirectory } from '../users/users.js';
import type { AwaitedCodes } from './codes.js';
import { proveToHook } from './hook-channel.js';
import type { HookKeys } from './hook-keys.js';
import { makeHookPayload, type HookPayloadOptions } from './hook-payload.js';
import type { InlineHooks } from './inline-hooks.js';
import { failover, judgeAnswer, type OktaVerdict } from './verdict.js';
import type { EventHooks } from './event-hooks.js';
import { makeHookFailure } from './log-events.js';

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
const HOOK_CALL_KEYS = Object.keys({
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
interface HookTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The hook's id, for `source`. Default: a made-up one. */
  readonly hookId?: string | undefined;
  /** Why Okta cannot call the hook: it got no token. */
  readonly problem?: string | undefined;
}

/** A hook call as it is sent, so that it can be sent again. */
interface HookRequest extends Pick<HookCall, 'payload' | 'otpCode'> {
  readonly outbound: OutboundCall;
  /** Why Okta cannot call the hook. */
  readonly problem: string | undefined;
}

type HookCallListener = (payload: unknown) => (made: HookCall) => void;

/** The parts of an org that a call of a telephony hook needs. */
interface CallParts {
  readonly context: OrgContext;
  readonly users: UserDirectory;
  readonly keys: HookKeys;
  readonly inlineHooks: InlineHooks;
  readonly codes: AwaitedCodes;
  readonly eventHooks: EventHooks;
}

/** The calls of telephony hooks, which deliver codes. */
export class HookCalls {
  readonly #org: CallParts;
  /** What each call sent, for `repeat`. */
  readonly #requests = new WeakMap<HookCall, HookRequest>();
  readonly #listeners: HookCallListener[] = [];

  constructor(org: CallParts) {
    this.#org = org;
  }

  onCall(listener: HookCallListener): void {
    this.#listeners.push(listener);
  }

  /** Calls a telephony hook to deliver a code, which Okta then accepts. */
  async call(options: HookCallOptions): Promise<HookCall> {
    requireKeys('callHook()', options, HOOK_CALL_KEYS);
    const { context, users, codes } = this.#org;
    const wanted = options.userId ?? options.login;
    const user = wanted === undefined ? users.all[0] : users.find(wanted);
    const { url, headers, hookId, problem } = await this.#targetOf(options);
    const original = makeHookPayload(options, user, { orgUrl: context.orgUrl, now: context.clock(), hookId });
    const code = fieldOf(original, 'data', 'messageProfile', 'otpCode');
    const otpCode = typeof code === 'string' || typeof code === 'number' ? String(code) : '';
    const payload = options.change?.(original) ?? original;
    const ends = this.#listeners.map((listen) => listen(payload));
    // Once the listeners have changed the payload.
    const made = await this.#send({ payload, otpCode, outbound: jsonPost(url, headers, payload), problem });
    codes.expect(payload, otpCode);
    for (const end of ends) end(made);
    return made;
  }

  /** Sends the request of a call again. Its code stays as it is: used, replaced by a newer one, or valid. */
  async repeat(call: HookCall): Promise<HookCall> {
    const request = this.#requests.get(call);
    if (request === undefined)
      throw new TypeError('repeat() takes a result of callHook() or repeat() of this emulator.');
    return this.#send(request);
  }

  /** Calls a hook as Okta does: once, within three seconds, without following a redirect. A failing hook is a result, no rejection. */
  async #send(request: HookRequest): Promise<HookCall> {
    const { payload, otpCode } = request;
    const startedAt = performance.now();
    const answer: OutboundAnswer =
      request.problem === undefined
        ? await this.#org.context.outbound.call(request.outbound)
        : { status: undefined, headers: {}, text: undefined, problem: request.problem };
    const durationMs = performance.now() - startedAt;
    const { status: httpStatus, headers, text, problem } = answer;
    const okta =
      text === undefined || httpStatus === undefined
        ? failover(problem ?? 'no answer')
        : judgeAnswer(httpStatus, text);
    const body = text === undefined ? undefined : (parseJson(text) ?? text);
    const made = { payload, httpStatus, headers, body, durationMs, otpCode, okta };
    // A JSON object that Okta cannot use is another event, which event hooks do not get.
    if (httpStatus !== 200 || !isObject(body)) this.#reportFailure(payload, okta.reason);
    this.#requests.set(made, request);
    return made;
  }

  /** Okta's event hooks come later than its answer to the user: the call does not wait for them. */
  #reportFailure(payload: unknown, reason: string): void {
    const { context, eventHooks } = this.#org;
    void eventHooks.deliver([makeHookFailure(payload, reason, context.clock())]);
  }

  async #targetOf({ url, headers = {} }: HookCallOptions): Promise<HookTarget> {
    const { inlineHooks, keys, context } = this.#org;
    const hook = inlineHooks.activeTelephonyHook;
    // A credential goes to the hook's own URL only.
    if (url !== undefined) return { url, headers };
    if (hook === undefined)
      throw new Error('There is no active telephony hook: give a url, or create a hook.');
    const proof = await proveToHook(hook.channel, keys, context);
    const target = { url: hook.channel.uri, hookId: hook.id };
    if (typeof proof === 'string') return { ...target, headers, problem: proof };
    // A header replaces the one with the same name, in any spelling: the later one is sent.
    return { ...target, headers: { ...proof, ...headers } };
  }
}
