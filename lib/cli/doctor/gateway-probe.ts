import { callHttp, type HttpDispatcher, type HttpResult } from '../../http/call.js';
import { fieldOf, parseJson, textFieldOf } from '../../core/json.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';

/** What a gateway, or an authorization server, says to a secret before Okta has it. */
export type SecretAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly by: string }
  /** Neither: it may be the wrong address, or one that this machine does not reach. */
  | { readonly kind: 'unclear'; readonly why: string };

const TIMEOUT_MS = 5_000;

/**
 * Calls the hook with a secret and a body that is no hook call: a gateway that takes the secret says 400 to that,
 * one that does not says 401 before it reads the body. Nothing is sent to anybody.
 *
 * @param url - the hook's, or the event hook's.
 */
export async function askGateway(
  dispatcher: HttpDispatcher,
  url: string,
  header: { readonly name: string; readonly secret: string },
): Promise<SecretAnswer> {
  const result = await post(dispatcher, url, '{}', {
    'content-type': 'application/json',
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

/** A token of the authorization server's, or why there is none. */
export type TokenAnswer =
  { readonly kind: 'token'; readonly token: string } | Exclude<SecretAnswer, { kind: 'accepted' }>;

/** Asks the authorization server for a token, as Okta will, by a client's secret. */
export async function fetchHookToken(
  dispatcher: HttpDispatcher,
  oauth: Extract<HookProof, { kind: 'oauth' }>,
  clientSecret: string,
): Promise<TokenAnswer> {
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

/** Whether the authorization server takes a client's secret. */
export async function askForToken(...asked: Parameters<typeof fetchHookToken>): Promise<SecretAnswer> {
  const answer = await fetchHookToken(...asked);
  return answer.kind === 'token' ? { kind: 'accepted' } : answer;
}

function unreached(host: string, reason: string): Extract<SecretAnswer, { kind: 'unclear' }> {
  return { kind: 'unclear', why: `${host} could not be reached from here (${reason})` };
}

/** A POST that is given up after `timeoutMs`. Never rejects. */
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
