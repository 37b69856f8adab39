import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, jwtVerify } from 'jose';
import { pathOf, type RecordedRequest } from '../../server/request.js';
import type { OrgContext } from '../api/context.js';

/** The algorithms that Okta accepts for client assertions and proofs. */
export const SIGNATURE_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/** The largest distance of a proof's `iat` from now. */
const MAX_AGE_SECONDS = 300;

/** Checks DPoP proofs by RFC 9449, section 4.3. Each can be used once. */
export class DpopVerifier {
  readonly #context: OrgContext;
  readonly #seen = new Set<string>();

  constructor(context: OrgContext) {
    this.#context = context;
  }

  /** The thumbprint of the key of a request's proof and its nonce, or why the proof is invalid. */
  async check(
    request: RecordedRequest,
    accessToken?: string,
  ): Promise<{ readonly thumbprint: string; readonly nonce: unknown } | string> {
    const { clock, orgUrl } = this.#context;
    const proof = String(request.headers['dpop']);
    try {
      const header = decodeProtectedHeader(proof);
      if (header.typ !== 'dpop+jwt') return "The 'typ' of the DPoP proof is not dpop+jwt.";
      const { jwk } = header;
      if (jwk === undefined || 'd' in jwk) return 'The DPoP proof has no public key in its header.';
      const { payload } = await jwtVerify(proof, jwk, {
        algorithms: SIGNATURE_ALGORITHMS,
        currentDate: new Date(clock()),
      });
      if (payload['htm'] !== request.method) return "The 'htm' of the DPoP proof is wrong.";
      if (payload['htu'] !== orgUrl + pathOf(request)) return "The 'htu' of the DPoP proof is wrong.";
      if (payload.iat === undefined || Math.abs(payload.iat - clock() / 1000) > MAX_AGE_SECONDS) {
        return "The 'iat' of the DPoP proof is missing or too far from now.";
      }
      if (payload.jti === undefined) return "The DPoP proof has no 'jti'.";
      if (this.#seen.has(payload.jti)) return "The 'jti' of the DPoP proof was used before.";
      if (accessToken !== undefined) {
        const hash = createHash('sha256').update(accessToken).digest('base64url');
        if (payload['ath'] !== hash) return "The 'ath' of the DPoP proof is wrong.";
      }
      this.#seen.add(payload.jti);
      return { thumbprint: await calculateJwkThumbprint(jwk), nonce: payload['nonce'] };
    } catch {
      return 'The DPoP proof cannot be read or its signature is wrong.';
    }
  }
}
