/** Caches of a bounded size. */

/**
 * The size of an `LRUCache`. With its option `max`, a cache reserves the memory for all its entries when it is made, which
 * takes each hook ten milliseconds and megabytes. With this size, the cache grows with its entries.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}

/**
 * A map that keeps each entry that was set or used in the last `least` sets and uses. It consists of several maps; when the newest is
 * full, the oldest is dropped as a whole. Finding and deleting the oldest entry on each `set` would cost more than everything else
 * that is done with the entries.
 */
export class RecentMap<Value extends object | string | number> {
  #newest = new Map<string, Value>();
  /** The newest comes first. */
  #maps: readonly Map<string, Value>[] = [this.#newest];
  readonly #olderMaps: number;
  readonly #mapSize: number;

  /**
   * @param olderMaps - with five, the default, at most a fifth more entries are kept. With one, up to twice as many are kept, and
   *   the last `least` different entries, however often some of them are used.
   */
  constructor(least: number, olderMaps = 5) {
    this.#olderMaps = olderMaps;
    this.#mapSize = Math.ceil(least / olderMaps);
  }

  get(key: string): Value | undefined {
    for (const map of this.#maps) {
      const value = map.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** Like `get`, and makes the entry one of the newest. */
  use(key: string): Value | undefined {
    const value = this.get(key);
    if (value !== undefined && !this.#newest.has(key)) this.set(key, value);
    return value;
  }

  /** Sets an entry and makes it one of the newest, also if the key exists. */
  set(key: string, value: Value): void {
    if (this.#newest.size >= this.#mapSize && !this.#newest.has(key)) {
      this.#newest = new Map();
      this.#maps = [this.#newest, ...this.#maps.slice(0, this.#olderMaps)];
    }
    this.#newest.set(key, value);
  }

  delete(key: string): void {
    for (const map of this.#maps) map.delete(key);
  }
}
