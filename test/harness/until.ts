/** Of the machine: a test that has stopped time waits as well. */
const { setTimeout } = globalThis;

/**
 * Waits for a condition, looking again every few milliseconds; mocha's own time-out bounds it, and keeps the process
 * alive meanwhile: what is waited for in vain does not, once the test has failed. A condition that asks somebody, such as a
 * server or a browser, is looked at less and less often, as each look costs both of them.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let delayMs = 2; ;) {
    const met = condition();
    if (await met) return;
    if (typeof met !== 'boolean') delayMs = Math.min(delayMs * 2, 32);
    await new Promise((resolve) => {
      setTimeout(resolve, delayMs).unref();
    });
  }
}

/** A promise, and what settles it. */
interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function defer<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}
