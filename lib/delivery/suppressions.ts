import type { DeliveryFailure } from '../core/channel.js';
import type { KeptEntry, Next, RecordName, SuppressionReason, SuppressionRecord } from './records.js';

/** Suppressions: channels by which no codes go to a number for a while. */

/** One suppressed channel of a number. */
export type Suppression = KeptEntry & { readonly reason: SuppressionReason };

/** Names the record of a recipient: a number as `recipientOf` spells it, or a user's WhatsApp id. */
export function suppressionsName(recipient: string): RecordName<'suppressions'> {
  return { kind: 'suppressions', key: recipient };
}

/** The reason for a suppression that a refusal or a failed message gives; usually none. */
export function suppressionReasonOf({
  moveOn,
  isNotReached,
}: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>): SuppressionReason | undefined {
  if (isNotReached === true) return 'NOT_REACHED';
  return moveOn === 'other-channel' ? 'OPTED_OUT' : undefined;
}

/** How long each holds, milliseconds. STOP holds until START, but personal data is not kept for ever. */
export const SUPPRESSED_MS: Readonly<Record<SuppressionReason, number>> = {
  STOPPED: 365 * 86_400_000,
  OPTED_OUT: 86_400_000,
  NOT_REACHED: 86_400_000,
};

/** A change of a recipient's entries. */
export type SuppressionChange =
  | { readonly what: 'suppress'; readonly channel: string; readonly reason: SuppressionReason }
  /** Ends what providers reported. START also ends STOP, and an earlier STOP that arrives later does not undo it. */
  | { readonly what: 'lift'; readonly channel: string; readonly isStart: boolean }
  | { readonly what: 'pair'; readonly number: string };

/** When a change came, by the clock of the entries' keeper. */
export interface Moment {
  readonly nowMs: number;
  /**
   * 0 for a change that has just arrived: it counts, whatever a clock says. An older change does not undo a
   * newer one.
   */
  readonly ageMs: number;
}

/** The entries after a change; those that have ended are left out. */
export function applyChange(
  known: readonly KeptEntry[],
  change: SuppressionChange,
  { nowMs, ageMs }: Moment,
): readonly KeptEntry[] {
  const alive = known.filter(({ untilMs }) => untilMs > nowMs);
  const atMs = nowMs - ageMs;
  // If the keeper's clock was set back, the change is newer than all entries.
  const isSetBack = alive.some((entry) => entry.atMs > nowMs);
  const add = (
    entries: readonly KeptEntry[],
    entry: Pick<KeptEntry, 'channel' | 'reason' | 'number'>,
    lifeMs: number,
  ): readonly KeptEntry[] =>
    addEntry(entries, { ...entry, atMs, untilMs: atMs + lifeMs }, ageMs > 0 && !isSetBack);
  switch (change.what) {
    case 'suppress': {
      const { channel, reason } = change;
      return add(alive, { channel, reason }, SUPPRESSED_MS[reason]);
    }
    case 'lift': {
      const { channel, isStart } = change;
      const isReported = alive.some(
        (entry) => entry.channel === channel && isSuppression(entry) && !isWord(entry),
      );
      const left = isReported ? add(alive, { channel, reason: 'LIFTED' }, SUPPRESSED_MS.OPTED_OUT) : alive;
      return isStart ? add(left, { channel, reason: 'STARTED' }, SUPPRESSED_MS.STOPPED) : left;
    }
    case 'pair':
      return add(alive, { channel: '', reason: 'PAIRED', number: change.number }, SUPPRESSED_MS.STOPPED);
  }
}

/**
 * The entries with one more, which replaces the one of its kind.
 *
 * @param isLate - whether it may be older than the entry of its kind.
 */
export function addEntry(
  known: readonly KeptEntry[],
  added: KeptEntry,
  isLate: boolean,
): readonly KeptEntry[] {
  const rival = rivalOf(added, known);
  if (isLate && rival !== undefined && rival.atMs >= added.atMs) return known;
  const count = rival === undefined ? 0 : (rival.count ?? 0) + 1;
  return [...known.filter((entry) => entry !== rival), { ...added, count }];
}

/**
 * Merges two copies: the newest entry of each kind. Returns the first copy itself if the other one has nothing
 * newer.
 */
export function mergeCopies(one: readonly KeptEntry[], other: readonly KeptEntry[]): readonly KeptEntry[] {
  return other.reduce((merged, entry) => {
    const rival = rivalOf(entry, merged);
    if (rival === undefined) return [...merged, entry];
    // It is the same change: each copy has it with its own time.
    if (entry.reason === rival.reason && entry.count === rival.count) return merged;
    const ahead = (entry.count ?? 0) - (rival.count ?? 0) || entry.atMs - rival.atMs;
    return ahead > 0 ? [...merged.filter((kept) => kept !== rival), entry] : merged;
  }, one);
}

function rivalOf(entry: KeptEntry, known: readonly KeptEntry[]): KeptEntry | undefined {
  return known.find((one) => one.channel === entry.channel && kindOf(one) === kindOf(entry));
}

/** What the user wrote, what providers say, and whose id it is. An entry replaces only one of its own kind. */
function kindOf({ reason }: KeptEntry): 'word' | 'report' | 'pair' {
  if (reason === 'STOPPED' || reason === 'STARTED') return 'word';
  return reason === 'PAIRED' ? 'pair' : 'report';
}

/** The record of a recipient, which lives as long as its longest entry; `undefined` if there is none. */
export function nextRecord(
  recipient: string,
  entries: readonly KeptEntry[],
  keeperMs: number,
): Next<SuppressionRecord> | undefined {
  if (entries.length === 0) return undefined;
  const lifeMs = Math.max(...entries.map(({ untilMs }) => untilMs)) - keeperMs;
  return { value: { recipient, entries }, lifeMs: Math.max(1, Math.ceil(lifeMs)) };
}

/** Whether an entry suppresses its channel. */
export function isSuppression(entry: KeptEntry): entry is Suppression {
  return Object.hasOwn(SUPPRESSED_MS, entry.reason);
}

/** Whether a recipient is a user's WhatsApp id, and no number. */
export function isWhatsAppId(recipient: string): boolean {
  return !recipient.startsWith('+');
}

/** Whether an entry is a user's word: STOP or START. */
export function isWord(entry: KeptEntry): boolean {
  return kindOf(entry) === 'word';
}
