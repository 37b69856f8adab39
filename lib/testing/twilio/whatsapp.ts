const HOUR_MS = 3600 * 1000;
/** A phone that joined is reachable for three days. */
const MEMBERSHIP_MS = 72 * HOUR_MS;
/** Free text only reaches a phone that wrote within a day. */
const SESSION_MS = 24 * HOUR_MS;

/** Which phones have joined the shared sandbox, and when each phone last wrote to a sender. */
export class WhatsAppSessions {
  readonly #clock: () => number;
  readonly #sandboxNumber: string;
  readonly #joinedAt = new Map<string, number>();
  readonly #wroteAt = new Map<string, number>();

  constructor(clock: () => number, sandboxNumber: string) {
    this.#clock = clock;
    this.#sandboxNumber = sandboxNumber;
  }

  /** The phone sends the join code, which is a message, too. Each time, both periods start again. */
  join(number: string): void {
    this.#joinedAt.set(number, this.#clock());
    this.wrote(number, this.#sandboxNumber);
  }

  /** The phone leaves. */
  leave(number: string): void {
    this.#joinedAt.delete(number);
  }

  /** The phone writes to a sender, which may then send free text for a day. */
  wrote(number: string, sender: string): void {
    this.#wroteAt.set(`${number} ${sender}`, this.#clock());
  }

  /** Whether a sender reaches the phone. An approved sender reaches every phone, the sandbox those that joined. */
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
