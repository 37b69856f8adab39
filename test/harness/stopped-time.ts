import sinon from 'sinon';

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
