import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';
import type { Breaker, HostSign, PassedCall } from '../delivery/breaker.js';
import type { UserProfile } from '../core/channel.js';
import type { EventStream } from '../core/event-stream.js';
import { OktaApiError, type OktaApiErrorCode } from '../core/errors.js';
import { deepFreeze } from '../core/freeze.js';
import { fieldOf, isObject } from '../core/json.js';
import { WAIT_FOR_WINDOW } from './api-error.js';
import type { OktaApiClient } from './api-client.js';
import { RateLimitPause } from './rate-limit.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';

/**
 * Reads users' profiles by Okta's Users API, with a cache, a pause before Okta's rate limit is used up, and a circuit
 * breaker. A call goes on without a profile if Okta does not answer in time.
 */

/** The options for reading and caching profiles. */
export interface ProfileOptions {
  /** The limit of one request to Okta, milliseconds. */
  readonly timeoutMs: number;
  readonly cache:
    | false
    | {
        /** How long a cached profile is fresh. */
        readonly ttlSeconds: number;
        /** How long after that it is used if Okta does not answer properly. */
        readonly staleSeconds: number;
        /** The most profiles in the cache. */
        readonly max: number;
      };
}

/** The result of reading a profile. */
export interface ProfileReading {
  readonly profile: UserProfile | undefined;
  readonly source: 'okta' | 'cache' | 'stale' | 'none';
  /**
   * Why the profile is missing or stale: an `OktaApiErrorCode`, `TIMEOUT`, `PAUSED` (Okta's rate limit), `BREAKER_OPEN` (Okta has not
   * answered lately), `INVALID_USER_ID` (no valid id or login) or `NO_USER` (the request has no user).
   */
  readonly reason: string | undefined;
  /** Okta's HTTP status, if the reason is `OKTA_HTTP_ERROR`. */
  readonly httpStatus?: number | undefined;
}

/** Reads users' profiles. */
export interface ProfileReader {
  /** Reads by id, else by login. Never rejects. Resolves within `waitMs`. */
  read(
    user: { readonly userId: string | undefined; readonly login: string | undefined },
    waitMs: number,
  ): Promise<ProfileReading>;
  /**
   * Reads a user that cannot exist. This proves the credentials, and leaves a connection and a token for the first code.
   * @throws OktaApiError unless Okta answers that there is no such user.
   */
  check(timeoutMs: number): Promise<void>;
  /** From now on no pause begins or ends: nothing is reported any more. */
  close(): void;
}

/** A valid user id that no user has. */
export const UNUSED_USER_ID = '00u00000000000000000';

/** With all three, Okta skips its slow joins; with two it does not. It is a `Content-Type`, although on a GET. */
const FAST_ANSWER =
  'application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"';

interface KeptProfile {
  readonly profile: UserProfile;
  readonly readAt: number;
}

/** The errors without an answer of Okta's. Every status is an answer, including 429. */
const NO_ANSWER: ReadonlySet<string> = new Set<OktaApiErrorCode>(['OKTA_UNREACHABLE', 'OKTA_NO_ANSWER']);

/** The breaker also counts reads that never left, because the code has waited for their connection. */
function signOfRead({ reason = '' }: ProfileReading): HostSign {
  return NO_ANSWER.has(reason) ? 'no-answer' : 'answer';
}

/** @param parts.clock - milliseconds since 1970; decides freshness and the end of a pause. */
export function createProfileReader(parts: {
  readonly client: OktaApiClient;
  readonly options: ProfileOptions;
  /** The breaker of Okta's host. */
  readonly breaker: Breaker;
  readonly clock: () => number;
  readonly events: Pick<EventStream, 'emit'>;
}): ProfileReader {
  const { client, options, breaker, clock, events } = parts;
  // A profile that is read again becomes the newest; the oldest is dropped first.
  const cache =
    options.cache === false ? undefined : new LRUCache<string, KeptProfile>(atMost(options.cache.max));
  const fetching = new Map<string, Promise<ProfileReading>>();
  const pause = new RateLimitPause(clock, events);

  const request = async (segment: string, timeoutMs: number): Promise<object> => {
    const path = `/api/v1/users/${segment}`;
    try {
      const answer = await client.request({ method: 'GET', path, contentType: FAST_ANSWER, timeoutMs });
      pause.track(answer.headers, { isRefused: false });
      return answer.body;
    } catch (error) {
      if (error instanceof OktaApiError)
        pause.track(error.headers ?? {}, { isRefused: error.code === 'OKTA_RATE_LIMITED' });
      throw error;
    }
  };

  const fetchProfile = async (user: UserLookup, passed: PassedCall): Promise<ProfileReading> => {
    let fetched: ProfileReading;
    try {
      // Once: functions of the user get the cached profile with every code.
      const profile = deepFreeze(readProfile(await request(user.segment, options.timeoutMs), user));
      cache?.set(user.key, { profile, readAt: clock() });
      fetched = { profile, source: 'okta', reason: undefined };
    } catch (error) {
      const reason = error instanceof OktaApiError ? error.code : 'OKTA_UNREACHABLE';
      // The user no longer exists, so the cached profile must not be used.
      if (reason === 'OKTA_NOT_FOUND') cache?.delete(user.key);
      // The other codes have one status each.
      const hasStatus = error instanceof OktaApiError && reason === 'OKTA_HTTP_ERROR';
      fetched = { ...unread(reason), ...(hasStatus ? { httpStatus: error.status } : {}) };
    }
    fetching.delete(user.key);
    passed.end(signOfRead(fetched));
    return fetched;
  };

  /** The cached profile while it is fresh or stale; `undefined` after that. */
  const find = (key: string): { readonly profile: UserProfile; readonly isFresh: boolean } | undefined => {
    const kept = cache?.get(key);
    if (kept === undefined || options.cache === false) return undefined;
    const { ttlSeconds, staleSeconds } = options.cache;
    const ageMs = clock() - kept.readAt;
    if (ageMs > (ttlSeconds + staleSeconds) * 1000) {
      cache?.delete(key);
      return undefined;
    }
    return { profile: kept.profile, isFresh: ageMs >= 0 && ageMs < ttlSeconds * 1000 };
  };

  /** One fetch per user at a time, unless the breaker is open. It goes on after the calls that wait for it have given up. */
  const fetchOnce = (user: UserLookup): Promise<ProfileReading> => {
    const inFlight = fetching.get(user.key);
    // A call does not wait for another call's probe of the breaker.
    const passed = inFlight === undefined ? breaker.enter() : undefined;
    if (passed === undefined)
      return inFlight !== undefined && breaker.state === 'closed'
        ? inFlight
        : Promise.resolve(unread('BREAKER_OPEN'));
    const fetched = fetchProfile(user, passed);
    // All calls wait for the same promise, so that they go on in the order of their arrival.
    fetching.set(user.key, fetched);
    return fetched;
  };

  return {
    async read({ userId, login }, waitMs) {
      if (userId === undefined && login === undefined) return unread('NO_USER');
      const user = lookUpUser(userId, login);
      if (user === undefined) return unread('INVALID_USER_ID');

      const kept = find(user.key);
      if (kept?.isFresh === true) return { profile: kept.profile, source: 'cache', reason: undefined };
      const orStale = (missing: ProfileReading): ProfileReading =>
        kept === undefined ? missing : { ...missing, profile: kept.profile, source: 'stale' };

      if (pause.isActive()) return orStale(unread('PAUSED'));
      const fetched = await waitAtMost(fetchOnce(user), waitMs);
      if (fetched === TIMED_OUT) return orStale(unread('TIMEOUT'));
      return fetched.source === 'okta' || fetched.reason === 'OKTA_NOT_FOUND' ? fetched : orStale(fetched);
    },
    async check(timeoutMs) {
      if (pause.isActive())
        throw new OktaApiError(
          'OKTA_RATE_LIMITED',
          "Okta's rate limit is nearly used up: no request was sent",
          {
            remedy: WAIT_FOR_WINDOW,
          },
        );
      try {
        await request(UNUSED_USER_ID, timeoutMs);
      } catch (error) {
        if (!(error instanceof OktaApiError) || error.code !== 'OKTA_NOT_FOUND') throw error;
      }
    },
    close: () => {
      pause.close();
    },
  };
}

const unread = (reason: string): ProfileReading => ({ profile: undefined, source: 'none', reason });

/**
 * The profile in Okta's answer about a user.
 *
 * @throws OktaApiError if there is none, or the answer is about another user.
 */
export function readProfile(body: unknown, user: UserLookup): UserProfile {
  const profile = fieldOf(body, 'profile');
  if (!isObject(profile)) {
    throw new OktaApiError('OKTA_UNREADABLE', "Okta's answer holds no profile");
  }
  if (!user.matches(body)) {
    throw new OktaApiError('OKTA_WRONG_USER', 'Okta answered with another user than the requested one');
  }
  return profile;
}

/** How Okta's Users API finds one user. The path segment must never reach another resource than this user. */
export interface UserLookup {
  /** Identifies the user in caches. */
  readonly key: string;
  /** The encoded path segment. */
  readonly segment: string;
  /** Whether Okta's answer is about this user. */
  readonly matches: (body: unknown) => boolean;
}

/**
 * A lookup by the id, else by the login; `undefined` if the value cannot be one. A malformed id is refused even if there is a login,
 * because the request may be about another user or an attack.
 */
export function lookUpUser(userId: string | undefined, login: string | undefined): UserLookup | undefined {
  if (userId !== undefined) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(userId) || isSpecial(userId)) return undefined;
    return { key: userId, segment: userId, matches: (body) => fieldOf(body, 'id') === userId };
  }
  // Okta cannot look up a login with a slash. Control characters and lone surrogates cannot be in a path.
  if (login === undefined || !/^[^/\\\p{Cc}\p{Cs}]{1,100}$/u.test(login) || isSpecial(login))
    return undefined;
  const sameLogin = login.toLowerCase();
  return {
    key: `login:${sameLogin}`,
    segment: encodeURIComponent(login),
    matches: (body) => {
      const found = fieldOf(body, 'profile', 'login');
      return typeof found === 'string' && found.toLowerCase() === sameLogin;
    },
  };
}

/** `me` is the token's owner. Encoding does not change `.` and `..`, which lead to other resources. */
function isSpecial(name: string): boolean {
  return name === '.' || name === '..' || name.toLowerCase() === 'me';
}
