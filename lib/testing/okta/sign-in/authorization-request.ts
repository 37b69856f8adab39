import { queryOf, type RecordedRequest } from '../../server/request.js';
import type { Reply } from '../../server/reply.js';
import { formPostPage, problemPage } from './sign-in-page.js';
import { scopesIn } from '../authorization/token-endpoint.js';

/** A web app of the emulated org, at which users sign in by OpenID Connect. */
export interface OidcApp {
  readonly clientId: string;
  /** For `client_secret_basic` and `client_secret_post`. Default: none, a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  /** Where sign-ins lead back to. Okta compares the whole URI. */
  readonly redirectUri: string;
  /** Where sign-outs lead to, the whole URI. Default: every URI of the origin of `redirectUri`. */
  readonly postLogoutRedirectUri?: string | undefined;
}

const RESPONSE_TYPES = ['code', 'id_token'] as const;
const RESPONSE_MODES = ['query', 'fragment', 'form_post'] as const;

/** What an app asks for by `/authorize`. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly clientId: string;
  readonly responseType: (typeof RESPONSE_TYPES)[number];
  readonly responseMode: (typeof RESPONSE_MODES)[number];
  readonly scopes: readonly string[];
  readonly state: string;
  readonly nonce: string | undefined;
  /** Of PKCE, by the method S256. */
  readonly codeChallenge: string | undefined;
}

/** What an authorization server offers, for its metadata. */
export const OFFERED = {
  response_types_supported: RESPONSE_TYPES,
  response_modes_supported: RESPONSE_MODES,
  code_challenge_methods_supported: ['S256'],
} as const;

/** Reads a request for `/authorize`, or refuses it: on a page, or at the app if its URI is certain. */
export function readAuthorizationRequest(
  request: RecordedRequest,
  apps: ReadonlyMap<string, OidcApp>,
): AuthorizationRequest | { readonly refusal: Reply } {
  const query = queryOf(request);
  const app = apps.get(query.get('client_id') ?? '');
  if (app === undefined) {
    return { refusal: problemPage('The app with this client_id is not registered at Okta.') };
  }
  const { clientId, redirectUri } = app;
  if (query.get('redirect_uri') !== redirectUri) {
    return { refusal: problemPage("The redirect_uri is not the app's Sign-in redirect URI.") };
  }
  const responseType = RESPONSE_TYPES.find((one) => one === query.get('response_type'));
  const usualMode = responseType === 'id_token' ? 'fragment' : 'query';
  const wantedMode = query.get('response_mode') ?? usualMode;
  const responseMode = RESPONSE_MODES.find((one) => one === wantedMode) ?? usualMode;
  const state = query.get('state') ?? '';
  const problem = responseType === undefined ? UNSUPPORTED : problemOf(query, app, wantedMode);
  if (responseType === undefined || problem !== undefined) {
    const [error, description] = problem ?? UNSUPPORTED;
    const place = { redirectUri, responseMode, state };
    return { refusal: respond(place, { error, error_description: description }) };
  }
  return {
    redirectUri,
    clientId,
    responseType,
    responseMode,
    scopes: scopesIn(query.get('scope')),
    state,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? undefined,
  };
}

/** Sends a browser back to the app, with these parameters and the state. */
export function respond(
  { redirectUri, responseMode, state }: Pick<AuthorizationRequest, 'redirectUri' | 'responseMode' | 'state'>,
  parameters: Readonly<Record<string, string>>,
): Reply {
  const all = { ...parameters, state };
  if (responseMode === 'form_post') return formPostPage(redirectUri, all);
  const url = new URL(redirectUri);
  if (responseMode === 'fragment') url.hash = new URLSearchParams(all).toString();
  else for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  // After a form, the browser goes on with GET.
  return { status: 303, headers: { location: url.href, 'cache-control': 'no-store' }, body: '' };
}

type Problem = readonly [error: string, description: string];

const UNSUPPORTED: Problem = [
  'unsupported_response_type',
  `The response type is not supported: it must be ${RESPONSE_TYPES.join(' or ')}.`,
];

function problemOf(query: URLSearchParams, app: OidcApp, responseMode: string): Problem | undefined {
  const isCode = query.get('response_type') === 'code';
  if (!scopesIn(query.get('scope')).includes('openid'))
    return ['invalid_scope', 'The scope openid is missing.'];
  // Okta requires it of every request (https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/).
  if (!query.get('state')) return ['invalid_request', 'The state parameter is missing.'];
  if (!isCode && !query.get('nonce')) return ['invalid_request', 'The nonce parameter is missing.'];
  const isKnownMode = RESPONSE_MODES.some((one) => one === responseMode);
  if (!isKnownMode || (!isCode && responseMode === 'query')) {
    return ['invalid_request', 'The response mode does not fit the response type.'];
  }
  // Okta requires PKCE of public clients, and of other apps only if an administrator says so.
  const hasPkce = query.has('code_challenge') || query.has('code_challenge_method');
  if (isCode && (hasPkce || app.clientSecret === undefined) && !isS256(query))
    return ['invalid_request', 'PKCE code challenge is required, by the method S256.'];
  // No session of Okta outlives a sign-in here.
  if (query.get('prompt') === 'none') return ['login_required', 'The client specified not to prompt.'];
  return undefined;
}

function isS256(query: URLSearchParams): boolean {
  return (
    query.get('code_challenge_method') === 'S256' && /^[\w-]{43}$/.test(query.get('code_challenge') ?? '')
  );
}
