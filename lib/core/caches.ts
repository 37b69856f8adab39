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

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** Entries that are checked for expiry with each new one. More than one, so that the sweep is faster than the growth. */
const CHECKED_PER_SET = 4;

/** A bounded map whose entries expire. It starts no timer: each `set` drops some expired entries, also behind ones that live longer. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #max: number;
  // A `Map` iterator also visits entries that are added later. One that stood still would keep deleted entries alive.
  #sweep = this.#entries.entries();
  /** Used while the map is full. A new iterator has to skip the gaps of all deleted entries. */
  #oldest: MapIterator<string> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** An entry that has not expired, and how long it still lives, milliseconds. */
  get(key: string, nowMs: number): { readonly value: Value; readonly leftMs: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.untilMs <= nowMs) return undefined;
    return { value: entry.value, leftMs: entry.untilMs - nowMs };
  }

  /** Makes the entry the newest, also if the key exists. */
  set(key: string, value: Value, nowMs: number, lifeMs: number): void {
    this.#dropExpired(nowMs);
    // Moves an existing entry to the end.
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + lifeMs });
    if (this.#entries.size <= this.#max) {
      this.#oldest = undefined;
      return;
    }
    this.#oldest ??= this.#entries.keys();
    const { value: oldest } = this.#oldest.next();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #dropExpired(nowMs: number): void {
    for (let count = 0; count < CHECKED_PER_SET; count += 1) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#entries.entries();
        return;
      }
      const [key, { untilMs }] = next.value;
      if (untilMs <= nowMs) this.#entries.delete(key);
    }
  }
}
