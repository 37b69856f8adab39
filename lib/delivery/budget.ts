import { TIMED_OUT, waitAtMost } from './wait-at-most.js';

/**
 * What is kept back to write the answer, milliseconds: a tenth of the budget, 40 at least, 250 at most. With 200
 * answers due in the same moment the last is written more than 100 ms after the first.
 */
const reserveOf = (deadlineMs: number): number => Math.min(250, Math.max(40, deadlineMs / 10));

/** What has not left this long before the waiting ends must not leave any more, milliseconds. */
const LEAVE_MARGIN_MS = 15;

/**
 * The time of one hook call: made at entry, asked by everything that waits. It measures by the process's own
 * monotonic clock, so that a jump of the wall clock changes nothing.
 */
export class Budget {
  /** Aborts shortly before the end, or when Okta hangs up: what has not left by then must not leave. */
  readonly leaveSignal: AbortSignal;
  /** Resolves when the waiting is over and the answer must be given. */
  readonly end: Promise<typeof TIMED_OUT>;

  readonly #startedAt = performance.now();
  readonly #waitMs: number;
  readonly #leave = new AbortController();
  readonly #leaveTimer: NodeJS.Timeout;
  #endTimer: NodeJS.Timeout | undefined;
  #hasHungUp = false;

  /** @param deadlineMs - by when the answer must have been given, from now. */
  constructor(deadlineMs: number) {
    this.#waitMs = deadlineMs - reserveOf(deadlineMs);
    this.leaveSignal = this.#leave.signal;
    this.#leaveTimer = setTimeout(() => {
      this.#leave.abort();
    }, this.#waitMs - LEAVE_MARGIN_MS);
    this.end = new Promise((resolve) => {
      this.#endTimer = setTimeout(resolve, this.#waitMs, TIMED_OUT);
    });
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  remainingMs(): number {
    return Math.max(0, this.#waitMs - this.elapsedMs());
  }

  /** True when nothing more may be started: the time is over, or nobody waits for the answer. */
  get isOver(): boolean {
    return this.#leave.signal.aborted;
  }

  get hasHungUp(): boolean {
    return this.#hasHungUp;
  }

  /** A part of what is left: at most `maxMs`, and at most that `fraction` of it. */
  share(maxMs: number, fraction: number): number {
    return Math.min(maxMs, this.remainingMs() * fraction);
  }

  /** Waits for the work, but not longer than its share. The work itself goes on. */
  within<T>(work: Promise<T>, shareMs: number): Promise<T | typeof TIMED_OUT> {
    return waitAtMost(work, Math.min(shareMs, this.remainingMs()));
  }

  /** Okta no longer waits: nothing more leaves. What has left is waited for, to be recorded. */
  hangUp(): void {
    this.#hasHungUp = true;
    this.#leave.abort();
  }

  /** The answer has been given: no timer stays behind. */
  close(): void {
    clearTimeout(this.#leaveTimer);
    clearTimeout(this.#endTimer);
  }
}
