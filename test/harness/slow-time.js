import sinon from 'sinon';

// JavaScript, since processes that tests start load it without a compiler. Its types are in slow-time.d.ts.

/** Of the machine. */
const { setInterval, clearInterval } = globalThis;

/** So many milliseconds of the machine are one of the process. */
const FACTOR = 10;

export function slowTime() {
  const clock = sinon.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance'],
    now: Date.now(),
    shouldClearNativeTimers: true,
  });
  const timer = setInterval(() => clock.tick(1), FACTOR);
  timer.unref();
  return {
    tick: (ms) => void clock.tick(ms),
    restore: () => {
      clearInterval(timer);
      clock.restore();
    },
  };
}
