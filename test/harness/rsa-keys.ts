import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';

const made: KeyPairKeyObjectResult[] = [];

/**
 * RSA keys of 2048 bits. Each takes 0.2 s of CPU to make, so all test files of a worker share them.
 *
 * @param which - each number gives another pair.
 */
export function rsaKeys(which = 0): KeyPairKeyObjectResult {
  return (made[which] ??= generateKeyPairSync('rsa', { modulusLength: 2048 }));
}
