import { randomUUID, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { okReply, type Reply } from '../server/reply.js';
import type { OrgContext } from './context.js';
import { validationFailed } from './errors.js';
import { hookRoutes, withResource, type Route } from './route.js';
import { textFieldOf } from '../../core/json.js';
import { randomAlphanumeric } from '../server/random-ids.js';

/** A key with which Okta authenticates to an authorization server to get tokens for a hook. */
export interface EmulatedHookKey {
  /** `HKY` and 17 letters and digits. A hook names it in `hookKeyId`. */
  readonly id: string;
  /** The `kid` of its public key. */
  readonly keyId: string;
  readonly name: string;
  /** For an authorization server, with `RS256`. */
  readonly publicJwk: object;
}

interface StoredKey extends EmulatedHookKey {
  readonly privateKey: KeyObject;
  readonly publicJwk: JWK;
  readonly created: string;
}

const MAX_KEYS = 50;

export class HookKeys {
  readonly #context: OrgContext;
  readonly #isUsed: (id: string) => boolean;
  readonly #keys: StoredKey[] = [];

  /** @param isUsed - whether an inline hook uses a key. */
  constructor(context: OrgContext, isUsed: (id: string) => boolean) {
    this.#context = context;
    this.#isUsed = isUsed;
  }

  get all(): readonly EmulatedHookKey[] {
    return this.#keys.map(({ id, keyId, name, publicJwk }) => ({ id, keyId, name, publicJwk }));
  }

  /** The key that signs a hook's assertions. */
  find(id: string): { readonly keyId: string; readonly privateKey: KeyObject } | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  get routes(): readonly Route[] {
    const read = withResource(
      'HookKey',
      (wanted) => this.#keys.find(({ id }) => id === wanted),
      (key, { query }) =>
        okReply(query.get('expand') === 'publickey' ? this.#detailed(key) : this.#resource(key)),
    );
    const readPublic = withResource(
      'HookKey',
      (wanted) => this.#keys.find(({ keyId }) => keyId === wanted),
      (key) => okReply(embeddedOf(key)),
    );
    return hookRoutes('/api/v1/hook-keys', 'inlineHooks', [
      ['get', '', () => okReply(this.#keys.map((key) => this.#resource(key)))],
      ['post', '', ({ body }) => this.#create(body)],
      ['get', '/:id', read],
      ['get', '/public/:id', readPublic],
    ]);
  }

  #create(body: unknown): Reply {
    const name = textFieldOf(body, 'name') ?? '';
    if (name === '' || name.length > 255)
      return validationFailed('name', 'name: It has 1 to 255 characters.');
    if (this.#keys.some((key) => key.name === name)) return validationFailed('name', 'name: It is taken.');
    if (this.#keys.length >= MAX_KEYS) return validationFailed('name', `There are ${MAX_KEYS} keys already.`);
    const { publicKey, privateKey } = this.#context.rsaKeys.takeSync();
    const keyId = randomUUID();
    const publicJwk: JWK = {
      ...publicKey.export({ format: 'jwk' }),
      kty: 'RSA',
      alg: 'RS256',
      use: 'sig',
      kid: keyId,
    };
    const created = new Date(this.#context.clock()).toISOString();
    const key = { id: `HKY${randomAlphanumeric(17)}`, keyId, name, publicJwk, privateKey, created };
    return {
      ...okReply(this.#detailed(key)),
      commit: () => this.#keys.push(key),
    };
  }

  #resource({ id, keyId, name, created }: StoredKey): object {
    // Okta has a string here.
    return { id, keyId, name, created, lastUpdated: created, isUsed: String(this.#isUsed(id)) };
  }

  #detailed(key: StoredKey): object {
    return { ...this.#resource(key), _embedded: embeddedOf(key) };
  }
}

/** The public key as Okta shows it. An authorization server needs another `alg` and `use`. */
function embeddedOf({ publicJwk: { e, n }, keyId }: StoredKey): object {
  return { kty: 'RSA', alg: 'RSA', kid: keyId, use: 'null', e, n };
}
