import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { formOf, queryOf, type RecordedRequest } from '../server/faults.js';
import { randomAlphanumeric } from '../server/random-ids.js';
import { okReply, type Reply } from '../server/reply.js';
import type { OrgContext } from './context.js';
import { oauthError } from './errors.js';
import { problemPage } from './sign-in-page.js';
import type { SigningKey } from './rsa-keys.js';
import { scopesIn, tokenReply } from './token-endpoint.js';
import type { EmulatedUser } from './users.js';

/** A web app of the emulated org, at which users sign in by OpenID Connect. */
export interface OidcApp {
  readonly clientId: string;
  /** For `client_secret_basic` and `client_secret_post`. Default: none, a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  /** Where sign-ins lead back to. Okta compares the whole URI. */
  readonly redirectUri: string;
}

/** What an app asks for by `/authorize`. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly state: string;
  readonly nonce: string | undefined;
  readonly codeChallenge: string;
}

/** An authorization code that was issued, for one use. */
interface Grant {
  readonly request: AuthorizationRequest;
  readonly user: EmulatedUser;
  /** How the user got the one-time code. */
  readonly by: 'sms' | 'call';
  readonly issuedAt: number;
}

/** Okta's authorization codes live for one minute, its ID tokens for one hour. */
const CODE_LIFE_MS = 60_000;
const TOKEN_SECONDS = 3600;

/** The org authorization server, as OpenID provider of web apps: `/authorize`, ID tokens, keys, and its metadata. */
export class OidcProvider {
  readonly #context: OrgContext;
  readonly #apps = new Map<string, OidcApp>();
  readonly #grants = new Map<string, Grant>();
  #key: Promise<SigningKey> | undefined;

  constructor(context: OrgContext) {
    this.#context = context;
  }

  register(app: OidcApp): void {
    this.#apps.set(app.clientId, app);
  }

  /** Answers `/authorize`: refuses the request, or leads to the sign-in page that `begin` returns. */
  answerAuthorize(request: RecordedRequest, begin: (wanted: AuthorizationRequest) => string): Reply {
    const query = queryOf(request);
    const app = this.#apps.get(query.get('client_id') ?? '');
    if (app === undefined) return problemPage('The app with this client_id is not registered at Okta.');
    if (query.get('redirect_uri') !== app.redirectUri) {
      return problemPage("The redirect_uri is not the app's Sign-in redirect URI.");
    }
    const state = query.get('state') ?? '';
    const problem = problemOf(query);
    if (problem !== undefined) {
      const [error, description] = problem;
      return redirectBack(app.redirectUri, { error, error_description: description, state });
    }
    const location = begin({
      redirectUri: app.redirectUri,
      clientId: app.clientId,
      scopes: scopesIn(query.get('scope')),
      state,
      nonce: query.get('nonce') ?? undefined,
      codeChallenge: query.get('code_challenge') ?? '',
    });
    return { status: 302, headers: { location }, body: '' };
  }

  /** Leads a user who has signed in back to the app, with an authorization code. */
  signedIn(request: AuthorizationRequest, user: EmulatedUser, by: Grant['by']): Reply {
    const code = randomAlphanumeric(43);
    this.#grants.set(code, { request, user, by, issuedAt: this.#context.clock() });
    return redirectBack(request.redirectUri, { code, state: request.state });
  }

  async answerToken(request: RecordedRequest): Promise<Reply> {
    const field = formOf(request);
    const client = clientIn(request, field);
    const app = this.#apps.get(client.id);
    if (app === undefined || app.clientSecret !== client.secret) {
      return oauthError(401, 'invalid_client', 'The client authentication is not valid.');
    }
    const code = field('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const isOwn = grant?.request.clientId === app.clientId;
    if (grant === undefined || !isOwn || this.#context.clock() >= grant.issuedAt + CODE_LIFE_MS) {
      return oauthError(400, 'invalid_grant', 'The authorization code is invalid or has expired.');
    }
    if (field('redirect_uri') !== app.redirectUri) {
      return oauthError(400, 'invalid_grant', 'The redirect_uri is another one than at /authorize.');
    }
    if (sha256(field('code_verifier') ?? '').toString('base64url') !== grant.request.codeChallenge) {
      return oauthError(400, 'invalid_grant', 'PKCE verification failed.');
    }
    const accessToken = randomAlphanumeric(43);
    const idToken = await this.#makeIdToken(grant, accessToken);
    return tokenReply(accessToken, grant.request.scopes, TOKEN_SECONDS, { id_token: idToken });
  }

  async answerKeys(): Promise<Reply> {
    const { jwk } = await this.#signingKey();
    return okReply({ keys: [jwk] }, { 'cache-control': 'max-age=3600, must-revalidate' });
  }

  answerMetadata(): Reply {
    const issuer = this.#context.orgUrl;
    return okReply({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/v1/authorize`,
      token_endpoint: `${issuer}/oauth2/v1/token`,
      jwks_uri: `${issuer}/oauth2/v1/keys`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'client_credentials'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'profile', 'email', 'groups'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      code_challenge_methods_supported: ['S256'],
    });
  }

  async #makeIdToken({ request, user, by, issuedAt }: Grant, accessToken: string): Promise<string> {
    const { kid, privateKey } = await this.#signingKey();
    const { firstName, lastName, email } = user.profile;
    const now = Math.floor(this.#context.clock() / 1000);
    const has = (scope: string): boolean => request.scopes.includes(scope);
    return new SignJWT({
      ver: 1,
      amr: [by === 'sms' ? 'sms' : 'tel'],
      auth_time: Math.floor(issuedAt / 1000),
      at_hash: sha256(accessToken).subarray(0, 16).toString('base64url'),
      ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
      ...(has('profile')
        ? { name: `${String(firstName)} ${String(lastName)}`, preferred_username: user.login }
        : {}),
      ...(has('email') ? { email, email_verified: true } : {}),
      ...(has('groups') ? { groups: ['Everyone', ...user.groups] } : {}),
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(this.#context.orgUrl)
      .setSubject(user.id)
      .setAudience(request.clientId)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .setJti(`ID.${randomAlphanumeric(43)}`)
      .sign(privateKey);
  }

  #signingKey(): Promise<SigningKey> {
    this.#key ??= this.#context.rsaKeys.makeSigningKey();
    return this.#key;
  }
}

export function redirectBack(redirectUri: string, parameters: Readonly<Record<string, string>>): Reply {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  // After a form, the browser goes on with GET.
  return { status: 303, headers: { location: url.href, 'cache-control': 'no-store' }, body: '' };
}

function problemOf(query: URLSearchParams): readonly [error: string, description: string] | undefined {
  if (query.get('response_type') !== 'code') {
    return ['unsupported_response_type', 'The response type is not supported: it must be code.'];
  }
  if (!scopesIn(query.get('scope')).includes('openid'))
    return ['invalid_scope', 'The scope openid is missing.'];
  // Okta requires it of every request (https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/).
  if (!query.get('state')) return ['invalid_request', 'The state parameter is missing.'];
  if (query.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(query.get('code_challenge') ?? ''))
    return ['invalid_request', 'PKCE code challenge is required, by the method S256.'];
  // No session of Okta outlives a sign-in here.
  if (query.get('prompt') === 'none') return ['login_required', 'The client specified not to prompt.'];
  return undefined;
}

/** The app's id and secret: `client_secret_basic` (RFC 6749, section 2.3.1), else the form. */
function clientIn(
  { headers }: RecordedRequest,
  field: (name: string) => string | undefined,
): { readonly id: string; readonly secret: string | undefined } {
  const [, basic] = /^Basic (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (basic === undefined) return { id: field('client_id') ?? '', secret: field('client_secret') };
  // Both parts are form-encoded, so that as a field of a form the pair decodes as a whole.
  const pair = new URLSearchParams(Buffer.from(basic, 'base64').toString().replace(':', '='));
  const [[id, secret] = ['', '']] = pair;
  return { id, secret };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
