import { TIMED_OUT } from './time.js';

/**
 * Time reserved to write the answer, milliseconds: a tenth of the deadline, at least 40, at most 250. With
 * 200 answers due at the same moment the last one is written more than 100 ms after the first.
 */
const reserveOf = (deadlineMs: number): number => Math.min(250, Math.max(40, deadlineMs / 10));

/** The share of the state: 200 ms, and never more than a quarter of the remaining time. */
const STATE_MS = 200;
const STATE_FRACTION = 0.25;

const never = (): boolean => false;

/** A request that has not left this long before the waiting ends must not leave any more, milliseconds. */
const LEAVE_MARGIN_MS = 15;

/**
 * The deadline of one hook call. Made when the call arrives and used by everything that waits. It measures
 * with the process's monotonic clock, so that a jump of the wall clock changes nothing.
 */
export class Budget {
  readonly #startedAt = performance.now();
  readonly #waitMs: number;
  #timer: NodeJS.Timeout;
  #isOver = false;
  #hasHungUp = false;
  #hasEnded = false;
  /** Made on first use: most calls end without a need for the signal. */
  #leave: AbortController | undefined;
  /** Resolvers of {@link untilEnd}. */
  #waiting: ((end: typeof TIMED_OUT) => void)[] = [];
  #isCallerGone: () => boolean;

  /**
   * @param deadlineMs - from now until the answer must have been written.
   * @param isCallerGone - whether the caller has disconnected, for a disconnect before {@link hangUp} is
   * called.
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

  /** Whether nothing more may be started: the time is over or the caller has disconnected. */
  get isOver(): boolean {
    // The clock counts too: in a process that was busy for long, a send may run before the timer.
    return this.#isOver || this.elapsedMs() >= this.#waitMs - LEAVE_MARGIN_MS || this.#isCallerGone();
  }

  get hasHungUp(): boolean {
    return this.#hasHungUp || this.#isCallerGone();
  }

  /**
   * Aborts shortly before the end, or when Okta disconnects: a request that has not left by then must not
   * leave.
   */
  get leaveSignal(): AbortSignal {
    this.#leave ??= new AbortController();
    if (this.isOver) this.#leave.abort();
    return this.#leave.signal;
  }

  /** A share of the remaining time: at most `maxMs`, and at most this fraction. */
  share(maxMs: number, fraction: number): number {
    return Math.min(maxMs, this.remainingMs() * fraction);
  }

  /** How long the call waits for the state, each time. */
  get stateMs(): number {
    return this.share(STATE_MS, STATE_FRACTION);
  }

  /**
   * Waits for the work until the answer must be given. Also resolves to `TIMED_OUT` if the work rejects: its
   * result is unknown.
   */
  untilEnd<T>(work: Promise<T>): Promise<T | typeof TIMED_OUT> {
    return new Promise((resolve) => {
      if (this.#hasEnded) resolve(TIMED_OUT);
      else this.#waiting.push(resolve);
      work.then(resolve, () => {
        resolve(TIMED_OUT);
      });
    });
  }

  /**
   * Okta has disconnected: nothing more may leave. Requests that have left are still awaited, to be recorded.
   */
  hangUp(): void {
    this.#hasHungUp = true;
    this.#stopLeaving();
  }

  /** The answer has been given: stops the timer. A later disconnect does not count. */
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
    for (const resolve of this.#waiting) resolve(TIMED_OUT);
    this.#waiting = [];
  }
}
