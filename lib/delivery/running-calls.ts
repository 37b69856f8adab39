import { RecentMap } from '../core/recent-map.js';

/** Calls that come in within it come at once, milliseconds: neither keeps the other from its first attempt. */
export const SAME_MOMENT_MS = 100;

/**
 * A call that is no older has waited for nothing: it asks no other gateway for newer codes, and counts as of now. Milliseconds:
 * more than the steps of a call take where nothing is waited for, less than any vendor takes to answer.
 */
export const NEW_CALL_MS = 25;

/** About 100 codes a second for a minute and a half to three minutes. */
const MAX_PEOPLE = 16_000;

/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** When it came in, by `performance.now()`. */
  readonly beganAtMs: number;
  /**
   * A newer code at this gateway that has passed the guard. Beside one of the same moment this call starts no further attempt;
   * with one ahead, of a later moment or sent already, none at all.
   */
  newer: 'none' | 'beside' | 'ahead';
  /** The one that came before it, and goes on. */
  older: RunningCall | undefined;
}

/**
 * The calls of each person that are under way at this gateway, in the order in which they came in: an older code must not
 * arrive after a newer one.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();
  readonly #lastEvents = new RecentMap<{ readonly eventKey: string }>(MAX_PEOPLE);

  begin(person: string): RunningCall {
    const older = this.#newest.get(person);
    const call: RunningCall = { person, beganAtMs: performance.now(), newer: 'none', older };
    this.#newest.set(person, call);
    return call;
  }

  /** The guard has let it pass: its code may be sent at any moment. */
  passGuard(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) {
      if (call.beganAtMs - older.beganAtMs > SAME_MOMENT_MS) older.newer = 'ahead';
      else if (older.newer === 'none') older.newer = 'beside';
    }
  }

  /** A channel has taken its code, or may have. */
  sent(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) older.newer = 'ahead';
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
