import type { Budget } from '../core/budget.js';
import type { SendContext } from '../core/channel.js';

/** How long a send that has left may still go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** What a connect may take of the budget: milliseconds at most, and a fraction of what is left. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** What a channel is given of the time for one attempt, and how it is told that its own is over. */
export interface AttemptClock {
  /** A channel may hand on a copy, with a field changed: the fields are the object's own. */
  readonly context: SendContext;
  /** Aborts `context.signal`. */
  giveUp(): void;
}

export function startAttemptClock(budget: Budget): AttemptClock {
  let controller: AbortController | undefined;
  let isGivenUp = false;
  return {
    context: {
      // Each time it is asked: what begins late, such as a second call, must still have left before the deadline.
      get leaveWithinMs() {
        return budget.share(CONNECT_SHARE.maxMs, CONNECT_SHARE.fraction);
      },
      get endWithinMs() {
        return budget.remainingMs() + DETACHED_MS;
      },
      mayLeave: () => !budget.isOver,
      // Signals are made for those who ask for them: most sends have ended before anybody would.
      get leaveSignal() {
        return budget.leaveSignal;
      },
      get signal() {
        controller ??= new AbortController();
        if (isGivenUp) controller.abort();
        return controller.signal;
      },
    },
    giveUp: () => {
      isGivenUp = true;
      controller?.abort();
    },
  };
}

/** The clock of a call outward that no code waits for: it may take so long in all, and so much of it for a connection. */
export function questionContext(timeoutMs: number, connectMs: number): SendContext {
  const signal = AbortSignal.timeout(timeoutMs);
  return {
    signal,
    leaveSignal: signal,
    endWithinMs: timeoutMs,
    leaveWithinMs: connectMs,
    mayLeave: () => !signal.aborted,
  };
}
