import { LRUCache } from 'lru-cache';
import type { Budget } from '../core/budget.js';
import { atMost } from '../core/caches.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import { recipientOf } from '../numbers/phone-number.js';
import type { Known, RecordName, SuppressionRecord } from './records.js';
import type { StatePort } from './state.js';
import {
  addEntry,
  applyChange,
  isWord,
  nextRecord,
  suppressionsIn,
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
  readonly #state: StatePort;
  readonly #clock: () => number;

  /** @param clock - milliseconds since 1970, for the times that go to the state. */
  constructor(state: StatePort, clock: () => number) {
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
    return this.#share(recipient, change, ageMs, onShared);
  }

  /** As `add`. */
  lift(sender: string, lifted: LiftedSuppression, cameMs = performance.now()): Promise<void> {
    const recipient = keyOf(sender);
    const ageMs = performance.now() - cameMs;
    const change = { what: 'lift', ...lifted } as const;
    const onShared = this.#here.change(recipient, change, performance.now(), ageMs);
    return this.#share(recipient, change, ageMs, onShared);
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
    if (!this.#state.isShared) return;
    const pairing = this.#state.update(
      [recordOf(externalUserId), recordOf(recipient)],
      ([ofId, ofNumber], { keeperMs, waitedMs }) => {
        const entries = aliveEntries(ofId, keeperMs);
        const words = entries.filter(isWord);
        if (words.length === 0 && entries.some(({ number }) => number === recipient)) return { result: true };
        const moved = words.reduce(
          (all, word) => addEntry(all, word, true),
          aliveEntries(ofNumber, keeperMs),
        );
        const left = applyChange(
          entries.filter((entry) => !isWord(entry)),
          { what: 'pair', number: recipient },
          { nowMs: keeperMs, ageMs: waitedMs },
          unchanged,
        );
        const ofBoth = words.length === 0 ? undefined : nextRecord(recipient, moved, keeperMs);
        return { next: [nextRecord(externalUserId, left, keeperMs), ofBoth], result: true };
      },
    );
    await whenShared(pairing, onShared);
  }

  /** The number that an id was paired with; `undefined` also if the state cannot say. */
  async numberOf(externalUserId: string): Promise<string | undefined> {
    const here = this.#here.of(externalUserId, performance.now());
    const pair = here.find(({ reason }) => reason === 'PAIRED');
    if (pair !== undefined || !this.#state.isShared) return pair?.number;
    const reading = this.#state.read(
      [recordOf(externalUserId)],
      ([known], { keeperMs }) =>
        aliveEntries(known, keeperMs).find(({ reason }) => reason === 'PAIRED')?.number,
    );
    const number = await waitAtMost(reading, SHARE_MS);
    return number === TIMED_OUT ? undefined : number;
  }

  /**
   * Changes what gateways share. Resolves when they do, or after a time-out; `onShared` is called then, however late.
   *
   * @param cameBeforeMs - how long ago the change came. One that has just come counts, whatever a clock says.
   */
  async #share(
    recipient: string,
    change: SuppressionChange,
    cameBeforeMs: number,
    onShared: () => void,
  ): Promise<void> {
    if (!this.#state.isShared) return;
    const sharing = this.#state.update([recordOf(recipient)], ([known], { keeperMs, waitedMs }) => {
      const ageMs = cameBeforeMs + waitedMs;
      const moment = { nowMs: keeperMs, ageMs: ageMs > JUST_ARRIVED_MS ? ageMs : 0 };
      const before = aliveEntries(known, keeperMs);
      const entries = applyChange(before, change, moment, unchanged);
      const isChanged = entries.length !== before.length || entries.some((entry, at) => entry !== before[at]);
      return { next: isChanged ? [nextRecord(recipient, entries, keeperMs)] : undefined, result: true };
    });
    await whenShared(sharing, onShared);
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
    const here = suppressionsIn(entries, { keeperMs: nowMs, nowMs: this.#clock() });
    return isNoneShared ? here : [...here, ...shared.filter(({ channel }) => !started.has(channel))];
  }

  /**
   * Asks the state what gateways share about a number, for `of`.
   *
   * @param budget - of the call that asks, if one does.
   */
  async ask(phoneNumber: string, budget?: Budget): Promise<readonly Suppression[] | undefined> {
    if (!this.#state.isShared) return undefined;
    const nowMs = this.#clock();
    const reading = this.#state.read([recordOf(keyOf(phoneNumber))], ([known], { keeperMs }) =>
      suppressionsIn(aliveEntries(known, keeperMs), { keeperMs, nowMs }),
    );
    const found = await waitAtMost(reading, budget?.stateMs ?? SHARE_MS);
    return found === TIMED_OUT ? undefined : found;
  }

  /** As `of`, after it has asked the state. */
  async askFor(phoneNumber: string, sinceMs: number): Promise<readonly Suppression[]> {
    return this.of(phoneNumber, await this.ask(phoneNumber), sinceMs);
  }
}

/** How long a change or a question waits for the state, milliseconds. */
const SHARE_MS = 200;

/** A change that has waited no longer than this counts as just arrived, milliseconds. */
const JUST_ARRIVED_MS = 25;

/** @param onShared - called once the state has the change, however late. */
async function whenShared(sharing: Promise<boolean | undefined>, onShared: () => void): Promise<void> {
  const shared = sharing.then((isShared) => {
    if (isShared === true) onShared();
  });
  await waitAtMost(shared, SHARE_MS);
}

function recordOf(recipient: string): RecordName<'suppressions'> {
  return { kind: 'suppressions', key: recipient };
}

function aliveEntries(known: Known<SuppressionRecord> | undefined, keeperMs: number): readonly KeptEntry[] {
  return known?.value.entries.filter(({ untilMs }) => untilMs > keeperMs) ?? [];
}

const unchanged = (entry: KeptEntry): KeptEntry => entry;

/** A number in its one spelling, or an id as it is. */
function keyOf(sender: string): string {
  return sender.startsWith('+') ? recipientOf(sender) : sender;
}

/** How many recipients a process remembers; the oldest are forgotten first. */
const MAX_RECIPIENTS = 20_000;

/** An entry that this process has learnt. */
interface LearntEntry extends KeptEntry {
  readonly learntMs: number;
  /** Whether all gateways know it. All entries of a change have the same object. */
  readonly sharing: { isShared: boolean };
}

/** The suppressions that this process has learnt. All times are of its monotonic clock. It starts no timer. */
export class LocalSuppressions {
  readonly #ofNumbers = new LRUCache<string, readonly LearntEntry[]>(atMost(MAX_RECIPIENTS));
  /** Apart from numbers: every user of WhatsApp has an id, and ids must not push out the STOP of a number. */
  readonly #ofIds = new LRUCache<string, readonly LearntEntry[]>(atMost(MAX_RECIPIENTS));

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

  #change(
    recipient: string,
    change: SuppressionChange,
    moment: Moment,
    sharing: LearntEntry['sharing'],
  ): void {
    const { nowMs } = moment;
    const make = (entry: KeptEntry): LearntEntry => ({ ...entry, learntMs: nowMs, sharing });
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

  #of(recipient: string, nowMs: number): readonly LearntEntry[] {
    return (
      this.#mapOf(recipient)
        .get(recipient)
        ?.filter(({ untilMs }) => untilMs > nowMs) ?? NONE_KNOWN
    );
  }

  #mapOf(recipient: string): LRUCache<string, readonly LearntEntry[]> {
    return recipient.startsWith('+') ? this.#ofNumbers : this.#ofIds;
  }

  #set(recipient: string, entries: readonly LearntEntry[]): void {
    if (entries.length === 0) this.#mapOf(recipient).delete(recipient);
    else this.#mapOf(recipient).set(recipient, entries);
  }
}

const NONE_KNOWN: readonly LearntEntry[] = [];
