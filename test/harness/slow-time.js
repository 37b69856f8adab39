import sinon from 'sinon';

// JavaScript, because processes that tests start load it without a compiler. Its types are in slow-time.d.ts.

/** The real clock. */
const { setInterval, clearInterval } = globalThis;

export function slowTime(factor = 10) {
  const clock = sinon.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance'],
    now: Date.now(),
    shouldClearNativeTimers: true,
  });
  const timer = setInterval(() => clock.tick(1), factor);
  timer.unref();
  return {
    tick: (ms) => void clock.tick(ms),
    restore: () => {
      clearInterval(timer);
      clock.restore();
    },
  };
}
