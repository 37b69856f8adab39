const STARTED_MS = performance.timeOrigin;

/**
 * Milliseconds since 1970 by the clock of this machine when the process started, plus what has passed since. No step of the wall
 * clock moves it. For everything that must last as long as it was given: the life of a code, an answer that is remembered,
 * the order of codes. Two processes cannot compare theirs.
 */
export function steadyMs(): number {
  return STARTED_MS + performance.now();
}
