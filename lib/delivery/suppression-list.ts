import type { Budget } from '../core/budget.js';
import { steadyMs, waitAtMost } from '../core/time.js';
import { recipientOf } from '../numbers/phone-number.js';
import type {
  PlanStep,
  Known,
  RecordName,
  RecordState,
  SuppressionRecord,
  KeptEntry,
  SuppressionReason,
} from './records.js';
import {
  addEntry,
  applyChange,
  isSuppression,
  isWhatsAppId,
  isWord,
  nextRecord,
  suppressionsName,
  type SuppressionChange,
  type Suppression,
} from './suppressions.js';

/** How long a change or a question waits for the state, milliseconds. */
const SHARE_MS = 200;

/** A change that has waited no longer than this counts as just arrived, milliseconds. */
const JUST_ARRIVED_MS = 25;

/**
 * The suppressions of all recipients, which are records of the state. A sender is a number in E.164, or a user's
 * WhatsApp id.
 */
export class SuppressionList {
  readonly #state: RecordState;

  constructor(state: RecordState) {
    this.#state = state;
  }

  /**
   * Counts here at once. Resolves when all gateways know it, or after a time-out.
   *
   * @param cameMs - when it came, by the monotonic clock of this process: it does not undo what came since.
   */
  add(sender: string, channel: string, reason: SuppressionReason, cameMs?: number): Promise<void> {
    return this.#change(sender, { what: 'suppress', channel, reason }, cameMs);
  }

  /** As `add`: the user can be reached, which ends what providers reported, but no STOP. */
  liftReported(sender: string, channel: string, cameMs?: number): Promise<void> {
    return this.#change(sender, { what: 'lift', channel, isStart: false }, cameMs);
  }

  /** As `add`: the user has sent START, which also ends STOP. */
  liftAll(sender: string, channel: string, cameMs?: number): Promise<void> {
    return this.#change(sender, { what: 'lift', channel, isStart: true }, cameMs);
  }

  /** As `add`: an id and a number belong to one user. STOP and START from the id count for the number from now on. */
  async pair(externalUserId: string, phoneNumber: string): Promise<void> {
    const recipient = recipientOf(phoneNumber);
    const pairing = this.#state.update(
      [recordOf(externalUserId), recordOf(recipient)],
      ([ofId, ofNumber], { keeperMs, waitedMs }) => {
        const entries = aliveEntries(ofId, keeperMs);
        const words = entries.filter(isWord);
        if (words.length === 0 && entries.some(({ number }) => number === recipient))
          return { result: undefined };
        const moved = words.reduce(
          (all, word) => addEntry(all, word, true),
          aliveEntries(ofNumber, keeperMs),
        );
        const left = applyChange(
          entries.filter((entry) => !isWord(entry)),
          { what: 'pair', number: recipient },
          { nowMs: keeperMs, ageMs: waitedMs },
        );
        const ofBoth = words.length === 0 ? undefined : nextRecord(recipient, moved, keeperMs);
        return { next: [nextRecord(externalUserId, left, keeperMs), ofBoth], result: undefined };
      },
    );
    await waitAtMost(pairing, SHARE_MS);
  }

  /** The number that an id was paired with; `undefined` also if the state cannot say. */
  async numberOf(externalUserId: string): Promise<string | undefined> {
    await this.refresh(externalUserId);
    return this.#entriesOf(externalUserId).find(({ reason }) => reason === 'PAIRED')?.number;
  }

  /** The suppressions of a number, as far as this process knows them: `refresh` asks the state before. They end by `steadyMs`. */
  of(phoneNumber: string): readonly Suppression[] {
    return this.#entriesOf(phoneNumber).filter(isSuppression);
  }

  /** Whether the user has stopped the channel of a step: it may have come after the plan was made. */
  isStopped({ channel, to }: PlanStep): boolean {
    return this.of(to).some((one) => one.channel === channel && one.reason === 'STOPPED');
  }

  /**
   * Asks the state what all gateways know of a sender. If it cannot say, what this process knows stays.
   *
   * @param budget - of the call that asks, if one does.
   */
  async refresh(sender: string, budget?: Budget): Promise<void> {
    const reading = this.#state.read([recordOf(sender)], () => undefined);
    await waitAtMost(reading, budget?.stateMs ?? SHARE_MS);
  }

  async #change(sender: string, change: SuppressionChange, cameMs = performance.now()): Promise<void> {
    const name = recordOf(sender);
    const cameBeforeMs = performance.now() - cameMs;
    const changing = this.#state.update([name], ([known], { keeperMs, waitedMs }) => {
      const ageMs = cameBeforeMs + waitedMs;
      // One that has just come counts, whatever a clock says.
      const moment = { nowMs: keeperMs, ageMs: ageMs > JUST_ARRIVED_MS ? ageMs : 0 };
      const before = aliveEntries(known, keeperMs);
      const entries = applyChange(before, change, moment);
      const isChanged = entries.length !== before.length || entries.some((entry, at) => entry !== before[at]);
      return { next: isChanged ? [nextRecord(name.key, entries, keeperMs)] : undefined, result: undefined };
    });
    await waitAtMost(changing, SHARE_MS);
  }

  #entriesOf(sender: string): readonly KeptEntry[] {
    return aliveEntries(this.#state.recall(recordOf(sender)), steadyMs());
  }
}

/** A number has one record in all its spellings. */
function recordOf(sender: string): RecordName<'suppressions'> {
  return suppressionsName(isWhatsAppId(sender) ? sender : recipientOf(sender));
}

const NO_ENTRIES: readonly KeptEntry[] = [];

function aliveEntries(known: Known<SuppressionRecord> | undefined, keeperMs: number): readonly KeptEntry[] {
  return known?.value.entries.filter(({ untilMs }) => untilMs > keeperMs) ?? NO_ENTRIES;
}
