import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { SendContext } from '../../core/channel.js';
import { readPrivateKey } from '../../core/private-key.js';
import { keptCredential } from '../kept-credential.js';
import type { VonageCredential } from './options.js';

/** Proves to Vonage who calls. */

/** A token's life, and the rest of it that a call needs. Vonage accepts one day at most. */
const TOKEN_LIFE_SECONDS = 15 * 60;
const TOKEN_SPARE_SECONDS = 5 * 60;

/** How long a message may wait for its token to be signed, milliseconds. Signing takes about one. */
const SIGNING_MS = 700;

/** The header `Authorization` of a call; `undefined` if no token could be signed in time. */
export type Authorize = (context: Pick<SendContext, 'leaveSignal'>) => Promise<string | undefined>;

/** Basic with key and secret, else a signed token that is reused for ten minutes. */
export function authorizer(credential: VonageCredential, clock: () => number): Authorize {
  if (credential.apiKey !== undefined) {
    const pair = Buffer.from(`${credential.apiKey}:${credential.apiSecret}`).toString('base64');
    return () => Promise.resolve(`Basic ${pair}`);
  }
  const { applicationId } = credential;
  const { privateKey } = readPrivateKey(credential.privateKey);
  let issuedAt = -Infinity;
  const tokens = keptCredential({
    fetch: () => {
      issuedAt = Math.floor(clock() / 1000);
      return signToken(applicationId, privateKey, issuedAt);
    },
    read: (token) => (typeof token === 'string' ? token : undefined),
    endOf: () => (issuedAt + TOKEN_LIFE_SECONDS) * 1000,
    spareMs: TOKEN_SPARE_SECONDS * 1000,
    waitMs: SIGNING_MS,
    clock,
  });
  return async (context) => {
    // The clock was set back: Vonage does not accept a token from the future.
    if (clock() < issuedAt * 1000) tokens.forget();
    const token = await tokens.get(context);
    return token && `Bearer ${token}`;
  };
}

function signToken(applicationId: string, key: KeyObject, nowSeconds: number): Promise<string> {
  return new SignJWT({ application_id: applicationId })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + TOKEN_LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(key);
}

export const NO_TOKEN = {
  code: 'NO_TOKEN',
  reason: 'No token for Vonage could be signed in time',
  remedy: 'Check whether the process is busy, and privateKey of vonageChannel or vonageVoice.',
} as const;
