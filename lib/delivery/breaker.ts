import {
  circuitBreaker,
  CircuitState,
  ExponentialBackoff,
  handleWhenResult,
  noJitterGenerator,
  type CircuitBreakerPolicy,
  type IBreaker,
} from 'cockatiel';
import type { Outcome } from './channel.js';

/** So many unknown outcomes in a row ... */
const UNKNOWNS_TO_OPEN = 5;
/** ... within this time, milliseconds, say that the host is down. */
const OPENING_WINDOW_MS = 10_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 30_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

/** The code of an attempt that was refused because the breaker is open. */
export const BREAKER_OPEN: Outcome = {
  status: 'refused',
  code: 'BREAKER_OPEN',
  reason: 'The provider has not answered lately, so it is not asked for a moment',
  hasLeft: false,
};

/** A send that has been started. Neither promise rejects. */
export interface SendUnderWay {
  /** What is known of it when the call must be answered. */
  readonly inTime: Promise<Outcome>;
  /** What became of it in the end: the same, or later. */
  readonly end: Promise<Outcome>;
}

/** Counts unknown outcomes in a row. */
class UnknownsInARow implements IBreaker {
  state: unknown;
  #times: number[] = [];

  success(): void {
    this.#times = [];
  }

  failure(): boolean {
    const now = performance.now();
    this.#times = [...this.#times.slice(1 - UNKNOWNS_TO_OPEN), now];
    const [oldest = 0] = this.#times;
    return this.#times.length === UNKNOWNS_TO_OPEN && now - oldest <= OPENING_WINDOW_MS;
  }
}

/**
 * A host that is down must not turn into "pending" for everybody: after five unknown outcomes in a row its
 * attempts are refused at once, so that the next channel, or Okta itself, sends the code.
 *
 * An attempt that never left says nothing about what became of a message, so it neither opens the breaker nor
 * resets the count; it does not close an open one either.
 */
export class Breaker {
  readonly host: string;
  readonly #onChange: (state: BreakerState) => void;
  #policy: CircuitBreakerPolicy;
  #lastAnswerAt = -Infinity;
  #openedAt = -Infinity;

  constructor(host: string, onChange: (state: BreakerState) => void) {
    this.host = host;
    this.#onChange = onChange;
    this.#policy = this.#createPolicy();
  }

  get state(): BreakerState {
    return nameOf(this.#policy.state);
  }

  /** Makes the attempt, or refuses it without making it. */
  async attempt(start: () => SendUnderWay): Promise<Outcome> {
    switch (this.#policy.state) {
      case CircuitState.Closed: {
        const startedAt = performance.now();
        const { inTime, end } = start();
        const outcome = await inTime;
        if (outcome.status === 'unknown') {
          // The hanging ones of a burst all end at its deadline, long after the others were answered: in a row
          // means that the host has answered nothing since this one was sent.
          if (startedAt >= this.#lastAnswerAt) await this.#record(outcome);
          // An answer that comes after all: the host is slow, not down.
          void end.then(async (late) => {
            if (isCompleteAnswer(late)) await this.#record(late);
          });
        } else if (isCompleteAnswer(outcome)) await this.#record(outcome);
        return outcome;
      }
      // cockatiel would let others wait for the probe; a code cannot wait.
      case CircuitState.HalfOpen:
        return BREAKER_OPEN;
      default:
        // cockatiel counts by the wall clock: one that was set back must not keep a host closed off.
        if (performance.now() - this.#openedAt > LONGEST_PAUSE_MS) {
          this.#close();
          return this.attempt(start);
        }
        return this.#probe(start);
    }
  }

  /** One real call that decides. At its deadline it is unknown; an answer that comes after all still closes. */
  #probe(start: () => SendUnderWay): Promise<Outcome> {
    return new Promise((resolve) => {
      const probing = this.#policy.execute(() => {
        const { inTime, end } = start();
        resolve(inTime);
        void end.then((late) => {
          if (isCompleteAnswer(late)) this.#close();
        });
        return inTime;
      });
      // It is not time for a probe yet.
      probing.catch(() => {
        resolve(BREAKER_OPEN);
      });
    });
  }

  /** cockatiel closes only by a probe's own result: a fresh policy is a closed one. */
  #close(): void {
    if (this.#policy.state !== CircuitState.Open) return;
    this.#policy = this.#createPolicy();
    this.#onChange('closed');
  }

  #createPolicy(): CircuitBreakerPolicy {
    const policy = circuitBreaker(
      handleWhenResult((outcome) => !isCompleteAnswer(outcome as Outcome)),
      {
        breaker: new UnknownsInARow(),
        halfOpenAfter: new ExponentialBackoff({
          initialDelay: FIRST_PAUSE_MS,
          maxDelay: LONGEST_PAUSE_MS,
          exponent: 2,
          generator: noJitterGenerator,
        }),
      },
    );
    policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.#openedAt = performance.now();
      this.#onChange(nameOf(state));
    });
    return policy;
  }

  async #record(outcome: Outcome): Promise<void> {
    if (isCompleteAnswer(outcome)) this.#lastAnswerAt = performance.now();
    // Once open, only the probe decides: what was sent before it opened is no news.
    if (this.#policy.state === CircuitState.Closed) await this.#policy.execute(() => outcome);
  }
}

function isCompleteAnswer(outcome: Outcome): boolean {
  return outcome.status === 'accepted' || (outcome.status === 'refused' && outcome.hasLeft !== false);
}

function nameOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
