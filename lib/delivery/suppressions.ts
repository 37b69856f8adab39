import type { DeliveryFailure } from '../core/channel.js';

/** Channels that a number is sent no codes by for a while, and why. */

/**
 * - `STOPPED`: its owner has said so, and nothing goes that way until they take it back.
 * - `OPTED_OUT`: by the provider, they do not want it; `NOT_REACHED`: by the provider, nobody is reached there. It is
 *   passed over, but used where there is nothing else: providers err, and people come back without a word to us.
 */
export type SuppressionReason = 'STOPPED' | 'OPTED_OUT' | 'NOT_REACHED';

/** A channel that nobody is sent anything by at a number, until when, and why. */
export interface Suppression {
  readonly channel: string;
  readonly reason: SuppressionReason;
  /** Milliseconds since 1970. */
  readonly untilMs: number;
}

/** What a refusal, or a failure after it was accepted, says of the recipient by that channel; nearly always nothing. */
export function suppressionReasonOf({
  moveOn,
  isNotReached,
}: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>): SuppressionReason | undefined {
  if (isNotReached === true) return 'NOT_REACHED';
  return moveOn === 'other-channel' ? 'OPTED_OUT' : undefined;
}

/** How long each holds, milliseconds: a word until it is taken back, but nothing personal is kept for ever. */
export const SUPPRESSED_MS: Readonly<Record<SuppressionReason, number>> = {
  STOPPED: 365 * 86_400_000,
  OPTED_OUT: 86_400_000,
  NOT_REACHED: 86_400_000,
};

/** What is taken back. */
export interface LiftedSuppression {
  readonly channel: string;
  /** Those with another reason stay. With `STOPPED` it is a START, which no earlier STOP undoes that arrives later. */
  readonly reasons: readonly SuppressionReason[];
}

/**
 * The part of `State` that gateways share suppressions by. A recipient is a number in E.164, or WhatsApp's id of somebody whose
 * number nobody knows. The order of STOP and START is the order in which they arrive. What `suppress`, `lift` and `pair` return
 * resolves once all gateways know it, however much later: until then the gateway that was told goes by what it knows itself.
 */
export interface SuppressionState {
  /** In the place of an earlier one of the same kind: STOP is one kind, what providers say is another. */
  readonly suppress?:
    ((recipient: string, suppression: Suppression, nowMs: number) => Promise<void>) | undefined;
  /** Takes back what was suppressed before it comes, whatever any clock says. */
  readonly lift?: ((recipient: string, lifted: LiftedSuppression) => Promise<void>) | undefined;
  /** `undefined` where nobody can say at the moment. */
  readonly suppressionsOf?:
    | ((
        recipient: string,
        nowMs: number,
      ) => readonly Suppression[] | undefined | Promise<readonly Suppression[] | undefined>)
    | undefined;
  /** An id and a number are one person's: STOP and START that came from the id hold for the number from now on. */
  readonly pair?: ((externalUserId: string, recipient: string) => Promise<void>) | undefined;
  /** The number that an id was paired with. */
  readonly numberOf?:
    ((externalUserId: string) => string | undefined | Promise<string | undefined>) | undefined;
}

/** What is kept of a recipient. All times are by the one clock of whoever keeps it: Redis's, or this process's monotonic one. */
export interface KeptEntry {
  /** Empty where it is about no channel. */
  readonly channel: string;
  /**
   * `STARTED` keeps an earlier STOP that arrives later, or is in another copy, from counting; `LIFTED` what a provider said.
   * `PAIRED` says which number an id belongs to.
   */
  readonly reason: SuppressionReason | 'STARTED' | 'LIFTED' | 'PAIRED';
  readonly atMs: number;
  readonly untilMs: number;
  /** How many of its kind came before it: which of two copies is newer, whatever any clock says. */
  readonly count?: number | undefined;
  /** With `PAIRED`. */
  readonly number?: string | undefined;
}

/** What happens to the entries of a recipient. */
export type SuppressionChange =
  | {
      readonly what: 'suppress';
      readonly channel: string;
      readonly reason: SuppressionReason;
      /** How long it holds, from when it was said. */
      readonly lifeMs: number;
    }
  | ({ readonly what: 'lift' } & LiftedSuppression)
  | { readonly what: 'pair'; readonly number: string };

/** When a change came, by the clock of whoever keeps the entries. */
export interface Moment {
  readonly nowMs: number;
  /** 0 for what has just arrived, which counts whatever any clock says. What is older does not undo what came after it. */
  readonly ageMs: number;
}

/** @param make - adds to a new entry what its keeper needs beside it. */
export function applyChange<Entry extends KeptEntry>(
  known: readonly Entry[],
  change: SuppressionChange,
  { nowMs, ageMs }: Moment,
  make: (entry: KeptEntry) => Entry,
): readonly Entry[] {
  const alive = known.filter(({ untilMs }) => untilMs > nowMs);
  const atMs = nowMs - ageMs;
  // What is told after its keeper's clock was set back is newer than all that is known from before.
  const isSetBack = alive.some((entry) => entry.atMs > nowMs);
  const add = (
    entries: readonly Entry[],
    entry: Pick<KeptEntry, 'channel' | 'reason' | 'number'>,
    lifeMs: number,
  ): readonly Entry[] =>
    addEntry(entries, make({ ...entry, atMs, untilMs: atMs + lifeMs }), ageMs > 0 && !isSetBack);
  switch (change.what) {
    case 'suppress':
      return add(alive, { channel: change.channel, reason: change.reason }, change.lifeMs);
    case 'lift': {
      const { channel, reasons } = change;
      const isReported = alive.some(
        (entry) =>
          entry.channel === channel &&
          isSuppression(entry) &&
          !isWord(entry) &&
          reasons.includes(entry.reason),
      );
      const left = isReported ? add(alive, { channel, reason: 'LIFTED' }, SUPPRESSED_MS.OPTED_OUT) : alive;
      const isStart = reasons.includes('STOPPED');
      return isStart ? add(left, { channel, reason: 'STARTED' }, SUPPRESSED_MS.STOPPED) : left;
    }
    case 'pair':
      return add(alive, { channel: '', reason: 'PAIRED', number: change.number }, SUPPRESSED_MS.STOPPED);
  }
}

/**
 * Entries with one more, in the place of the one of its kind.
 *
 * @param isLate - whether it may be older than what is known.
 */
export function addEntry<Entry extends KeptEntry>(
  known: readonly Entry[],
  added: Entry,
  isLate: boolean,
): readonly Entry[] {
  const rival = rivalOf(added, known);
  if (isLate && rival !== undefined && rival.atMs >= added.atMs) return known;
  const count = rival === undefined ? 0 : (rival.count ?? 0) + 1;
  return [...known.filter((entry) => entry !== rival), { ...added, count }];
}

/** Of each kind the newest of two copies; the first one itself where the other one has nothing newer. */
export function mergeCopies(one: readonly KeptEntry[], other: readonly KeptEntry[]): readonly KeptEntry[] {
  return other.reduce((merged, entry) => {
    const rival = rivalOf(entry, merged);
    if (rival === undefined) return [...merged, entry];
    // One change, which each copy has by a time of its own.
    if (entry.reason === rival.reason && entry.count === rival.count) return merged;
    const ahead = (entry.count ?? 0) - (rival.count ?? 0) || entry.atMs - rival.atMs;
    return ahead > 0 ? [...merged.filter((kept) => kept !== rival), entry] : merged;
  }, one);
}

function rivalOf<Entry extends KeptEntry>(entry: KeptEntry, known: readonly Entry[]): Entry | undefined {
  return known.find((one) => one.channel === entry.channel && kindOf(one) === kindOf(entry));
}

/** What its owner has said, what providers say, and whose id it is: none of them takes the place of another. */
function kindOf({ reason }: KeptEntry): 'word' | 'report' | 'pair' {
  if (reason === 'STOPPED' || reason === 'STARTED') return 'word';
  return reason === 'PAIRED' ? 'pair' : 'report';
}

/** Whether it keeps anything from being sent. */
export function isSuppression<Entry extends Pick<KeptEntry, 'reason'>>(
  entry: Entry,
): entry is Entry & { readonly reason: SuppressionReason } {
  return Object.hasOwn(SUPPRESSED_MS, entry.reason);
}

/** Whether its owner has said it: STOP or START. */
export function isWord(entry: KeptEntry): boolean {
  return kindOf(entry) === 'word';
}

/** The one that counts for a channel: what its owner has said goes before all. */
export function suppressionFor(known: readonly Suppression[], channel: string): Suppression | undefined {
  if (known.length === 0) return undefined;
  const ofChannel = known.filter((entry) => entry.channel === channel);
  return ofChannel.find(({ reason }) => reason === 'STOPPED') ?? ofChannel[0];
}

/** What is left of the channels of a plan, and what was passed over, as `channel:reason`. */
export interface FilteredChannels {
  readonly channels: readonly string[];
  readonly skipped: readonly string[];
}

/** Passes over what is suppressed. What a provider said does not leave a user without any channel. */
export function skipSuppressed(
  channels: readonly string[],
  suppressionOf: (channel: string) => Suppression | undefined,
): FilteredChannels {
  const skipped: string[] = [];
  const left: string[] = [];
  const unwilling: string[] = [];
  for (const channel of channels) {
    const suppression = suppressionOf(channel);
    if (suppression === undefined) left.push(channel);
    else {
      skipped.push(`${channel}:${suppression.reason}`);
      if (suppression.reason !== 'STOPPED') unwilling.push(channel);
    }
  }
  return left.length > 0 || unwilling.length === 0
    ? { channels: left, skipped }
    : { channels: unwilling, skipped: skipped.filter((entry) => entry.endsWith(':STOPPED')) };
}
