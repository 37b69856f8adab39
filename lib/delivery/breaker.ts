import type { Outcome } from './channel.js';

/** So many unknown outcomes in a row ... */
const UNKNOWNS_TO_OPEN = 5;
/** ... within this time, milliseconds, say that the host is down. */
const OPENING_WINDOW_MS = 10_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/** `open`: the host is given up for a while. `half-open`: one real call is trying it again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** The code of an attempt that was refused because the breaker is open. */
export const BREAKER_OPEN: Outcome = {
  status: 'refused',
  code: 'BREAKER_OPEN',
  reason: 'The provider has not answered lately, so it is not asked for a moment',
  hasLeft: false,
};

/**
 * Starts a send. Resolves with what is known of it when the call must be answered, and never rejects; a send that
 * goes on after that tells `onLate` what became of it.
 */
export type StartSend = (onLate: (end: Outcome) => void) => Promise<Outcome>;

/**
 * A host that is down must not turn into "pending" for everybody: after five unknown outcomes in a row its
 * attempts are refused at once, so that the next channel, or Okta itself, sends the code. After a pause one real
 * call at a time is the probe, and a complete answer closes it.
 *
 * An attempt that never left says nothing about what became of a message, so it neither opens the breaker nor
 * resets the count; it does not close an open one either. All times are of the monotonic clock.
 */
export class Breaker {
  readonly host: string;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  /** When the latest unknown outcomes in a row came. */
  #unknowns: number[] = [];
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

  /** Makes the attempt, or refuses it without making it. */
  attempt(start: StartSend): Promise<Outcome> {
    if (this.#state === 'closed') return this.#pass(start);
    const isProbe = this.#state === 'open' && performance.now() - this.#openedAt >= this.#pauseMs;
    // Others do not wait for the probe: a code cannot.
    return isProbe ? this.#probe(start) : Promise.resolve(BREAKER_OPEN);
  }

  #pass(start: StartSend): Promise<Outcome> {
    const startedAt = performance.now();
    // An answer that comes after all: the host is slow, not down.
    const ending = start((late) => {
      if (isCompleteAnswer(late)) this.#noteAnswer();
    });
    return ending.then((outcome) => {
      if (isCompleteAnswer(outcome)) this.#noteAnswer();
      else if (outcome.status === 'unknown') this.#noteUnknown(startedAt);
      return outcome;
    });
  }

  /** One real call that decides. At its deadline it is unknown; an answer that comes after all still closes. */
  async #probe(start: StartSend): Promise<Outcome> {
    this.#enter('half-open');
    const outcome = await start((late) => {
      if (isCompleteAnswer(late) && this.#state === 'open') this.#close();
    });
    if (isCompleteAnswer(outcome)) this.#close();
    else {
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      this.#open();
    }
    return outcome;
  }

  #noteAnswer(): void {
    this.#lastAnswerAt = performance.now();
    // Once open, only the probe decides: what was sent before it opened is no news.
    if (this.#state === 'closed') this.#unknowns = [];
  }

  #noteUnknown(startedAt: number): void {
    // The hanging ones of a burst all end at its deadline, long after the others were answered: in a row means
    // that the host has answered nothing since this one was sent.
    if (this.#state !== 'closed' || startedAt < this.#lastAnswerAt) return;
    const now = performance.now();
    this.#unknowns = [...this.#unknowns.slice(1 - UNKNOWNS_TO_OPEN), now];
    const [oldest = 0] = this.#unknowns;
    if (this.#unknowns.length === UNKNOWNS_TO_OPEN && now - oldest <= OPENING_WINDOW_MS) {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#open();
    }
  }

  #open(): void {
    this.#openedAt = performance.now();
    this.#enter('open');
  }

  #close(): void {
    this.#unknowns = [];
    this.#enter('closed');
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#onChange(state);
  }
}

function isCompleteAnswer(outcome: Outcome): boolean {
  return outcome.status === 'accepted' || (outcome.status === 'refused' && outcome.hasLeft !== false);
}
