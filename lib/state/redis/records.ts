import { randomInt } from 'node:crypto';
import { ExpiringCache } from '../../core/caches.js';
import { sleep } from '../../core/time.js';
import { newToken } from '../../core/token.js';
import type {
  Known,
  Next,
  Reading,
  RecordKind,
  RecordName,
  RecordState,
  RecordValues,
  Transition,
  UpdateMoment,
} from '../../delivery/records.js';
import { mergeCopies, nextRecord, suppressionsIn, type Suppression } from '../../delivery/suppressions.js';
import type { RedisConnection } from './connection.js';
import {
  nextVersion,
  readReply,
  RecordCopies,
  type CopyReply,
  type ExchangeReply,
  type RecordValue,
  type Seen,
} from './copies.js';
import type { Outbox } from './outbox.js';
import type { Sealing } from './sealing.js';
import type { Step } from './steps.js';

/** Several gateways may change one record at once; each time one of them succeeds. */
const MAX_TRIES = 50;

/** What this process remembers of Redis, at most: two records for each of the newest 8,000 codes. */
const MAX_MIRRORED = 16_000;

/** How long it remembers a record, milliseconds. No code lives longer. */
const MIRRORED_MS = 15 * 60_000;

/** A transition of any records. The names say what each of them holds. */
type AnyTransition = (
  known: readonly (Known<RecordValue> | undefined)[],
  moment: UpdateMoment,
) => { readonly next?: readonly (Next<RecordValue> | undefined)[] | undefined; readonly result: unknown };

/** A record as this process knows it by itself. */
interface Mirrored {
  /** What Redis had at last. */
  seen: Seen;
  /** What it becomes by the updates that wait. */
  ahead: Pick<Seen, 'value' | 'endsAtMs'> | undefined;
  /** How many updates wait. */
  waiting: number;
}

/** An update on its way. */
interface Update {
  readonly records: readonly RecordName[];
  /** The names of the copies of each record. */
  readonly names: readonly (readonly string[])[];
  /** `undefined` for a record that is always read first. */
  readonly mirrored: readonly (Mirrored | undefined)[];
  readonly transition: AnyTransition;
  /** When it was requested, by the monotonic clock. */
  readonly requestedMs: number;
  /** The number of losses of Redis then; `undefined` during one. */
  readonly losses: number | undefined;
  /** Background work: codes do not wait for it, and its refusal is no loss of Redis. */
  readonly isOptional: boolean;
  /** What the first attempt sends if it begins at once. */
  decided: Exchange | undefined;
  /** What was sent and has no answer yet. */
  sent: Exchange | undefined;
  isUnreadable: boolean;
}

/** What an update writes, if Redis has what was seen. */
interface Exchange {
  readonly seen: readonly Seen[];
  readonly writes: readonly (RecordWrite | undefined)[];
  readonly result: unknown;
}

interface RecordWrite {
  readonly version: string;
  readonly value: RecordValue;
  readonly endsAtMs: number;
  /** Sealed when it is sent, and sent again as the same bytes. */
  copies: readonly Buffer[] | undefined;
}

/**
 * The records in Redis. One script compares the versions of all copies of some records with those that this process has seen, and
 * writes all of the records or none. A new message, or one of this process, needs no read before.
 */
export class RedisRecords implements RecordState {
  readonly #connection: RedisConnection;
  readonly #copies: RecordCopies;
  readonly #outbox: Outbox;
  readonly #mirror = new ExpiringCache<Mirrored>(MAX_MIRRORED);

  constructor(connection: RedisConnection, sealings: readonly Sealing[], outbox: Outbox) {
    this.#connection = connection;
    this.#copies = new RecordCopies(sealings);
    this.#outbox = outbox;
  }

  async update<const Names extends readonly RecordName[], Result>(
    records: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result | undefined> {
    const update = this.#updateOf(records, transition as unknown as AnyTransition);
    const mirrored = update.mirrored.filter((one) => one !== undefined);
    // Suppressions are compared by Redis's time: they are read first.
    if (mirrored.length === records.length) this.#lookAhead(update, mirrored);
    try {
      const [first] = records;
      const writing = this.#outbox.write(
        `${first?.kind} ${first?.key}`,
        () => this.#tryExchange(update),
        first?.kind === 'suppressions',
      );
      // Only a try that has begun by now uses it; a later one decides anew.
      update.decided = undefined;
      const result = await writing;
      if (update.isUnreadable) this.#connection.reportUnreadable();
      // The transition of these records gave it.
      return result as Result | undefined;
    } finally {
      for (const one of mirrored) {
        one.waiting -= 1;
        if (one.waiting === 0) one.ahead = undefined;
      }
    }
  }

  async read<const Names extends readonly RecordName[], Result>(
    records: Names,
    read: Reading<Names, Result>,
  ): Promise<Result | undefined> {
    const transition: Transition<Names, Result> = (known, moment) => ({ result: read(known, moment) });
    const update = this.#updateOf(records, transition as unknown as AnyTransition);
    let reply: unknown;
    try {
      reply = await this.#connection.run({ name: 'exchange', keys: update.names.flat(), args: [] });
    } catch {
      // The connection reports the failure.
      return undefined;
    }
    const { keeperMs, found } = this.#found(update, reply);
    this.#mirrorAll(update, found);
    if (update.isUnreadable) this.#connection.reportUnreadable();
    // The reading of these records gave it.
    return this.#decide(update, found, keeperMs).result as Result;
  }

  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    const mirrored = this.#mirror.get(mirrorKey(name), performance.now())?.value;
    // The mirror keeps records by kind.
    return mirrored && (knownNow(mirrored.ahead ?? mirrored.seen) as Known<RecordValues[Kind]> | undefined);
  }

  /** The names of a recipient's suppressions, which a claim reads. */
  namesOf(recipient: string): readonly string[] {
    return this.#copies.namesOf({ kind: 'suppressions', key: recipient });
  }

  /**
   * Reads the reply of a claim for these names: Redis's time, then the values. A value that does not open counts as empty.
   *
   * @param nowMs - by the hook's clock.
   */
  suppressionsIn(recipient: string, reply: unknown, nowMs: number): readonly Suppression[] {
    const [time, ...values] = reply as readonly Buffer[];
    const keeperMs = Number(time);
    const entries = this.#copies.entriesIn(this.namesOf(recipient), values, keeperMs).reduce(mergeCopies);
    return suppressionsIn(entries, { keeperMs, nowMs });
  }

  /**
   * Copies the suppressions under these names to the names of all other keys, so that any key but one can be removed from the
   * list. Codes do not wait for it.
   *
   * @throws RedisFailure
   */
  async copy(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { replies } = await this.#readNow(names);
    const recipients = new Set(
      names.flatMap((name, at) => this.#copies.recipientIn(name, valueIn(replies, at)) ?? []),
    );
    const namesOf = [...recipients].map((recipient) => this.namesOf(recipient));
    const found = await this.#readNow(namesOf.flat());
    let read = 0;
    for (const [at, recipient] of [...recipients].entries()) {
      const own = namesOf[at] ?? [];
      const values = own.map((_, copy) => valueIn(found.replies, read + copy));
      read += own.length;
      const entries = this.#copies.entriesIn(own, values, found.keeperMs);
      const newest = entries.reduce(mergeCopies);
      if (entries.some((one) => mergeCopies(one, newest) !== one)) await this.#copyOne(recipient);
    }
  }

  async #copyOne(recipient: string): Promise<void> {
    const transition: Transition<readonly [RecordName<'suppressions'>], undefined> = ([known], moment) => ({
      next: [nextRecord(recipient, known?.value.entries ?? [], moment.keeperMs)],
      result: undefined,
    });
    const records = [{ kind: 'suppressions', key: recipient }] as const;
    const update = this.#updateOf(records, transition as unknown as AnyTransition);
    await this.#tryExchange({ ...update, isOptional: true });
  }

  #updateOf(records: readonly RecordName[], transition: AnyTransition): Update {
    return {
      records,
      names: records.map((record) => this.#copies.namesOf(record)),
      mirrored: records.map((record) => this.#mirrored(record)),
      transition,
      requestedMs: performance.now(),
      losses: this.#connection.health === 'ok' ? this.#connection.losses : undefined,
      isOptional: false,
      decided: undefined,
      sent: undefined,
      isUnreadable: false,
    };
  }

  #mirrored(record: RecordName): Mirrored | undefined {
    if (record.kind === 'suppressions') return undefined;
    const key = mirrorKey(record);
    const nowMs = performance.now();
    const known = this.#mirror.get(key, nowMs);
    if (known !== undefined) return known.value;
    const mirrored = { seen: this.#copies.absent, ahead: undefined, waiting: 0 };
    this.#mirror.set(key, mirrored, nowMs, MIRRORED_MS);
    return mirrored;
  }

  /** Runs the transition on what this process knows, for `recall`. */
  #lookAhead(update: Update, mirrored: readonly Mirrored[]): void {
    const isLatest = mirrored.every(({ ahead }) => ahead === undefined);
    const seen = mirrored.map((one) => {
      const known = this.#seenBy(one);
      return one.ahead === undefined ? known : { ...known, ...one.ahead };
    });
    const decided = this.#decide(update, seen);
    if (isLatest) update.decided = decided;
    for (const [at, one] of mirrored.entries()) {
      one.waiting += 1;
      const write = decided.writes[at];
      if (write !== undefined) one.ahead = { value: write.value, endsAtMs: write.endsAtMs };
    }
  }

  /** @throws RedisFailure if Redis has not answered. The next attempt sends the same, as Redis may have done it. */
  async #tryExchange(update: Update): Promise<unknown> {
    update.sent ??= update.decided ?? this.#decideByMirror(update);
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const { sent } = update;
      const args = sent === undefined ? [] : this.#argsOf(update, sent);
      const step = { name: 'exchange', keys: update.names.flat(), args } as const;
      const reply = await (update.isOptional ? this.#runOptional(step) : this.#connection.run(step));
      if (sent !== undefined && reply === 1) {
        this.#mirrorAll(update, seenAfter(sent));
        return sent.result;
      }
      const { keeperMs, found } = this.#found(update, reply);
      this.#mirrorAll(update, found);
      // An attempt without an answer was done: all of it, or nothing.
      if (sent !== undefined && isDone(sent, found)) return sent.result;
      const next = this.#decide(update, found, keeperMs);
      update.sent = next;
      // What was just read needs no confirmation.
      if (next.writes.every((write) => write === undefined)) return next.result;
      // Others are writing: a random delay keeps them from retrying at the same moment.
      if (tries > 1) await sleep(randomInt(tries * 2));
    }
    return undefined;
  }

  #decideByMirror(update: Update): Exchange | undefined {
    const mirrored = update.mirrored.filter((one) => one !== undefined);
    if (mirrored.length < update.records.length) return undefined;
    return this.#decide(
      update,
      mirrored.map((one) => this.#seenBy(one)),
    );
  }

  /** @param keeperMs - Redis's time, if the records were read. Only suppressions need it. */
  #decide(update: Update, seen: readonly Seen[], keeperMs = Date.now()): Exchange {
    const { requestedMs, losses } = update;
    const nowMs = performance.now();
    // Behind other updates of its record it keeps its place: it does not wait for Redis.
    const waitedMs = losses === this.#connection.losses ? 0 : nowMs - requestedMs;
    const moment = { keeperMs, waitedMs };
    const { next, result } = runTransition(update, seen.map(knownNow), moment);
    const token = newToken();
    const writes = seen.map((one, at): RecordWrite | undefined => {
      const written = next?.[at];
      if (written === undefined || written.lifeMs <= 0) return undefined;
      const { value, lifeMs } = written;
      return { version: nextVersion(one, token), value, endsAtMs: nowMs + lifeMs, copies: undefined };
    });
    return { seen, writes, result };
  }

  /** For each copy: the version that was seen, its new life (0 if it stays) and its new bytes. */
  #argsOf({ records, names }: Update, { seen, writes }: Exchange): Step['args'] {
    const nowMs = performance.now();
    return records.flatMap(({ kind }, at) => {
      const write = writes[at];
      const versions = seen[at]?.versions ?? [];
      if (write === undefined) return versions.flatMap((version) => [version, 0, '']);
      const copies = (write.copies ??= this.#copies.seal(kind, names[at] ?? [], write.version, write.value));
      const lifeMs = Math.max(1, Math.ceil(write.endsAtMs - nowMs));
      return versions.flatMap((version, copy) => [version, lifeMs, copies[copy] ?? '']);
    });
  }

  #found(update: Update, reply: unknown): { readonly keeperMs: number; readonly found: readonly Seen[] } {
    const { keeperMs, replies } = readReply(reply);
    let first = 0;
    const found = update.records.map(({ kind }, at) => {
      const names = update.names[at] ?? [];
      const own = replies.slice(first, (first += names.length));
      const { isUnreadable, ...seen } = this.#copies.read(kind, names, own, keeperMs);
      update.isUnreadable ||= isUnreadable;
      return seen;
    });
    return { keeperMs, found };
  }

  #mirrorAll({ mirrored }: Update, seen: readonly Seen[]): void {
    for (const [at, one] of mirrored.entries()) if (one !== undefined) one.seen = seen[at] ?? one.seen;
  }

  #seenBy({ seen }: Mirrored): Seen {
    return seen.endsAtMs > performance.now() ? seen : this.#copies.absent;
  }

  /** Reads copies in the background. */
  async #readNow(names: readonly string[]): Promise<ExchangeReply> {
    return readReply(await this.#runOptional({ name: 'exchange', keys: names, args: [] }));
  }

  #runOptional({ keys, args }: Step): Promise<unknown> {
    return this.#connection.executeOptional((client) => client.exchangeBuffer(keys.length, ...keys, ...args));
  }
}

/** Runs the transition. Records that it cannot use count as absent: a gateway of another version kept them. */
function runTransition(
  update: Update,
  known: Parameters<AnyTransition>[0],
  moment: UpdateMoment,
): ReturnType<AnyTransition> {
  try {
    return update.transition(known, moment);
  } catch {
    update.isUnreadable = true;
    return update.transition(
      known.map(() => undefined),
      moment,
    );
  }
}

function valueIn(replies: readonly CopyReply[], at: number): Buffer {
  return replies[at]?.[0] ?? Buffer.alloc(0);
}

/** Whether Redis did an exchange whose answer was lost: it writes all records or none. */
function isDone({ writes }: Exchange, found: readonly Seen[]): boolean {
  return writes.some((write, at) => write !== undefined && found[at]?.versions.includes(write.version));
}

function seenAfter({ seen, writes }: Exchange): readonly Seen[] {
  return seen.map((one, at) => {
    const write = writes[at];
    if (write === undefined) return one;
    const { version, value, endsAtMs } = write;
    return { versions: one.versions.map(() => version), value, endsAtMs };
  });
}

function knownNow({ value, endsAtMs }: Pick<Seen, 'value' | 'endsAtMs'>): Known<RecordValue> | undefined {
  const leftMs = endsAtMs - performance.now();
  return value === undefined || leftMs <= 0 ? undefined : { value, leftMs };
}

function mirrorKey({ kind, key }: RecordName): string {
  return `${kind} ${key}`;
}
