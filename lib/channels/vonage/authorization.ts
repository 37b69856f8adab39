import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { Outcome } from '../../core/channel.js';
import { readPrivateKey } from '../../core/private-key.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { notSent } from '../provider.js';
import type { VonageCredential } from './options.js';

/** Proves to Vonage who calls. */

/** A token's life, and the rest of it that a call needs. Vonage accepts one day at most. */
const TOKEN_LIFE_SECONDS = 15 * 60;
const TOKEN_SPARE_SECONDS = 5 * 60;

/** How long a message may wait for its token to be signed, milliseconds. Signing takes about one. */
const SIGNING_MS = 700;

/** The header `Authorization` of each call. */
export type Authorize = () => Promise<string>;

/** Basic with key and secret, else a signed token that is reused for ten minutes. */
export function authorizer(credential: VonageCredential, clock: () => number): Authorize {
  if (credential.apiKey !== undefined) {
    const pair = Buffer.from(`${credential.apiKey}:${credential.apiSecret}`).toString('base64');
    return () => Promise.resolve(`Basic ${pair}`);
  }
  const { applicationId } = credential;
  const { privateKey } = readPrivateKey(credential.privateKey);
  let current: { readonly authorization: Promise<string>; readonly issuedAt: number } | undefined;
  return () => {
    const nowSeconds = Math.floor(clock() / 1000);
    // The absolute difference: a clock that is set back must not make a token live longer.
    const age = current === undefined ? Infinity : Math.abs(nowSeconds - current.issuedAt);
    if (current === undefined || age > TOKEN_LIFE_SECONDS - TOKEN_SPARE_SECONDS) {
      const signing = signToken(applicationId, privateKey, nowSeconds);
      const mine = { authorization: signing, issuedAt: nowSeconds };
      current = mine;
      // After a failure the next call signs anew.
      signing.catch(() => {
        if (current === mine) current = undefined;
      });
    }
    return current.authorization;
  };
}

async function signToken(applicationId: string, key: KeyObject, nowSeconds: number): Promise<string> {
  const token = await new SignJWT({ application_id: applicationId })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + TOKEN_LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(key);
  return `Bearer ${token}`;
}

/** Sends with the header, unless there is none in time: then nothing has left. */
export async function sendAuthorized(
  authorize: Authorize,
  send: (authorization: string) => Promise<Outcome>,
): Promise<Outcome> {
  const authorization = await waitAtMost(authorize(), SIGNING_MS).catch(() => TIMED_OUT);
  return typeof authorization === 'string' ? send(authorization) : notSent(NO_TOKEN);
}

const NO_TOKEN = {
  code: 'NO_TOKEN',
  reason: 'No token for Vonage could be signed in time',
  remedy: 'Check whether the process is busy, and privateKey of vonageChannel or vonageVoice.',
} as const;
