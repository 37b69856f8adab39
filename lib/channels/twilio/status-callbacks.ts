/**
 * Whether Twilio's status callbacks come to this hook. Until one has, and once they stay away, a message's failure is
 * learnt by asking for the message.
 */

/** So many messages in a row without any callback say that none will come: fewer where none ever came. */
const SILENT_MESSAGES = { never: 3, since: 20 } as const;
/** A callback may take so long, milliseconds. */
const LATEST_MS = 20_000;

export class StatusCallbacks {
  readonly #onMissing: (count: number) => void;
  #hasCome = false;
  #isMissing = false;
  /** Messages since the last callback, as many as it takes, and when the last of these was accepted. */
  #silent = 0;
  #silentSinceMs = 0;

  /** @param onMissing - told once that so many messages in a row brought none; again after one has come. */
  constructor(onMissing: (count: number) => void) {
    this.#onMissing = onMissing;
  }

  /** Whether they tell what becomes of messages, so that nobody need ask. */
  get areTrusted(): boolean {
    return this.#hasCome && !this.#isMissing;
  }

  /** One has come that Twilio had signed. */
  came(): void {
    this.#hasCome = true;
    this.#isMissing = false;
    this.#silent = 0;
  }

  /** Twilio has accepted a message, and was told where to report. Needs no timer: the next one ends the wait. */
  expect(): void {
    if (this.#isMissing) return;
    const most = this.#hasCome ? SILENT_MESSAGES.since : SILENT_MESSAGES.never;
    if (this.#silent < most) {
      this.#silent += 1;
      if (this.#silent === most) this.#silentSinceMs = performance.now();
    } else if (performance.now() - this.#silentSinceMs >= LATEST_MS) {
      this.#isMissing = true;
      this.#onMissing(this.#silent);
    }
  }
}
