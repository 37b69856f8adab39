import { RecentMap } from './recent-map.js';

/**
 * A call that is no older has waited for nothing: it counts as of this moment, and asks no other gateway for newer codes.
 * Milliseconds: more than the steps of a call take where nothing is waited for.
 */
export const SAME_MOMENT_MS = 100;

/** About 100 codes a second for a minute and a half to three minutes. */
const MAX_PEOPLE = 16_000;

/** How far a code has come, for the older ones of the same person. */
export const PROGRESS = {
  none: 0,
  /** They start no further attempt. */
  passedGuard: 1,
  /** A channel has been asked to send it: they start no attempt at all. */
  leaving: 2,
  /** A channel has accepted it, or may have sent it: Okta sends none of them either. */
  sent: 3,
} as const;
export type Progress = (typeof PROGRESS)[keyof typeof PROGRESS];

/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** When it came in, by `performance.now()`. */
  readonly beganAtMs: number;
  /** The farthest that a newer code of the same person has come at this gateway. */
  newer: Progress;
  /** The one that came before it, and goes on. */
  older: RunningCall | undefined;
}

/**
 * The calls of each person that are under way at this gateway, in the order in which they came in: an older code must not
 * arrive after a newer one. Codes that are asked for in one moment leave in the order in which they came.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();
  readonly #lastEvents = new RecentMap<{ readonly eventKey: string }>(MAX_PEOPLE);

  begin(person: string): RunningCall {
    const older = this.#newest.get(person);
    const call: RunningCall = {
      person,
      beganAtMs: performance.now(),
      newer: PROGRESS.none,
      older,
    };
    this.#newest.set(person, call);
    return call;
  }

  /** Its code has come so far. */
  advance(call: RunningCall, to: Progress): void {
    for (let { older } = call; older !== undefined; older = older.older) {
      if (older.newer < to) older.newer = to;
    }
  }

  /** An event of a person has passed the guard. Gives the one that did so before it, where that is known. */
  follow(person: string, eventKey: string): string | undefined {
    const last = this.#lastEvents.get(person)?.eventKey;
    this.#lastEvents.set(person, { eventKey });
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
