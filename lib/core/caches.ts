import { LRUCache } from 'lru-cache';

/** Caches of a bounded size. */

/** Entries for which a new cache has room. */
const FIRST_ROOM = 64;

/**
 * A cache of at most so many entries: with one too many, the least recently used one goes. Its room grows with its entries, because
 * an `LRUCache` reserves the room for all its entries when it is made, which would take each hook ten milliseconds and megabytes.
 * With the option `maxSize` it reserves nothing, but then a code takes about 3 % more CPU time (Node 24).
 */
export class BoundedCache<Value extends string | number | boolean | object> {
  readonly #max: number;
  #entries: LRUCache<string, Value>;

  constructor(max: number) {
    this.#max = max;
    this.#entries = new LRUCache({ max: Math.min(max, FIRST_ROOM) });
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, which becomes the last used one. */
  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** The entry. It does not count as used. */
  peek(key: string): Value | undefined {
    return this.#entries.peek(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  set(key: string, value: Value): void {
    const { size, max } = this.#entries;
    if (size === max && max < this.#max) this.#grow();
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Drops the entries of which this is true. */
  deleteIf(isOver: (value: Value) => boolean): void {
    for (const [key, value] of [...this.#entries.entries()]) if (isOver(value)) this.#entries.delete(key);
  }

  #grow(): void {
    const grown = new LRUCache<string, Value>({ max: Math.min(this.#max, 4 * this.#entries.max) });
    // The least recently used first.
    for (const [key, value] of [...this.#entries.entries()].reverse()) grown.set(key, value);
    this.#entries = grown;
  }
}

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** Entries that are checked for expiry for each new one. More than one, so that the sweep is faster than the growth. */
const CHECKED_PER_SET = 4;

/** A cache whose entries expire. It starts no timer: expired entries, which may hold codes, leave it as new ones come. */
export class ExpiringCache<Value> {
  readonly #entries: BoundedCache<Entry<Value>>;
  #setsSinceSweep = 0;

  constructor(max: number) {
    this.#entries = new BoundedCache(max);
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
    this.#entries.deleteIf(({ untilMs }) => untilMs <= nowMs);
  }
}
