import { RecentMap } from '../core/caches.js';

/** The order of each person's codes within this process: an older code must not be delivered after a newer one. */

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

/** When an event came to this process for the first time. It keeps this place, also if a repeat sends its code. */
export interface Arrival {
  /** The order of all events of this process, for all hooks in it. */
  readonly number: number;
  /** By `performance.now()`. */
  readonly atMs: number;
}

let arrivals = 0;

export function arriveNow(): Arrival {
  arrivals += 1;
  return { number: arrivals, atMs: performance.now() };
}

/** The newest codes of a person. */
interface Newest {
  /** Of the newest code that has passed the guard. */
  passed: Arrival;
  /** Of the newest code that has started an attempt; `undefined` if none has. */
  started: Arrival | undefined;
  /** The event that has passed the guard last. */
  eventKey: string;
}

export class CodeOrder {
  readonly #people = new RecentMap<Newest>(MIN_PEOPLE);

  /**
   * Whether a newer code of the person has passed the guard at this gateway. `beside` (a simultaneous one): the call starts no
   * second attempt. `ahead` (a later one, or one that has started an attempt): the call starts no attempt.
   */
  newerThan(person: string, { number, atMs }: Arrival): 'none' | 'beside' | 'ahead' {
    const newest = this.#people.get(person);
    if (newest === undefined || newest.passed.number <= number) return 'none';
    const hasStarted = newest.started !== undefined && newest.started.number > number;
    return hasStarted || newest.passed.atMs - atMs > SAME_MOMENT_MS ? 'ahead' : 'beside';
  }

  /**
   * The guard has allowed the newest code: it may be sent at any moment. Returns the event that passed before it, if it
   * is known.
   */
  pass(person: string, arrival: Arrival, eventKey: string): string | undefined {
    const newest = this.#people.get(person);
    this.#people.set(person, { passed: arrival, started: newest?.started, eventKey });
    return newest?.eventKey;
  }

  /** The call starts an attempt: its code may be delivered from now on. */
  startAttempt(person: string, arrival: Arrival): void {
    const newest = this.#people.get(person);
    if (newest === undefined || (newest.started?.number ?? 0) > arrival.number) return;
    newest.started = arrival;
  }
}
