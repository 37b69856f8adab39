import { TIMED_OUT, waitAtMost } from '#lib/core/time.js';

/** The time limit for closing each, milliseconds: `close()` of a hook waits ten seconds for a send that hangs. */
const CLOSING_MS = 12_000;

/**
 * Closes everything that a test has opened, the last one first. A close that throws or hangs does not prevent the
 * others.
 */
export class Closers {
  readonly #closers: (() => unknown)[] = [];

  /** Registers an opened object, and returns it. */
  add<T>(opened: T, close: (opened: T) => unknown): T {
    this.#closers.push(() => close(opened));
    return opened;
  }

  /** @throws AggregateError if some did not close. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      const closing = Promise.resolve().then(close);
      await waitAtMost(closing, CLOSING_MS).then(
        (end) => {
          if (end === TIMED_OUT) failures.push(new Error('it did not close in time'));
        },
        (error: unknown) => failures.push(error),
      );
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some of what the test opened did not close');
  }
}
