import {
  BrokenCircuitError,
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
};

/** Counts unknown outcomes in a row. */
class UnknownsInARow implements IBreaker {
  state: unknown;
  #times: number[] = [];

  success(): void {
    this.#times = [];
  }

  failure(): boolean {
    this.#times = [...this.#times.slice(1 - UNKNOWNS_TO_OPEN), Date.now()];
    const [oldest = 0] = this.#times;
    return this.#times.length === UNKNOWNS_TO_OPEN && Date.now() - oldest <= OPENING_WINDOW_MS;
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
  readonly #policy: CircuitBreakerPolicy;

  constructor(host: string, onChange: (state: BreakerState) => void) {
    this.host = host;
    this.#policy = circuitBreaker(
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
    this.#policy.onStateChange((state) => {
      onChange(nameOf(state));
    });
  }

  get state(): BreakerState {
    return nameOf(this.#policy.state);
  }

  /** Makes the attempt, or refuses it without making it. */
  async attempt(send: () => Promise<Outcome>): Promise<Outcome> {
    switch (this.#policy.state) {
      case CircuitState.Closed: {
        const outcome = await send();
        if (outcome.status === 'unknown' || isCompleteAnswer(outcome)) await this.#record(outcome);
        return outcome;
      }
      // cockatiel would let others wait for the probe; a code cannot wait.
      case CircuitState.HalfOpen:
        return BREAKER_OPEN;
      default:
        try {
          return await this.#policy.execute(send);
        } catch (error) {
          if (error instanceof BrokenCircuitError) return BREAKER_OPEN;
          throw error;
        }
    }
  }

  /** An answer that came after its call had been given up: the host is slow, not down. */
  async recordLate(outcome: Outcome): Promise<void> {
    if (isCompleteAnswer(outcome)) await this.#record(outcome);
  }

  async #record(outcome: Outcome): Promise<void> {
    // Once open, only the probe decides: what was sent before it opened is no news.
    if (this.#policy.state === CircuitState.Closed) await this.#policy.execute(() => outcome);
  }
}

/** The codes of attempts that never left this process. */
const NEVER_LEFT: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'BREAKER_OPEN',
  'NO_SENDER',
  'NO_TEMPLATE',
  'NOT_CONNECTED',
]);

function isCompleteAnswer(outcome: Outcome): boolean {
  return outcome.status === 'accepted' || (outcome.status === 'refused' && !NEVER_LEFT.has(outcome.code));
}

function nameOf(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed';
  return state === CircuitState.HalfOpen ? 'half-open' : 'open';
}
