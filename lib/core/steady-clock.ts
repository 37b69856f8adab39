const STARTED_MS = performance.timeOrigin;

/**
 * Milliseconds since 1970 by a clock that no step of the wall clock moves: the machine's time when the
 * process started, plus the monotonic time since. Used for durations that must not change: the life of a
 * code, remembered answers, the order of codes. The values of two processes cannot be compared.
 */
export function steadyMs(): number {
  return STARTED_MS + performance.now();
}
