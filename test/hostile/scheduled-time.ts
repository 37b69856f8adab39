import fc from 'fast-check';
import type sinon from 'sinon';
import { settle } from './injected-call.js';

/** In one turn no more than this passes at once where much is to pass, milliseconds. */
const MUCH_MS = 1_000;

/** Everything happens in the scheduler's turn; time passes only as it says. */
export class ScheduledTime {
  readonly schedulers: fc.Arbitrary<fc.Scheduler>;
  readonly #clock: () => sinon.SinonFakeTimers;
  #passing: Promise<unknown> = Promise.resolve();

  constructor(clock: () => sinon.SinonFakeTimers) {
    this.#clock = clock;
    this.schedulers = fc.scheduler({
      act: async (run) => {
        await run();
        await settle();
        // Nothing else happens while time passes.
        await this.#passing;
      },
    });
  }

  /** Steps of time that may fall between everything else. */
  schedule(s: fc.Scheduler, times: readonly number[], mayPass: () => boolean): void {
    for (const ms of times) {
      void s.schedule(Promise.resolve(), `${ms} ms pass`).then(() => {
        this.#passing = this.#pass(ms, mayPass);
      });
    }
  }

  /** Lets everything that is left happen, and so much time pass. */
  async finish(s: fc.Scheduler, ms: number, mayPass: () => boolean): Promise<void> {
    let left = ms;
    do {
      while (s.count() > 0) await s.waitNext(1);
      left -= await this.#pass(left, mayPass);
    } while (left > 0 || s.count() > 0);
  }

  /** In steps, so that what ends at different times ends one after the other. Gives how much has passed. */
  async #pass(ms: number, mayPass: () => boolean): Promise<number> {
    const step = ms > MUCH_MS ? 500 : 5;
    let passed = 0;
    for (; passed < ms && mayPass(); passed += step) {
      this.#clock().tick(step);
      await settle();
    }
    return passed;
  }
}
