const HOUR_MS = 3600 * 1000;
/** Who joined is reachable for three days. */
const MEMBERSHIP_MS = 72 * HOUR_MS;
/** Free text only reaches who wrote within a day. */
const SESSION_MS = 24 * HOUR_MS;

/** What WhatsApp knows of phones: who joined the shared sandbox, and who wrote to which sender when. */
export class WhatsAppSessions {
  readonly #clock: () => number;
  readonly #sandboxNumber: string;
  readonly #joinedAt = new Map<string, number>();
  readonly #wroteAt = new Map<string, number>();

  constructor(clock: () => number, sandboxNumber: string) {
    this.#clock = clock;
    this.#sandboxNumber = sandboxNumber;
  }

  /** The phone sends the join code, which is itself a message; once more, and everything starts again. */
  join(number: string): void {
    this.#joinedAt.set(number, this.#clock());
    this.wrote(number, this.#sandboxNumber);
  }

  /** The phone leaves. */
  leave(number: string): void {
    this.#joinedAt.delete(number);
  }

  /** The phone writes to a sender: a day of free text. */
  wrote(number: string, sender: string): void {
    this.#wroteAt.set(`${number} ${sender}`, this.#clock());
  }

  /** Whether a sender reaches the phone at all: approved ones anybody, the sandbox who joined. */
  isReachable(number: string, sender: string): boolean {
    return sender !== this.#sandboxNumber || this.#age(this.#joinedAt.get(number)) <= MEMBERSHIP_MS;
  }

  /** Whether free text reaches the phone. */
  isWindowOpen(number: string, sender: string): boolean {
    return this.#age(this.#wroteAt.get(`${number} ${sender}`)) <= SESSION_MS;
  }

  #age(since: number | undefined): number {
    return since === undefined ? Number.POSITIVE_INFINITY : this.#clock() - since;
  }
}
