import { TIMED_OUT, waitAtMost } from '#lib/core/time.js';

/** What closing one of them may take, milliseconds: `close()` of a hook gives a send that hangs ten seconds. */
const CLOSING_MS = 12_000;

/**
 * What a test has opened. All of it is closed, the last one first, whatever became of the test: one that throws or hangs
 * does not keep the next one open, nor the process.
 */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  /** Takes what has been opened, and gives it back. */
  add<T>(opened: T, close: (opened: T) => unknown): T {
    this.#closers.push(() => close(opened));
    return opened;
  }

  /** @throws AggregateError of what did not close. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      const closing = Promise.resolve().then(close);
      await waitAtMost(closing, CLOSING_MS).then(
        (end) => {
          if (end === TIMED_OUT) failures.push(new Error('it does not close in time'));
        },
        (error: unknown) => failures.push(error),
      );
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not all that a test has opened was closed');
  }
}
