import { fakeClock } from '#harness/fake-clock.js';

/** The time of all schedules: it passes only between steps, so that a busy machine changes nothing. */

const STARTS_AT_MS = 1_800_000_000_000;
/** Turns of the event loop without any activity, after which everything waits for time. */
const QUIET_TURNS = 8;

/** What happens outside of this process, so that a turn of the event loop is not the end of it. */
export interface Activity {
  /** Grows with each step. */
  readonly steps: number;
  /** Whether an answer is on its way. */
  readonly isWaiting: boolean;
  /** Resolves when the next answer has come. */
  answered(): Promise<void>;
}

export class SimulatedTime {
  readonly #clock = fakeClock(
    ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
    STARTS_AT_MS,
  );
  readonly #activity: Activity;

  constructor(activity: Activity) {
    this.#activity = activity;
  }

  /** Lets time pass: from one timer to the next, and after each until nothing moves. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    const wait = { isOver: false };
    setTimeout(() => {
      wait.isOver = true;
    }, ms);
    while (!wait.isOver) {
      this.#clock.next();
      // The others of this moment.
      this.#clock.tick(0);
      await this.settle();
    }
  }

  /** Resolves when all that is left waits for time. */
  async settle(): Promise<void> {
    for (let quiet = 0, steps = this.#activity.steps; quiet < QUIET_TURNS;) {
      if (this.#activity.isWaiting) await this.#activity.answered();
      else await new Promise((resolve) => setImmediate(resolve));
      const isQuiet = !this.#activity.isWaiting && this.#activity.steps === steps;
      quiet = isQuiet ? quiet + 1 : 0;
      ({ steps } = this.#activity);
    }
  }

  end(): void {
    this.#clock.restore();
  }
}
