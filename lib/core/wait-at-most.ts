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
export async function waitAtMost<T>(work: Promise<T>, timeoutMs: number): Promise<T | typeof TIMED_OUT> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, TIMED_OUT);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
