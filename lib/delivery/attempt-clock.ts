import type { Budget } from '../core/budget.js';
import type { SendContext } from '../core/channel.js';

/** How long a send that has left may still go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** What a connect may take of the budget: milliseconds at most, and a fraction of what is left. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** What a channel is given of the time for one attempt, and how it is told that its own is over. */
export class AttemptClock implements SendContext {
  readonly mayLeave: () => boolean;
  readonly #budget: Budget;
  #controller: AbortController | undefined;
  #isGivenUp = false;

  constructor(budget: Budget) {
    this.#budget = budget;
    this.mayLeave = () => !budget.isOver;
  }

  /** Each time it is asked: what begins late, such as a second call, must still have left before the deadline. */
  get leaveWithinMs(): number {
    return this.#budget.share(CONNECT_SHARE.maxMs, CONNECT_SHARE.fraction);
  }

  get endWithinMs(): number {
    return this.#budget.remainingMs() + DETACHED_MS;
  }

  // Signals are made for those who ask for them: most sends have ended before anybody would.
  get leaveSignal(): AbortSignal {
    return this.#budget.leaveSignal;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isGivenUp) this.#controller.abort();
    return this.#controller.signal;
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#controller?.abort();
  }
}

/**
 * The same with properties of its own, so that a channel of the user's own may hand on a copy with one of them changed. V8
 * makes a table of it, which costs more than all that a channel of ours does with it.
 */
export function copyableContext(clock: AttemptClock): SendContext {
  return {
    get leaveWithinMs() {
      return clock.leaveWithinMs;
    },
    get endWithinMs() {
      return clock.endWithinMs;
    },
    mayLeave: clock.mayLeave,
    get leaveSignal() {
      return clock.leaveSignal;
    },
    get signal() {
      return clock.signal;
    },
  };
}
