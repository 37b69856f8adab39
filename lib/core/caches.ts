import { LRUCache } from 'lru-cache';

/** Caches of a bounded size. */

/**
 * The size of an `LRUCache`. With its option `max`, a cache reserves the memory for all its entries when it is made, which
 * takes each hook ten milliseconds and megabytes. With this size, the cache grows with its entries.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** Entries that are checked for expiry for each new one. More than one, so that the sweep is faster than the growth. */
const CHECKED_PER_SET = 4;

/** A cache whose entries expire. It starts no timer: expired entries, which may hold codes, leave it as new ones come. */
export class ExpiringCache<Value> {
  readonly #entries: LRUCache<string, Entry<Value>>;
  #setsSinceSweep = 0;

  constructor(max: number) {
    this.#entries = new LRUCache(atMost(max));
  }

  /** An entry that has not expired, and how long it still lives, milliseconds. */
  get(key: string, nowMs: number): { readonly value: Value; readonly leftMs: number } | undefined {
    const entry = this.#entries.peek(key);
    if (entry === undefined || entry.untilMs <= nowMs) return undefined;
    return { value: entry.value, leftMs: entry.untilMs - nowMs };
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Makes the entry the newest, also if the key exists. */
  set(key: string, value: Value, nowMs: number, lifeMs: number): void {
    this.#entries.set(key, { value, untilMs: nowMs + lifeMs });
    this.#setsSinceSweep += 1;
    if (this.#setsSinceSweep * CHECKED_PER_SET < this.#entries.size) return;
    this.#setsSinceSweep = 0;
    // Not deleted while they are walked: the walk goes on from its entry.
    const expired: string[] = [];
    this.#entries.forEach(({ untilMs }, name) => {
      if (untilMs <= nowMs) expired.push(name);
    });
    for (const name of expired) this.#entries.delete(name);
  }
}
