/** The current state of a rate limit of Okta's API. */
export interface RateLimit {
  /** Requests per window. */
  readonly limit: number;
  /** Remaining requests in this window. */
  readonly remaining: number;
  /** When the window ends, in seconds from now. */
  readonly resetInSeconds: number;
}

/**
 * What Okta counts separately: reading one user by id or login, listing or creating users, tokens of the org authorization
 * server, and everything else under `/api/v1`.
 */
export type RateLimitBucket = 'user' | 'users' | 'token' | 'other';

/** Tests and benchmarks never reach it. */
const UNLIMITED = 10_000_000;
const WINDOW_SECONDS = 60;

/** Counts requests against a limit, with Okta's headers. */
export class RateLimiter {
  readonly #clock: () => number;
  #limit = UNLIMITED;
  #remaining = UNLIMITED;
  #resetsAt: number;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#resetsAt = clock() + WINDOW_SECONDS * 1000;
  }

  /** Sets the limit with its remaining calls; `undefined` removes it. */
  set(limit: RateLimit | undefined): void {
    this.#limit = limit?.limit ?? UNLIMITED;
    this.#remaining = limit?.remaining ?? UNLIMITED;
    this.#resetsAt = this.#clock() + (limit?.resetInSeconds ?? WINDOW_SECONDS) * 1000;
  }

  /** Counts a request. Returns whether it is allowed, and the headers of its answer. */
  count(): { readonly isAllowed: boolean; readonly headers: Readonly<Record<string, string>> } {
    const now = this.#clock();
    if (now >= this.#resetsAt) {
      this.#remaining = this.#limit;
      this.#resetsAt = now + WINDOW_SECONDS * 1000;
    }
    const isAllowed = this.#remaining > 0;
    if (isAllowed) this.#remaining -= 1;
    return {
      isAllowed,
      headers: {
        'x-rate-limit-limit': String(this.#limit),
        'x-rate-limit-remaining': String(this.#remaining),
        'x-rate-limit-reset': String(Math.ceil(this.#resetsAt / 1000)),
      },
    };
  }
}
