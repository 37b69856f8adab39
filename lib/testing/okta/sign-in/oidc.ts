import { createHash } from 'node:crypto';
import { compactVerify, createLocalJWKSet, SignJWT } from 'jose';
import { parseJson, textFieldOf } from '../../../core/json.js';
import { formOf, queryOf, type RecordedRequest } from '../../server/request.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import { jsonReply, okReply, type Reply } from '../../server/reply.js';
import {
  OFFERED,
  readAuthorizationRequest,
  respond,
  type AuthorizationRequest,
  type OidcApp,
} from './authorization-request.js';
import { oauthError } from '../api/errors.js';
import type { SigningKey } from '../authorization/rsa-keys.js';
import { problemPage, SIGNED_OUT_PAGE } from './sign-in-page.js';
import { tokenReply } from '../authorization/token-endpoint.js';
import type { EmulatedUser, UserDirectory } from '../users/users.js';
import type { RateLimitBucket } from '../api/rate-limit.js';
import type { Operation, Route } from '../api/route.js';

/** One of the org's authorization servers. */
export interface AuthorizationServer {
  readonly issuer: string;
  /** What its endpoints begin with. */
  readonly baseUrl: string;
  /** Its keys, the one that signs first. */
  readonly keys: () => Promise<readonly [SigningKey, ...SigningKey[]]>;
  readonly makeAccessToken: (request: AuthorizationRequest, user: EmulatedUser) => Promise<string> | string;
  /** Answers a request for a token by client_credentials. */
  readonly answerClient: (request: RecordedRequest) => Promise<Reply>;
  /** The rate limit of its token endpoint. Default: none. */
  readonly tokenBucket?: RateLimitBucket | undefined;
}

/** What all authorization servers of an org share. */
export interface OidcOrg {
  readonly orgUrl: string;
  readonly clock: () => number;
  /** By client id. */
  readonly apps: ReadonlyMap<string, OidcApp>;
  readonly users: UserDirectory;
}

interface SignedIn {
  readonly request: AuthorizationRequest;
  readonly user: EmulatedUser;
  /** How the user got the one-time code. */
  readonly by: 'sms' | 'call';
  readonly at: number;
}

interface IssuedToken {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
}

/** Okta's authorization codes live for one minute, its ID tokens and access tokens for one hour. */
const CODE_LIFE_MS = 60_000;
const TOKEN_SECONDS = 3600;

/** An authorization server as OpenID provider of web apps: sign-in, tokens, userinfo, sign-out, and its metadata. */
export class OidcProvider {
  readonly #org: OidcOrg;
  readonly #server: AuthorizationServer;
  /** The authorization codes, each for one use. */
  readonly #grants = new Map<string, SignedIn>();
  readonly #tokens = new Map<string, IssuedToken>();

  constructor(org: OidcOrg, server: AuthorizationServer) {
    this.#org = org;
    this.#server = server;
  }

  /** Its endpoints. `begin` begins a sign-in, and returns the path of its page. */
  routes(begin: (wanted: AuthorizationRequest) => string): readonly Route[] {
    const { issuer, baseUrl, answerClient, tokenBucket } = this.#server;
    const [issuerPath, base] = [issuer, baseUrl].map((url) => url.slice(this.#org.orgUrl.length));
    const metadata = (): Reply => this.#answerMetadata();
    const token: Operation = ({ request }) =>
      request.form?.['grant_type'] === 'authorization_code'
        ? this.#answerToken(request)
        : answerClient(request);
    const userInfo: Operation = ({ request }) => this.#answerUserInfo(request);
    const logout: Operation = ({ request }) => this.#answerLogout(request);
    return [
      ['get', `${issuerPath}/.well-known/openid-configuration`, {}, metadata],
      ['get', `${issuerPath}/.well-known/oauth-authorization-server`, {}, metadata],
      ['get', `${base}/keys`, {}, () => this.#answerKeys()],
      ['get', `${base}/authorize`, {}, ({ request }) => this.#answerAuthorize(request, begin)],
      ['post', `${base}/token`, { bucket: tokenBucket }, token],
      ['get', `${base}/userinfo`, {}, userInfo],
      ['post', `${base}/userinfo`, {}, userInfo],
      ['post', `${base}/revoke`, {}, ({ request }) => this.#answerRevoke(request)],
      ['get', `${base}/logout`, {}, logout],
      ['post', `${base}/logout`, {}, logout],
    ];
  }

  /** Answers `/authorize`: refuses the request, or leads to the sign-in page that `begin` returns. */
  #answerAuthorize(request: RecordedRequest, begin: (wanted: AuthorizationRequest) => string): Reply {
    const wanted = readAuthorizationRequest(request, this.#org.apps);
    if ('refusal' in wanted) return wanted.refusal;
    return { status: 302, headers: { location: begin(wanted) }, body: '' };
  }

  /** Sends a user who has signed in back to the app, with an authorization code or an ID token. */
  async signedIn(request: AuthorizationRequest, user: EmulatedUser, by: SignedIn['by']): Promise<Reply> {
    const signedIn = { request, user, by, at: this.#org.clock() };
    if (request.responseType === 'id_token') {
      return respond(request, { id_token: await this.#makeIdToken(signedIn) });
    }
    const code = randomAlphanumeric(43);
    this.#grants.set(code, signedIn);
    return respond(request, { code });
  }

  async #answerToken(request: RecordedRequest): Promise<Reply> {
    const field = formOf(request);
    const app = this.#appIn(request, field);
    if (app === undefined) return INVALID_CLIENT;
    const code = field('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const isOwn = grant?.request.clientId === app.clientId;
    if (grant === undefined || !isOwn || this.#org.clock() >= grant.at + CODE_LIFE_MS) {
      return oauthError(400, 'invalid_grant', 'The authorization code is invalid or has expired.');
    }
    if (field('redirect_uri') !== app.redirectUri) {
      return oauthError(400, 'invalid_grant', 'The redirect_uri is another one than at /authorize.');
    }
    const verifier = field('code_verifier');
    const challenge = verifier === undefined ? undefined : sha256(verifier).toString('base64url');
    if (challenge !== grant.request.codeChallenge) {
      return oauthError(400, 'invalid_grant', 'PKCE verification failed.');
    }
    const { scopes } = grant.request;
    const accessToken = await this.#server.makeAccessToken(grant.request, grant.user);
    const idToken = await this.#makeIdToken(grant, accessToken);
    const expiresAt = this.#org.clock() + TOKEN_SECONDS * 1000;
    this.#tokens.set(accessToken, { userId: grant.user.id, scopes, expiresAt });
    return tokenReply(accessToken, scopes, TOKEN_SECONDS, { id_token: idToken });
  }

  #answerRevoke(request: RecordedRequest): Reply {
    const field = formOf(request);
    if (this.#appIn(request, field) === undefined) return INVALID_CLIENT;
    this.#tokens.delete(field('token') ?? '');
    return { status: 200, body: '' };
  }

  #answerUserInfo({ headers }: RecordedRequest): Reply {
    const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const issued = this.#tokens.get(token);
    const user = issued === undefined ? undefined : this.#org.users.find(issued.userId);
    if (issued === undefined || user === undefined || this.#org.clock() >= issued.expiresAt) {
      const proof = 'Bearer error="invalid_token", error_description="The access token is invalid"';
      return jsonReply(401, {}, { 'www-authenticate': proof });
    }
    const { firstName, lastName, locale, timezone } = user.profile;
    const more = { given_name: firstName, family_name: lastName, locale, zoneinfo: timezone };
    const isProfile = issued.scopes.includes('profile');
    return okReply({ sub: user.id, ...claimsOf(user, issued.scopes), ...(isProfile ? more : {}) });
  }

  /** Ends the sign-in of the user, of which nothing is left here, and leads to the app's page for that. */
  async #answerLogout(request: RecordedRequest): Promise<Reply> {
    const field = request.method === 'POST' ? formOf(request) : fieldsOf(queryOf(request));
    const app = await this.#appOfIdToken(field('id_token_hint') ?? '');
    if (app === undefined) {
      return problemPage('The id_token_hint is not an ID token of this authorization server.', 'sign out');
    }
    const place = field('post_logout_redirect_uri');
    if (place === undefined) return SIGNED_OUT_PAGE;
    if (!isSignOutUri(place, app)) {
      return problemPage("The post_logout_redirect_uri is not the app's Sign-out redirect URI.", 'sign out');
    }
    const url = new URL(place);
    const state = field('state');
    if (state !== undefined) url.searchParams.set('state', state);
    return { status: 302, headers: { location: url.href, 'cache-control': 'no-store' }, body: '' };
  }

  async #answerKeys(): Promise<Reply> {
    const keys = (await this.#server.keys()).map(({ jwk }) => jwk);
    return okReply({ keys }, { 'cache-control': 'max-age=3600, must-revalidate' });
  }

  #answerMetadata(): Reply {
    const { issuer, baseUrl } = this.#server;
    return okReply({
      issuer,
      authorization_endpoint: `${baseUrl}/authorize`,
      token_endpoint: `${baseUrl}/token`,
      userinfo_endpoint: `${baseUrl}/userinfo`,
      jwks_uri: `${baseUrl}/keys`,
      revocation_endpoint: `${baseUrl}/revoke`,
      end_session_endpoint: `${baseUrl}/logout`,
      ...OFFERED,
      grant_types_supported: ['authorization_code', 'implicit', 'client_credentials'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'profile', 'email', 'groups'],
      token_endpoint_auth_methods_supported: AUTH_METHODS,
    });
  }

  /** The app that has proved itself. */
  #appIn(request: RecordedRequest, field: ReturnType<typeof formOf>): OidcApp | undefined {
    const client = clientIn(request, field);
    const app = this.#org.apps.get(client.id);
    return app?.clientSecret === client.secret ? app : undefined;
  }

  /** The app to which an ID token was issued; `undefined` if it is not one of ours. It may have expired. */
  async #appOfIdToken(token: string): Promise<OidcApp | undefined> {
    const keys = (await this.#server.keys()).map(({ jwk }) => ({ ...jwk }));
    try {
      const { payload } = await compactVerify(token, createLocalJWKSet({ keys }));
      const claims = parseJson(Buffer.from(payload).toString());
      if (textFieldOf(claims, 'iss') !== this.#server.issuer) return undefined;
      return this.#org.apps.get(textFieldOf(claims, 'aud') ?? '');
    } catch {
      return undefined;
    }
  }

  async #makeIdToken({ request, user, by, at }: SignedIn, accessToken?: string): Promise<string> {
    const [{ kid, privateKey }] = await this.#server.keys();
    const now = Math.floor(this.#org.clock() / 1000);
    return new SignJWT({
      ver: 1,
      amr: [by === 'sms' ? 'sms' : 'tel'],
      auth_time: Math.floor(at / 1000),
      ...(accessToken === undefined
        ? {}
        : { at_hash: sha256(accessToken).subarray(0, 16).toString('base64url') }),
      ...(request.nonce === undefined ? {} : { nonce: request.nonce }),
      ...claimsOf(user, request.scopes),
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(this.#server.issuer)
      .setSubject(user.id)
      .setAudience(request.clientId)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .setJti(`ID.${randomAlphanumeric(43)}`)
      .sign(privateKey);
  }
}

/** Those of web apps, and of clients that get tokens for themselves. */
const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'];
const INVALID_CLIENT = oauthError(401, 'invalid_client', 'The client authentication is not valid.');

/** What the scopes show of a user, in ID tokens and by userinfo. */
function claimsOf({ login, profile, groups }: EmulatedUser, scopes: readonly string[]): object {
  const { firstName, lastName, email } = profile;
  const has = (scope: string): boolean => scopes.includes(scope);
  return {
    ...(has('profile')
      ? { name: `${String(firstName)} ${String(lastName)}`, preferred_username: login }
      : {}),
    ...(has('email') ? { email, email_verified: true } : {}),
    ...(has('groups') ? { groups: ['Everyone', ...groups] } : {}),
  };
}

function isSignOutUri(place: string, { redirectUri, postLogoutRedirectUri }: OidcApp): boolean {
  if (postLogoutRedirectUri !== undefined) return place === postLogoutRedirectUri;
  return URL.canParse(place) && new URL(place).origin === new URL(redirectUri).origin;
}

function fieldsOf(query: URLSearchParams): (name: string) => string | undefined {
  return (name) => query.get(name) ?? undefined;
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
