import { ExpiringCache } from '../../core/caches.js';
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
  /** The type of each record follows from its kind. */
  readonly #kinds: Readonly<Record<RecordKind, ExpiringCache<unknown>>> = {
    message: new ExpiringCache(MAX_RECORDS.message),
    attempt: new ExpiringCache(MAX_RECORDS.attempt),
    lastCode: new ExpiringCache(MAX_RECORDS.lastCode),
    suppressions: new ExpiringCache(MAX_RECORDS.suppressions),
  };

  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result> {
    const nowMs = steadyMs();
    const known = names.map(({ kind, key }) => this.#kinds[kind].get(key, nowMs)) as KnownRecords<Names>;
    const { next, result } = transition(known, { keeperMs: nowMs, waitedMs: 0 });
    for (const [at, { kind, key }] of names.entries()) {
      const changed = next?.[at];
      if (changed !== undefined) this.#kinds[kind].set(key, changed.value, nowMs, changed.lifeMs);
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
    return this.#kinds[kind].get(key, steadyMs()) as Known<RecordValues[Kind]> | undefined;
  }
}
