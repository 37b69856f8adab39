import fc from 'fast-check';
import type sinon from 'sinon';
import { settle } from './injected-call.js';

/** Above this duration, time passes in larger steps. Milliseconds. */
const MUCH_MS = 1_000;

/** The scheduler orders all steps; time passes only in its steps. */
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
        // No other step runs while time passes.
        await this.#passing;
      },
    });
  }

  /** Schedules steps of time between all other steps. */
  schedule(s: fc.Scheduler, times: readonly number[], mayPass: () => boolean): void {
    for (const ms of times) {
      void s.schedule(Promise.resolve(), `${ms} ms pass`).then(() => {
        this.#passing = this.#pass(ms, mayPass);
      });
    }
  }

  /** Runs all other steps, and lets this much time pass. */
  async finish(s: fc.Scheduler, ms: number, mayPass: () => boolean): Promise<void> {
    let left = ms;
    do {
      while (s.count() > 0) await s.waitNext(1);
      left -= await this.#pass(left, mayPass);
    } while (left > 0 || s.count() > 0);
  }

  /** Passes time in steps, so that timers of different times end one after the other. Returns the passed time. */
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
