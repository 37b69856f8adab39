import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';

/** How a service app proves itself by its private key. */

/** A service app of the org, which proves itself by private_key_jwt. */
export interface ServiceAppCredentials {
  readonly orgUrl: string;
  readonly clientId: string;
  readonly privateKey: KeyObject;
  /** RS256, RS384, RS512, ES256, ES384 or ES512. */
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

/** Okta's own SDK has the same; Okta takes an hour at most. */
const ASSERTION_LIFE_SECONDS = 5 * 60;

/** One client assertion, for one attempt: RFC 7523. */
export function signAssertion(
  credentials: ServiceAppCredentials,
  url: string,
  nowMs: number,
): Promise<string> {
  const { clientId, privateKey, algorithm, keyId } = credentials;
  const nowSeconds = Math.floor(nowMs / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(url)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + ASSERTION_LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(privateKey);
}
