/** Caches of a bounded size. */

/**
 * The size of an `LRUCache`. With its option `max`, a cache reserves the memory for all its entries when it is made, which
 * takes each hook ten milliseconds and megabytes. With this size, the cache grows with its entries.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}

/**
 * A map of the entries that were set last: at most `max`, and at least the last half of that. It holds two
 * maps; when the newer one is full, it replaces the older one, which is dropped as a whole. Finding and
 * deleting the oldest entry on each `set` would cost more than everything else that is done with the entries.
 */
export class RecentMap<Value extends object> {
  #newer = new Map<string, Value>();
  #older = new Map<string, Value>();
  readonly #half: number;

  /** @param max - an even number. */
  constructor(max: number) {
    this.#half = max / 2;
  }

  get(key: string): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** Like `get`, and makes the entry one of the newest. */
  use(key: string): Value | undefined {
    const newer = this.#newer.get(key);
    if (newer !== undefined) return newer;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** Sets an entry and makes it one of the newest, also if the key exists. */
  set(key: string, value: Value): void {
    if (this.#newer.size >= this.#half && !this.#newer.has(key)) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(key, value);
  }

  delete(key: string): void {
    this.#newer.delete(key);
    this.#older.delete(key);
  }
}
