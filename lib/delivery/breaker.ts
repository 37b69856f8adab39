import type { Outcome } from '../core/channel.js';
import type { BreakerState } from '../core/events.js';

/** How many calls in a row without an answer, or without a connection in time, open the breaker ... */
const UNANSWERED_TO_OPEN = 5;
/** ... if they end within this time, milliseconds. */
const OPENING_WINDOW_MS = 10_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

/** The outcome of an attempt that was not made because the breaker is open. */
export const BREAKER_OPEN: Outcome = {
  status: 'refused',
  code: 'BREAKER_OPEN',
  reason: 'The provider did not answer the last requests, so it is not called for a moment',
  remedy: 'Look at the status page of the provider, or of Okta. The hook tries it again by itself.',
  hasLeft: false,
};

/**
 * What a result says about the host.
 *
 * - `answer`: it answers.
 * - `no-answer`: it leaves a call without an answer, or takes too long to connect. Such a call costs a code its time.
 * - `no-connection`: the connection failed at once. Such a call costs nothing.
 * - `none`: nothing, because the call never got to a connection.
 */
export type HostSign = 'answer' | 'no-answer' | 'no-connection' | 'none';

/**
 * What the outcome of an attempt says about the host.
 *
 * @param signOfConnection - what the connection says if the message never left.
 */
export function signOfOutcome(outcome: Outcome, signOfConnection: Exclude<HostSign, 'answer'>): HostSign {
  if (outcome.status === 'unknown') return 'no-answer';
  return outcome.status === 'refused' && outcome.hasLeft === false ? signOfConnection : 'answer';
}

/** A call that the breaker has let through. */
export interface PassedCall {
  /** The call has ended, or its deadline has come. */
  readonly end: (sign: HostSign) => void;
  /** The call has ended after its deadline. A late answer says that the host is slow, not down. */
  readonly endLate: (sign: HostSign) => void;
}

/**
 * The circuit breaker of one host. After five calls in a row without an answer, or without a connection in time,
 * calls to the host are skipped at once, so that not every code waits for it. After a pause, one real call at a
 * time is the probe; a complete answer closes the breaker.
 *
 * Any other call that never left neither opens nor closes the breaker, and does not reset the count. All times are
 * of the monotonic clock.
 */
export class Breaker {
  readonly host: string;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = 'closed';
  /** When the latest calls without an answer ended. */
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

  /** Lets a call through; `undefined` if it must be skipped. */
  enter(): PassedCall | undefined {
    if (this.#state === 'closed') return this.#pass(performance.now());
    const isProbe = this.#state === 'open' && performance.now() - this.#openedAt >= this.#pauseMs;
    // Other calls do not wait for the probe: a code has no time for that.
    return isProbe ? this.#probe() : undefined;
  }

  #pass(startedAt: number): PassedCall {
    return {
      end: (sign) => {
        if (sign === 'answer') this.#noteAnswer();
        else if (sign === 'no-answer') this.#noteNoAnswer(startedAt);
      },
      endLate: (sign) => {
        if (sign === 'answer') this.#noteAnswer();
      },
    };
  }

  /**
   * One real call decides. Without an answer at its deadline the breaker opens again; a late answer still
   * closes it. A call that never got to a connection decides nothing: the next one is the probe.
   */
  #probe(): PassedCall {
    this.#enter('half-open');
    return {
      end: (sign) => {
        if (sign === 'answer') this.#close();
        else if (sign === 'none') this.#enter('open');
        else {
          if (sign === 'no-answer') this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
          this.#open();
        }
      },
      endLate: (sign) => {
        if (sign === 'answer' && this.#state === 'open') this.#close();
      },
    };
  }

  #noteAnswer(): void {
    this.#lastAnswerAt = performance.now();
    // While it is open only the probe decides: calls that started before it opened say nothing new.
    if (this.#state === 'closed') this.#unanswered = [];
  }

  #noteNoAnswer(startedAt: number): void {
    // Of a burst, calls that hang end at their deadline, long after others were answered. They count only if
    // the host has answered nothing since they started.
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
