import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, jwtVerify } from 'jose';

/** The algorithms that Okta accepts for client assertions and proofs. */
export const SIGNATURE_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/** The largest distance of a proof's `iat` from now. */
const MAX_AGE_SECONDS = 300;

/** The request that a proof must belong to. */
export interface ExpectedProof {
  readonly method: string;
  /** The URL that was called, without query and fragment. */
  readonly url: string;
  /** The access token that the proof is sent with. */
  readonly accessToken?: string | undefined;
}

/** Checks DPoP proofs by RFC 9449, section 4.3. Each can be used once. */
export class DpopVerifier {
  readonly #clock: () => number;
  readonly #seen = new Set<string>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** The thumbprint of a proof's key and its nonce, or why it is invalid. */
  async check(
    proof: string,
    expected: ExpectedProof,
  ): Promise<{ readonly thumbprint: string; readonly nonce: unknown } | string> {
    try {
      const header = decodeProtectedHeader(proof);
      if (header.typ !== 'dpop+jwt') return "The 'typ' of the DPoP proof is not dpop+jwt.";
      const { jwk } = header;
      if (jwk === undefined || 'd' in jwk) return 'The DPoP proof has no public key in its header.';
      const { payload } = await jwtVerify(proof, jwk, {
        algorithms: SIGNATURE_ALGORITHMS,
        currentDate: new Date(this.#clock()),
      });
      if (payload['htm'] !== expected.method) return "The 'htm' of the DPoP proof is wrong.";
      if (payload['htu'] !== expected.url) return "The 'htu' of the DPoP proof is wrong.";
      if (payload.iat === undefined || Math.abs(payload.iat - this.#clock() / 1000) > MAX_AGE_SECONDS) {
        return "The 'iat' of the DPoP proof is missing or too far from now.";
      }
      if (payload.jti === undefined) return "The DPoP proof has no 'jti'.";
      if (this.#seen.has(payload.jti)) return "The 'jti' of the DPoP proof was used before.";
      if (expected.accessToken !== undefined) {
        const hash = createHash('sha256').update(expected.accessToken).digest('base64url');
        if (payload['ath'] !== hash) return "The 'ath' of the DPoP proof is wrong.";
      }
      this.#seen.add(payload.jti);
      return { thumbprint: await calculateJwkThumbprint(jwk), nonce: payload['nonce'] };
    } catch {
      return 'The DPoP proof cannot be read or its signature is wrong.';
    }
  }
}
