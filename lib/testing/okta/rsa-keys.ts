import {
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto';
import { promisify } from 'node:util';
import { exportJWK } from 'jose';
import { randomAlphanumeric } from '../server/random-ids.js';

const OPTIONS = { modulusLength: 2048 };

/** A key that signs the tokens of an authorization server. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public key, as the server publishes it. */
  readonly jwk: object;
}

/** Key pairs of closed emulators, for reuse. */
const spare: KeyPairKeyObjectResult[] = [];

/**
 * The RSA keys of one emulator. Making one takes tens of milliseconds of a core, so the keys of a closed emulator
 * are reused by the next one. Two open emulators never share a key.
 */
export class RsaKeys {
  #own: KeyPairKeyObjectResult[] = [];

  /** Makes a key that signs tokens, with a new key id. */
  async makeSigningKey(): Promise<SigningKey> {
    const pair = spare.pop() ?? (await promisify(generateKeyPair)('rsa', OPTIONS));
    const { privateKey, publicKey } = this.#keep(pair);
    const kid = randomAlphanumeric(43);
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig', kid } };
  }

  takeSync(): KeyPairKeyObjectResult {
    return this.#keep(spare.pop() ?? generateKeyPairSync('rsa', OPTIONS));
  }

  /** Called once, when the emulator is closed. */
  giveBack(): void {
    spare.push(...this.#own);
    this.#own = [];
  }

  #keep(pair: KeyPairKeyObjectResult): KeyPairKeyObjectResult {
    this.#own.push(pair);
    return pair;
  }
}
