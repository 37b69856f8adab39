import type { Budget } from './budget.js';

/**
 * A call that is no older has waited for nothing: it counts as of this moment, and asks no other gateway for newer codes.
 * Milliseconds: more than the steps of a call take where nothing is waited for, less than any vendor needs to answer.
 */
export const SAME_MOMENT_MS = 25;

/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** When it came in, by `performance.now()`. */
  readonly beganAtMs: number;
  readonly budget: Pick<Budget, 'stopLeaving'>;
  /** A newer code of the same person has passed the guard, here or at another gateway. */
  isOvertaken: boolean;
  /** The one that came before it, and goes on. */
  older: RunningCall | undefined;
}

/**
 * The calls of each person that are under way at this gateway, in the order in which they came in. Once a newer code may be
 * sent, an older call starts no attempt any more: its code must not arrive after the newer one.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();

  begin(person: string, budget: RunningCall['budget']): RunningCall {
    const older = this.#newest.get(person);
    const call: RunningCall = { person, beganAtMs: performance.now(), budget, isOvertaken: false, older };
    this.#newest.set(person, call);
    return call;
  }

  /** It has passed the guard, and its code may be sent at any moment: the older ones are overtaken. */
  passGuard(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) {
      older.isOvertaken = true;
      // An attempt may still wait for its connection.
      older.budget.stopLeaving();
    }
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
