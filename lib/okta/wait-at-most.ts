/**
 * Waits for shared work, but not longer than one of those who share it can: the work itself goes on for the others.
 *
 * @returns what the work resolves to; `undefined` if the time was over first.
 */
export async function waitAtMost<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
