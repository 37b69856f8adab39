import { DpopVerifier } from './dpop-proofs.js';
import type { RecordedRequest } from '../../server/request.js';
import type { Reply } from '../../server/reply.js';
import type { OrgContext } from '../api/context.js';
import { forbidden, oauthError, oktaError } from '../api/errors.js';
import { OauthClients, tokenReply, unsignedToken } from './token-endpoint.js';
import { randomAlphanumeric } from '../../server/random-ids.js';

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

/** How the org authorization server is set up. */
export interface OrgTokenOptions {
  readonly apiToken: string;
  /** The roles of the administrator who made the API token. */
  readonly apiTokenRoles: readonly string[];
  readonly tokenLifetimeSeconds: number;
}

interface IssuedToken {
  readonly app: ServiceApp;
  readonly scopes: readonly string[];
  readonly thumbprint: string | undefined;
  readonly expiresAt: number;
}

const SUPER_ADMIN = 'SUPER_ADMIN';

/** The org authorization server: issues tokens to service apps, and checks what API calls carry. */
export class OrgTokens {
  readonly #context: OrgContext;
  readonly #lifetimeSeconds: number;
  readonly #proofs: DpopVerifier;
  readonly #apps: OauthClients<ServiceApp>;
  readonly #tokens = new Map<string, IssuedToken>();
  /** The API tokens, and the roles of the administrators who made them. */
  readonly #apiTokens = new Map<string, readonly string[]>();
  #nonce = randomAlphanumeric(32);

  constructor(context: OrgContext, options: OrgTokenOptions) {
    this.#context = context;
    this.#lifetimeSeconds = options.tokenLifetimeSeconds;
    this.#proofs = new DpopVerifier(context);
    this.#apps = new OauthClients(context, `${context.orgUrl}/oauth2/v1/token`, 'okta.users.read');
    this.#apiTokens.set(options.apiToken, options.apiTokenRoles);
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
    this.#apps.register(app);
  }

  revokeAll(): void {
    this.#tokens.clear();
  }

  rotateNonce(): void {
    this.#nonce = randomAlphanumeric(32);
  }

  async answer(request: RecordedRequest): Promise<Reply> {
    const grant = await this.#apps.grant(request);
    if ('status' in grant) return grant;
    const { client, scopes } = grant;
    const thumbprint = client.requireDpop === true ? await this.#checkTokenProof(request) : undefined;
    return typeof thumbprint === 'object' ? thumbprint : this.#issue(client, scopes, thumbprint);
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
      const proof = await this.#proofs.check(request, credentials);
      if (typeof proof === 'string') return invalidToken('DPoP', 'invalid_dpop_proof', proof);
      if (proof.thumbprint !== token.thumbprint) {
        return invalidToken('DPoP', 'invalid_dpop_proof', 'The DPoP proof is by another key.');
      }
    }
    if (scope !== undefined && !token.scopes.includes(scope)) {
      return forbidden({ 'www-authenticate': `${scheme} error="insufficient_scope", scope="${scope}"` });
    }
    return isAllowedTo(roles, token.app.adminRoles ?? [SUPER_ADMIN]) ? undefined : forbidden();
  }

  async #checkTokenProof(request: RecordedRequest): Promise<string | Reply> {
    // The sentence is Okta's (okta/okta-sdk-dotnet#697).
    if (!request.headers['dpop'])
      return oauthError(400, 'invalid_dpop_proof', 'The DPoP proof JWT header is missing.');
    const proof = await this.#proofs.check(request);
    if (typeof proof === 'string') return oauthError(400, 'invalid_dpop_proof', proof);
    if (proof.nonce !== this.#nonce) {
      return oauthError(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', {
        'dpop-nonce': this.#nonce,
      });
    }
    return proof.thumbprint;
  }

  #issue(app: ServiceApp, scopes: readonly string[], thumbprint: string | undefined): Reply {
    const { clock, orgUrl } = this.#context;
    const issuedAt = Math.floor(clock() / 1000);
    const claims = {
      ver: 1,
      jti: `AT.${randomAlphanumeric(32)}`,
      iss: orgUrl,
      aud: orgUrl,
      iat: issuedAt,
      exp: issuedAt + this.#lifetimeSeconds,
      scp: scopes,
      ...(thumbprint === undefined ? {} : { cnf: { jkt: thumbprint } }),
    };
    // Only Okta verifies the tokens of its org authorization server, so the signature can be random.
    const header = { alg: 'RS256', kid: randomAlphanumeric(20) };
    const token = `${unsignedToken(header, claims)}.${randomAlphanumeric(86)}`;
    this.#tokens.set(token, { app, scopes, thumbprint, expiresAt: clock() + this.#lifetimeSeconds * 1000 });
    const type = thumbprint === undefined ? 'Bearer' : 'DPoP';
    return tokenReply(token, scopes, this.#lifetimeSeconds, { token_type: type });
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
