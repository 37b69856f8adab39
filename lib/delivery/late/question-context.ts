import type { SendContext } from '../../core/channel.js';

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
