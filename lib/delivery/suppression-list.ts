import { recipientOf } from './phone-number.js';
import {
  SUPPRESSED_MS,
  Suppressions,
  type LiftedSuppression,
  type Suppression,
  type SuppressionReason,
  type SuppressionState,
} from './suppressions.js';
import { TIMED_OUT, waitAtMost } from './wait-at-most.js';

/** What a state may take to learn something of a number, or to say what it knows; milliseconds. */
const STATE_MS = 200;

const NONE: readonly Suppression[] = [];

/**
 * Which channels numbers are not to be reached by: what this process has learnt, and what gateways share. What the state
 * does not keep, or cannot say, this process knows alone.
 */
export class SuppressionList {
  readonly #here = new Suppressions();
  readonly #state: SuppressionState;
  readonly #clock: () => number;
  readonly #onFailure: (error: unknown) => void;

  constructor(parts: {
    readonly state: SuppressionState;
    readonly clock: () => number;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#state = parts.state;
    this.#clock = parts.clock;
    this.#onFailure = parts.onFailure;
  }

  /** Here at once; resolves when the state knows it as well, or has been given up. */
  add(phoneNumber: string, channel: string, reason: SuppressionReason): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    const nowMs = this.#clock();
    const suppression: Suppression = { channel, reason, untilMs: nowMs + SUPPRESSED_MS[reason] };
    const isShared = this.#here.add(recipient, suppression, nowMs);
    return this.#tell(async () => {
      await this.#state.suppress?.(recipient, suppression, nowMs);
      isShared();
    });
  }

  /** As `add`. */
  lift(phoneNumber: string, lifted: LiftedSuppression): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    const nowMs = this.#clock();
    this.#here.lift(recipient, lifted, nowMs);
    return this.#tell(async () => {
      await this.#state.lift?.(recipient, lifted, nowMs);
    });
  }

  /**
   * Those of a number.
   *
   * @param shared - what gateways share, as it was at `sinceMs`: of what this process knows, only what came after that, or
   *   what gateways do not share yet, counts beside it. `undefined` where nobody could say.
   */
  of(
    phoneNumber: string,
    shared: readonly Suppression[] | undefined,
    sinceMs: number,
  ): readonly Suppression[] {
    const isNoneShared = shared === undefined || shared.length === 0;
    // Nearly always.
    if (isNoneShared && this.#here.isEmpty) return NONE;
    const here = this.#here.of(
      recipientOf(phoneNumber),
      this.#clock(),
      shared === undefined ? undefined : sinceMs,
    );
    return isNoneShared ? here : [...here, ...shared];
  }

  /** The same, where what gateways share is asked for. Never rejects, and answers in time. */
  async askFor(phoneNumber: string, sinceMs: number): Promise<readonly Suppression[]> {
    return this.of(phoneNumber, await this.#ask(phoneNumber), sinceMs);
  }

  async #ask(phoneNumber: string): Promise<readonly Suppression[] | undefined> {
    if (this.#state.suppressionsOf === undefined) return undefined;
    try {
      const asking = this.#state.suppressionsOf(recipientOf(phoneNumber), this.#clock());
      const answer = asking instanceof Promise ? await waitAtMost(asking, STATE_MS) : asking;
      return answer === TIMED_OUT ? undefined : answer;
    } catch (error) {
      this.#onFailure(error);
      return undefined;
    }
  }

  /** Never rejects. What takes longer goes on. */
  async #tell(work: () => Promise<void>): Promise<void> {
    await waitAtMost(work().catch(this.#onFailure), STATE_MS);
  }
}
