import { BoundedMap } from '../core/bounded-map.js';
import type { Breaker, GuardedCall } from '../delivery/breaker.js';
import type { UserProfile } from '../core/channel.js';
import { OktaApiError, type OktaApiErrorCode } from '../core/errors.js';
import { fieldOf, isObject } from '../core/json.js';
import { WAIT_FOR_WINDOW, type OktaApiAnswer } from './api-answer.js';
import type { OktaApiClient } from './api-client.js';
import { nameUser, type NamedUser } from './named-user.js';
import { pauseAfter } from './rate-limit.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';

/** How profiles are read and kept. */
export interface ProfileOptions {
  /** How long one question to Okta may take, milliseconds. */
  readonly timeoutMs: number;
  readonly cache:
    | false
    | {
        /** How long a profile is used without asking. */
        readonly ttlSeconds: number;
        /** How long after that it still serves when Okta does not answer as it should. */
        readonly staleSeconds: number;
        /** How many profiles are kept. */
        readonly max: number;
      };
}

/** What is known of a user. */
export interface ProfileReading {
  readonly profile: UserProfile | undefined;
  readonly source: 'okta' | 'cache' | 'stale' | 'none';
  /**
   * Why it is not fresh: an `OktaApiErrorCode`, `TIMEOUT`, `PAUSED` (Okta's rate limit), `BREAKER_OPEN` (Okta has not
   * answered lately), `INVALID_USER_ID` (an id or a login that cannot be one) or `NO_USER` (the request names none).
   */
  readonly reason: string | undefined;
}

/** Reads users. */
export interface ProfileReader {
  /** By id, else by login. Never rejects, and answers within `waitMs` whatever hangs. */
  read(
    user: { readonly userId: string | undefined; readonly login: string | undefined },
    waitMs: number,
  ): Promise<ProfileReading>;
  /**
   * Asks for a user that cannot exist, which proves the credentials and leaves a connection and a token behind.
   * @throws OktaApiError if Okta does not say that there is no such user.
   */
  check(timeoutMs: number): Promise<void>;
}

/** Has a user id's shape and is nobody's. */
export const NOBODY = '00u00000000000000000';

/** All three together let Okta leave out its slow joins; two of them do not. It is a Content-Type, on a GET. */
const FAST_ANSWER =
  'application/json; okta-response="omitCredentials,omitCredentialsLinks,omitTransitioningToStatus"';

interface KeptProfile {
  readonly profile: UserProfile;
  readonly readAt: number;
}

type Fetched =
  | { readonly profile: UserProfile }
  | { readonly profile: undefined; readonly reason: OktaApiErrorCode | 'BREAKER_OPEN' };

/** By these a read ends without an answer of Okta's. Every status is an answer, a 429 too. */
const NO_ANSWER: ReadonlySet<string> = new Set<OktaApiErrorCode>(['OKTA_UNREACHABLE', 'OKTA_NO_ANSWER']);

/** A read that never left counts, too: the code has waited for its connection. */
const READS: GuardedCall<Fetched> = {
  skipped: { profile: undefined, reason: 'BREAKER_OPEN' },
  signOf: (fetched) =>
    fetched.profile === undefined && NO_ANSWER.has(fetched.reason) ? 'no-answer' : 'answer',
};

/**
 * @param parts.clock - milliseconds since 1970; decides what is fresh, what is stale and when a pause ends.
 * @param parts.onPaused - told when a pause begins: few calls are left in Okta's window, or Okta refused one.
 */
export function createProfileReader(parts: {
  readonly client: OktaApiClient;
  readonly options: ProfileOptions;
  /** Of Okta's host. */
  readonly breaker: Breaker;
  readonly clock: () => number;
  readonly onPaused?: (event: { reason: 'LOW' | 'RATE_LIMITED'; untilMs: number }) => void;
}): ProfileReader {
  const { client, options, breaker, clock } = parts;
  // Who is read again is the newest again: what was read the longest ago goes first.
  const cache = options.cache === false ? undefined : new BoundedMap<KeptProfile>(options.cache.max);
  const fetching = new Map<string, Promise<Fetched>>();
  let pause: { readonly from: number; readonly until: number } | undefined;

  /** Both ends are compared, so that a clock that is set back does not make a pause of hours. */
  const isPaused = (): boolean => pause !== undefined && clock() >= pause.from && clock() < pause.until;

  const heedRateLimit = (headers: Readonly<Record<string, string>>, isRefused: boolean): void => {
    const now = clock();
    const pauseMs = pauseAfter({ headers, isRefused }, now);
    if (pauseMs === undefined) return;
    const wasPaused = isPaused();
    // Answers that were under way together may say different things: the longest pause counts.
    if (wasPaused && pause !== undefined && pause.until >= now + pauseMs) return;
    pause = { from: now, until: now + pauseMs };
    if (!wasPaused) {
      parts.onPaused?.({ reason: isRefused ? 'RATE_LIMITED' : 'LOW', untilMs: pause.until });
    }
  };

  const readAnswer = ({ headers, body }: OktaApiAnswer): unknown => {
    heedRateLimit(headers, false);
    return body;
  };
  const heedFailure = (error: unknown): never => {
    if (error instanceof OktaApiError) heedRateLimit(error.headers ?? {}, error.code === 'OKTA_RATE_LIMITED');
    throw error;
  };
  const ask = (segment: string, timeoutMs: number): Promise<unknown> =>
    client
      .request({ method: 'GET', path: `/api/v1/users/${segment}`, contentType: FAST_ANSWER, timeoutMs })
      .then(readAnswer, heedFailure);

  const fetchProfile = async (user: NamedUser): Promise<Fetched> => {
    try {
      const profile = readProfile(await ask(user.segment, options.timeoutMs), user);
      cache?.set(user.key, { profile, readAt: clock() });
      return { profile };
    } catch (error) {
      const reason = error instanceof OktaApiError ? error.code : 'OKTA_UNREACHABLE';
      // The user is gone: what was known of them must not serve any more.
      if (reason === 'OKTA_NOT_FOUND') cache?.delete(user.key);
      return { profile: undefined, reason };
    } finally {
      fetching.delete(user.key);
    }
  };

  /** What is known of a user, while it may serve at all. */
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

  /** One question per user at a time, if Okta's host answers lately. It belongs to nobody: it goes on when those who wait for it have given up. */
  const fetchOnce = (user: NamedUser): Promise<Fetched> => {
    const underWay = fetching.get(user.key);
    if (underWay === undefined) {
      return breaker.call(() => {
        const fetched = fetchProfile(user);
        fetching.set(user.key, fetched);
        return fetched;
      }, READS);
    }
    // Who comes meanwhile does not wait for the probe of another call.
    return breaker.state === 'closed' ? underWay : Promise.resolve(READS.skipped);
  };

  return {
    async read({ userId, login }, waitMs) {
      if (userId === undefined && login === undefined) return nothing('NO_USER');
      const user = nameUser(userId, login);
      if (user === undefined) return nothing('INVALID_USER_ID');

      const kept = find(user.key);
      if (kept?.isFresh === true) return { profile: kept.profile, source: 'cache', reason: undefined };
      const serveStale = (reason: string): ProfileReading =>
        kept === undefined ? nothing(reason) : { profile: kept.profile, source: 'stale', reason };

      if (isPaused()) return serveStale('PAUSED');
      const fetched = await waitAtMost(fetchOnce(user), waitMs);
      if (fetched === TIMED_OUT) return serveStale('TIMEOUT');
      if (fetched.profile !== undefined)
        return { profile: fetched.profile, source: 'okta', reason: undefined };
      return fetched.reason === 'OKTA_NOT_FOUND' ? nothing(fetched.reason) : serveStale(fetched.reason);
    },
    async check(timeoutMs) {
      if (isPaused())
        throw new OktaApiError('OKTA_RATE_LIMITED', "Okta's rate limit is nearly used up: not asked", {
          remedy: WAIT_FOR_WINDOW,
        });
      try {
        await ask(NOBODY, timeoutMs);
      } catch (error) {
        if (!(error instanceof OktaApiError) || error.code !== 'OKTA_NOT_FOUND') throw error;
      }
    },
  };
}

function nothing(reason: string): ProfileReading {
  return { profile: undefined, source: 'none', reason };
}

function readProfile(body: unknown, user: NamedUser): UserProfile {
  const profile = fieldOf(body, 'profile');
  if (!isObject(profile)) {
    throw new OktaApiError('OKTA_UNREADABLE', "Okta's answer holds no profile");
  }
  if (!user.isThis(body)) {
    throw new OktaApiError('OKTA_WRONG_USER', 'Okta answered with another user than the one asked for');
  }
  return profile;
}
