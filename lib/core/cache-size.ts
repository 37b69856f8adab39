/**
 * The size of an `LRUCache`. With its option `max`, a cache reserves the memory for all its entries when it is made, which
 * costs each hook ten milliseconds and megabytes. With this size, it grows as it is used.
 */
export function atMost(entries: number): { maxSize: number; sizeCalculation: () => number } {
  return { maxSize: entries, sizeCalculation: () => 1 };
}
