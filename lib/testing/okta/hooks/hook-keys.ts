import type { KeyObject } from 'node:crypto';
import { okReply, type Reply } from '../../server/reply.js';
import type { OrgContext } from '../api/context.js';
import { validationFailed } from '../api/errors.js';
import { hookAccess, listBy, type Route } from '../api/route.js';
import type { SigningKey } from '../authorization/rsa-keys.js';
import { textFieldOf } from '../../../core/json.js';
import { randomAlphanumeric } from '../../server/random-ids.js';

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
  readonly publicJwk: SigningKey['jwk'];
  readonly created: string;
}

/** The keys, and the API that lists and makes them. */
export class HookKeys {
  readonly #context: OrgContext;
  readonly #keys: StoredKey[] = [];

  constructor(context: OrgContext) {
    this.#context = context;
  }

  get all(): readonly EmulatedHookKey[] {
    return this.#keys.map(({ id, keyId, name, publicJwk }) => ({ id, keyId, name, publicJwk }));
  }

  /** The key that signs a hook's assertions. */
  find(id: string): { readonly keyId: string; readonly privateKey: KeyObject } | undefined {
    return this.#keys.find((key) => key.id === id);
  }

  get routes(): readonly Route[] {
    const path = '/api/v1/hook-keys';
    const { read, manage } = hookAccess('inlineHooks');
    return [
      ['get', path, read, listBy([], () => okReply(this.#keys.map(resourceOf)))],
      ['post', path, manage, ({ body }) => this.#create(body)],
    ];
  }

  async #create(body: unknown): Promise<Reply> {
    const name = textFieldOf(body, 'name');
    if (name === undefined) return validationFailed('name', 'name: The field cannot be left blank');
    if (this.#keys.some((key) => key.name === name)) return validationFailed('name', 'name: It is taken.');
    const { kid: keyId, jwk: publicJwk, privateKey } = await this.#context.rsaKeys.makeSigningKey();
    const created = new Date(this.#context.clock()).toISOString();
    const key = { id: `HKY${randomAlphanumeric(17)}`, keyId, name, publicJwk, privateKey, created };
    const { e, n } = publicJwk;
    // As Okta shows a public key. An authorization server needs another `alg` and `use`.
    const embedded = { kty: 'RSA', alg: 'RSA', kid: keyId, use: 'null', e, n };
    return {
      ...okReply({ ...resourceOf(key), _embedded: embedded }),
      commit: () => this.#keys.push(key),
    };
  }
}

function resourceOf({ id, keyId, name, created }: StoredKey): object {
  return { id, keyId, name, created, lastUpdated: created };
}
