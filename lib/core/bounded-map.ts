/**
 * So many entries at most: the one that was set the longest ago goes first. Where what comes first also ends first, nobody
 * need keep when each was last asked for.
 */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #max: number;
  /** Stands behind those that went. A new one passes over the gaps of all of them: a `Map` keeps these until it is full. */
  #oldest: MapIterator<string> | undefined;
  /** So many have left gaps without it. One that stands still holds all that a `Map` was before it was full. */
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

  /** It is the newest then, also where it was there before. */
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
