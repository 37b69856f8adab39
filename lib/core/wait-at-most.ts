/** What waiting comes to when the time was over first. */
export const TIMED_OUT = Symbol('timed out');

/** Two turns of the event loop: whatever lay in the sockets when this was called has been read then. */
export async function socketsRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Waits for work, but not longer than one of those who share it can: the work itself goes on. */
export function waitAtMost<T>(work: Promise<T>, timeoutMs: number): Promise<T | typeof TIMED_OUT> {
  // By hand: `Promise.race` costs several promises more, and this is on the way of every code.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, TIMED_OUT);
    work.then(
      (result) => {
        clearTimeout(timer);
        resolve(result);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // As it came: whoever made the work chose what it throws.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(error);
      },
    );
  });
}
