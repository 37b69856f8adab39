import sinon from 'sinon';

/** What the clock of a test may replace. */
type Faked = 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'performance' | 'Date';

/**
 * Replaces these functions by those of a clock that the test moves. All fake clocks of the tests come from here.
 *
 * undici may clear a timer that it started before, in an earlier test of this process. Such a timer is a real one. Without
 * `shouldClearNativeTimers` sinon only warns, and the timer fires into a later test.
 *
 * @param now - the time at the start, milliseconds.
 */
export function fakeClock(toFake: Faked[], now = 0): sinon.SinonFakeTimers {
  return sinon.useFakeTimers({ toFake, now, shouldClearNativeTimers: true });
}
