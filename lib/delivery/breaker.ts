import type { Outcome } from '../core/channel.js';
import type { BreakerState } from '../core/events.js';

/** So many calls without an answer in a row ... */
const UNANSWERED_TO_OPEN = 5;
/** ... within this time, milliseconds, say that the host is down. */
const OPENING_WINDOW_MS = 10_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/** The code of an attempt that was refused because the breaker is open. */
export const BREAKER_OPEN: Outcome = {
  status: 'refused',
  code: 'BREAKER_OPEN',
  reason: 'The provider has not answered lately, so it is not asked for a moment',
  hasLeft: false,
};

/**
 * Starts a call to a host. Resolves with what is known of it when it must be, and never rejects; a call that goes on after
 * that tells `onLate` what became of it.
 */
type StartCall<Result> = (onLate: (end: Result) => void) => Promise<Result>;

/** How one kind of call to a host goes by its breaker. */
export interface GuardedCall<Result> {
  /** What a call comes to that is not made, because the breaker is open. */
  readonly skipped: Result;
  /** What a result says of the host: `none` where the call never left, and so says nothing. */
  readonly signOf: (result: Result) => 'answer' | 'no-answer' | 'none';
}

/** An attempt that is refused leaves the code to the next channel, or to Okta itself. */
const SENDS: GuardedCall<Outcome> = {
  skipped: BREAKER_OPEN,
  signOf: (outcome) => {
    if (outcome.status === 'unknown') return 'no-answer';
    return outcome.status === 'refused' && outcome.hasLeft === false ? 'none' : 'answer';
  },
};

/**
 * A host that is down must not be waited for by everybody: after five calls in a row without an answer its calls are
 * skipped at once. After a pause one real call at a time is the probe, and a complete answer closes it.
 *
 * A call that says nothing of the host neither opens the breaker nor resets the count; it does not close an open one
 * either. All times are of the monotonic clock.
 */
export class Breaker {
  readonly host: string;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  /** When the latest calls without an answer, in a row, ended. */
  #unanswered: number[] = [];
  #lastAnswerAt = -Infinity;
  #openedAt = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(host: string, onChange: (state: BreakerState) => void) {
    this.host = host;
    this.#onChange = onChange;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Makes an attempt to send, or refuses it without making it. */
  attempt(start: StartCall<Outcome>): Promise<Outcome> {
    return this.call(start, SENDS);
  }

  /** Makes a call, or skips it. */
  call<Result>(start: StartCall<Result>, how: GuardedCall<Result>): Promise<Result> {
    if (this.#state === 'closed') return this.#pass(start, how);
    const isProbe = this.#state === 'open' && performance.now() - this.#openedAt >= this.#pauseMs;
    // Others do not wait for the probe: a code cannot.
    return isProbe ? this.#probe(start, how) : Promise.resolve(how.skipped);
  }

  #pass<Result>(start: StartCall<Result>, { signOf }: GuardedCall<Result>): Promise<Result> {
    const startedAt = performance.now();
    // An answer that comes after all: the host is slow, not down.
    const ending = start((late) => {
      if (signOf(late) === 'answer') this.#noteAnswer();
    });
    return ending.then((result) => {
      const sign = signOf(result);
      if (sign === 'answer') this.#noteAnswer();
      else if (sign === 'no-answer') this.#noteNoAnswer(startedAt);
      return result;
    });
  }

  /** One real call that decides. At its deadline it has no answer; one that comes after all still closes. */
  async #probe<Result>(start: StartCall<Result>, { signOf }: GuardedCall<Result>): Promise<Result> {
    this.#enter('half-open');
    const result = await start((late) => {
      if (signOf(late) === 'answer' && this.#state === 'open') this.#close();
    });
    if (signOf(result) === 'answer') this.#close();
    else {
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      this.#open();
    }
    return result;
  }

  #noteAnswer(): void {
    this.#lastAnswerAt = performance.now();
    // Once open, only the probe decides: what was sent before it opened is no news.
    if (this.#state === 'closed') this.#unanswered = [];
  }

  #noteNoAnswer(startedAt: number): void {
    // The hanging ones of a burst all end at its deadline, long after the others were answered: in a row means
    // that the host has answered nothing since this one was sent.
    if (this.#state !== 'closed' || startedAt < this.#lastAnswerAt) return;
    const now = performance.now();
    this.#unanswered = [...this.#unanswered.slice(1 - UNANSWERED_TO_OPEN), now];
    const [oldest = 0] = this.#unanswered;
    if (this.#unanswered.length === UNANSWERED_TO_OPEN && now - oldest <= OPENING_WINDOW_MS) {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#open();
    }
  }

  #open(): void {
    this.#openedAt = performance.now();
    this.#enter('open');
  }

  #close(): void {
    this.#unanswered = [];
    this.#enter('closed');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#onChange(state);
  }
}
