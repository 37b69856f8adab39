import sinon from 'sinon';
import { until } from './until.js';

export { warmUp } from './scene.js';

/**
 * From now on time passes as the test says, for all that waits in this process: what a busy machine does to the network
 * and to the processor then changes nothing. After `warmUp()`, and before the first call of a hook.
 */
export function stopTime(): sinon.SinonFakeTimers {
  return sinon.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance'],
    now: Date.now(),
    shouldClearNativeTimers: true,
  });
}

/**
 * Lets time go on, and returns the timers that a test has left, as source. Those of undici, which has one timer for all
 * connections of this process, may come from another test file.
 */
export function endTime(clock: sinon.SinonFakeTimers): readonly string[] {
  // Not in the types of sinon.
  const { timers } = clock as unknown as { readonly timers?: ReadonlyMap<number, { func: () => void }> };
  const left = Array.from(timers?.values() ?? [], ({ func }) => func);
  clock.restore();
  return left.filter(({ name }) => name !== 'onTick').map(String);
}

/** How much time passes at once while something is waited for, milliseconds. */
const STEP_MS = 20;

/**
 * Lets time pass until some work has ended, and no more than `atMostMs` of it: work that needs more never ends. For work
 * that waits for nothing but time, so that it does not matter how long the machine takes for the rest.
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
