import { randomInt } from 'node:crypto';
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
  type SuppressionState,
} from '../../delivery/suppressions.js';
import type { Client } from './clients.js';
import type { RedisConnection } from './connection.js';
import type { Sealing } from './sealing.js';
import { Untold } from './pending-writes.js';

/** Several gateways may write of one number at once; each time one of them succeeds. */
const MOST_TRIES = 50;

/** What is kept under a name. The recipient is in it so that another key can name it. */
interface Kept {
  readonly recipient: string;
  /** By Redis's clock. */
  readonly entries: readonly KeptEntry[];
}

/** Entries, and when Redis gave them. */
interface Found {
  readonly entries: readonly KeptEntry[];
  readonly nowMs: number;
}

/** What Redis has to learn of a recipient. */
interface Telling {
  readonly recipient: string;
  /** When it was said, by this process's monotonic clock. */
  readonly saidMs: number;
  /** @throws what the connection throws. */
  readonly work: (ageMs: number) => Promise<void>;
  /** Told once Redis has it. */
  readonly onTold: () => void;
}

/** Whether codes may wait for it, or it may for codes. */
type How = 'first' | 'beside';

interface Update {
  readonly recipient: string;
  readonly ageMs: number;
  readonly change: Change;
  readonly how: How;
}

type Change = (known: readonly KeptEntry[], moment: Moment) => readonly KeptEntry[];

const asItIs = (entry: KeptEntry): KeptEntry => entry;

/**
 * Which channels a number is not to be reached by, for every gateway: one sealed list for each number, gone with the last of
 * its entries. A claim brings it along, so that nothing more is asked for before a code is sent. All times are Redis's.
 *
 * Each encryption key has a list of its own: all of them are written and read.
 */
export class RedisSuppressions implements SuppressionState {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #untold: Untold<Telling>;
  /** The last that is under way for a recipient: what is said of one is told in its order. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(connection: RedisConnection, sealings: readonly Sealing[]) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#untold = new Untold<Telling>(connection, {
      tell: (telling) => this.#tell(telling, performance.now() - telling.saidMs),
    });
  }

  /** What a claim looks up. */
  namesOf(recipient: string): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf('suppressed', recipient));
  }

  /** What a claim has found under those names. What does not open says nothing. */
  read(recipient: string, reply: unknown, nowMs: number): readonly Suppression[] {
    const found = this.#open(this.namesOf(recipient), reply);
    return found.entries.filter(isSuppression).map(({ channel, reason, untilMs }) => ({
      channel,
      reason,
      untilMs: nowMs + untilMs - found.nowMs,
    }));
  }

  suppress(recipient: string, { channel, reason, untilMs }: Suppression, nowMs: number): Promise<void> {
    return this.#change(recipient, { what: 'suppress', channel, reason, lifeMs: untilMs - nowMs });
  }

  lift(recipient: string, lifted: LiftedSuppression): Promise<void> {
    return this.#change(recipient, { what: 'lift', ...lifted });
  }

  pair(externalUserId: string, recipient: string): Promise<void> {
    return this.#say(externalUserId, async (ageMs) => {
      const { entries } = await this.#find(externalUserId);
      const words = entries.filter(isWord);
      if (words.length === 0 && entries.some(({ number }) => number === recipient)) return;
      // In this order: what is cut off in between is done once more.
      const addWords: Change = (known) => words.reduce((all, word) => addEntry(all, word, true), known);
      if (words.length > 0) await this.#update(recipient, ageMs, addWords);
      await this.#update(externalUserId, ageMs, (known, moment) => {
        const isMoved = (entry: KeptEntry): boolean =>
          isWord(entry) && words.some(({ channel, atMs }) => channel === entry.channel && atMs >= entry.atMs);
        const left = known.filter((entry) => !isMoved(entry));
        return applyChange(left, { what: 'pair', number: recipient }, moment, asItIs);
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
      return this.read(recipient, await this.#ask(this.namesOf(recipient)), nowMs);
    } catch {
      // Told by the connection.
      return undefined;
    }
  }

  /**
   * Writes what is kept under these names under those of all other keys as well, so that any but one can be taken off the list. No
   * code waits for it.
   *
   * @throws what the connection throws.
   */
  async copy(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const [, ...values] = await this.#ask(names, 'beside');
    const recipients = new Set(
      names.flatMap((name, at) =>
        this.#sealings.flatMap((sealing) => openKept(sealing, name, values[at])?.recipient ?? []),
      ),
    );
    const known = await this.#ask(
      [...recipients].flatMap((recipient) => this.namesOf(recipient)),
      'beside',
    );
    const [time, ...copies] = known;
    for (const [at, recipient] of [...recipients].entries()) {
      const own = copies.slice(at * this.#sealings.length, (at + 1) * this.#sealings.length);
      const entriesOf = this.#openCopies(this.namesOf(recipient), [time, ...own]);
      const newest = entriesOf.reduce(mergeCopies);
      if (entriesOf.every((entries) => mergeCopies(entries, newest) === entries)) continue;
      await this.#update(recipient, 0, (entries) => mergeCopies(entries, newest), 'beside');
    }
  }

  #change(recipient: string, change: SuppressionChange): Promise<void> {
    return this.#say(recipient, (ageMs) =>
      this.#update(recipient, ageMs, (known, moment) => applyChange(known, change, moment, asItIs)),
    );
  }

  /** Resolves once Redis has it. What has just been said counts when it arrives, whatever any clock says. */
  #say(recipient: string, work: Telling['work']): Promise<void> {
    return new Promise((onTold) => {
      void this.#tell({ recipient, saidMs: performance.now(), work, onTold }, 0);
    });
  }

  /** What comes to nothing because Redis is lost is told when it is back; told twice it is the same. */
  #tell(telling: Telling, ageMs: number): Promise<void> {
    const { recipient, work, onTold } = telling;
    const turn = (this.#turns.get(recipient) ?? Promise.resolve())
      .then(() => work(ageMs))
      .then(onTold, () => {
        // Told by the connection.
        this.#untold.add(telling);
      })
      .then(() => {
        if (this.#turns.get(recipient) === turn) this.#turns.delete(recipient);
      });
    this.#turns.set(recipient, turn);
    return turn;
  }

  async #update(recipient: string, ageMs: number, change: Change, how: How = 'first'): Promise<void> {
    for (const sealing of this.#sealings) await this.#replace(sealing, { recipient, ageMs, change, how });
  }

  /** @throws what the connection throws, and where others were faster each time. */
  async #replace(sealing: Sealing, update: Update): Promise<void> {
    const { recipient, ageMs, change, how } = update;
    const name = sealing.nameOf('suppressed', recipient);
    for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
      const [time, value] = (await this.#ask([name], how)) as readonly Buffer[];
      const nowMs = Number(time);
      const known = openKept(sealing, name, value)?.entries.filter(({ untilMs }) => untilMs > nowMs) ?? [];
      const entries = change(known, { nowMs, ageMs });
      if (entries === known || (entries.length === 0 && value?.length === 0)) return;
      const kept: Kept = { recipient, entries };
      const sealed = entries.length === 0 ? '' : sealing.seal('suppressed', name, JSON.stringify(kept));
      const lifeMs = Math.max(1, Math.ceil(Math.max(...entries.map(({ untilMs }) => untilMs)) - nowMs));
      const isDone = await this.#send(
        (client) => client.replaceValue(1, name, value ?? '', sealed, entries.length === 0 ? 0 : lifeMs),
        how,
      );
      if (isDone === 1) return;
      // Others are at it: not all of them again at the same moment.
      await new Promise((resolve) => {
        setTimeout(resolve, randomInt(tries * 2));
      });
    }
    throw new Error('others were faster');
  }

  async #find(recipient: string): Promise<Found> {
    const names = this.namesOf(recipient);
    return this.#open(names, await this.#ask(names));
  }

  /** In the form of `readTimed`. */
  async #ask(names: readonly string[], how: How = 'first'): Promise<readonly unknown[]> {
    const reply = await this.#send((client) => client.readTimedBuffer(names.length, ...names), how);
    return reply as readonly unknown[];
  }

  #send(work: (client: Client) => Promise<unknown>, how: How): Promise<unknown> {
    return how === 'beside' ? this.#connection.askBeside(work) : this.#connection.ask(work);
  }

  /** Of each list the newest, in the form of `readTimed`. */
  #open(names: readonly string[], reply: unknown): Found {
    const timed = (Array.isArray(reply) ? reply : []) as readonly unknown[];
    return { nowMs: Number(timed[0]), entries: this.#openCopies(names, timed).reduce(mergeCopies) };
  }

  /** What each key's copy has, as long as it holds. */
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

/** `undefined` where nothing is kept, or the key does not open it. */
function openKept(sealing: Sealing, name: string, value: unknown): Kept | undefined {
  if (!Buffer.isBuffer(value) || value.length === 0) return undefined;
  const text = sealing.open('suppressed', name, value);
  const kept = text === undefined ? undefined : (JSON.parse(text) as Partial<Kept>);
  // What a version before this one kept has another form, and says nothing.
  return Array.isArray(kept?.entries) ? (kept as Kept) : undefined;
}
