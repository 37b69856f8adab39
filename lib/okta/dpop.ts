import { createHash, generateKeyPair, randomUUID, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { exportJWK } from 'jose/key/export';

/** The servers that check proofs. Each issues its own nonces: RFC 9449, section 9. */
type Verifier = 'token-endpoint' | 'api';

/** The value of a `DPoP` header, and the nonce in it. */
export interface DpopProof {
  readonly jwt: string;
  readonly nonce: string | undefined;
}

const makeKeyPair = promisify(generateKeyPair);

/**
 * Proves that we hold the key to which our access tokens are bound: RFC 9449.
 *
 * @param nowMs - Okta's time, against which it checks a proof's `iat`.
 */
export function createDpopProver(nowMs: () => number) {
  const nonces = new Map<Verifier, string>();
  let keys: Promise<{ readonly privateKey: KeyObject; readonly jwk: JWK }> | undefined;

  // Made on first use, since most orgs do not require DPoP. The key stays in memory, so a leaked token is worthless after
  // this process.
  const makeKeys = async (): Promise<{ privateKey: KeyObject; jwk: JWK }> => {
    const { privateKey, publicKey } = await makeKeyPair('ec', { namedCurve: 'P-256' });
    return { privateKey, jwk: await exportJWK(publicKey) };
  };

  return {
    /** Signs a proof for one attempt of one request; Okta accepts each proof once. */
    async prove({
      verifier,
      method,
      url,
      accessToken,
    }: {
      readonly verifier: Verifier;
      readonly method: string;
      /** Without query and fragment: RFC 9449, section 4.2. */
      readonly url: string;
      /** The access token of an API call. */
      readonly accessToken?: string | undefined;
    }): Promise<DpopProof> {
      keys ??= makeKeys();
      const { privateKey, jwk } = await keys;
      const nonce = nonces.get(verifier);
      const jwt = await new SignJWT({
        htm: method,
        htu: url,
        ...(nonce === undefined ? {} : { nonce }),
        ...(accessToken === undefined
          ? {}
          : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .setIssuedAt(Math.floor(nowMs() / 1000))
        .setJti(randomUUID())
        .sign(privateKey);
      return { jwt, nonce };
    },
    /** Keeps the nonce of an answer, whatever its status. */
    keepNonce(verifier: Verifier, headers: Readonly<Record<string, string>>): void {
      const nonce = headers['dpop-nonce'];
      // NQCHAR of RFC 9449, section 8.1; a repeated header has a comma and a space, so it is no nonce.
      if (nonce !== undefined && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(nonce)) nonces.set(verifier, nonce);
    },
    /** The nonce that the next proof will carry. */
    nonceFor: (verifier: Verifier) => nonces.get(verifier),
  };
}
