import type { HttpDispatcher, HttpResult } from '../core/http.js';
import { callHttp } from '../http/call.js';
import { fieldOf, parseJson, textFieldOf } from '../core/json.js';
import type { HookProof } from '../okta/admin/hook-resource.js';

/**
 * Probes that send nothing to a phone: whether a gateway or an authorization server accepts a secret. Setup uses them before
 * it gives Okta the secret, doctor to compare both sides.
 */
export type ProbeResult =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly by: string }
  /** Neither: the URL may be wrong, or this machine does not reach it. */
  | { readonly kind: 'unclear'; readonly why: string };

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
  const result = await post(dispatcher, url, '{}', {
    'content-type': 'application/json',
    ...mark,
    [header.name.toLowerCase()]: header.secret,
  });
  const host = `The gateway at ${new URL(url).host}`;
  if (result.kind !== 'answered') return unreached(host, result.reason);
  const isOurs = typeof fieldOf(parseJson(result.body), 'error', 'errorSummary') === 'string';
  if (result.status === 400 && isOurs) return { kind: 'accepted' };
  if (result.status === 401 || result.status === 403) return { kind: 'refused', by: host };
  return {
    kind: 'unclear',
    why: `${host} answered ${result.status}: that is no telephony hook of this package`,
  };
}

/** A token of the authorization server, or why it issued none. */
export type TokenResult =
  { readonly kind: 'token'; readonly token: string } | Exclude<ProbeResult, { kind: 'accepted' }>;

/** Requests a token from the authorization server with a client secret, as Okta does. */
export async function fetchHookToken(
  dispatcher: HttpDispatcher,
  oauth: Extract<HookProof, { kind: 'oauth' }>,
  clientSecret: string,
): Promise<TokenResult> {
  const { tokenUrl, clientId, scope } = oauth;
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope,
  });
  const result = await post(dispatcher, tokenUrl, body.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  const host = `The authorization server at ${new URL(tokenUrl).host}`;
  if (result.kind !== 'answered') return unreached(host, result.reason);
  if (result.status === 200) {
    const token = textFieldOf(parseJson(result.body), 'access_token');
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

/** Sends a POST and waits up to `timeoutMs` (default 5 s). Never rejects. */
export function post(
  dispatcher: HttpDispatcher,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs = TIMEOUT_MS,
): Promise<HttpResult> {
  const { origin, pathname, search } = new URL(url);
  return callHttp({
    dispatcher,
    method: 'POST',
    origin,
    path: pathname + search,
    headers: { accept: 'application/json', 'user-agent': 'okta-telephony-hook', ...headers },
    body,
    timeoutMs,
  });
}
