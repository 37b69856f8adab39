declare const brand: unique symbol;

/** What hooks remember between calls, made by `memoryState()` or `redisState()`. Its members are internal. */
export interface State {
  /** @internal */
  readonly [brand]?: undefined;
}
