/** Random numbers from 0 up to 1, the same for each seed and stream: mulberry32. */
export function chanceOf(seed: number, stream: string): () => number {
  let state = seed >>> 0;
  for (const character of stream) state = Math.imul(state ^ character.charCodeAt(0), 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number of a range, both ends included. */
export function between(chance: () => number, from: number, to: number): number {
  return from + Math.floor(chance() * (to - from + 1));
}

/** The same items in another order. */
export function shuffled<Item>(items: readonly Item[], chance: () => number): Item[] {
  return items
    .map((item) => ({ item, place: chance() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** A whole number of one of the ranges, chosen by their weights. */
export function pick(
  chance: () => number,
  ranges: readonly (readonly [weight: number, from: number, to: number])[],
): number {
  let lot = chance() * ranges.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, from, to] of ranges) {
    lot -= weight;
    if (lot < 0) return between(chance, from, to);
  }
  return 0;
}
