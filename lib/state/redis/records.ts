import { randomInt } from 'node:crypto';
import { sleep, steadyMs } from '../../core/time.js';
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
import { mergeCopies, nextRecord, type KeptEntry, SUPPRESSED_MS } from '../../delivery/suppressions.js';
import { RecordMap } from '../memory/records.js';
import type { RedisConnection } from './connection.js';
import {
  countOf,
  nextVersion,
  readReply,
  RecordCopies,
  type CopyReply,
  type ExchangeReply,
  type RecordValue,
  type Stored,
} from './copies.js';
import type { Outbox } from './outbox.js';
import type { Sealing } from './sealing.js';
import type { Step } from './steps.js';

/** Several gateways may change one record at once; each time one of them succeeds. */
const MAX_TRIES = 50;

/** A transition of any records. The names say what each of them holds. */
type AnyTransition = (
  known: readonly (Known<RecordValue> | undefined)[],
  moment: UpdateMoment,
) => { readonly next?: readonly (Next<RecordValue> | undefined)[] | undefined; readonly result: unknown };

/** A record as this process knows it by itself. */
interface OwnRecord {
  /** What Redis had when this process last read or wrote it. The times in suppressions are by `steadyMs`: Redis's clock may jump. */
  stored: Stored;
  /** What changes it as soon as Redis has answered, in this order. */
  waiting: readonly Update[];
  /** What it becomes by those up to this number. Kept, because thousands may wait while Redis is lost. */
  ahead?: { readonly record: StoredValue; readonly upTo: number } | undefined;
}

type StoredValue = Pick<Stored, 'value' | 'endsAtMs'>;

/** An update on its way. */
interface Update {
  /** Counts the updates of this process. */
  readonly number: number;
  readonly records: readonly RecordName[];
  /** The names of the copies of each record. */
  readonly names: readonly (readonly string[])[];
  /** The records as this process knows them; none if nothing waits for the update. */
  readonly own: readonly OwnRecord[];
  readonly transition: AnyTransition;
  /** When it was requested, by the monotonic clock. */
  readonly requestedMs: number;
  /** The number of losses of Redis then; `undefined` during one. */
  readonly losses: number | undefined;
  /** Background work: codes do not wait for it, and its refusal is no loss of Redis. */
  readonly isOptional: boolean;
  /** What was sent and has no answer yet. */
  sent: Exchange | undefined;
  isDone: boolean;
  isUnreadable: boolean;
}

/** What an update writes, if Redis still has what was stored. */
interface Exchange {
  readonly stored: readonly Stored[];
  readonly writes: readonly (RecordWrite | undefined)[];
  readonly result: unknown;
  /** How far Redis's clock was ahead of `steadyMs` then, milliseconds. */
  readonly aheadMs: number;
}

interface RecordWrite {
  readonly version: string;
  readonly value: RecordValue;
  readonly endsAtMs: number;
  /** Sealed when it is sent, and sent again as the same bytes. */
  copies: readonly Buffer[] | undefined;
}

/**
 * The records in Redis. One script compares the versions of all copies of some records with those that this process knows, and
 * writes all of the records or none. A new message, or one of this process, needs no read before.
 */
export class RedisRecords implements RecordState {
  readonly #connection: RedisConnection;
  readonly #copies: RecordCopies;
  readonly #outbox: Outbox;
  readonly #own = new RecordMap<OwnRecord>();
  #updates = 0;

  constructor(connection: RedisConnection, sealings: readonly Sealing[], outbox: Outbox) {
    this.#connection = connection;
    this.#copies = new RecordCopies(sealings);
    this.#outbox = outbox;
  }

  async update<const Names extends readonly RecordName[], Result>(
    records: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result | undefined> {
    const own = records.map((record) => this.#ownOf(record));
    const update = this.#updateOf(records, transition as unknown as AnyTransition, own);
    for (const one of own) one.waiting = [...one.waiting, update];
    const [first] = records;
    const isLasting = first?.kind === 'suppressions';
    const run = async (): Promise<unknown> => {
      const result = await this.#tryExchange(update);
      update.isDone = true;
      return result;
    };
    try {
      const result = await this.#outbox.write(`${first?.kind} ${first?.key}`, run, isLasting);
      if (update.isUnreadable) this.#connection.reportUnreadable();
      // The transition of these records gave it.
      return result as Result | undefined;
    } finally {
      // A STOP that is dropped still counts here.
      if (update.isDone || !isLasting) {
        for (const one of own) {
          forgetAhead(one);
          one.waiting = one.waiting.filter((waiting) => waiting !== update);
        }
        for (const record of records) this.#forgetAbsent(record);
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
    const { result } = this.#decide(update, found, keeperMs);
    if (update.isUnreadable) this.#connection.reportUnreadable();
    // The reading of these records gave it.
    return result as Result;
  }

  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    const own = this.#own.get(name)?.value;
    // The map keeps records by kind.
    return own && (this.#ahead(own) as Known<RecordValues[Kind]> | undefined);
  }

  /** The names of a recipient's suppressions, which a claim reads. */
  namesOf(recipient: string): readonly string[] {
    return this.#copies.namesOf(suppressionsName(recipient));
  }

  /** Remembers a recipient's suppressions from the reply of a claim: Redis's time, then the values under these names. */
  rememberSuppressions(recipient: string, [time, ...values]: readonly Buffer[]): void {
    const record = suppressionsName(recipient);
    // Fast path: nothing is suppressed.
    if (values.every(({ length }) => length === 0) && this.#own.get(record) === undefined) return;
    const keeperMs = Number(time);
    const replies = values.map((value): CopyReply => [value, 0]);
    const { isUnreadable, ...stored } = this.#copies.read(
      'suppressions',
      this.#copies.namesOf(record),
      replies,
      keeperMs,
    );
    this.#remember(record, stored, keeperMs - steadyMs());
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
    const update = this.#updateOf([suppressionsName(recipient)], transition as unknown as AnyTransition);
    await this.#tryExchange({ ...update, isOptional: true });
  }

  #updateOf(
    records: readonly RecordName[],
    transition: AnyTransition,
    own: readonly OwnRecord[] = [],
  ): Update {
    return {
      number: (this.#updates += 1),
      records,
      names: records.map((record) => this.#copies.namesOf(record)),
      own,
      transition,
      requestedMs: performance.now(),
      losses: this.#connection.health === 'ok' ? this.#connection.losses : undefined,
      isOptional: false,
      sent: undefined,
      isDone: false,
      isUnreadable: false,
    };
  }

  #ownOf(record: RecordName): OwnRecord {
    const own = this.#own.get(record)?.value ?? { stored: this.#copies.absent, waiting: [] };
    this.#own.set(record, own, rememberMs(record));
    return own;
  }

  /**
   * Remembers a record that was read. Returns it with what Redis has forgotten, after a flush or a failover to a replica that is
   * behind, and what this process still knows. Suppressions of that kind are written again.
   *
   * @param aheadMs - how far Redis's clock was ahead of `steadyMs`.
   */
  #remember(record: RecordName, read: Stored, aheadMs: number): Stored {
    const readHere = inOwnTime(read, aheadMs);
    const own = this.#own.get(record)?.value;
    const stored = own === undefined ? readHere : withForgotten(readHere, own.stored);
    if (own !== undefined) setStored(own, stored);
    else if (stored.value !== undefined) this.#own.set(record, { stored, waiting: [] }, rememberMs(record));
    this.#forgetAbsent(record);
    if (stored === readHere) return read;
    if (record.kind === 'suppressions' && own?.waiting.length === 0) this.#writeAgain(record.key);
    return { ...inOwnTime(stored, -aheadMs), versions: read.versions };
  }

  #writeAgain(recipient: string): void {
    void this.update([suppressionsName(recipient)], ([known], { keeperMs }) => ({
      next: [nextRecord(recipient, known?.value.entries ?? [], keeperMs)],
      result: true,
    }));
  }

  /** Users without suppressions must not push out those with some. */
  #forgetAbsent(record: RecordName): void {
    const own = this.#own.get(record)?.value;
    if (own?.waiting.length === 0 && own.stored.value === undefined) this.#own.delete(record);
  }

  /** What a record becomes by the updates that wait. */
  #ahead(own: OwnRecord): Known<RecordValue> | undefined {
    for (const update of newlyWaitingWith(own)) {
      const known = update.own.map((one) => knownNow(aheadOf(one)));
      const { next } = this.#runTransition(update, known, steadyMs());
      for (const [at, one] of update.own.entries()) {
        const { value, lifeMs = 0 } = next?.[at] ?? {};
        const record = lifeMs > 0 ? { value, endsAtMs: performance.now() + lifeMs } : aheadOf(one);
        one.ahead = { record, upTo: update.number };
      }
    }
    return knownNow(aheadOf(own));
  }

  /** @throws RedisFailure if Redis has not answered. The next attempt sends the same, as Redis may have done it. */
  async #tryExchange(update: Update): Promise<unknown> {
    update.sent ??= this.#decideUnread(update);
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const { sent } = update;
      const args = sent === undefined ? [] : this.#argsOf(update, sent);
      const step = { name: 'exchange', keys: update.names.flat(), args } as const;
      const reply = await (update.isOptional ? this.#runOptional(step) : this.#connection.run(step));
      if (sent !== undefined && reply === 1) {
        this.#noteWritten(update, sent);
        return sent.result;
      }
      const { keeperMs, found } = this.#found(update, reply);
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

  #noteWritten({ own, isOptional }: Update, sent: Exchange): void {
    if (isOptional) return;
    for (const [at, stored] of storedAfter(sent).entries()) {
      const one = own[at];
      if (one !== undefined) setStored(one, inOwnTime(stored, sent.aheadMs));
    }
  }

  /** Decides by what this process knows. */
  #decideUnread(update: Update): Exchange | undefined {
    // Suppressions are compared by Redis's time: they are read first.
    if (update.records.some(({ kind }) => kind === 'suppressions')) return undefined;
    const nowMs = performance.now();
    const stored = update.own.map((own) => (own.stored.endsAtMs > nowMs ? own.stored : this.#copies.absent));
    return this.#decide(update, stored);
  }

  /** @param keeperMs - Redis's time, if the records were read. Only suppressions need it. */
  #decide(update: Update, stored: readonly Stored[], keeperMs = steadyMs()): Exchange {
    const { next, result } = this.#runTransition(update, stored.map(knownNow), keeperMs);
    const nowMs = performance.now();
    const token = newToken();
    const writes = stored.map((one, at): RecordWrite | undefined => {
      const written = next?.[at];
      if (written === undefined || written.lifeMs <= 0) return undefined;
      const { value, lifeMs } = written;
      return { version: nextVersion(one, token), value, endsAtMs: nowMs + lifeMs, copies: undefined };
    });
    return { stored, writes, result, aheadMs: keeperMs - steadyMs() };
  }

  /** Runs the transition. Records that it cannot use count as absent: a gateway of another version kept them. */
  #runTransition(
    update: Update,
    known: Parameters<AnyTransition>[0],
    keeperMs: number,
  ): ReturnType<AnyTransition> {
    const { requestedMs, losses } = update;
    // Behind other updates of its record it keeps its place: it does not wait for Redis.
    const waitedMs = losses === this.#connection.losses ? 0 : performance.now() - requestedMs;
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

  /** For each copy: the version that is expected, its new life (0 if it stays) and its new bytes. */
  #argsOf({ records, names }: Update, { stored, writes }: Exchange): Step['args'] {
    const nowMs = performance.now();
    return records.flatMap(({ kind }, at) => {
      const write = writes[at];
      const versions = stored[at]?.versions ?? [];
      if (write === undefined) return versions.flatMap((version) => [version, 0, '']);
      const copies = (write.copies ??= this.#copies.seal(kind, names[at] ?? [], write.version, write.value));
      const lifeMs = Math.max(1, Math.ceil(write.endsAtMs - nowMs));
      return versions.flatMap((version, copy) => [version, lifeMs, copies[copy] ?? '']);
    });
  }

  /** What Redis has instead of what was expected. */
  #found(update: Update, reply: unknown): { readonly keeperMs: number; readonly found: readonly Stored[] } {
    const { keeperMs, replies } = readReply(reply);
    let first = 0;
    const found = update.records.map(({ kind }, at) => {
      const names = update.names[at] ?? [];
      const own = replies.slice(first, (first += names.length));
      const { isUnreadable, ...stored } = this.#copies.read(kind, names, own, keeperMs);
      update.isUnreadable ||= isUnreadable;
      const record = update.records[at];
      // A sweep of all numbers must not push out those that this process needs.
      if (update.isOptional || record === undefined) return stored;
      return this.#remember(record, stored, keeperMs - steadyMs());
    });
    return { keeperMs, found };
  }

  /** Reads copies in the background. */
  async #readNow(names: readonly string[]): Promise<ExchangeReply> {
    return readReply(await this.#runOptional({ name: 'exchange', keys: names, args: [] }));
  }

  #runOptional({ keys, args }: Step): Promise<unknown> {
    return this.#connection.executeOptional((client) => client.exchangeBuffer(keys.length, ...keys, ...args));
  }
}

function valueIn(replies: readonly CopyReply[], at: number): Buffer {
  return replies[at]?.[0] ?? Buffer.alloc(0);
}

/** Whether Redis did an exchange whose answer was lost: it writes all records or none. */
function isDone({ writes }: Exchange, found: readonly Stored[]): boolean {
  return writes.some((write, at) => write !== undefined && found[at]?.versions.includes(write.version));
}

function storedAfter({ stored, writes }: Exchange): readonly Stored[] {
  return stored.map((one, at) => {
    const write = writes[at];
    if (write === undefined) return one;
    const { version, value, endsAtMs } = write;
    return { versions: one.versions.map(() => version), value, endsAtMs };
  });
}

function aheadOf({ ahead, stored }: OwnRecord): StoredValue {
  return ahead?.record ?? stored;
}

/** The updates that wait for a record, and for those that change with it, in their order: those that are not yet in `ahead`. */
function newlyWaitingWith(own: OwnRecord): readonly Update[] {
  const related = new Set([own]);
  const updates = new Set<Update>();
  // It also visits those that it adds.
  for (const { waiting, ahead } of related) {
    const first = waiting.findLastIndex(({ number }) => number <= (ahead?.upTo ?? 0)) + 1;
    for (const update of waiting.slice(first)) {
      updates.add(update);
      for (const one of update.own) related.add(one);
    }
  }
  return [...updates].sort((one, two) => one.number - two.number);
}

/** An update of the record ends, or Redis has another value: it is computed again, as are those that change with it. */
function forgetAhead(own: OwnRecord): void {
  if (own.ahead === undefined) return;
  own.ahead = undefined;
  for (const update of own.waiting) for (const one of update.own) forgetAhead(one);
}

function setStored(own: OwnRecord, stored: Stored): void {
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
  const all = mergeCopies(entries, alive);
  if (all === entries) return read;
  const endsAtMs = Math.max(...all.map(({ untilMs }) => untilMs)) - steadyMs() + performance.now();
  return { ...own, value: { recipient: known.recipient, entries: all }, endsAtMs };
}

const NO_ENTRIES: readonly KeptEntry[] = [];

function knownNow({ value, endsAtMs }: StoredValue): Known<RecordValue> | undefined {
  const leftMs = endsAtMs - performance.now();
  return value === undefined || leftMs <= 0 ? undefined : { value, leftMs };
}

function suppressionsName(recipient: string): RecordName<'suppressions'> {
  return { kind: 'suppressions', key: recipient };
}

/** How long a process remembers a record, milliseconds. */
function rememberMs({ kind }: RecordName): number {
  // No code lives longer than 15 minutes.
  return kind === 'suppressions' ? SUPPRESSED_MS.STOPPED : 15 * 60_000;
}
