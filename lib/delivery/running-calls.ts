import { RecentMap } from '../core/caches.js';

/**
 * Calls of a person that come within this time are simultaneous, milliseconds: the newer one stops the older one's first attempt
 * only when it starts its own.
 */
export const SAME_MOMENT_MS = 100;

/**
 * A call that is not older than this has waited for nothing, milliseconds: it does not ask other gateways for
 * newer codes. This is more than the steps of a call take without waiting, and less than any vendor takes to
 * answer.
 */
export const NEW_CALL_MS = 25;

/** The people of at least the last so many codes are remembered: 100 a second for 80 seconds. */
const MIN_PEOPLE = 8_000;

/** A call of a person that is not answered yet. */
export interface RunningCall {
  readonly person: string;
  /** When it came in, by `performance.now()`. */
  readonly beganAtMs: number;
  /**
   * Whether a newer code of the person has passed the guard at this gateway. `beside` (a simultaneous call): this call starts no
   * second attempt. `ahead` (a later call, or one that has started an attempt): this call starts no attempt.
   */
  newer: 'none' | 'beside' | 'ahead';
  /** The call before it that still runs. */
  older: RunningCall | undefined;
}

/**
 * The running calls of each person at this gateway, in the order of their arrival: an older code must not be
 * delivered after a newer one.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();
  readonly #lastEvents = new RecentMap<string>(MIN_PEOPLE);

  begin(person: string): RunningCall {
    const older = this.#newest.get(person);
    const call: RunningCall = { person, beganAtMs: performance.now(), newer: 'none', older };
    this.#newest.set(person, call);
    return call;
  }

  /** The guard has allowed the call: its code may be sent at any moment. */
  passGuard(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) {
      if (call.beganAtMs - older.beganAtMs > SAME_MOMENT_MS) older.newer = 'ahead';
      else if (older.newer === 'none') older.newer = 'beside';
    }
  }

  /** The call starts an attempt: its code may be delivered from now on. */
  startAttempt(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) older.newer = 'ahead';
  }

  /** An event of a person has passed the guard. Returns the one that passed before it, if it is known. */
  follow(person: string, eventKey: string): string | undefined {
    const last = this.#lastEvents.get(person);
    this.#lastEvents.set(person, eventKey);
    return last;
  }

  end(call: RunningCall): void {
    let newer = this.#newest.get(call.person);
    if (newer === call) {
      if (call.older === undefined) this.#newest.delete(call.person);
      else this.#newest.set(call.person, call.older);
      return;
    }
    while (newer !== undefined && newer.older !== call) newer = newer.older;
    if (newer !== undefined) newer.older = call.older;
  }
}
