import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWK } from 'jose';
import { DpopVerifier, SIGNATURE_ALGORITHMS } from './dpop-proofs.js';
import { pathOf, type RecordedRequest } from '../server/faults.js';
import { okReply, type Reply } from '../server/reply.js';
import { textFieldOf } from '../../core/json.js';
import type { OrgContext } from './context.js';
import { forbidden, oauthError, oktaError } from './errors.js';
import { ASSERTION_TYPE } from './hook-channel.js';
import { scopesIn } from './oidc.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** An API service app of the emulated org. */
export interface ServiceApp {
  readonly clientId: string;
  /** The public key for its assertions, a JWK. */
  readonly publicJwk: object;
  /** The granted scopes. Default: `okta.users.read`. */
  readonly scopes?: readonly string[] | undefined;
  /** Whether its tokens are bound to a key. Default: `false`. */
  readonly requireDpop?: boolean | undefined;
  /** Its administrator roles; for a custom role its permissions, such as `okta.inlinehooks.manage`. Without a role it may call nothing. Default: `['SUPER_ADMIN']`. */
  readonly adminRoles?: readonly string[] | undefined;
}

interface IssuedToken {
  readonly app: ServiceApp;
  readonly scopes: readonly string[];
  readonly thumbprint: string | undefined;
  readonly expiresAt: number;
}

const MAX_ASSERTION_SECONDS = 3600;
const SUPER_ADMIN = 'SUPER_ADMIN';

/** The org authorization server: issues tokens to service apps, and checks what API calls carry. */
export class OrgTokens {
  readonly #context: OrgContext;
  readonly #proofs: DpopVerifier;
  readonly #apps = new Map<string, ServiceApp & { readonly publicJwk: JWK }>();
  readonly #tokens = new Map<string, IssuedToken>();
  /** The API tokens, and the roles of the administrators who made them. */
  readonly #apiTokens = new Map<string, readonly string[]>();
  readonly #seenAssertions = new Set<string>();
  #nonce = randomAlphanumeric(32);

  constructor(context: OrgContext) {
    this.#context = context;
    this.#proofs = new DpopVerifier(context.clock);
    this.#apiTokens.set(context.apiToken, context.apiTokenRoles);
  }

  addApiToken(roles: readonly string[]): string {
    const token = `00${randomAlphanumeric(40)}`;
    this.#apiTokens.set(token, roles);
    return token;
  }

  /** The roles of the administrator who made the API token of a call. */
  rolesOf(request: RecordedRequest): readonly string[] {
    const [, token = ''] = /^SSWS (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    return this.#apiTokens.get(token) ?? [];
  }

  register(app: ServiceApp): void {
    if ('d' in app.publicJwk) throw new Error('publicJwk holds a private key: Okta is given the public one.');
    // jose imports a key once for each JWK object, and freezes that object: it is a copy.
    this.#apps.set(app.clientId, { ...app, publicJwk: { ...app.publicJwk } });
  }

  revokeAll(): void {
    this.#tokens.clear();
  }

  rotateNonce(): void {
    this.#nonce = randomAlphanumeric(32);
  }

  async answer(request: RecordedRequest): Promise<Reply> {
    const field = (name: string): string | undefined => textFieldOf(request.form, name);
    if (field('grant_type') !== 'client_credentials') {
      return oauthError(400, 'unsupported_grant_type', 'Service apps only have client_credentials.');
    }
    if (field('client_assertion_type') !== ASSERTION_TYPE) {
      return oauthError(401, 'invalid_client', 'Service apps only have private_key_jwt.');
    }
    const app = await this.#authenticate(field('client_assertion') ?? '');
    if (typeof app === 'string') return oauthError(401, 'invalid_client', app);

    const thumbprint = app.requireDpop === true ? await this.#checkTokenProof(request) : undefined;
    if (typeof thumbprint === 'object') return thumbprint;

    const scopes = scopesIn(field('scope'));
    const granted = app.scopes ?? ['okta.users.read'];
    if (scopes.length === 0 || scopes.some((scope) => !granted.includes(scope))) {
      return oauthError(
        400,
        'invalid_scope',
        'One or more scopes are not granted to the client application.',
      );
    }
    return this.#issue(app, scopes, thumbprint);
  }

  /**
   * Refuses an API call, or returns `undefined` if it is allowed.
   *
   * @param scope - the scope that an access token needs. An API token has every scope.
   * @param roles - the administrators who may call, beside super administrators. Default: all.
   */
  async refuse(
    request: RecordedRequest,
    scope: string | undefined,
    roles: readonly string[] | undefined,
  ): Promise<Reply | undefined> {
    const [, scheme = '', credentials = ''] = /^(\S+) (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (scheme === 'SSWS') {
      const ownRoles = this.#apiTokens.get(credentials);
      if (ownRoles === undefined) return oktaError(401, 'E0000011', 'Invalid token provided');
      return isAllowedTo(roles, ownRoles) ? undefined : forbidden();
    }
    const token = this.#tokens.get(credentials);
    const isKnown = token !== undefined && token.expiresAt > this.#context.clock();
    if (!isKnown || scheme !== (token.thumbprint === undefined ? 'Bearer' : 'DPoP')) {
      return invalidToken(scheme === 'DPoP' ? 'DPoP' : 'Bearer', 'invalid_token', 'The token is not valid.');
    }
    if (token.thumbprint !== undefined) {
      const proof = await this.#proofs.check(headerOf(request, 'dpop'), {
        method: request.method,
        url: this.#context.orgUrl + pathOf(request),
        accessToken: credentials,
      });
      if (!proof.isValid) return invalidToken('DPoP', 'invalid_dpop_proof', proof.reason);
      if (proof.thumbprint !== token.thumbprint) {
        return invalidToken('DPoP', 'invalid_dpop_proof', 'The DPoP proof is by another key.');
      }
    }
    if (scope !== undefined && !token.scopes.includes(scope)) {
      return forbidden({ 'www-authenticate': `${scheme} error="insufficient_scope", scope="${scope}"` });
    }
    return isAllowedTo(roles, token.app.adminRoles ?? [SUPER_ADMIN]) ? undefined : forbidden();
  }

  async #authenticate(assertion: string): Promise<ServiceApp | string> {
    const { clock, orgUrl } = this.#context;
    try {
      const { kid } = decodeProtectedHeader(assertion);
      const clientId = decodeJwt(assertion).iss;
      const app = clientId === undefined ? undefined : this.#apps.get(clientId);
      if (clientId === undefined || app === undefined)
        return 'Invalid value for the issuer of client_assertion.';
      const jwk = app.publicJwk;
      if (jwk.kid !== undefined && jwk.kid !== kid)
        return 'The client_assertion is signed by an unknown key.';
      const { payload } = await jwtVerify(assertion, jwk, {
        algorithms: SIGNATURE_ALGORITHMS,
        issuer: clientId,
        subject: clientId,
        audience: `${orgUrl}/oauth2/v1/token`,
        requiredClaims: ['exp'],
        currentDate: new Date(clock()),
      });
      if ((payload.exp ?? 0) > clock() / 1000 + MAX_ASSERTION_SECONDS) {
        return 'The client_assertion expires more than one hour from now.';
      }
      if (payload.jti !== undefined) {
        const use = `${clientId} ${payload.jti}`;
        if (this.#seenAssertions.has(use)) return 'The client_assertion was used before.';
        this.#seenAssertions.add(use);
      }
      return app;
    } catch {
      return 'The client_assertion is not valid.';
    }
  }

  async #checkTokenProof(request: RecordedRequest): Promise<string | Reply> {
    const header = headerOf(request, 'dpop');
    // The sentence is Okta's (okta/okta-sdk-dotnet#697).
    if (header === '') return oauthError(400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.');
    const proof = await this.#proofs.check(header, {
      method: request.method,
      url: `${this.#context.orgUrl}/oauth2/v1/token`,
    });
    if (!proof.isValid) return oauthError(400, 'invalid_dpop_proof', proof.reason);
    if (proof.nonce !== this.#nonce) {
      return oauthError(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', {
        'dpop-nonce': this.#nonce,
      });
    }
    return proof.thumbprint;
  }

  #issue(app: ServiceApp, scopes: readonly string[], thumbprint: string | undefined): Reply {
    const { clock, orgUrl, tokenLifetimeSeconds } = this.#context;
    const issuedAt = Math.floor(clock() / 1000);
    const claims = {
      ver: 1,
      jti: `AT.${randomAlphanumeric(32)}`,
      iss: orgUrl,
      aud: orgUrl,
      iat: issuedAt,
      exp: issuedAt + tokenLifetimeSeconds,
      scp: scopes,
      ...(thumbprint === undefined ? {} : { cnf: { jkt: thumbprint } }),
    };
    // Only Okta verifies the tokens of its org authorization server, so the signature can be random.
    const token = [{ alg: 'RS256', kid: randomAlphanumeric(20) }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .concat(randomAlphanumeric(86))
      .join('.');
    this.#tokens.set(token, { app, scopes, thumbprint, expiresAt: clock() + tokenLifetimeSeconds * 1000 });
    const body = {
      token_type: thumbprint === undefined ? 'Bearer' : 'DPoP',
      expires_in: tokenLifetimeSeconds,
      access_token: token,
      scope: scopes.join(' '),
    };
    return okReply(body, { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' });
  }
}

function invalidToken(scheme: string, error: string, reason: string): Reply {
  const details = `${scheme} error="${error}", error_description="${reason.replaceAll('"', "'")}"`;
  return oktaError(401, 'E0000011', 'Invalid token provided', { headers: { 'www-authenticate': details } });
}

function isAllowedTo(allowed: readonly string[] | undefined, roles: readonly string[]): boolean {
  if (allowed === undefined) return roles.length > 0;
  return roles.some((role) => role === SUPER_ADMIN || allowed.includes(role));
}

function headerOf(request: RecordedRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
