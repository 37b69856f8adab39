import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';

const made: KeyPairKeyObjectResult[] = [];

/**
 * RSA keys of 2048 bits, each of which takes a fifth of a second of a core to make. All test files of a worker share them.
 *
 * @param which - another number is another pair.
 */
export function rsaKeys(which = 0): KeyPairKeyObjectResult {
  return (made[which] ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}
