import { generateKeyPair, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';
import { randomAlphanumeric } from '../../server/random-ids.js';

/** A key that signs the tokens of an authorization server. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public key, as the server publishes it. */
  readonly jwk: Readonly<Record<string, unknown>>;
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
    const pair = spare.pop() ?? (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 }));
    this.#own.push(pair);
    const { privateKey, publicKey } = pair;
    const kid = randomAlphanumeric(43);
    return {
      kid,
      privateKey,
      jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid },
    };
  }

  /** Called once, when the emulator is closed. */
  giveBack(): void {
    spare.push(...this.#own);
    this.#own = [];
  }
}
