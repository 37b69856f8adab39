/** The result of a wait that ended before the work. */
export const TIMED_OUT = Symbol('timed out');

/** Waits two turns of the event loop: everything that lay in the sockets before has then been read. */
export async function socketsRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Waits for work, at most `timeoutMs`. The work itself goes on, for others that wait for it. */
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
