import { LRUCache } from 'lru-cache';
import type { Budget } from '../core/budget.js';
import { atMost } from '../core/caches.js';
import type { GuardedState } from './guarded-state.js';
import { recipientOf } from '../numbers/phone-number.js';
import {
  addEntry,
  applyChange,
  isSuppression,
  isWord,
  SUPPRESSED_MS,
  type KeptEntry,
  type SuppressionChange,
  type LiftedSuppression,
  type Moment,
  type Suppression,
  type SuppressionReason,
} from './suppressions.js';

const NONE: readonly Suppression[] = [];

/**
 * The suppressions of all numbers: those that this process has learnt, and those that gateways share. If the
 * state does not keep them, or fails, this process goes by its own. A sender is a number in E.164, or a user's
 * WhatsApp id.
 */
export class SuppressionList {
  readonly #here = new LocalSuppressions();
  readonly #state: GuardedState;
  readonly #clock: () => number;

  /** @param clock - milliseconds since 1970, for the times that go to the state. */
  constructor(state: GuardedState, clock: () => number) {
    this.#state = state;
    this.#clock = clock;
  }

  /**
   * Counts here at once. Resolves when the state knows it as well, or after a time-out.
   *
   * @param cameMs - when it came, by the monotonic clock of this process: it does not undo what came since.
   */
  add(sender: string, channel: string, reason: SuppressionReason, cameMs = performance.now()): Promise<void> {
    const recipient = keyOf(sender);
    const lifeMs = SUPPRESSED_MS[reason];
    const change = { what: 'suppress', channel, reason, lifeMs } as const;
    const ageMs = performance.now() - cameMs;
    const onShared = this.#here.change(recipient, change, performance.now(), ageMs);
    const nowMs = this.#clock();
    const suppression = { channel, reason, untilMs: nowMs + lifeMs };
    return this.#state.suppress(recipient, suppression, nowMs, onShared, ageMs);
  }

  /** As `add`. */
  lift(sender: string, lifted: LiftedSuppression, cameMs = performance.now()): Promise<void> {
    const recipient = keyOf(sender);
    const ageMs = performance.now() - cameMs;
    const onShared = this.#here.change(recipient, { what: 'lift', ...lifted }, performance.now(), ageMs);
    return this.#state.lift(recipient, lifted, onShared, ageMs);
  }

  /** As `add`: an id and a number belong to one user. */
  async pair(externalUserId: string, phoneNumber: string): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    const nowMs = performance.now();
    const here = this.#here.of(externalUserId, nowMs);
    // The pair is known, and no STOP or START came from the id since. Another gateway of a shared state may
    // have received one.
    const isKnown = here.length === 1 && here[0]?.number === recipient;
    if (isKnown && !this.#state.isShared) return;
    const onShared = this.#here.pair(externalUserId, recipient, nowMs);
    await this.#state.pair(externalUserId, recipient, onShared);
  }

  /** The number that an id was paired with; `undefined` also if the state cannot say. */
  async numberOf(externalUserId: string): Promise<string | undefined> {
    const here = this.#here.of(externalUserId, performance.now());
    const pair = here.find(({ reason }) => reason === 'PAIRED');
    return pair?.number ?? this.#state.numberOf(externalUserId);
  }

  /**
   * The suppressions of a number.
   *
   * @param shared - what gateways shared at `sinceMs`, by the monotonic clock; `undefined` if the state could
   *   not say. Beside it, this process's own entries count only if they came later, or if gateways do not share
   *   them yet.
   */
  of(
    phoneNumber: string,
    shared: readonly Suppression[] | undefined,
    sinceMs: number,
  ): readonly Suppression[] {
    const isNoneShared = shared === undefined || shared.length === 0;
    // Fast path: nothing is suppressed.
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

  /**
   * Asks the state what gateways share about a number, for `of`.
   *
   * @param budget - of the call that asks, if one does.
   */
  ask(phoneNumber: string, budget?: Budget): Promise<readonly Suppression[] | undefined> {
    return this.#state.suppressionsOf(keyOf(phoneNumber), this.#clock(), budget);
  }

  /** As `of`, after it has asked the state. */
  async askFor(phoneNumber: string, sinceMs: number): Promise<readonly Suppression[]> {
    return this.of(phoneNumber, await this.ask(phoneNumber), sinceMs);
  }
}

/** A number in its one spelling, or an id as it is. */
function keyOf(sender: string): string {
  return sender.startsWith('+') ? recipientOf(sender) : sender;
}

/** How many recipients a process remembers; the oldest are forgotten first. */
const MAX_RECIPIENTS = 20_000;

/** An entry that this process has learnt. */
interface Known extends KeptEntry {
  readonly learntMs: number;
  /** Whether all gateways know it. All entries of a change have the same object. */
  readonly sharing: { isShared: boolean };
}

/** The suppressions that this process has learnt. All times are of its monotonic clock. It starts no timer. */
export class LocalSuppressions {
  readonly #ofNumbers = new LRUCache<string, readonly Known[]>(atMost(MAX_RECIPIENTS));
  /** Apart from numbers: every user of WhatsApp has an id, and ids must not push out the STOP of a number. */
  readonly #ofIds = new LRUCache<string, readonly Known[]>(atMost(MAX_RECIPIENTS));

  /** Returns a function to be called when all gateways know the change. */
  change(recipient: string, change: SuppressionChange, nowMs: number, ageMs = 0): () => void {
    const sharing = { isShared: false };
    this.#change(recipient, change, { nowMs, ageMs }, sharing);
    return () => {
      sharing.isShared = true;
    };
  }

  /** As `change`. STOP and START from the id count for the number now. */
  pair(externalUserId: string, recipient: string, nowMs: number): () => void {
    const sharing = { isShared: false };
    const ofId = this.#of(externalUserId, nowMs);
    const words = ofId.filter(isWord);
    let ofNumber = this.#of(recipient, nowMs);
    for (const word of words) ofNumber = addEntry(ofNumber, { ...word, learntMs: nowMs, sharing }, true);
    this.#set(recipient, ofNumber);
    this.#set(
      externalUserId,
      ofId.filter((entry) => !words.includes(entry)),
    );
    this.#change(externalUserId, { what: 'pair', number: recipient }, { nowMs, ageMs: 0 }, sharing);
    return () => {
      sharing.isShared = true;
    };
  }

  #change(recipient: string, change: SuppressionChange, moment: Moment, sharing: Known['sharing']): void {
    const { nowMs } = moment;
    const make = (entry: KeptEntry): Known => ({ ...entry, learntMs: nowMs, sharing });
    this.#set(recipient, applyChange(this.#of(recipient, nowMs), change, moment, make));
  }

  /** @param sinceMs - entries from then on, and entries that not all gateways know yet. */
  of(recipient: string, nowMs: number, sinceMs = -Infinity): readonly KeptEntry[] {
    const known = this.#of(recipient, nowMs);
    if (known.length === 0) return NONE_KNOWN;
    return known.filter(({ sharing, learntMs }) => !sharing.isShared || learntMs >= sinceMs);
  }

  get isEmpty(): boolean {
    return this.#ofNumbers.size === 0 && this.#ofIds.size === 0;
  }

  #of(recipient: string, nowMs: number): readonly Known[] {
    return (
      this.#mapOf(recipient)
        .get(recipient)
        ?.filter(({ untilMs }) => untilMs > nowMs) ?? NONE_KNOWN
    );
  }

  #mapOf(recipient: string): LRUCache<string, readonly Known[]> {
    return recipient.startsWith('+') ? this.#ofNumbers : this.#ofIds;
  }

  #set(recipient: string, entries: readonly Known[]): void {
    if (entries.length === 0) this.#mapOf(recipient).delete(recipient);
    else this.#mapOf(recipient).set(recipient, entries);
  }
}

const NONE_KNOWN: readonly Known[] = [];
