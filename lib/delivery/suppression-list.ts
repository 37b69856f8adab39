import type { GuardedState } from './guarded-state.js';
import { recipientOf } from '../numbers/phone-number.js';
import {
  isSuppression,
  SUPPRESSED_MS,
  Suppressions,
  type LiftedSuppression,
  type Suppression,
  type SuppressionReason,
} from './suppressions.js';

const NONE: readonly Suppression[] = [];

/**
 * Which channels numbers are not to be reached by: what this process has learnt, and what gateways share. What the state
 * does not keep, or cannot say, this process knows alone. A sender is a number in E.164, or WhatsApp's id of somebody.
 */
export class SuppressionList {
  readonly #here = new Suppressions();
  readonly #state: GuardedState;
  readonly #clock: () => number;

  /** @param clock - milliseconds since 1970: what the state is told the time by. */
  constructor(state: GuardedState, clock: () => number) {
    this.#state = state;
    this.#clock = clock;
  }

  /** Here at once; resolves when the state knows it as well, or has been given up. */
  add(sender: string, channel: string, reason: SuppressionReason): Promise<void> {
    const recipient = keyOf(sender);
    const lifeMs = SUPPRESSED_MS[reason];
    const change = { what: 'suppress', channel, reason, lifeMs } as const;
    const onShared = this.#here.change(recipient, change, performance.now());
    const nowMs = this.#clock();
    return this.#state.suppress(recipient, { channel, reason, untilMs: nowMs + lifeMs }, nowMs, onShared);
  }

  /** As `add`. */
  lift(sender: string, lifted: LiftedSuppression): Promise<void> {
    const recipient = keyOf(sender);
    const onShared = this.#here.change(recipient, { what: 'lift', ...lifted }, performance.now());
    return this.#state.lift(recipient, lifted, onShared);
  }

  /** As `add`: an id and a number are one person's. */
  async pair(externalUserId: string, phoneNumber: string): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    const nowMs = performance.now();
    const here = this.#here.of(externalUserId, nowMs);
    // Nothing was said from the id since. Where gateways share it, another one may have heard something.
    const isKnown = here.length === 1 && here[0]?.number === recipient;
    if (isKnown && !this.#state.isShared) return;
    const onShared = this.#here.pair(externalUserId, recipient, nowMs);
    await this.#state.pair(externalUserId, recipient, onShared);
  }

  /** The number that an id was paired with; `undefined` also where nobody can say. */
  async numberOf(externalUserId: string): Promise<string | undefined> {
    const here = this.#here.of(externalUserId, performance.now());
    const pair = here.find(({ reason }) => reason === 'PAIRED');
    return pair?.number ?? this.#state.numberOf(externalUserId);
  }

  /**
   * Those of a number.
   *
   * @param shared - what gateways share, as it was at `sinceMs`, by the monotonic clock: of what this process knows, only what
   *   came after that, or what gateways do not share yet, counts beside it. `undefined` where nobody could say.
   */
  of(
    phoneNumber: string,
    shared: readonly Suppression[] | undefined,
    sinceMs: number,
  ): readonly Suppression[] {
    const isNoneShared = shared === undefined || shared.length === 0;
    // Nearly always.
    if (isNoneShared && this.#here.isEmpty) return NONE;
    const nowMs = performance.now();
    const entries = this.#here.of(keyOf(phoneNumber), nowMs, shared === undefined ? undefined : sinceMs);
    const started = new Set(
      entries.filter(({ reason }) => reason === 'STARTED').map(({ channel }) => channel),
    );
    const here = entries.filter(isSuppression).map(({ channel, reason, untilMs }) => ({
      channel,
      reason,
      untilMs: this.#clock() + untilMs - nowMs,
    }));
    return isNoneShared ? here : [...here, ...shared.filter(({ channel }) => !started.has(channel))];
  }

  /** The same, where what gateways share is asked for. */
  async askFor(phoneNumber: string, sinceMs: number): Promise<readonly Suppression[]> {
    const shared = await this.#state.suppressionsOf(keyOf(phoneNumber), this.#clock());
    return this.of(phoneNumber, shared, sinceMs);
  }
}

/** A number in one spelling, or an id as it is. */
function keyOf(sender: string): string {
  return sender.startsWith('+') ? recipientOf(sender) : sender;
}
