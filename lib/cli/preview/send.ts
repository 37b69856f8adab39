import type { HttpDispatcher, HttpResult } from '../../http/call.js';
import type { Time, Administration } from '../../okta/admin/administration.js';
import { describeHook, isSameUrl, type HookResource } from '../../okta/admin/hook-resource.js';
import { listTelephonyHooks, executeTelephonyHook } from '../../okta/admin/telephony-hook-setup.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import { fetchHookToken, post } from '../doctor/gateway-probe.js';
import { readHookProof } from '../doctor/hook-proof.js';
import type { CallSecrets } from './masked-call.js';
import type { Org } from '../org.js';
import type { Payload } from './payload.js';
import { maskText } from '../../core/masking.js';
import { OktaApiError } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import { OKTA_WAITS_MS, reactionTo, reactionToSilence, type Reaction } from '../../okta/reaction.js';

/** What a service app needs to have Okta call a hook. */
export const RUN_HOOKS = ['okta.inlineHooks.read', 'okta.inlineHooks.manage'];

/** The ways to the hook. */
export type Route =
  | { readonly via: 'okta'; readonly org: Org; readonly hook: HookResource }
  | {
      readonly via: 'gateway';
      readonly dispatcher: HttpDispatcher;
      readonly url: string;
      readonly header: { readonly name: string; readonly secret: string };
      readonly isOAuth: boolean;
    };

/** A hook at Okta, which Okta is to call: the one that is named, or the active one. */
export async function findOktaRoute(
  org: Org,
  parts: {
    readonly hookId: string | undefined;
    /** Where ours is, as far as that is known. */
    readonly publicUrl: string | undefined;
    readonly note: (text: string) => void;
  },
): Promise<Route> {
  const hook = await findHook(org, parts.hookId);
  if (parts.publicUrl !== undefined && !isSameUrl(hook.url, parts.publicUrl)) {
    parts.note(`Another hook than that of PUBLIC_URL is called: ${describeHook(hook)}.`);
  }
  return { via: 'okta', org, hook };
}

/**
 * The gateway itself, by the variables: what is opened proves this machine as Okta.
 * @throws CommandError where the authorization server gives no token.
 */
export async function readGatewayRoute(
  call: CommandCall,
): Promise<(dispatcher: HttpDispatcher) => Promise<Route>> {
  const { variables, terminal } = call;
  const url = variables.required('PUBLIC_URL', "the hook's own public URL").replace(/\/+$/, '');
  const proof = await readHookProof(call);
  if (proof.kind === 'header') {
    const header = { name: proof.headerName ?? 'Authorization', secret: proof.secret };
    return (dispatcher) => Promise.resolve({ via: 'gateway', dispatcher, url, header, isOAuth: false });
  }
  const { by } = proof;
  if (!('clientSecret' in by)) {
    throw new CommandError(
      2,
      'BAD_ENVIRONMENT',
      'Only Okta has the private key of the hook key that HOOK_OAUTH_KEY_ID names.',
      'Leave --via gateway out: Okta then proves itself.',
    );
  }
  return async (dispatcher) => {
    const answer = await fetchHookToken(dispatcher, proof, by.clientSecret);
    if (answer.kind !== 'token') {
      throw new CommandError(
        1,
        'NO_HOOK_TOKEN',
        answer.kind === 'refused' ? `${answer.by} does not take this client.` : `${answer.why}.`,
        'Compare the variables HOOK_OAUTH_… with the client at the authorization server.',
      );
    }
    terminal.hide(answer.token);
    const header = { name: 'Authorization', secret: `Bearer ${answer.token}` };
    return { via: 'gateway', dispatcher, url, header, isOAuth: true };
  };
}

async function findHook(org: Org, hookId: string | undefined): Promise<HookResource> {
  const hooks = await listTelephonyHooks(org.as(RUN_HOOKS));
  const active = hooks.filter(({ isActive }) => isActive);
  const hook = hookId === undefined ? active[0] : hooks.find(({ id }) => id === hookId);
  const known = hooks.length === 0 ? 'It has none.' : `It has ${hooks.map(describeHook).join(', ')}.`;
  if (hook === undefined) {
    const what = hookId === undefined ? 'active telephony inline hook' : 'telephony inline hook of this id';
    const remedy =
      hookId === undefined
        ? 'okta-telephony-hook setup hook creates it, or activates ours. Until then try the gateway alone: --via gateway.'
        : 'Leave --hook out for the active one, or give the id of one that there is.';
    throw new CommandError(1, 'NO_HOOK', `The org has no ${what}. ${known}`, remedy);
  }
  if (hookId === undefined && active.length > 1) {
    throw new CommandError(
      1,
      'MANY_HOOKS',
      `More hooks than one are active. ${known}`,
      'Name one with --hook <id>.',
    );
  }
  if (hook.isActive) return hook;
  throw new CommandError(
    1,
    'HOOK_INACTIVE',
    `The hook is not active, so Okta does not call it: ${describeHook(hook)}.`,
    'okta-telephony-hook setup hook activates ours.',
  );
}

/** In words. */
export function describeRoute(way: Route): string {
  if (way.via === 'okta') return `Okta calls its hook ${describeHook(way.hook)}`;
  return `this machine calls ${new URL(way.url).host}, as Okta would`;
}

/** Sends a payload on its way. */
export function sendBy(
  way: Route,
  payload: Payload,
  { time, secrets }: { readonly time: Time; readonly secrets: CallSecrets },
): Promise<PreviewResult> {
  if (way.via === 'gateway') return sendToGateway(payload, { ...way, time });
  return sendByOkta(payload, { okta: way.org.as(RUN_HOOKS), hookId: way.hook.id, time, secrets });
}

/** What a preview came to. */
export interface PreviewResult {
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
async function sendByOkta(
  payload: Payload,
  parts: {
    readonly okta: Administration;
    readonly hookId: string;
    readonly time: Time;
    readonly secrets: CallSecrets;
  },
): Promise<PreviewResult> {
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
        problem: { code: 'NO_ANSWER', text: `${error.message}. ${MAY_BE_SENT}` },
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
export const MAY_BE_SENT = 'A message may have gone out all the same.';

/** Whether Okta may have called the hook, although it, or what stands before it, does not say so. */
function mayHaveCalled({ code, status = 0 }: OktaApiError): boolean {
  return code === 'OKTA_NO_ANSWER' || code === 'OKTA_UNREADABLE' || status >= 500;
}

/** An error without Okta's own words, for a call that is about somebody. */
export function withoutCause(error: unknown): unknown {
  if (!(error instanceof OktaApiError)) return error;
  const { code, message, status, headers, remedy, reason } = error;
  return new OktaApiError(code, message, { status, headers, remedy, reason });
}

/** Sends straight to the gateway, as Okta does: one call, no redirect followed, three seconds. */
async function sendToGateway(
  payload: Payload,
  parts: {
    readonly dispatcher: HttpDispatcher;
    readonly url: string;
    readonly header: { readonly name: string; readonly secret: string };
    readonly time: Time;
  },
): Promise<PreviewResult> {
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

function silence(result: Exclude<HttpResult, { kind: 'answered' }>, durationMs: number): PreviewResult {
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
