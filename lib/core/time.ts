/** Okta's time-out for the whole answer of a hook, milliseconds. */
export const OKTA_WAITS_MS = 3000;

const STARTED_MS = performance.timeOrigin;

/**
 * Milliseconds since 1970 by a clock that no step of the wall clock moves: the machine's time when the
 * process started, plus the monotonic time since. Used for durations that must not change: the life of a
 * code, remembered answers, the order of codes. The values of two processes cannot be compared.
 */
export function steadyMs(): number {
  return STARTED_MS + performance.now();
}

/** The result of a wait that ended before the work. */
export const TIMED_OUT = Symbol('timed out');

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Waits until all that this turn of the event loop has read is handled. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits two turns of the event loop: everything that lay in the sockets before has then been read. */
export async function letSocketsBeRead(): Promise<void> {
  await endOfTurn();
  await endOfTurn();
}

/** Waits for work, at most `timeoutMs`. The work itself goes on, for others that wait for it. */
export function waitAtMost<T>(work: Promise<T>, timeoutMs: number): Promise<T | typeof TIMED_OUT> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, TIMED_OUT);
    work.then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      () => {
        clearTimeout(timer);
        // Rejects as the work did.
        resolve(work);
      },
    );
  });
}
