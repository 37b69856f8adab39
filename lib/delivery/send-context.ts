import type { Budget } from '../core/budget.js';
import type { SendContext } from '../core/channel.js';

/** The clocks that channels are called with. */

/** How long a send that has left may go on after the call's deadline, milliseconds. */
export const DETACHED_MS = 10_000;

/** How long a connect may take: milliseconds at most, and a fraction of the remaining budget. */
const CONNECT_SHARE = { maxMs: 700, fraction: 0.4 } as const;

/** The clock of one attempt to send. */
export interface AttemptClock {
  /** All fields are own properties, so that a channel can copy the object and change a field. */
  readonly context: SendContext;
  /** Aborts `context.signal`. */
  giveUp(): void;
}

export function startAttemptClock(budget: Budget): AttemptClock {
  let controller: AbortController | undefined;
  let isGivenUp = false;
  return {
    context: {
      // Read again each time: a second request that starts late must also leave before the deadline.
      get leaveWithinMs() {
        return budget.share(CONNECT_SHARE.maxMs, CONNECT_SHARE.fraction);
      },
      get endWithinMs() {
        return budget.remainingMs() + DETACHED_MS;
      },
      mayLeave: () => !budget.isOver,
      // Signals are made when they are read: most sends end without one.
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

/**
 * The clock of an outgoing call that no code waits for: its time-out, and of that the connection's,
 * milliseconds.
 */
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
