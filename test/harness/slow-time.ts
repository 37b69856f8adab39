import sinon from 'sinon';

/** Of the machine. */
const { setInterval, clearInterval } = globalThis;

/** So many milliseconds of the machine are one of the process. */
const FACTOR = 10;

export interface SlowTime {
  /** Lets as much time pass at once. */
  tick(ms: number): void;
  restore(): void;
}

/**
 * From now on time passes slowly for all that waits in this process, so that other processes are quick for it on any
 * machine: a share of a deadline that would be over on a busy one is not.
 */
export function slowTime(): SlowTime {
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
