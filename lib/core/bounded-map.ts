/**
 * A map with a size limit that drops the entry that was set the longest ago. Suits entries with one lifetime:
 * the oldest also expires first, so it needs no order of use.
 */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #max: number;
  /**
   * An iterator behind the dropped keys. A new one has to skip the gaps of all deleted entries, which a `Map`
   * keeps until it is full.
   */
  #oldest: MapIterator<string> | undefined;
  /**
   * Deletions since the iterator was made. An iterator that stands still keeps everything alive that the
   * `Map` held before it was full.
   */
  #gaps = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Sets an entry and makes it the newest, also if the key exists. */
  set(key: string, value: Value): void {
    const { size } = this.#entries;
    this.#entries.set(key, value);
    if (this.#entries.size === size) {
      this.delete(key);
      this.#entries.set(key, value);
    } else if (size === this.#max) this.#dropOldest();
  }

  delete(key: string): void {
    this.#entries.delete(key);
    this.#gaps += 1;
    if (this.#gaps < this.#max) return;
    this.#gaps = 0;
    this.#oldest = undefined;
  }

  #dropOldest(): void {
    this.#oldest ??= this.#entries.keys();
    const { value: oldest } = this.#oldest.next();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
