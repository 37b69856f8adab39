import type sinon from 'sinon';
import { fakeClock } from './fake-clock.js';
import { until } from './until.js';

export { warmUp } from './scene.js';

/**
 * From now on the test controls time for all timers of this process, so that a busy machine changes nothing. Call it
 * after `warmUp()`, and before the first call of a hook.
 */
export function stopTime(): sinon.SinonFakeTimers {
  // Whole, so that sums of it are exact.
  const startMs = Math.ceil(performance.now());
  const clock = fakeClock(['setTimeout', 'clearTimeout', 'performance'], Date.now());
  // The monotonic clock goes on from where it is: what came before the stop did not come later.
  const stopped = performance.now.bind(performance);
  performance.now = () => startMs + stopped();
  return clock;
}

/**
 * Restores real time, and returns the source of the timers that a test has left. Leaves out undici's timer, which all
 * connections of this process share, even those of other test files.
 */
export function endTime(clock: sinon.SinonFakeTimers): readonly string[] {
  // sinon's types do not have it.
  const { timers } = clock as unknown as { readonly timers?: ReadonlyMap<number, { func: () => void }> };
  const left = Array.from(timers?.values() ?? [], ({ func }) => func);
  clock.restore();
  return left.filter(({ name }) => name !== 'onTick').map(String);
}

/** The step of time during a wait, milliseconds. */
const STEP_MS = 20;

/**
 * Lets time pass until the work ends, but not more than `atMostMs`: for longer work it waits until mocha's time-out. For
 * work that waits only for time, so that the speed of the machine does not matter.
 */
export async function passTime<T>(
  clock: sinon.SinonFakeTimers,
  work: Promise<T>,
  atMostMs: number,
): Promise<T> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  work.then(over, over);
  let spentMs = 0;
  await until(() => {
    if (!isOver && spentMs < atMostMs) {
      clock.tick(STEP_MS);
      spentMs += STEP_MS;
    }
    return isOver;
  });
  return work;
}
