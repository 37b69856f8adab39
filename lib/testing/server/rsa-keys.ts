import { generateKeyPair, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { promisify } from 'node:util';

const OPTIONS = { modulusLength: 2048 };

/** Key pairs of closed emulators, for reuse. */
const spare: KeyPairKeyObjectResult[] = [];

/**
 * The RSA keys of one emulator. Making one takes tens of milliseconds of a core, so the keys of a closed emulator
 * are reused by the next one. Two open emulators never share a key.
 */
export class RsaKeys {
  #own: KeyPairKeyObjectResult[] = [];

  async take(): Promise<KeyPairKeyObjectResult> {
    return this.#keep(spare.pop() ?? (await promisify(generateKeyPair)('rsa', OPTIONS)));
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
