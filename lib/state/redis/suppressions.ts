import { randomInt } from 'node:crypto';
import { sleep } from '../../core/time.js';
import {
  addEntry,
  applyChange,
  isSuppression,
  isWord,
  mergeCopies,
  type KeptEntry,
  type LiftedSuppression,
  type Moment,
  type Suppression,
  type SuppressionChange,
} from '../../delivery/suppressions.js';
import type { SuppressionState } from '../../delivery/state.js';
import type { Client } from './clients.js';
import type { RedisConnection } from './connection.js';
import type { Sealing } from './sealing.js';
import { PendingWrites } from './pending-writes.js';

/** Several gateways may change one number at once; each time one of them succeeds. */
const MAX_TRIES = 50;

/** A stored value. It contains the recipient so that another key can name it. */
interface Kept {
  readonly recipient: string;
  /** Times by Redis's clock. */
  readonly entries: readonly KeptEntry[];
}

/** Entries and the time of Redis when they were read. */
interface TimedEntries {
  readonly entries: readonly KeptEntry[];
  readonly nowMs: number;
}

/** A change that waits for its turn, or until Redis is back. */
interface PendingChange {
  readonly recipient: string;
  /** When the change came, by the monotonic clock of this process. */
  readonly requestedMs: number;
  /** @throws RedisFailure */
  readonly work: (ageMs: number) => Promise<void>;
  /** Called once Redis has the change. */
  readonly onWritten: () => void;
}

/** A change that has waited no longer than this counts as just arrived, whatever any clock says, milliseconds. */
const JUST_ARRIVED_MS = 25;

/**
 * `optional` for background work: codes must not wait for it, nor does its refusal count as a loss of Redis.
 */
type Priority = 'required' | 'optional';

interface Update {
  readonly recipient: string;
  readonly ageMs: number;
  readonly change: Change;
  readonly priority: Priority;
}

type Change = (known: readonly KeptEntry[], moment: Moment) => readonly KeptEntry[];

const unchanged = (entry: KeptEntry): KeptEntry => entry;

/**
 * The channels that a number must not be reached by, for all gateways: a sealed list for each number, which
 * expires with its last entry. A claim reads it in the same step, so that a code needs no other request. All
 * times are Redis's.
 *
 * Each encryption key has its own list; all of them are written and read.
 */
export class RedisSuppressions implements SuppressionState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #pending: PendingWrites<PendingChange>;
  /** The running change of each recipient: changes of one recipient run in order. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#pending = new PendingWrites<PendingChange>(connection, { write: (pending) => this.#run(pending) });
  }

  /** Resolves when no change is being written. Changes that wait for Redis do not count. */
  async idle(): Promise<void> {
    while (this.#running.size > 0 || this.#pending.writing !== undefined) {
      await Promise.all([this.#pending.writing, ...this.#running.values()]);
    }
  }

  /** The names that a claim reads. */
  namesOf(recipient: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('suppressed', recipient));
  }

  /** Reads the reply of a claim for these names. A value that does not open counts as empty. */
  read(recipient: string, reply: unknown, nowMs: number): readonly Suppression[] {
    const found = this.#open(this.namesOf(recipient), reply);
    return found.entries.filter(isSuppression).map(({ channel, reason, untilMs }) => ({
      channel,
      reason,
      untilMs: nowMs + untilMs - found.nowMs,
    }));
  }

  suppress(
    recipient: string,
    { channel, reason, untilMs }: Suppression,
    nowMs: number,
    ageMs = 0,
  ): Promise<void> {
    return this.#change(recipient, { what: 'suppress', channel, reason, lifeMs: untilMs - nowMs }, ageMs);
  }

  lift(recipient: string, lifted: LiftedSuppression, ageMs = 0): Promise<void> {
    return this.#change(recipient, { what: 'lift', ...lifted }, ageMs);
  }

  pair(externalUserId: string, recipient: string): Promise<void> {
    return this.#enqueue(externalUserId, async (ageMs) => {
      const { entries } = await this.#find(externalUserId);
      const words = entries.filter(isWord);
      if (words.length === 0 && entries.some(({ number }) => number === recipient)) return;
      // In this order: after an interruption the whole move is repeated.
      const addWords: Change = (known) => words.reduce((all, word) => addEntry(all, word, true), known);
      if (words.length > 0) await this.#update(recipient, ageMs, addWords);
      await this.#update(externalUserId, ageMs, (known, moment) => {
        const isMoved = (entry: KeptEntry): boolean =>
          isWord(entry) && words.some(({ channel, atMs }) => channel === entry.channel && atMs >= entry.atMs);
        const left = known.filter((entry) => !isMoved(entry));
        return applyChange(left, { what: 'pair', number: recipient }, moment, unchanged);
      });
    });
  }

  async numberOf(externalUserId: string): Promise<string | undefined> {
    const entries = await this.#find(externalUserId).then(
      (found) => found.entries,
      () => [],
    );
    return entries.find(({ reason }) => reason === 'PAIRED')?.number;
  }

  async of(recipient: string, nowMs: number): Promise<readonly Suppression[] | undefined> {
    try {
      return this.read(recipient, await this.#read(this.namesOf(recipient)), nowMs);
    } catch {
      // The connection reports the failure.
      return undefined;
    }
  }

  /**
   * Copies the values under these names to the names of all other keys, so that any key but one can be
   * removed from the list. Codes do not wait for it.
   *
   * @throws RedisFailure
   */
  async copy(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const [, ...values] = await this.#read(names, 'optional');
    const recipients = new Set(
      names.flatMap((name, at) =>
        this.#sealings.flatMap((sealing) => openKept(sealing, name, values[at])?.recipient ?? []),
      ),
    );
    const known = await this.#read(
      [...recipients].flatMap((recipient) => this.namesOf(recipient)),
      'optional',
    );
    const [time, ...copies] = known;
    for (const [at, recipient] of [...recipients].entries()) {
      const own = copies.slice(at * this.#sealings.length, (at + 1) * this.#sealings.length);
      const entriesOf = this.#openCopies(this.namesOf(recipient), [time, ...own]);
      const newest = entriesOf.reduce(mergeCopies);
      if (entriesOf.every((entries) => mergeCopies(entries, newest) === entries)) continue;
      await this.#update(recipient, 0, (entries) => mergeCopies(entries, newest), 'optional');
    }
  }

  #change(recipient: string, change: SuppressionChange, cameBeforeMs: number): Promise<void> {
    const work: PendingChange['work'] = (ageMs) =>
      this.#update(recipient, ageMs, (known, moment) => applyChange(known, change, moment, unchanged));
    return this.#enqueue(recipient, work, cameBeforeMs);
  }

  /**
   * Resolves once Redis has the change. A change that has just come counts from its arrival, whatever any clock
   * says.
   */
  #enqueue(recipient: string, work: PendingChange['work'], cameBeforeMs = 0): Promise<void> {
    return new Promise((onWritten) => {
      void this.#run({ recipient, requestedMs: performance.now() - cameBeforeMs, work, onWritten });
    });
  }

  /**
   * Runs a change in its turn. If Redis is lost it runs again once Redis is back; a second run changes
   * nothing.
   */
  #run(pending: PendingChange): Promise<void> {
    const { recipient, requestedMs, work, onWritten } = pending;
    const turn = (this.#running.get(recipient) ?? Promise.resolve())
      .then(() => {
        const waitedMs = performance.now() - requestedMs;
        return work(waitedMs > JUST_ARRIVED_MS ? waitedMs : 0);
      })
      .then(onWritten, () => {
        // The connection reports the failure.
        this.#pending.add(pending);
      })
      .then(() => {
        if (this.#running.get(recipient) === turn) this.#running.delete(recipient);
      });
    this.#running.set(recipient, turn);
    return turn;
  }

  async #update(
    recipient: string,
    ageMs: number,
    change: Change,
    priority: Priority = 'required',
  ): Promise<void> {
    for (const sealing of this.#sealings)
      await this.#replace(sealing, { recipient, ageMs, change, priority });
  }

  /** @throws RedisFailure, and Error if others were faster each time. */
  async #replace(sealing: Sealing, update: Update): Promise<void> {
    const { recipient, ageMs, change, priority } = update;
    const name = sealing.nameOf('suppressed', recipient);
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const [time, value] = (await this.#read([name], priority)) as readonly Buffer[];
      const nowMs = Number(time);
      const known = openKept(sealing, name, value)?.entries.filter(({ untilMs }) => untilMs > nowMs) ?? [];
      const entries = change(known, { nowMs, ageMs });
      if (entries === known || entries.length === 0) return;
      const kept: Kept = { recipient, entries };
      const sealed = sealing.seal('suppressed', name, JSON.stringify(kept));
      const lifeMs = Math.max(1, Math.ceil(Math.max(...entries.map(({ untilMs }) => untilMs)) - nowMs));
      const isDone = await this.#send(
        (client) => client.replaceValue(1, name, value ?? '', sealed, lifeMs),
        priority,
      );
      if (isDone === 1) return;
      // Others are writing: a random delay keeps them from retrying at the same moment.
      await sleep(randomInt(tries * 2));
    }
    throw new Error('others were faster');
  }

  async #find(recipient: string): Promise<TimedEntries> {
    const names = this.namesOf(recipient);
    return this.#open(names, await this.#read(names));
  }

  /** Reads values in the form of `readTimed`. */
  async #read(names: readonly string[], priority: Priority = 'required'): Promise<readonly unknown[]> {
    const reply = await this.#send((client) => client.readTimedBuffer(names.length, ...names), priority);
    return reply as readonly unknown[];
  }

  #send(work: (client: Client) => Promise<unknown>, priority: Priority): Promise<unknown> {
    return priority === 'optional' ? this.#connection.executeOptional(work) : this.#connection.execute(work);
  }

  /** Merges the newest entries of all lists in a reply of `readTimed`. */
  #open(names: readonly string[], reply: unknown): TimedEntries {
    const timed = (Array.isArray(reply) ? reply : []) as readonly unknown[];
    return { nowMs: Number(timed[0]), entries: this.#openCopies(names, timed).reduce(mergeCopies) };
  }

  /** The entries of each key's copy that have not expired. */
  #openCopies(
    names: readonly string[],
    [time, ...values]: readonly unknown[],
  ): readonly (readonly KeptEntry[])[] {
    return this.#sealings.map((sealing, at) => {
      const kept = openKept(sealing, names[at] ?? '', values[at]);
      return kept?.entries.filter(({ untilMs }) => untilMs > Number(time)) ?? [];
    });
  }
}

/** Opens a value; `undefined` if it is empty or this key does not open it. */
function openKept(sealing: Sealing, name: string, value: unknown): Kept | undefined {
  if (!Buffer.isBuffer(value) || value.length === 0) return undefined;
  const text = sealing.open('suppressed', name, value);
  const kept = text === undefined ? undefined : (JSON.parse(text) as Partial<Kept>);
  // Earlier versions stored another form, which counts as empty.
  return Array.isArray(kept?.entries) ? (kept as Kept) : undefined;
}
