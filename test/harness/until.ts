/** The real timer, so that it also waits while a test has stopped time. */
const { setTimeout } = globalThis;

/**
 * Waits for a condition, and checks it every few milliseconds. mocha's time-out limits the wait and keeps the process
 * alive; the wait itself does not, once the test has failed. An async condition, which asks a server or a browser, is
 * checked less and less often, because each check costs both sides.
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

/** A promise with its resolve and reject functions. */
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

/** A function that waits for the test, such as the `send` of a channel. */
interface Held<T> {
  /** Returns the promise that the test settles, the same at each call. */
  readonly run: () => Promise<T>;
  /** Resolves at the first call. */
  readonly called: Promise<undefined>;
  readonly count: () => number;
  readonly resolve: (value: T) => void;
}

export function held<T>(): Held<T> {
  const { promise, resolve } = defer<T>();
  const first = defer<undefined>();
  let calls = 0;
  const run = (): Promise<T> => {
    calls += 1;
    first.resolve(undefined);
    return promise;
  };
  return { run, called: first.promise, count: () => calls, resolve };
}
