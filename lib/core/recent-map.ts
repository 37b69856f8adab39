/**
 * The entries that were set last: `max` at most, and never fewer than the last half of that. They lie in two maps; when the
 * newer one is full it takes the place of the older one, which goes as a whole. To find the oldest one and take it out for
 * each that comes would cost more than all else that is done with them.
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

  /** The same; it is among the newest then. */
  use(key: string): Value | undefined {
    const newer = this.#newer.get(key);
    if (newer !== undefined) return newer;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** It is among the newest then, also where it was there before. */
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
