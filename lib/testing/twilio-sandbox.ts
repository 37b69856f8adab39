const HOUR_MS = 3600 * 1000;
/** Who joined is reachable for three days. */
const MEMBERSHIP_MS = 72 * HOUR_MS;
/** Free text only reaches who wrote within a day. */
const SESSION_MS = 24 * HOUR_MS;

/** Who joined the shared WhatsApp sandbox. Joining is itself a message to it, and opens the window for free text. */
export class WhatsAppSandbox {
  readonly #clock: () => number;
  readonly #joinedAt = new Map<string, number>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** The phone sends the join code; once more, and everything starts again. */
  join(number: string): void {
    this.#joinedAt.set(number, this.#clock());
  }

  /** The phone leaves. */
  leave(number: string): void {
    this.#joinedAt.delete(number);
  }

  /** The error with which a message fails after it was accepted. */
  failureOf(number: string, isTemplate: boolean): number | undefined {
    const joinedAt = this.#joinedAt.get(number);
    const age = joinedAt === undefined ? Number.POSITIVE_INFINITY : this.#clock() - joinedAt;
    if (age > MEMBERSHIP_MS) return 63015;
    return age > SESSION_MS && !isTemplate ? 63016 : undefined;
  }
}
