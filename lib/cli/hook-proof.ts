import type { HttpAnswer, HttpDispatcher, HttpRequest, HttpResult } from '../core/http.js';
import { fieldOf, textFieldOf } from '../core/json.js';
import { sendRequest } from '../http/request.js';
import type { HookOAuth, HookProof } from '../okta/admin/hook-resource.js';
import { headerOption, type CommandCall } from './command.js';
import type { Variables } from './environment.js';
import { CommandError } from './failure.js';

const OAUTH = [
  'HOOK_OAUTH_CLIENT_ID',
  'HOOK_OAUTH_TOKEN_URL',
  'HOOK_OAUTH_SCOPE',
  'HOOK_OAUTH_CLIENT_SECRET',
  'HOOK_OAUTH_KEY_ID',
] as const;

/**
 * Reads from the variables how Okta authenticates at the telephony hook: by a header with HOOK_SECRET, or by OAuth 2.0.
 * Asks for a missing secret at a terminal.
 *
 * @throws CommandError for `--rotate` with a hook key.
 */
export async function readHookProof(call: CommandCall): Promise<HookProof> {
  const { options, variables } = call;
  const proof = await readGivenProof(call);
  if (proof === undefined) {
    const what = "the whole header value that Okta's inline hook sends";
    const secret = await variables.secret('HOOK_SECRET', what);
    return { kind: 'header', headerName: headerOption(options), secret };
  }
  if (options['rotate'] === true && proof.kind === 'oauth' && 'hookKeyId' in proof.by) {
    throw new CommandError(
      'BAD_USE',
      '--rotate is for secrets, and a hook key has none.',
      'Register the public key of another hook key with the client, and set HOOK_OAUTH_KEY_ID to its id. No option is needed.',
    );
  }
  return proof;
}

/**
 * The same without a question; `undefined` if no variable is set. One variable of OAuth selects OAuth, because HOOK_SECRET
 * may be set for the event hook only.
 */
export async function readGivenProof({ options, variables }: CommandCall): Promise<HookProof | undefined> {
  if (OAUTH.some((name) => variables.read(name) !== undefined)) return readOAuthProof(variables);
  const secret = variables.read('HOOK_SECRET');
  return secret === undefined ? undefined : { kind: 'header', headerName: headerOption(options), secret };
}

async function readOAuthProof(variables: Variables): Promise<HookOAuth> {
  const what = 'it goes with the other variables HOOK_OAUTH_…';
  const issuer = variables.read('HOOK_OAUTH_ISSUER');
  return {
    kind: 'oauth',
    clientId: variables.required('HOOK_OAUTH_CLIENT_ID', what),
    tokenUrl:
      issuer === undefined || variables.hasAny('HOOK_OAUTH_TOKEN_URL')
        ? variables.required('HOOK_OAUTH_TOKEN_URL', what)
        : `${issuer.replace(/\/$/, '')}/v1/token`,
    scope: variables.required('HOOK_OAUTH_SCOPE', what),
    by: await readClientProof(variables),
  };
}

async function readClientProof(variables: Variables): Promise<HookOAuth['by']> {
  const hookKeyId = variables.read('HOOK_OAUTH_KEY_ID');
  if (hookKeyId === undefined) {
    const what = "the client's secret; in its place HOOK_OAUTH_KEY_ID of a hook key will do";
    return { clientSecret: await variables.secret('HOOK_OAUTH_CLIENT_SECRET', what) };
  }
  const clientSecret = variables.read('HOOK_OAUTH_CLIENT_SECRET');
  if (clientSecret === undefined) return { hookKeyId };
  variables.complain('HOOK_OAUTH_KEY_ID does not go with HOOK_OAUTH_CLIENT_SECRET: unset one of them');
  return { clientSecret };
}

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
  const headers = { 'user-agent': 'okta-telephony-hook', ...request.headers };
  return sendRequest({ ...request, headers }, { dispatcher, timeoutMs }, () => undefined);
}
