import { steadyMs } from '../../core/time.js';
import type {
  Known,
  KnownRecords,
  Reading,
  RecordKind,
  RecordName,
  RecordState,
  RecordValues,
  Transition,
} from '../../delivery/records.js';

/** About 50 codes a second that may fail over for nearly three minutes, in which WhatsApp reports failures. */
const MAX_MESSAGES = 8_000;

/** How many records of each kind a process keeps; the oldest are dropped first. */
const MAX_RECORDS: Readonly<Record<RecordKind, number>> = {
  message: MAX_MESSAGES,
  attempt: 1_000,
  lastCode: 16_000,
  suppressions: 20_000,
};

/** The records of `memoryState()`, and those that a Redis state knows by itself. Transitions run at once. */
export class MemoryRecords implements RecordState {
  readonly #kinds: { readonly [Kind in RecordKind]: ExpiringMap<RecordValues[Kind]> } = {
    message: new ExpiringMap(MAX_RECORDS.message),
    attempt: new ExpiringMap(MAX_RECORDS.attempt),
    lastCode: new ExpiringMap(MAX_RECORDS.lastCode),
    suppressions: new ExpiringMap(MAX_RECORDS.suppressions),
  };

  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result> {
    const nowMs = steadyMs();
    // The type of each record follows from its name.
    const known = names.map(({ kind, key }) => this.#kinds[kind].get(key, nowMs)) as KnownRecords<Names>;
    const { next, result } = transition(known, { keeperMs: nowMs, waitedMs: 0 });
    for (const [at, { kind, key }] of names.entries()) {
      const changed = next?.[at];
      const records: ExpiringMap<unknown> = this.#kinds[kind];
      if (changed !== undefined) records.set(key, changed.value, nowMs, changed.lifeMs);
    }
    return Promise.resolve(result);
  }

  read<const Names extends readonly RecordName[], Result>(
    names: Names,
    read: Reading<Names, Result>,
  ): Promise<Result> {
    return this.update(names, (known, moment) => ({ result: read(known, moment) }));
  }

  recall<Kind extends RecordKind>({ kind, key }: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    return this.#kinds[kind].get(key, steadyMs());
  }
}

interface Entry<Value> {
  readonly value: Value;
  readonly untilMs: number;
}

/** Entries that are checked for expiry with each new one. More than one, so that the sweep is faster than the growth. */
const CHECKED_PER_SET = 4;

/** A bounded map whose entries expire. It starts no timer: each `set` drops some expired entries, also behind ones that live longer. */
class ExpiringMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #max: number;
  // A `Map` iterator also visits entries that are added later. One that stood still would keep deleted entries alive.
  #sweep = this.#entries.entries();
  /** Used while the map is full. A new iterator has to skip the gaps of all deleted entries. */
  #oldest: MapIterator<string> | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, nowMs: number): Known<Value> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.untilMs <= nowMs) return undefined;
    return { value: entry.value, leftMs: entry.untilMs - nowMs };
  }

  set(key: string, value: Value, nowMs: number, lifeMs: number): void {
    this.#dropExpired(nowMs);
    // Moves an existing entry to the end.
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + lifeMs });
    if (this.#entries.size <= this.#max) {
      this.#oldest = undefined;
      return;
    }
    this.#oldest ??= this.#entries.keys();
    const { value: oldest } = this.#oldest.next();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #dropExpired(nowMs: number): void {
    for (let count = 0; count < CHECKED_PER_SET; count += 1) {
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = this.#entries.entries();
        return;
      }
      const [key, { untilMs }] = next.value;
      if (untilMs <= nowMs) this.#entries.delete(key);
    }
  }
}
