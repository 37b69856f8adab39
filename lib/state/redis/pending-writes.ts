import type { RedisConnection } from './connection.js';

/** Holds about 50 codes a second for three minutes. The older half is dropped first. */
const MAX_PENDING = 20_000;

/**
 * Writes that run at once. The next ones follow when these are done, so that codes do not wait behind all of
 * them.
 */
const WRITTEN_AT_ONCE = 50;

/** Writes that have had no answer, in their order. They run again with the next connection. */
export class PendingWrites<Item> {
  readonly #connection: RedisConnection;
  readonly #write: (item: Item) => Promise<void>;
  readonly #onDropped: (item: Item) => void;
  readonly #items: Item[] = [];
  #writing: Promise<void> | undefined;

  /**
   * @param parts.write - writes one item; adds it again if Redis did not answer. Never rejects.
   * @param parts.onDropped - called with each item that was dropped because the list was full.
   */
  constructor(
    connection: RedisConnection,
    parts: {
      readonly write: (item: Item) => Promise<void>;
      readonly onDropped?: (item: Item) => void;
    },
  ) {
    this.#connection = connection;
    this.#write = parts.write;
    this.#onDropped = parts.onDropped ?? (() => undefined);
    // Not only after a loss: a write also waits if its connection took too long.
    connection.onConnected(() => {
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined;
      });
    });
  }

  /** Present while pending writes run. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  add(item: Item): void {
    if (this.#items.length >= MAX_PENDING) {
      for (const dropped of this.#items.splice(0, MAX_PENDING / 2)) this.#onDropped(dropped);
    }
    this.#items.push(item);
  }

  async #writeAll(): Promise<void> {
    while (this.#items.length > 0 && this.#connection.health === 'ok') {
      await Promise.all(this.#items.splice(0, WRITTEN_AT_ONCE).map((item) => this.#write(item)));
    }
  }
}
