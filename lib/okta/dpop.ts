import { createHash, generateKeyPair, randomUUID, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';
import { SignJWT } from 'jose/jwt/sign';
import { exportJWK } from 'jose/key/export';

/** Who checks a proof. Each gives out nonces of its own: RFC 9449, section 9. */
type Verifier = 'token-endpoint' | 'api';

/** A proof, as it goes into the `DPoP` header. */
export interface DpopProof {
  readonly jwt: string;
  readonly nonce: string | undefined;
}

/** Proofs that we hold the key which our access tokens are bound to: RFC 9449. */
export interface DpopProver {
  /** A new proof for one attempt of one request; Okta takes each only once. */
  prove(request: {
    readonly verifier: Verifier;
    readonly method: string;
    /** Without query and fragment: RFC 9449, section 4.2. */
    readonly url: string;
    /** The token that goes with it, for an API call. */
    readonly accessToken?: string | undefined;
  }): Promise<DpopProof>;
  /** Keeps the nonce that an answer brings, whatever else it says. */
  keepNonce(verifier: Verifier, headers: Readonly<Record<string, string>>): void;
  /** The nonce that the next proof will carry. */
  nonceFor(verifier: Verifier): string | undefined;
}

const makeKeyPair = promisify(generateKeyPair);

/** @param nowMs - the time that Okta will compare a proof's `iat` with. */
export function createDpopProver(nowMs: () => number): DpopProver {
  const nonces = new Map<Verifier, string>();
  let keys: Promise<{ readonly privateKey: KeyObject; readonly jwk: JWK }> | undefined;

  // Made when it is first needed, since most orgs never ask for it, and held in memory only: a token that
  // leaks is worth nothing after this process.
  const makeKeys = async (): Promise<{ privateKey: KeyObject; jwk: JWK }> => {
    const { privateKey, publicKey } = await makeKeyPair('ec', { namedCurve: 'P-256' });
    return { privateKey, jwk: await exportJWK(publicKey) };
  };

  return {
    async prove({ verifier, method, url, accessToken }) {
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
    keepNonce(verifier, headers) {
      const nonce = headers['dpop-nonce'];
      // NQCHAR of RFC 9449, section 8.1; a header that came twice has a comma and a space, and is no nonce.
      if (nonce !== undefined && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(nonce)) nonces.set(verifier, nonce);
    },
    nonceFor: (verifier) => nonces.get(verifier),
  };
}
