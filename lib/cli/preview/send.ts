import type { HttpDispatcher, HttpResult } from '../../core/http.js';
import type { Time } from '../admin/administration.js';
import { describeHook, isSameUrl, type HookResource } from '../admin/hook-resource.js';
import { listTelephonyHooks, executeTelephonyHook } from '../admin/telephony-hook-setup.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import { callServer, fetchHookToken } from '../gateway-probe.js';
import { readHookProof } from '../hook-proof.js';
import { INLINE_HOOK_SCOPES, type Org } from '../org.js';
import { maskText } from '../../core/masking.js';
import { personalDataOf } from '../../numbers/personal-data.js';
import { secretsOfCall } from './masked-call.js';
import { OktaApiError } from '../../core/errors.js';
import type { JsonObject } from '../../core/json.js';
import { markProbe } from '../../okta/probe-mark.js';
import { OKTA_WAITS_MS } from '../../core/time.js';
import { reactionTo, reactionToSilence, type Reaction } from '../../console/reaction.js';

/** How a payload reaches the hook: Okta calls it, or this machine calls the gateway directly. */
export type Route = OktaRoute | GatewayRoute;

interface OktaRoute {
  readonly via: 'okta';
  readonly org: Org;
  readonly hook: HookResource;
}

interface GatewayRoute {
  readonly via: 'gateway';
  readonly dispatcher: HttpDispatcher;
  readonly url: string;
  readonly header: { readonly name: string; readonly secret: string };
  readonly isOAuth: boolean;
}

/**
 * The route by Okta, to the hook with this id, or to the active one.
 * @throws CommandError without such a hook, or if it is not active.
 */
export async function findOktaRoute(
  org: Org,
  parts: {
    readonly hookId: string | undefined;
    /** A note says so if the hook has another URL. `undefined`: PUBLIC_URL is not set. */
    readonly publicUrl: string | undefined;
    readonly note: (text: string) => void;
  },
): Promise<Route> {
  const hook = await findHook(org, parts.hookId);
  if (parts.publicUrl !== undefined && !isSameUrl(hook.url, parts.publicUrl)) {
    parts.note(`Okta calls a hook with another URL than PUBLIC_URL: ${describeHook(hook)}.`);
  }
  return { via: 'okta', org, hook };
}

/**
 * Reads the variables of the route to the gateway. The returned function opens it: with OAuth it fetches a token as Okta does.
 * @throws CommandError if the authorization server issues no token.
 */
export async function readGatewayRoute(
  call: CommandCall,
): Promise<(dispatcher: HttpDispatcher) => Promise<Route>> {
  const { variables, terminal } = call;
  const url = variables.required('PUBLIC_URL', "the hook's own public URL");
  const proof = await readHookProof(call);
  if (proof.kind === 'header') {
    const header = { name: proof.headerName ?? 'Authorization', secret: proof.secret };
    return (dispatcher) => Promise.resolve({ via: 'gateway', dispatcher, url, header, isOAuth: false });
  }
  const { by } = proof;
  if (!('clientSecret' in by)) {
    throw new CommandError(
      'BAD_ENVIRONMENT',
      'Only Okta has the private key of the hook key in HOOK_OAUTH_KEY_ID.',
      'Remove --via gateway, so that Okta calls the hook.',
    );
  }
  return async (dispatcher) => {
    const answer = await fetchHookToken(dispatcher, proof, by.clientSecret);
    if (answer.kind !== 'token') {
      throw new CommandError(
        'NO_HOOK_TOKEN',
        answer.kind === 'refused' ? `${answer.by} does not accept this client.` : `${answer.why}.`,
        'Compare the variables HOOK_OAUTH_… with the client at the authorization server.',
      );
    }
    terminal.hide(answer.token);
    const header = { name: 'Authorization', secret: `Bearer ${answer.token}` };
    return { via: 'gateway', dispatcher, url, header, isOAuth: true };
  };
}

async function findHook(org: Org, hookId: string | undefined): Promise<HookResource> {
  const hooks = await listTelephonyHooks(org.as(INLINE_HOOK_SCOPES));
  const active = hooks.filter(({ isActive }) => isActive);
  const hook = hookId === undefined ? active[0] : hooks.find(({ id }) => id === hookId);
  const known = hooks.length === 0 ? 'It has none.' : `It has ${hooks.map(describeHook).join(', ')}.`;
  if (hook === undefined) {
    const what = hookId === undefined ? 'active telephony inline hook' : 'telephony inline hook with this id';
    const remedy =
      hookId === undefined
        ? 'okta-telephony-hook setup hook creates or activates it. Until then test the gateway alone: --via gateway.'
        : 'Remove --hook to use the active one, or give the id of an existing hook.';
    throw new CommandError('NO_HOOK', `The org has no ${what}. ${known}`, remedy);
  }
  if (hookId === undefined && active.length > 1) {
    throw new CommandError(
      'MANY_HOOKS',
      `More than one hook is active. ${known}`,
      'Name one with --hook <id>.',
    );
  }
  if (hook.isActive) return hook;
  throw new CommandError(
    'HOOK_INACTIVE',
    `The hook is not active, so Okta does not call it: ${describeHook(hook)}.`,
    'okta-telephony-hook setup hook activates the hook of PUBLIC_URL.',
  );
}

export function describeRoute(route: Route): string {
  if (route.via === 'okta') return `Okta calls its hook ${describeHook(route.hook)}`;
  return `this machine calls ${new URL(route.url).host}, as Okta would`;
}

/** Sends a payload by a route. A real message goes out. */
export function sendBy(route: Route, payload: JsonObject, time: Time): Promise<PreviewResult> {
  return route.via === 'gateway' ? sendToGateway(route, payload, time) : sendByOkta(route, payload, time);
}

export interface PreviewResult {
  /** The hook's answer, if there is one. By Okta's API: the part that Okta understood. */
  readonly answer?: { readonly httpStatus: number; readonly body: unknown } | undefined;
  /** Why there is no answer, or none that Okta accepts. */
  readonly problem?: { readonly code: SendProblem; readonly text: string } | undefined;
  readonly durationMs: number;
  /** What Okta does with the answer. `undefined` if Okta's API did not answer, so that Okta's result is unknown. */
  readonly reaction?: Reaction | undefined;
}

/**
 * `NO_SUCCESS`: Okta got no answer that it accepts. `UNREACHED`: the call did not leave. `NO_ANSWER`: the outcome is unknown.
 * `TOO_LATE`: the answer came after Okta's three seconds. After each except `UNREACHED` a message may have gone out.
 */
export type SendProblem = 'NO_SUCCESS' | 'UNREACHED' | 'NO_ANSWER' | 'TOO_LATE';

/** Longer than Okta's three seconds, so that the report can say how late an answer is. */
const MAX_WAIT_MS = 10_000;

/**
 * Sends by Okta's execute API, which calls the hook.
 * @throws OktaApiError if Okta does not call the hook.
 */
async function sendByOkta({ org, hook }: OktaRoute, payload: JsonObject, time: Time): Promise<PreviewResult> {
  const startedAt = time.now();
  try {
    const body = await executeTelephonyHook(org.as(INLINE_HOOK_SCOPES), hook.id, payload);
    const answer = { httpStatus: 200, body };
    return { answer, durationMs: time.now() - startedAt, reaction: reactionTo(answer) };
  } catch (error) {
    const durationMs = time.now() - startedAt;
    if (error instanceof OktaApiError && mayHaveCalled(error)) {
      const text = `${error.message}. ${MAY_BE_SENT}`;
      return { problem: { code: 'NO_ANSWER', text }, durationMs };
    }
    if (!(error instanceof OktaApiError) || error.status !== 400) throw withoutCause(error);
    // Okta's sentences may quote the payload.
    const causes =
      error.cause instanceof Error
        ? maskText(error.cause.message, personalDataOf(secretsOfCall(payload)))
        : 'no reason given';
    const text = `Okta got no answer from the hook that it accepts: ${causes}`;
    const reaction = reactionToSilence('the hook gave no answer that Okta accepts');
    return { problem: { code: 'NO_SUCCESS', text }, durationMs, reaction };
  }
}

/** A warning for each remedy that says to send again. */
export const MAY_BE_SENT = 'A message may have gone out nevertheless.';

/** Whether Okta may have called the hook before this error of Okta's API, or of a proxy in front of it. */
function mayHaveCalled({ code, status = 0 }: OktaApiError): boolean {
  return code === 'OKTA_NO_ANSWER' || code === 'OKTA_UNREADABLE' || status >= 500;
}

/** An error without Okta's own sentences, which may quote the user. */
export function withoutCause(error: unknown): unknown {
  if (!(error instanceof OktaApiError)) return error;
  const { code, message, status, headers, remedy, reason } = error;
  return new OktaApiError(code, message, { status, headers, remedy, reason });
}

/** Sends to the gateway as Okta does: one call that follows no redirect, and three seconds. */
async function sendToGateway(
  { dispatcher, url, header, isOAuth }: GatewayRoute,
  payload: JsonObject,
  time: Time,
): Promise<PreviewResult> {
  const startedAt = time.now();
  const headers = {
    // The token of OAuth is no secret that the gateway knows.
    ...(isOAuth ? {} : markProbe(header.secret, startedAt, { method: 'POST', route: 'hook' })),
    [header.name]: header.secret,
  };
  const result = await callServer(dispatcher, { url, json: payload, headers }, MAX_WAIT_MS);
  const durationMs = time.now() - startedAt;
  if (result.kind !== 'answered') return { ...withoutAnswer(result), durationMs };
  const answer = { httpStatus: result.status, body: result.json === undefined ? result.body : result.json };
  if (durationMs > OKTA_WAITS_MS) {
    const text = 'The answer came after Okta had given up';
    return { answer, problem: { code: 'TOO_LATE', text }, durationMs, reaction: reactionToSilence() };
  }
  const reaction = reactionTo({ ...answer, bytes: Buffer.byteLength(result.body) });
  return { answer, durationMs, reaction };
}

function withoutAnswer({
  kind,
  reason,
}: Exclude<HttpResult, { kind: 'answered' }>): Pick<PreviewResult, 'problem' | 'reaction'> {
  const isTimeout = reason === 'TIMEOUT';
  if (kind === 'no-answer') {
    const text = `The gateway gave no complete answer (${reason})`;
    const reaction = reactionToSilence(isTimeout ? undefined : 'the answer was incomplete');
    return { problem: { code: 'NO_ANSWER', text }, reaction };
  }
  const text = `The gateway could not be reached (${reason})`;
  const reaction = reactionToSilence(isTimeout ? undefined : 'the gateway was not reached');
  return { problem: { code: 'UNREACHED', text }, reaction };
}
