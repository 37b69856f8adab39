/** A call that is no older has waited for nothing that counts: it is of this moment. Milliseconds. */
export const SAME_MOMENT_MS = 250;

/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** A newer code of the same person has been accepted by a channel, or was asked for at another gateway. */
  isOvertaken: boolean;
  /** The one that came before it, and goes on. */
  older: RunningCall | undefined;
}

/**
 * The calls of each person that are under way at this gateway: once a newer code is out, what an older call has not sent
 * yet must not arrive after it. Nobody has to be asked for it.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();

  begin(person: string): RunningCall {
    const call: RunningCall = { person, isOvertaken: false, older: this.#newest.get(person) };
    this.#newest.set(person, call);
    return call;
  }

  /** A channel has accepted its code: the older ones are overtaken. */
  accepted(call: RunningCall): void {
    for (let { older } = call; older !== undefined; older = older.older) older.isOvertaken = true;
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
