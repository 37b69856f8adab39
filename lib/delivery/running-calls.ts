/** A call of a person that has not been answered yet. */
export interface RunningCall {
  readonly person: string;
  /** A newer one of the same person has come. */
  isOvertaken: boolean;
}

/**
 * The newest call of each person that is under way at this gateway: what an older one has not sent yet must not arrive
 * after the newer code. Nobody has to be asked for it.
 */
export class RunningCalls {
  readonly #newest = new Map<string, RunningCall>();

  begin(person: string): RunningCall {
    const older = this.#newest.get(person);
    if (older !== undefined) older.isOvertaken = true;
    const call: RunningCall = { person, isOvertaken: false };
    this.#newest.set(person, call);
    return call;
  }

  end(call: RunningCall): void {
    if (this.#newest.get(call.person) === call) this.#newest.delete(call.person);
  }
}
