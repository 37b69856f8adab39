import type { KeyObject } from 'node:crypto';
import { exportJWK, type JWK } from 'jose';
import { randomAlphanumeric } from '../server/random-ids.js';
import type { RsaKeys } from '../server/rsa-keys.js';

/** A key that signs the tokens of an authorization server. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public key, as the server publishes it. */
  readonly jwk: JWK;
}

/** Makes a key with a name of its own. */
export async function makeSigningKey(rsaKeys: RsaKeys): Promise<SigningKey> {
  const { privateKey, publicKey } = await rsaKeys.take();
  const kid = randomAlphanumeric(43);
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig', kid } };
}
