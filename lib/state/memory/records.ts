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
import { isWhatsAppId } from '../../delivery/suppressions.js';

/** About 50 codes a second that may fail over for nearly three minutes, in which WhatsApp reports failures. */
const MAX_MESSAGES = 8_000;

const MAX_RECIPIENTS = 20_000;

/** A map by the names of records. It keeps so many of each kind, drops the oldest first, and starts no timer. */
export class RecordMap<Value> {
  readonly #maps = {
    message: new ExpiringCache<Value>(MAX_MESSAGES),
    attempt: new ExpiringCache<Value>(1_000),
    lastCode: new ExpiringCache<Value>(16_000),
    suppressions: new ExpiringCache<Value>(MAX_RECIPIENTS),
    /** Suppressions, too. Every user of WhatsApp has an id, and ids must not push out the STOP of a number. */
    whatsAppId: new ExpiringCache<Value>(MAX_RECIPIENTS),
  };

  get(name: RecordName): Known<Value> | undefined {
    return this.#mapOf(name).get(name.key, steadyMs());
  }

  /** Makes the record the newest. */
  set(name: RecordName, value: Value, lifeMs: number): void {
    this.#mapOf(name).set(name.key, value, steadyMs(), lifeMs);
  }

  delete(name: RecordName): void {
    this.#mapOf(name).delete(name.key);
  }

  #mapOf({ kind, key }: RecordName): ExpiringCache<Value> {
    return this.#maps[kind === 'suppressions' && isWhatsAppId(key) ? 'whatsAppId' : kind];
  }
}

/** The records of `memoryState()`. Transitions run at once. */
export class MemoryRecords implements RecordState {
  readonly #records = new RecordMap<RecordValues[RecordKind]>();

  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result> {
    // The type of each record follows from its name.
    const known = names.map((name) => this.#records.get(name)) as unknown as KnownRecords<Names>;
    const { next, result } = transition(known, { keeperMs: steadyMs(), waitedMs: 0 });
    for (const [at, name] of names.entries()) {
      const changed = next?.[at];
      if (changed !== undefined) this.#records.set(name, changed.value, changed.lifeMs);
    }
    return Promise.resolve(result);
  }

  read<const Names extends readonly RecordName[], Result>(
    names: Names,
    read: Reading<Names, Result>,
  ): Promise<Result> {
    return this.update(names, (known, moment) => ({ result: read(known, moment) }));
  }

  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    // As in `update`.
    return this.#records.get(name) as Known<RecordValues[Kind]> | undefined;
  }
}
