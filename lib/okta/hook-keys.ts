import type { JSONWebKeySet, JWTPayload } from 'jose';
import { JOSEError, JWKSNoMatchingKey } from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { jwtVerify } from 'jose/jwt/verify';
import type { HttpDispatcher } from '../core/http.js';
import { asList, asObject, fieldOf } from '../core/json.js';
import { callHttp, USER_AGENT } from '../http/call.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { RequestError } from '../core/request-error.js';

/**
 * The signing keys of the custom authorization server whose tokens prove Okta's calls. jose's `createRemoteJWKSet` measures
 * freshness and cool-down with the wall clock, so a clock that is set back by an hour keeps old keys for an hour. Its
 * cool-down also refuses the first token of a new key right after a fetch.
 */

/** Older keys are fetched again, in parallel to the request that noticed it. Okta rotates keys about quarterly. */
const FRESH_MS = 10 * 60_000;
/** The shortest time between two fetches for unknown key ids, because an attacker can make up key ids. */
const COOL_DOWN_MS = 30_000;
/** The shortest time between two fetches while no keys are known. */
const RETRY_MS = 1_000;
/** The limit of a fetch. It is independent of any call's deadline, because several calls may wait for it. */
const FETCH_TIMEOUT_MS = 3_000;

export type HookKeys = ReturnType<typeof createHookKeys>;

/** Keeps and refreshes the issuer's signing keys. @param parts.waitMs - how long one request may wait for a fetch. */
export function createHookKeys(parts: {
  readonly jwksUri: URL;
  readonly dispatcher: HttpDispatcher;
  readonly clock: () => number;
  readonly waitMs: number;
}) {
  let known:
    { readonly keySet: ReturnType<typeof createLocalJWKSet>; readonly fetchedAt: number } | undefined;
  let fetching: Promise<void> | undefined;
  let lastFetchAt = -Infinity;
  /** The last fetch for an unknown key id. */
  let lastUnknownAt = -Infinity;

  /** One fetch at a time; all requests wait for the same one. */
  const refresh = (): Promise<void> => {
    if (fetching === undefined) {
      lastFetchAt = parts.clock();
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
    const { origin, pathname, search } = parts.jwksUri;
    const result = await callHttp(
      {
        method: 'GET',
        origin,
        path: pathname + search,
        headers: { accept: 'application/json', 'user-agent': USER_AGENT },
      },
      { dispatcher: parts.dispatcher, timeoutMs: FETCH_TIMEOUT_MS, isRead: true },
    );
    if (result.kind !== 'answered') throw notFetched(result.reason);
    if (result.status !== 200) throw notFetched(`status ${result.status}`);
    let keySet;
    try {
      keySet = createLocalJWKSet(result.json as JSONWebKeySet);
    } catch (cause) {
      throw unavailable("the issuer's keys cannot be read", cause, REACH_ISSUER);
    }
    // During an outage an issuer may answer with none. The known keys stay, as after a failure.
    if (!asList(fieldOf(result.json, 'keys')).some(isSigningKey)) {
      throw unavailable("the issuer's answer has no key that signs tokens", undefined, REACH_ISSUER);
    }
    known = { keySet, fetchedAt: parts.clock() };
  };

  // The absolute difference: a clock that is set back must not delay the next fetch.
  const isDue = (intervalMs: number): boolean => Math.abs(parts.clock() - lastFetchAt) >= intervalMs;

  /** A recent fetch for another reason does not count: the first token of a new key must not be refused. */
  const mayFetchForUnknown = (): boolean => {
    if (fetching !== undefined) return true;
    if (Math.abs(parts.clock() - lastUnknownAt) < COOL_DOWN_MS) return false;
    lastUnknownAt = parts.clock();
    return true;
  };

  const currentKeys = async (): Promise<NonNullable<typeof known>> => {
    if (known === undefined) {
      if (fetching === undefined && !isDue(RETRY_MS))
        throw unavailable('the keys could not be fetched a moment ago');
      await refreshForRequest();
    } else if (Math.abs(parts.clock() - known.fetchedAt) > FRESH_MS && isDue(COOL_DOWN_MS)) {
      // The known keys are used until the new ones arrive, and if the issuer does not answer.
      refresh().catch(() => undefined);
    }
    if (known === undefined) throw unavailable('no key is known');
    return known;
  };

  return {
    /**
     * Verifies a token's signature, issuer, audience and times, and resolves to its payload.
     * @throws JOSEError for an invalid token; RequestError `PROOF_UNAVAILABLE` if the token cannot be checked.
     */
    async verify(
      token: string,
      { issuer, audience, now }: { readonly issuer: string; readonly audience: string; readonly now: Date },
    ): Promise<JWTPayload> {
      const options = {
        issuer,
        audience,
        algorithms: [ALGORITHM],
        currentDate: now,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      };
      const check = async ({ keySet }: NonNullable<typeof known>): Promise<JWTPayload> => {
        try {
          return (await jwtVerify(token, keySet, options)).payload;
        } catch (error) {
          if (error instanceof JOSEError) throw error;
          // jose parses a key only when a token needs it.
          throw unavailable("the issuer's key cannot be used", error);
        }
      };
      const keys = await currentKeys();
      try {
        return await check(keys);
      } catch (error) {
        if (!(error instanceof JWKSNoMatchingKey) || !mayFetchForUnknown()) throw error;
        // The issuer may have rotated its keys.
        await refreshForRequest().catch(() => undefined);
        return await check(known ?? keys);
      }
    },
    /** Fetches the keys now, for `ready()`. Rejects if no keys can be fetched. */
    refresh,
  };
}

/** Whether jose can take a key to verify RS256. */
function isSigningKey(key: unknown): boolean {
  const { kty, n, e, use = 'sig', alg = ALGORITHM } = asObject(key);
  return (
    kty === 'RSA' && typeof n === 'string' && typeof e === 'string' && use === 'sig' && alg === ALGORITHM
  );
}

/** The one algorithm that Okta signs tokens with. */
const ALGORITHM = 'RS256';

/** The tolerated difference between Okta's clock and ours. */
const CLOCK_TOLERANCE_SECONDS = 10;

function notFetched(why: string): RequestError {
  return unavailable(`the issuer's keys could not be fetched (${why})`, undefined, REACH_ISSUER);
}

const REACH_ISSUER =
  'Check that issuer (or jwksUri) in credentials.hook is that of the custom authorization server, and that the gateway can reach it.';

function unavailable(why: string, cause?: unknown, remedy?: string): RequestError {
  return new RequestError('PROOF_UNAVAILABLE', 'The caller cannot be checked at the moment.', {
    // The reason is for the log. The library's own error is only kept as its cause.
    cause: new Error(why, { cause }),
    headers: { 'Retry-After': '1' },
    remedy,
  });
}
