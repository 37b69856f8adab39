/** This many messages in a row without a callback mean that callbacks are missing: fewer if none has ever arrived. */
const SILENT_MESSAGES = { never: 3, since: 20 } as const;
/** The longest time until a callback arrives, milliseconds. */
const LATEST_MS = 20_000;

/**
 * Tracks whether Twilio's status callbacks arrive at this hook. Before the first callback, and while callbacks are missing,
 * the hook polls Twilio for each WhatsApp message.
 */
export class StatusCallbacks {
  readonly #onMissing: (count: number) => void;
  #hasCome = false;
  #isMissing = false;
  /** Messages since the last callback, up to the limit, and when the last of these was accepted. */
  #silent = 0;
  #silentSinceMs = 0;

  /** @param onMissing - called once when `count` messages in a row brought no callback; again after the next callback. */
  constructor(onMissing: (count: number) => void) {
    this.#onMissing = onMissing;
  }

  /** Whether callbacks arrive, so that messages need not be polled. */
  get areTrusted(): boolean {
    return this.#hasCome && !this.#isMissing;
  }

  /** Records that a signed callback has arrived. */
  came(): void {
    this.#hasCome = true;
    this.#isMissing = false;
    this.#silent = 0;
  }

  /** Records that Twilio has accepted a message with a callback URL. The next message checks the wait, so no timer is needed. */
  expect(): void {
    if (this.#isMissing) return;
    const most = this.#hasCome ? SILENT_MESSAGES.since : SILENT_MESSAGES.never;
    if (this.#silent < most) {
      this.#silent += 1;
      this.#silentSinceMs = performance.now();
    } else if (performance.now() - this.#silentSinceMs >= LATEST_MS) {
      this.#isMissing = true;
      this.#onMissing(this.#silent);
    }
  }
}
