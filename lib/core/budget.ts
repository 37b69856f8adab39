import { TIMED_OUT, waitAtMost } from './wait-at-most.js';

/**
 * What is kept back to write the answer, milliseconds: a tenth of the budget, 40 at least, 250 at most. With 200
 * answers due in the same moment the last is written more than 100 ms after the first.
 */
const reserveOf = (deadlineMs: number): number => Math.min(250, Math.max(40, deadlineMs / 10));

const never = (): boolean => false;

/** What has not left this long before the waiting ends must not leave any more, milliseconds. */
const LEAVE_MARGIN_MS = 15;

/**
 * The time of one hook call: made at entry, asked by everything that waits. It measures by the process's own
 * monotonic clock, so that a jump of the wall clock changes nothing.
 */
export class Budget {
  readonly #startedAt = performance.now();
  readonly #waitMs: number;
  #timer: NodeJS.Timeout;
  #isOver = false;
  #hasHungUp = false;
  #hasEnded = false;
  /** Made for those who ask for its signal only: most calls end without anybody doing so. */
  #leave: AbortController | undefined;
  /** Told when the waiting is over. */
  #waiting: ((end: typeof TIMED_OUT) => void)[] = [];
  #isCallerGone: () => boolean;

  /**
   * @param deadlineMs - by when the answer must have been given, from now.
   * @param isCallerGone - whether nobody can take an answer any more, as far as is known before anybody says so.
   */
  constructor(deadlineMs: number, isCallerGone: () => boolean = never) {
    this.#isCallerGone = isCallerGone;
    this.#waitMs = deadlineMs - reserveOf(deadlineMs);
    this.#timer = setTimeout(() => {
      this.#stopLeaving();
      this.#timer = setTimeout(() => {
        this.#end();
      }, LEAVE_MARGIN_MS);
    }, this.#waitMs - LEAVE_MARGIN_MS);
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  remainingMs(): number {
    return Math.max(0, this.#waitMs - this.elapsedMs());
  }

  /** True when nothing more may be started: the time is over, or nobody waits for the answer. */
  get isOver(): boolean {
    // By the clock as well: in a process that was busy for long, a send may have its turn before the timer.
    return this.#isOver || this.elapsedMs() >= this.#waitMs - LEAVE_MARGIN_MS || this.#isCallerGone();
  }

  get hasHungUp(): boolean {
    return this.#hasHungUp || this.#isCallerGone();
  }

  /** Aborts shortly before the end, or when Okta hangs up: what has not left by then must not leave. */
  get leaveSignal(): AbortSignal {
    this.#leave ??= new AbortController();
    if (this.isOver) this.#leave.abort();
    return this.#leave.signal;
  }

  /** A part of what is left: at most `maxMs`, and at most that `fraction` of it. */
  share(maxMs: number, fraction: number): number {
    return Math.min(maxMs, this.remainingMs() * fraction);
  }

  /** Waits for the work, but not longer than its share. The work itself goes on. */
  within<T>(work: Promise<T>, shareMs: number): Promise<T | typeof TIMED_OUT> {
    return waitAtMost(work, Math.min(shareMs, this.remainingMs()));
  }

  /** Waits for the work until the answer must be given. The work goes on; nobody knows what became of one that rejects. */
  untilEnd<T>(work: Promise<T>): Promise<T | typeof TIMED_OUT> {
    return new Promise((resolve) => {
      if (this.#hasEnded) resolve(TIMED_OUT);
      else this.#waiting.push(resolve);
      work.then(resolve, () => {
        resolve(TIMED_OUT);
      });
    });
  }

  /** Okta no longer waits: nothing more leaves. What has left is waited for, to be recorded. */
  hangUp(): void {
    this.#hasHungUp = true;
    this.#stopLeaving();
  }

  /** The answer has been given: no timer stays behind, and a caller who goes now has not hung up. */
  close(): void {
    clearTimeout(this.#timer);
    this.#hasHungUp = this.hasHungUp;
    this.#isCallerGone = never;
  }

  #stopLeaving(): void {
    this.#isOver = true;
    this.#leave?.abort();
  }

  #end(): void {
    this.#hasEnded = true;
    for (const tell of this.#waiting) tell(TIMED_OUT);
    this.#waiting = [];
  }
}
