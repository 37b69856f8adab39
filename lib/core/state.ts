declare const brand: unique symbol;

/** What hooks remember between calls. `memoryState()` and `redisState()` make one; its members are internal. */
export interface State {
  /** @internal */
  readonly [brand]?: undefined;
}
