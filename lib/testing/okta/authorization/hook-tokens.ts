import { createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { RecordedRequest } from '../../server/request.js';
import type { Reply } from '../../server/reply.js';
import { randomAlphanumeric } from '../../server/random-ids.js';
import type { OrgContext } from '../api/context.js';
import type { SigningKey } from './rsa-keys.js';
import { OauthClients, tokenReply, unsignedToken, type HookClient } from './token-endpoint.js';

/** How a hook token is signed, if not as Okta does. */
export interface HookTokenOptions {
  /** Default: `RS256`. `none` leaves the signature out; `HS256` without a key signs with the public key, as attackers do. */
  readonly alg?: string | undefined;
  /** Default: the name of the key that is in use. */
  readonly kid?: string | undefined;
  /** Default: the key that is in use. */
  readonly key?: KeyObject | undefined;
}

const TOKEN_SECONDS = 3600;
const DEFAULT_CLIENT_ID = '0oahookclient0001d7';

type SigningKeys = readonly [SigningKey, ...SigningKey[]];

/** The custom authorization server. Okta sends its tokens to a hook with the OAuth 2.0 scheme. */
export class HookTokens {
  readonly #context: OrgContext;
  // The current key and the one before it. Okta publishes both.
  #keys: Promise<SigningKeys> | undefined;
  readonly clients: OauthClients<HookClient>;

  constructor(context: OrgContext) {
    this.#context = context;
    this.clients = new OauthClients(context, `${context.issuer}/v1/token`, 'telephony');
  }

  async rotate(): Promise<void> {
    const [current] = await this.signingKeys();
    this.#keys = this.#context.rsaKeys.makeSigningKey().then((key) => [key, current]);
    await this.#keys;
  }

  async issue(claims: Readonly<Record<string, unknown>>, options: HookTokenOptions): Promise<string> {
    const [current] = await this.signingKeys();
    const iat = Math.floor(this.#context.clock() / 1000);
    const payload: Record<string, unknown> = {
      ver: 1,
      jti: `AT.${randomAlphanumeric(32)}`,
      iss: this.#context.issuer,
      aud: 'api://default',
      iat,
      exp: iat + TOKEN_SECONDS,
      cid: DEFAULT_CLIENT_ID,
      sub: typeof claims['cid'] === 'string' ? claims['cid'] : DEFAULT_CLIENT_ID,
      scp: ['telephony'],
      ...claims,
    };
    const header = { alg: options.alg ?? 'RS256', kid: options.kid ?? current.kid };
    if (header.alg === 'none' || (header.alg.startsWith('HS') && options.key === undefined)) {
      return forge(header, payload, current.privateKey);
    }
    const known = Object.entries(payload).filter(([, value]) => value !== undefined);
    return new SignJWT(Object.fromEntries(known))
      .setProtectedHeader(header)
      .sign(options.key ?? current.privateKey);
  }

  async answerToken(request: RecordedRequest): Promise<Reply> {
    const grant = await this.clients.grant(request);
    if ('status' in grant) return grant;
    const { client, scopes } = grant;
    return tokenReply(await this.issue({ cid: client.clientId, scp: scopes }, {}), scopes, TOKEN_SECONDS);
  }

  signingKeys(): Promise<SigningKeys> {
    // Made when first needed: most tests do not need it, and an RSA key takes tens of milliseconds.
    this.#keys ??= this.#context.rsaKeys.makeSigningKey().then((key) => [key]);
    return this.#keys;
  }
}

/** Makes a token with a signature that a library refuses to make. */
function forge(header: { alg: string }, payload: object, privateKey: KeyObject): string {
  const signed = unsignedToken(header, payload);
  if (header.alg === 'none') return `${signed}.`;
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  const hash = header.alg.replace('HS', 'sha');
  return `${signed}.${createHmac(hash, publicPem).update(signed).digest('base64url')}`;
}
