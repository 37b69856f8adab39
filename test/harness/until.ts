/** Of the machine: a test that has stopped time waits as well. */
const { setTimeout } = globalThis;

/**
 * Waits for a condition, looking again every few milliseconds; mocha's own time-out bounds it, and keeps the process
 * alive meanwhile: what is waited for in vain does not, once the test has failed.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2).unref();
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
