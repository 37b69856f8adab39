import { steadyMs } from '../../core/time.js';
import type { Known, Next, RecordName, UpdateMoment, KeptEntry } from '../../delivery/records.js';
import { addEntry, SUPPRESSED_MS } from '../../delivery/suppressions.js';
import { RecordMap } from '../memory/memory-state.js';
import { countOf, type RecordValue, type Stored } from './copies.js';
import type { WriteQueue } from './outbox.js';

/** A transition of any records. The names say what each of them holds. */
export type AnyTransition = (
  known: readonly (Known<RecordValue> | undefined)[],
  moment: UpdateMoment,
) => { readonly next?: readonly (Next<RecordValue> | undefined)[] | undefined; readonly result: unknown };

/** A record as this process knows it by itself. */
export interface OwnRecord {
  /** What Redis had when this process last read or wrote it. The times in suppressions are by `steadyMs`: Redis's clock may jump. */
  readonly stored: Stored;
  /** What changes it as soon as Redis has answered, in this order. */
  readonly waiting: readonly WaitingUpdate[];
  /** The updates whose first record it is. */
  readonly queue: WriteQueue;
}

/** An update that Redis has not answered yet. */
export interface WaitingUpdate {
  /** Counts the updates of this process. */
  readonly number: number;
  readonly records: readonly RecordName[];
  /** The records as this process knows them; none if nothing waits for the update. */
  readonly own: readonly OwnRecord[];
  readonly transition: AnyTransition;
  /** When it was requested, by the monotonic clock. */
  readonly requestedMs: number;
  /** The number of losses of Redis then; `undefined` during one. */
  readonly losses: number | undefined;
  /** Whether a record could not be read. */
  isUnreadable: boolean;
}

type StoredValue = Pick<Stored, 'value' | 'endsAtMs'>;

interface Entry extends OwnRecord {
  stored: Stored;
  waiting: readonly WaitingUpdate[];
  /** What the record becomes by the updates up to this number. Kept, because thousands may wait while Redis is lost. */
  ahead?: { readonly record: StoredValue; readonly upTo: number } | undefined;
}

/** What this process knows of the records in Redis by itself: what it last read or wrote, and the updates that wait. */
export class OwnRecords {
  readonly #entries = new RecordMap<Entry>();
  readonly #absent: Stored;
  readonly #losses: () => number;

  /** @param parts.losses - how often Redis was lost until now. */
  constructor(parts: { readonly absent: Stored; readonly losses: () => number }) {
    this.#absent = parts.absent;
    this.#losses = parts.losses;
  }

  has(record: RecordName): boolean {
    return this.#find(record) !== undefined;
  }

  /** A record, also if nothing is known of it. */
  of(record: RecordName): OwnRecord {
    const own = this.#find(record) ?? newEntry(record, this.#absent);
    this.#entries.set(record, own, rememberMs(record));
    return own;
  }

  begin(update: WaitingUpdate): void {
    for (const one of entriesOf(update)) one.waiting = [...one.waiting, update];
  }

  end(update: WaitingUpdate): void {
    for (const one of entriesOf(update)) {
      forgetAhead(one);
      one.waiting = one.waiting.filter((waiting) => waiting !== update);
    }
    for (const record of update.records) this.#forgetAbsent(record);
  }

  /**
   * Remembers a record that was read. Returns it with what Redis has forgotten, after a flush or a failover to a replica that is
   * behind, and what this process still knows.
   *
   * @param aheadMs - how far Redis's clock was ahead of `steadyMs`.
   */
  read(record: RecordName, read: Stored, aheadMs: number): Stored {
    const readHere = inOwnTime(read, aheadMs);
    const own = this.#find(record);
    const stored = own === undefined ? readHere : withForgotten(readHere, own.stored);
    if (own !== undefined) setStored(own, stored);
    else if (stored.value !== undefined)
      this.#entries.set(record, newEntry(record, stored), rememberMs(record));
    this.#forgetAbsent(record);
    return stored === readHere ? read : { ...inOwnTime(stored, -aheadMs), versions: read.versions };
  }

  /** Remembers what an update has written. */
  wrote(update: WaitingUpdate, stored: readonly Stored[], aheadMs: number): void {
    for (const [at, one] of entriesOf(update).entries()) {
      const written = stored[at];
      if (written !== undefined) setStored(one, inOwnTime(written, aheadMs));
    }
  }

  /** What a record becomes by the updates that wait. */
  recall(record: RecordName): Known<RecordValue> | undefined {
    const own = this.#find(record);
    if (own === undefined) return undefined;
    for (const update of newlyWaitingWith(own)) {
      const entries = entriesOf(update);
      const known = entries.map((one) => knownNow(aheadOf(one)));
      const { next } = this.run(update, known, steadyMs());
      for (const [at, one] of entries.entries()) {
        const { value, lifeMs = 0 } = next?.[at] ?? {};
        const becomes = lifeMs > 0 ? { value, endsAtMs: performance.now() + lifeMs } : aheadOf(one);
        one.ahead = { record: becomes, upTo: update.number };
      }
    }
    return knownNow(aheadOf(own));
  }

  /** Runs the transition. Records that it cannot use count as absent: a gateway of another version kept them. */
  run(
    update: WaitingUpdate,
    known: Parameters<AnyTransition>[0],
    keeperMs: number,
  ): ReturnType<AnyTransition> {
    const { requestedMs, losses } = update;
    // Behind other updates of its record it keeps its place: it does not wait for Redis.
    const waitedMs = losses === this.#losses() ? 0 : performance.now() - requestedMs;
    try {
      return update.transition(known, { keeperMs, waitedMs });
    } catch {
      update.isUnreadable = true;
      return update.transition(
        known.map(() => undefined),
        { keeperMs, waitedMs },
      );
    }
  }

  #find(record: RecordName): Entry | undefined {
    return this.#entries.get(record)?.value;
  }

  /** Users without suppressions must not push out those with some. */
  #forgetAbsent(record: RecordName): void {
    const own = this.#find(record);
    if (own?.waiting.length === 0 && own.stored.value === undefined) this.#entries.delete(record);
  }
}

function newEntry({ kind }: RecordName, stored: Stored): Entry {
  return { stored, waiting: [], queue: { isLasting: kind === 'suppressions', writes: [] } };
}

/** A record that has not ended, and how long it still lives. */
export function knownNow({ value, endsAtMs }: StoredValue): Known<RecordValue> | undefined {
  const leftMs = endsAtMs - performance.now();
  return value === undefined || leftMs <= 0 ? undefined : { value, leftMs };
}

/** Only `OwnRecords` makes own records. */
function entriesOf({ own }: WaitingUpdate): readonly Entry[] {
  return own;
}

function aheadOf({ ahead, stored }: Entry): StoredValue {
  return ahead?.record ?? stored;
}

/** The updates that wait for a record, and for those that change with it, in their order: those that are not yet in `ahead`. */
function newlyWaitingWith(own: Entry): readonly WaitingUpdate[] {
  const related = new Set([own]);
  const updates = new Set<WaitingUpdate>();
  // It also visits those that it adds.
  for (const { waiting, ahead } of related) {
    const first = waiting.findLastIndex(({ number }) => number <= (ahead?.upTo ?? 0)) + 1;
    for (const update of waiting.slice(first)) {
      updates.add(update);
      for (const one of entriesOf(update)) related.add(one);
    }
  }
  return [...updates].sort((one, two) => one.number - two.number);
}

/** An update of the record ends, or Redis has another value: it is computed again, as are those that change with it. */
function forgetAhead(own: Entry): void {
  if (own.ahead === undefined) return;
  own.ahead = undefined;
  for (const update of own.waiting) for (const one of entriesOf(update)) forgetAhead(one);
}

function setStored(own: Entry, stored: Stored): void {
  forgetAhead(own);
  own.stored = stored;
}

/** With the times of suppressions by `steadyMs`. */
function inOwnTime(stored: Stored, aheadMs: number): Stored {
  const { value } = stored;
  if (value === undefined || !('entries' in value)) return stored;
  const entries = value.entries.map((entry) => ({
    ...entry,
    atMs: entry.atMs - aheadMs,
    untilMs: entry.untilMs - aheadMs,
  }));
  return { ...stored, value: { ...value, entries } };
}

/**
 * What Redis has, with what it has forgotten and this process still knows, and its versions from before. Returns `read` itself if it
 * has forgotten nothing.
 */
function withForgotten(read: Stored, own: Stored): Stored {
  const known = knownNow(own)?.value;
  if (known === undefined || countOf(own) <= countOf(read)) return read;
  if (!('entries' in known)) return own;
  const entries = read.value !== undefined && 'entries' in read.value ? read.value.entries : NO_ENTRIES;
  const alive = known.entries.filter(({ untilMs }) => untilMs > steadyMs());
  // By their times: what came since Redis has forgotten is counted from zero.
  const all = alive.reduce((merged, entry) => addEntry(merged, entry, true), entries);
  if (all === entries) return read;
  const endsAtMs = Math.max(...all.map(({ untilMs }) => untilMs)) - steadyMs() + performance.now();
  return { ...own, value: { recipient: known.recipient, entries: all }, endsAtMs };
}

const NO_ENTRIES: readonly KeptEntry[] = [];

/** How long a process remembers a record, milliseconds. */
function rememberMs({ kind }: RecordName): number {
  // No code lives longer than 15 minutes.
  return kind === 'suppressions' ? SUPPRESSED_MS.STOPPED : 15 * 60_000;
}
