import { randomInt } from 'node:crypto';
import { sleep, steadyMs } from '../../core/time.js';
import { newToken } from '../../core/token.js';
import type {
  Known,
  Reading,
  RecordKind,
  RecordName,
  RecordState,
  RecordValues,
  Transition,
} from '../../delivery/records.js';
import { mergeCopies, nextRecord, suppressionsName } from '../../delivery/suppressions.js';
import type { RedisConnection } from './connection.js';
import {
  nextVersion,
  readReply,
  RecordCopies,
  type CopyReply,
  type ExchangeReply,
  type RecordValue,
  type Stored,
} from './copies.js';
import type { Outbox } from './outbox.js';
import {
  knownNow,
  OwnRecords,
  type AnyTransition,
  type OwnRecord,
  type WaitingUpdate,
} from './own-records.js';
import type { Sealing } from './sealing.js';
import type { Step } from './steps.js';

/** Several gateways may change one record at once; each time one of them succeeds. */
const MAX_TRIES = 50;

/** An update on its way. */
interface Update extends WaitingUpdate {
  /** The names of the copies of each record. */
  readonly names: readonly (readonly string[])[];
  /** Background work: codes do not wait for it, and its refusal is no loss of Redis. */
  readonly isOptional: boolean;
  /** What it writes. Sent again without a change until Redis has answered. */
  exchange: Exchange | undefined;
  hasEnded: boolean;
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
  readonly #own: OwnRecords;
  #updates = 0;

  constructor(connection: RedisConnection, sealings: readonly Sealing[], outbox: Outbox) {
    this.#connection = connection;
    this.#copies = new RecordCopies(sealings);
    this.#outbox = outbox;
    this.#own = new OwnRecords({ absent: this.#copies.absent, losses: () => connection.losses });
  }

  async update<const Names extends readonly RecordName[], Result>(
    records: Names,
    transition: Transition<Names, Result>,
  ): Promise<Result | undefined> {
    const own = records.map((record) => this.#own.of(record));
    const update = this.#updateOf(records, transition as unknown as AnyTransition, own);
    this.#own.begin(update);
    const [first] = records;
    const isLasting = first?.kind === 'suppressions';
    const run = async (): Promise<unknown> => {
      const result = await this.#tryExchange(update);
      update.hasEnded = true;
      return result;
    };
    try {
      const result = await this.#outbox.write(own[0]?.queue ?? { isLasting, writes: [] }, run);
      if (update.isUnreadable) this.#connection.reportUnreadable();
      // The transition of these records gave it.
      return result as Result | undefined;
    } finally {
      // A STOP that is dropped still counts here.
      if (update.hasEnded || !isLasting) this.#own.end(update);
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
    // Own records are kept by kind.
    return this.#own.recall(name) as Known<RecordValues[Kind]> | undefined;
  }

  /** The names of a record that a claim reads. */
  namesOf(record: RecordName): readonly string[] {
    return this.#copies.namesOf(record);
  }

  /** Remembers the records that a claim has read, by the names of their copies. The reply is as that of `exchange`. */
  remember(records: readonly RecordName[], names: readonly (readonly string[])[], reply: unknown): void {
    const { keeperMs, replies } = readReply(reply);
    let first = 0;
    for (const [at, record] of records.entries()) {
      const own = names[at] ?? [];
      const copies = replies.slice(first, (first += own.length));
      // Fast path: Redis has nothing, and nothing was known.
      if (copies.every(([value]) => value.length === 0) && !this.#own.has(record)) continue;
      const { isUnreadable, ...stored } = this.#copies.read(record.kind, own, copies, keeperMs);
      this.#noteRead(record, stored, keeperMs - steadyMs());
    }
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
    const namesOf = [...recipients].map((recipient) => this.namesOf(suppressionsName(recipient)));
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
    const update = this.#updateOf(
      [suppressionsName(recipient)],
      unchanged(recipient) as unknown as AnyTransition,
    );
    await this.#tryExchange({ ...update, isOptional: true });
  }

  /** Notes what Redis has. Returns it with what Redis has forgotten; such suppressions are written again. */
  #noteRead(record: RecordName, read: Stored, aheadMs: number): Stored {
    const stored = this.#own.read(record, read, aheadMs);
    const isForgotten = stored !== read && record.kind === 'suppressions';
    if (isForgotten && this.#own.of(record).waiting.length === 0)
      void this.update([suppressionsName(record.key)], unchanged(record.key));
    return stored;
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
      exchange: undefined,
      hasEnded: false,
      isUnreadable: false,
    };
  }

  /** @throws RedisFailure if Redis has not answered. The next attempt sends the same, as Redis may have done it. */
  async #tryExchange(update: Update): Promise<unknown> {
    update.exchange ??= this.#decideUnread(update);
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const { exchange } = update;
      const args = exchange === undefined ? [] : this.#argsOf(update, exchange);
      const step = { name: 'exchange', keys: update.names.flat(), args } as const;
      const reply = await (update.isOptional ? this.#runOptional(step) : this.#connection.run(step));
      if (exchange !== undefined && reply === 1) {
        if (!update.isOptional) this.#own.wrote(update, storedAfter(exchange), exchange.aheadMs);
        return exchange.result;
      }
      const { keeperMs, found } = this.#found(update, reply);
      // An attempt without an answer was done: all of it, or nothing.
      if (exchange !== undefined && wasWritten(exchange, found)) return exchange.result;
      const next = this.#decide(update, found, keeperMs);
      update.exchange = next;
      // What was just read needs no confirmation.
      if (next.writes.every((write) => write === undefined)) return next.result;
      // Others are writing: a random delay keeps them from retrying at the same moment.
      if (tries > 1) await sleep(randomInt(tries * 2));
    }
    return undefined;
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
    const { next, result } = this.#own.run(update, stored.map(knownNow), keeperMs);
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
    const found = update.records.map((record, at) => {
      const { kind } = record;
      const names = update.names[at] ?? [];
      const own = replies.slice(first, (first += names.length));
      const { isUnreadable, ...stored } = this.#copies.read(kind, names, own, keeperMs);
      update.isUnreadable ||= isUnreadable;
      // A sweep of all numbers must not push out those that this process needs.
      return update.isOptional ? stored : this.#noteRead(record, stored, keeperMs - steadyMs());
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

/** Whether Redis wrote an exchange whose answer was lost: it writes all records or none. */
function wasWritten({ writes }: Exchange, found: readonly Stored[]): boolean {
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

/** Writes what a recipient's record has, without a change. */
function unchanged(recipient: string): Transition<readonly [RecordName<'suppressions'>], true> {
  return ([known], { keeperMs }) => ({
    next: [nextRecord(recipient, known?.value.entries ?? [], keeperMs)],
    result: true,
  });
}
