import { decodeJwt, decodeProtectedHeader, jwtVerify, type JWK } from 'jose';
import { formOf, type RecordedRequest } from '../../server/request.js';
import { okReply, type Reply } from '../../server/reply.js';
import type { OrgContext } from '../api/context.js';
import { SIGNATURE_ALGORITHMS } from './dpop-proofs.js';
import { oauthError } from '../api/errors.js';

/** RFC 7523, section 2.2. */
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const MAX_ASSERTION_SECONDS = 3600;

/** Okta as a client of the custom authorization server, which issues tokens for a hook. */
export interface HookClient {
  readonly clientId: string;
  /** For `client_secret_post`. */
  readonly clientSecret?: string | undefined;
  /** For `private_key_jwt`: the public part of a hook key. */
  readonly publicJwk?: object | undefined;
  /** Default: `['telephony']`. */
  readonly scopes?: readonly string[] | undefined;
}

/** The clients of an authorization server, which get tokens by client_credentials. */
export class OauthClients<Client extends HookClient> {
  readonly #clock: () => number;
  readonly #tokenUrl: string;
  readonly #defaultScope: string;
  readonly #clients = new Map<string, Client>();
  readonly #seenAssertions = new Set<string>();

  constructor({ clock }: OrgContext, tokenUrl: string, defaultScope: string) {
    this.#clock = clock;
    this.#tokenUrl = tokenUrl;
    this.#defaultScope = defaultScope;
  }

  register(client: Client): void {
    // jose imports a key once for each JWK object, and freezes that object: it is a copy.
    const { publicJwk } = client;
    this.#clients.set(client.clientId, { ...client, publicJwk: publicJwk && { ...publicJwk } });
  }

  /** The client that sent a request and the scopes that it gets, or a refusal. */
  async grant(
    request: RecordedRequest,
  ): Promise<{ readonly client: Client; readonly scopes: readonly string[] } | Reply> {
    const field = formOf(request);
    if (field('grant_type') !== 'client_credentials') {
      return oauthError(400, 'unsupported_grant_type', 'These clients only have client_credentials.');
    }
    const client = await this.#authenticate(field);
    if (typeof client === 'string') return oauthError(401, 'invalid_client', client);
    const scopes = scopesIn(field('scope'));
    const granted = client.scopes ?? [this.#defaultScope];
    if (scopes.length === 0 || scopes.some((scope) => !granted.includes(scope))) {
      return oauthError(400, 'invalid_scope', 'One or more scopes are not granted to the client.');
    }
    return { client, scopes };
  }

  /** The client by its secret or by private_key_jwt, or why there is none. Each assertion is valid once. */
  async #authenticate(field: ReturnType<typeof formOf>): Promise<Client | string> {
    const known = this.#clients.get(field('client_id') ?? '');
    if (known?.clientSecret !== undefined && known.clientSecret === field('client_secret')) return known;
    const assertion = field('client_assertion') ?? '';
    if (field('client_assertion_type') !== ASSERTION_TYPE) return 'The client has not proved itself.';
    try {
      const now = this.#clock();
      const { kid } = decodeProtectedHeader(assertion);
      const { iss: clientId = '' } = decodeJwt(assertion);
      const client = this.#clients.get(clientId);
      const jwk = client?.publicJwk as JWK | undefined;
      if (client === undefined || jwk === undefined)
        return 'Invalid value for the issuer of client_assertion.';
      if (jwk.kid !== undefined && jwk.kid !== kid)
        return 'The client_assertion is signed by an unknown key.';
      const { payload } = await jwtVerify(assertion, jwk, {
        algorithms: SIGNATURE_ALGORITHMS,
        issuer: clientId,
        subject: clientId,
        audience: this.#tokenUrl,
        requiredClaims: ['exp'],
        currentDate: new Date(now),
      });
      if ((payload.exp ?? 0) > now / 1000 + MAX_ASSERTION_SECONDS) {
        return 'The client_assertion expires more than one hour from now.';
      }
      if (payload.jti !== undefined) {
        const use = `${clientId} ${payload.jti}`;
        if (this.#seenAssertions.has(use)) return 'The client_assertion was used before.';
        this.#seenAssertions.add(use);
      }
      return client;
    } catch {
      return 'The client_assertion is not valid.';
    }
  }
}

export function scopesIn(text: string | null = ''): readonly string[] {
  return (text ?? '').split(' ').filter((scope) => scope !== '');
}

export function tokenReply(
  token: string,
  scopes: readonly string[],
  lifeSeconds: number,
  more: object = {},
): Reply {
  const scope = scopes.join(' ');
  return okReply(
    { token_type: 'Bearer', expires_in: lifeSeconds, access_token: token, scope, ...more },
    { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' },
  );
}

/** The header and the claims of a token, without a signature. */
export function unsignedToken(header: object, claims: object): string {
  return [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
}
