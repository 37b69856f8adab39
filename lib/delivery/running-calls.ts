/** A call that is no older has waited for nothing that counts: it is of this moment. Milliseconds. */
export const SAME_MOMENT_MS = 250;

/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** A newer code of the same person has been accepted by a channel, or was asked for at another gateway. */
  isOvertaken: boolean;
}

/**
 * The calls of each person that are under way at this gateway, oldest first: once a newer code is out, what an older call
 * has not sent yet must not arrive after it. Nobody has to be asked for it.
 */
export class RunningCalls {
  readonly #calls = new Map<string, RunningCall[]>();

  begin(person: string): RunningCall {
    const call: RunningCall = { person, isOvertaken: false };
    const calls = this.#calls.get(person);
    if (calls === undefined) this.#calls.set(person, [call]);
    else calls.push(call);
    return call;
  }

  /** A channel has accepted its code: the older ones are overtaken. */
  accepted(call: RunningCall): void {
    for (const other of this.#calls.get(call.person) ?? []) {
      if (other === call) return;
      other.isOvertaken = true;
    }
  }

  end(call: RunningCall): void {
    const others = (this.#calls.get(call.person) ?? []).filter((other) => other !== call);
    if (others.length === 0) this.#calls.delete(call.person);
    else this.#calls.set(call.person, others);
  }
}
