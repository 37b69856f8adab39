import type { RedisConnection } from './connection.js';

/** About 50 codes a second for three minutes. The older half is dropped first. */
const MAX_UNTOLD = 20_000;

/** Told at once; the next ones when Redis has done these, so that codes do not stand behind all of them. */
const TOLD_AT_ONCE = 50;

/** What Redis has to learn when it is back, in the order in which it came. */
export class Untold<Item> {
  readonly #connection: RedisConnection;
  readonly #tell: (item: Item) => Promise<void>;
  readonly #onDropped: (item: Item) => void;
  readonly #items: Item[] = [];
  #telling: Promise<void> | undefined;

  /**
   * @param parts.tell - tells one, and adds it again where Redis was lost meanwhile. Never rejects.
   * @param parts.onDropped - told of one for which there was no room.
   */
  constructor(
    connection: RedisConnection,
    parts: {
      readonly tell: (item: Item) => Promise<void>;
      readonly onDropped?: (item: Item) => void;
    },
  ) {
    this.#connection = connection;
    this.#tell = parts.tell;
    this.#onDropped = parts.onDropped ?? (() => undefined);
    connection.watch(({ type }) => {
      if (type !== 'recovered') return;
      this.#telling ??= this.#tellAll().finally(() => {
        this.#telling = undefined;
      });
    });
  }

  /** While Redis is being told. */
  get telling(): Promise<void> | undefined {
    return this.#telling;
  }

  add(item: Item): void {
    if (this.#items.length >= MAX_UNTOLD) {
      for (const dropped of this.#items.splice(0, MAX_UNTOLD / 2)) this.#onDropped(dropped);
    }
    this.#items.push(item);
  }

  async #tellAll(): Promise<void> {
    while (this.#items.length > 0 && this.#connection.health === 'ok') {
      await Promise.all(this.#items.splice(0, TOLD_AT_ONCE).map((item) => this.#tell(item)));
    }
  }
}
