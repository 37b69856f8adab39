import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { JOSEError } from 'jose/errors';
import { decodeJwt } from 'jose/jwt/decode';
import type { HookKeys } from './hook-keys.js';

/** What the access token of a hook call must say. */
export interface ExpectedToken {
  readonly issuer: string;
  readonly audience: string;
  readonly clientId: string;
  readonly scope: string;
}

/**
 * Checks access tokens of a custom authorization server, that Okta got as the configured client: resolves to what the
 * challenge says of one that does not hold, to `undefined` for one that does.
 *
 * The check rejects with a RequestError `PROOF_UNAVAILABLE` if a token could not be checked.
 */
export function createTokenCheck(
  expected: ExpectedToken,
  keys: HookKeys,
  clock: () => number,
): (token: string) => Promise<string | undefined> {
  const isOurs = ({ cid, scp }: Readonly<Record<string, unknown>>): boolean =>
    cid === expected.clientId && Array.isArray(scp) && scp.includes(expected.scope);

  /** What can be seen without a key: a made-up token must not make us fetch any. */
  const mayHold = (token: string): boolean => {
    try {
      const payload = decodeJwt(token);
      return (
        decodeProtectedHeader(token).alg === 'RS256' && payload.iss === expected.issuer && isOurs(payload)
      );
    } catch {
      return false;
    }
  };

  return async (token) => {
    if (!mayHold(token)) return '';
    const { issuer, audience } = expected;
    try {
      const payload = await keys.verify(token, { issuer, audience, now: new Date(clock()) });
      // Any client of that server gets tokens with this issuer and audience: who, and what for, decides.
      const holds = isOurs(payload) && typeof payload.exp === 'number';
      return holds ? undefined : ', error="insufficient_scope"';
    } catch (error) {
      if (error instanceof JOSEError) return ', error="invalid_token"';
      throw error;
    }
  };
}
