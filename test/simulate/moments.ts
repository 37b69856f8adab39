/** What is to happen, the earliest first: a binary heap. */
export class Moments<Item> {
  readonly #entries: { readonly atMs: number; readonly item: Item }[] = [];

  add(atMs: number, item: Item): void {
    const entries = this.#entries;
    const entry = { atMs, item };
    let place = entries.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || parent.atMs <= atMs) break;
      entries[place] = parent;
      place = above;
    }
    entries[place] = entry;
  }

  /** The earliest, if it comes before a moment. */
  takeBefore(untilMs: number): { readonly atMs: number; readonly item: Item } | undefined {
    const entries = this.#entries;
    const [first] = entries;
    if (first === undefined || first.atMs >= untilMs) return undefined;
    const last = entries.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  #sink(entry: { readonly atMs: number; readonly item: Item }): void {
    const entries = this.#entries;
    let place = 0;
    for (;;) {
      const below = 2 * place + 1;
      const [left, right] = [entries[below], entries[below + 1]];
      if (left === undefined) break;
      const isRight = right !== undefined && right.atMs < left.atMs;
      const least = isRight ? right : left;
      if (least.atMs >= entry.atMs) break;
      entries[place] = least;
      place = isRight ? below + 1 : below;
    }
    entries[place] = entry;
  }
}
