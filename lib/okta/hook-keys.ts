import type { JSONWebKeySet, JWTPayload } from 'jose';
import { JOSEError, JWKSNoMatchingKey } from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { jwtVerify } from 'jose/jwt/verify';
import { callHttp, type HttpDispatcher } from '../http/call.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';
import { RequestError } from '../core/errors.js';

/** Keys older than this are asked for again, beside the request that noticed it. Okta rotates about quarterly. */
const FRESH_MS = 10 * 60_000;
/** A key id that is not known makes us ask at most so often: an attacker can make up key ids. */
const COOL_DOWN_MS = 30_000;
/** After a failure while nothing is known, the next request may ask again this soon. */
const RETRY_MS = 1_000;
/** A fetch belongs to nobody's request: others wait for it too, and it serves the next ones. */
const FETCH_TIMEOUT_MS = 3_000;

/** The issuer's signing keys, kept and refreshed. */
export interface HookKeys {
  /**
   * The payload of a token that one of the issuer's keys has signed.
   * @throws jose's errors for a token that does not hold; RequestError `PROOF_UNAVAILABLE` if it cannot be checked.
   */
  verify(token: string, options: { issuer: string; audience: string; now: Date }): Promise<JWTPayload>;
  /** Fetches the keys now, however long a request would wait. Rejects if none can be had. For `ready()`. */
  refresh(): Promise<void>;
}

/** @param parts.waitMs - the share of the budget that one request may wait for a fetch. */
export function createHookKeys(parts: {
  readonly jwksUri: URL;
  readonly dispatcher: HttpDispatcher;
  readonly clock: () => number;
  readonly waitMs: number;
}): HookKeys {
  let known:
    { readonly keySet: ReturnType<typeof createLocalJWKSet>; readonly fetchedAt: number } | undefined;
  let fetching: Promise<void> | undefined;
  let lastTriedAt = -Infinity;
  let lastUnknownAt = -Infinity;

  /** One fetch at a time, whoever waits for it. */
  const refresh = (): Promise<void> => {
    if (fetching === undefined) {
      lastTriedAt = parts.clock();
      fetching = fetchKeys().finally(() => {
        fetching = undefined;
      });
    }
    return fetching;
  };

  const refreshForRequest = async (): Promise<void> => {
    if ((await waitAtMost(refresh(), parts.waitMs)) === TIMED_OUT) throw notFetched('TIMEOUT');
  };

  const fetchKeys = async (): Promise<void> => {
    const result = await callHttp({
      dispatcher: parts.dispatcher,
      method: 'GET',
      origin: parts.jwksUri.origin,
      path: parts.jwksUri.pathname + parts.jwksUri.search,
      headers: { accept: 'application/json' },
      timeoutMs: FETCH_TIMEOUT_MS,
    });
    if (result.kind !== 'answered') throw notFetched(result.reason);
    if (result.status !== 200) throw notFetched(`status ${result.status}`);
    let keySet;
    try {
      keySet = createLocalJWKSet(JSON.parse(result.body) as JSONWebKeySet);
    } catch (cause) {
      throw unavailable("the issuer's keys cannot be read", cause, REACH_ISSUER);
    }
    known = { keySet, fetchedAt: parts.clock() };
  };

  // A clock that was set back must not keep the keys from being fetched.
  const isDue = (intervalMs: number): boolean => Math.abs(parts.clock() - lastTriedAt) >= intervalMs;

  /** The first token of a new key is not refused because keys were fetched a moment ago; the next ones may be. */
  const mayAskForUnknown = (): boolean => {
    if (fetching !== undefined) return true;
    if (Math.abs(parts.clock() - lastUnknownAt) < COOL_DOWN_MS) return false;
    lastUnknownAt = parts.clock();
    return true;
  };

  const currentKeys = async (): Promise<NonNullable<typeof known>> => {
    if (known === undefined) {
      if (fetching === undefined && !isDue(RETRY_MS))
        throw unavailable('the keys could not be fetched just now');
      await refreshForRequest();
    } else if (Math.abs(parts.clock() - known.fetchedAt) > FRESH_MS && isDue(COOL_DOWN_MS)) {
      // What is known still serves while, and if, the issuer does not answer.
      refresh().catch(() => undefined);
    }
    if (known === undefined) throw unavailable('no key is known');
    return known;
  };

  return {
    async verify(token, { issuer, audience, now }) {
      const options = {
        issuer,
        audience,
        algorithms: ['RS256'],
        currentDate: now,
        clockTolerance: CLOCK_TOLERANCE,
      };
      const check = async ({ keySet }: NonNullable<typeof known>): Promise<JWTPayload> => {
        try {
          return (await jwtVerify(token, keySet, options)).payload;
        } catch (error) {
          if (error instanceof JOSEError) throw error;
          // jose looks at a key only when a token asks for it.
          throw unavailable("the issuer's key cannot be used", error);
        }
      };
      const keys = await currentKeys();
      try {
        return await check(keys);
      } catch (error) {
        if (!(error instanceof JWKSNoMatchingKey) || !mayAskForUnknown()) throw error;
        // The issuer may have rotated its keys.
        await refreshForRequest().catch(() => undefined);
        return await check(known ?? keys);
      }
    },
    refresh,
  };
}

/** Seconds that Okta's clock and ours may differ. */
const CLOCK_TOLERANCE = 10;

function notFetched(why: string): RequestError {
  return unavailable(`the issuer's keys could not be fetched (${why})`, undefined, REACH_ISSUER);
}

const REACH_ISSUER =
  "See that issuer (or jwksUri) in credentials.hook is the custom authorization server's, and that the gateway may call it.";

function unavailable(why: string, cause?: unknown, remedy?: string): RequestError {
  return new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.', {
    // The reason is what an operator is told; what a library said of it is only kept.
    cause: new Error(why, { cause }),
    headers: { 'Retry-After': '1' },
    remedy,
  });
}
