import type { HttpAnswer, HttpDispatcher, HttpRequest, HttpResult } from '../core/http.js';
import { USER_AGENT } from '../http/call.js';
import { sendRequest } from '../http/request.js';
import { fieldOf, textFieldOf } from '../core/json.js';
import type { HookOAuth } from './admin/hook-resource.js';

/**
 * Probes that send nothing to a phone: whether a gateway or an authorization server accepts a secret. Setup uses them before
 * it gives Okta the secret, doctor to compare both sides.
 */
export type ProbeResult =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly by: string }
  /** Neither: the URL may be wrong, or this machine does not reach it. */
  | { readonly kind: 'unclear'; readonly why: string };

/** What to compare if the gateway answers 404. A reader looks at body parsers first, so the sentence rules them out. */
export const FIX_NOT_FOUND =
  "Compare the path of PUBLIC_URL with the hook's option path. Mount the hook by app.use(hook), or at the value of path: any other mount path, also of a router, comes before path in the URL. A proxy in between may remove or add a prefix. A body parser does not cause a 404.";

const TIMEOUT_MS = 5_000;

/**
 * Calls the hook with a secret and a body that is not a hook call. A gateway that accepts the secret answers 400; one that
 * refuses it answers 401 before it reads the body.
 *
 * @param url - that of the telephony hook or of the event hook.
 * @param mark - the headers of `markProbe`.
 */
export async function probeGateway(
  dispatcher: HttpDispatcher,
  url: string,
  header: { readonly name: string; readonly secret: string },
  mark: Readonly<Record<string, string>> = {},
): Promise<ProbeResult> {
  const headers = { ...mark, [header.name]: header.secret };
  const result = await callServer(dispatcher, { url, json: {}, headers });
  const host = `The gateway at ${new URL(url).host}`;
  if (result.kind !== 'answered') return unreached(host, result.reason);
  if (result.status === 400 && isOurError(result)) return { kind: 'accepted' };
  if (result.status === 401 || result.status === 403) return { kind: 'refused', by: host };
  return {
    kind: 'unclear',
    why: `${host} answered ${result.status}: that is no telephony hook of this package`,
  };
}

/** Whether an answer is an error of this package's hook. */
export function isOurError({ json }: HttpAnswer): boolean {
  return typeof fieldOf(json, 'error', 'errorSummary') === 'string';
}

/** A token of the authorization server, or why it issued none. */
export type TokenResult =
  { readonly kind: 'token'; readonly token: string } | Exclude<ProbeResult, { kind: 'accepted' }>;

/** Requests a token from the authorization server with a client secret, as Okta does. */
export async function fetchHookToken(
  dispatcher: HttpDispatcher,
  oauth: HookOAuth,
  clientSecret: string,
): Promise<TokenResult> {
  const { tokenUrl, clientId, scope } = oauth;
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  };
  const result = await callServer(dispatcher, { url: tokenUrl, form });
  const host = `The authorization server at ${new URL(tokenUrl).host}`;
  if (result.kind !== 'answered') return unreached(host, result.reason);
  if (result.status === 200) {
    const token = textFieldOf(result.json, 'access_token');
    return token === undefined
      ? { kind: 'unclear', why: `${host} answered 200 without a token` }
      : { kind: 'token', token };
  }
  if (result.status === 400 || result.status === 401) return { kind: 'refused', by: host };
  return { kind: 'unclear', why: `${host} answered ${result.status}` };
}

function unreached(host: string, reason: string): Extract<ProbeResult, { kind: 'unclear' }> {
  return { kind: 'unclear', why: `${host} could not be reached from here (${reason})` };
}

/** Makes one call. Never rejects. */
export function callServer(
  dispatcher: HttpDispatcher,
  request: HttpRequest,
  timeoutMs = TIMEOUT_MS,
): Promise<HttpResult> {
  const headers = { 'user-agent': USER_AGENT, ...request.headers };
  return sendRequest({ ...request, headers }, { dispatcher, timeoutMs }, () => undefined);
}
