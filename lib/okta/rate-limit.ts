import type { EventStream } from '../core/event-stream.js';
import type { HookEventOf } from '../core/events.js';

/** The rate limit of Okta's API: reads it from an answer, and pauses before it is used up. */

/** Headers of an answer, names in lower case. */
type Headers = Readonly<Record<string, string>>;

/** Okta's windows last a minute. One more second, because its `Date` has whole seconds. */
const MAX_PAUSE_MS = 61_000;
const ONE_SECOND_MS = 1_000;
/** A 429 for too many concurrent calls has no window, and its Reset is only a suggestion. */
const CONCURRENCY_PAUSE_MS = 2_000;
/** The whole org shares Okta's limits. We leave the last tenth to sign-ins and administrators. */
const LOW_FRACTION = 0.1;

const LIMIT = 'x-rate-limit-limit';
const REMAINING = 'x-rate-limit-remaining';
const RESET = 'x-rate-limit-reset';

/** The answer's rate limit headers, and its `Date`. */
export function rateLimitHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    [LIMIT, REMAINING, RESET, 'date'].flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * How long to pause after an answer, milliseconds; `undefined` if no pause is needed.
 *
 * @param answer - `isRefused`: whether it is a 429, which always needs a pause. `nowMs`: our clock, if it has no `Date`.
 */
export function pauseAfter(
  headers: Headers,
  { isRefused, nowMs }: { readonly isRefused: boolean; readonly nowMs: number },
): number | undefined {
  const limit = readCount(headers[LIMIT]);
  const remaining = readCount(headers[REMAINING]);
  const resetSeconds = readCount(headers[RESET]);

  if (!isRefused) {
    const isLow = limit !== undefined && remaining !== undefined && remaining < limit * LOW_FRACTION;
    if (!isLow || resetSeconds === undefined) return undefined;
  } else if (limit === 0 || resetSeconds === undefined) {
    return CONCURRENCY_PAUSE_MS;
  }
  // Relative to Okta's clock, because ours may be minutes off.
  const pauseMs = resetSeconds * 1000 - (readDate(headers['date']) ?? nowMs) + ONE_SECOND_MS;
  if (pauseMs <= 0 && !isRefused) return undefined;
  return Math.min(Math.max(pauseMs, ONE_SECOND_MS), MAX_PAUSE_MS);
}

/** A clock that stands still must not make the timer run all the time. */
const MIN_WAIT_MS = 1_000;

/** The pause of a hook's reads, as the answers demand it. It reports its begin and its end. */
export class RateLimitPause {
  readonly #clock: () => number;
  readonly #events: Pick<EventStream, 'emit'>;
  /** Times in milliseconds since 1970; `from` is when the answer came that decides the end. */
  #pause:
    | {
        readonly reason: HookEventOf<'okta.paused'>['reason'];
        readonly since: number;
        readonly from: number;
        readonly until: number;
      }
    | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param clock - milliseconds since 1970; decides the end of a pause. */
  constructor(clock: () => number, events: Pick<EventStream, 'emit'>) {
    this.#clock = clock;
    this.#events = events;
  }

  /** Ends a pause that is over. Compares both ends: a clock that is set back must not lengthen the pause. */
  isActive(): boolean {
    if (this.#pause === undefined) return false;
    const { reason, since, from, until } = this.#pause;
    const now = this.#clock();
    if (now >= from && now < until) return true;
    this.#pause = undefined;
    this.#events.emit({ type: 'okta.resumed', reason, pausedMs: Math.max(0, now - since) });
    return false;
  }

  /** Begins or lengthens a pause if an answer demands it. `isRefused`: whether the answer is a 429. */
  track(headers: Headers, { isRefused }: { readonly isRefused: boolean }): void {
    const now = this.#clock();
    const pauseMs = pauseAfter(headers, { isRefused, nowMs: now });
    if (pauseMs === undefined || this.#isClosed) return;
    const until = now + pauseMs;
    if (this.isActive() && this.#pause !== undefined) {
      // Concurrent answers may disagree: the longest pause counts.
      if (this.#pause.until < until) this.#pause = { ...this.#pause, from: now, until };
      return;
    }
    const reason = isRefused ? 'RATE_LIMITED' : 'LOW';
    this.#pause = { reason, since: now, from: now, until };
    this.#endLater(pauseMs);
    this.#events.emit({ type: 'okta.paused', reason, untilMs: until });
  }

  /** Notices the end of a pause while no code is requested. */
  #endLater(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => {
        if (this.isActive() && this.#pause !== undefined) this.#endLater(this.#pause.until - this.#clock());
      },
      Math.max(waitMs, MIN_WAIT_MS),
    ).unref();
  }

  /** From now on no pause begins, and no timer runs. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}

/** An HTTP date as milliseconds since 1970. */
export function readDate(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** A repeated header has a comma and is ignored, because it is unknown which value counts. */
function readCount(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
