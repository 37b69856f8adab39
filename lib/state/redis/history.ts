import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { HistoryLog, HistoryPage } from '../../core/history.js';
import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import { plainName, type Sealing } from './sealing.js';

/** What happened at each gateway, for all of them: a stream of sealed batches. */

/** How long it is kept, milliseconds. */
const LIFE_MS = 86_400_000;
/** How much of it: what 8,000 codes leave at least, and many more where they come close upon each other. */
const MOST_BYTES = 8 * 1024 * 1024;
/** No batch of ours is longer. */
const LONGEST_BATCH = 4 * 1024 * 1024;

/** Refused for good, and by nothing that a claim would meet. */
const TOLD_REASONS: ReadonlySet<string> = new Set(['NOPERM', 'WRONGTYPE', 'REFUSED']);

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** An entry of a stream, as it comes: its id, then names and values by turns. */
type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Compressed, then sealed: batches say the same words again and again. */
export class RedisHistory implements HistoryLog {
  readonly #connection: RedisConnection;
  readonly #sealings: readonly Sealing[];
  readonly #name: string;

  constructor(connection: RedisConnection, sealings: readonly Sealing[], keyPrefix: string) {
    this.#connection = connection;
    this.#sealings = sealings;
    this.#name = plainName(keyPrefix, 'history');
  }

  async append(batch: string): Promise<void> {
    const bytes = await deflate(batch);
    const sealed = this.#sealings.map((sealing) => sealing.seal('history', this.#name, bytes));
    await this.#told(
      this.#connection.askBeside((client) =>
        client.appendHistory(1, this.#name, MOST_BYTES, LIFE_MS, ...sealed),
      ),
    );
  }

  /** What does not open, another key's or nobody's, or is no batch, is passed over. */
  async read(after: string | undefined, max: number): Promise<HistoryPage> {
    let entries = await this.#range(after === undefined ? '-' : idAfter(after), max);
    if (entries.length === 0 && after !== undefined && (await this.#isAhead(after))) {
      entries = await this.#range('-', max);
    }
    const batches = await Promise.all(entries.map((entry) => this.#open(entry)));
    return {
      batches: batches.filter((batch) => batch !== undefined),
      cursor: entries.at(-1)?.[0].toString() ?? after,
      hasMore: entries.length === max,
    };
  }

  async #range(from: string, max: number): Promise<readonly Entry[]> {
    return this.#told(
      this.#connection.askBeside((client) => client.xrangeBuffer(this.#name, from, '+', 'COUNT', max)),
    );
  }

  /**
   * Redis failed over to a machine whose clock is behind, or forgot all: what comes there has lesser ids. What is read
   * again from the beginning is known by its gateway's place.
   */
  async #isAhead(cursor: string): Promise<boolean> {
    const [last] = await this.#told(
      this.#connection.askBeside((client) => client.xrevrangeBuffer(this.#name, '+', '-', 'COUNT', 1)),
    );
    return last !== undefined && isLater(cursor, last[0].toString());
  }

  async #open([, fields]: Entry): Promise<string | undefined> {
    // After their total, as many as its gateway has keys.
    const sealed = fields.filter((_, at) => at > 2 && at % 2 === 1);
    const bytes = this.#sealings
      .flatMap((sealing) => sealed.map((batch) => sealing.openBytes('history', this.#name, batch)))
      .find((opened) => opened !== undefined);
    if (bytes === undefined) return undefined;
    // One that was sealed with our key by something else must not keep the others from being read, for ever.
    return inflate(bytes, { maxOutputLength: LONGEST_BATCH }).then(
      (batch) => batch.toString('utf8'),
      () => undefined,
    );
  }

  async #told<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      const failure = failureOf(error);
      if (this.#connection.health === 'ok' && TOLD_REASONS.has(failure.reason)) {
        this.#connection.warn(`HISTORY_${failure.reason}`, failure.remedy);
      }
      throw failure;
    }
  }
}

/** The least one that is greater; Redis before 6.2 knows no other way to begin behind one. */
function idAfter(id: string): string {
  const [ms = '0', place = '0'] = id.split('-');
  return `${ms}-${BigInt(place) + 1n}`;
}

function isLater(id: string, other: string): boolean {
  const [ms = '0', place = '0'] = id.split('-');
  const [otherMs = '0', otherPlace = '0'] = other.split('-');
  return ms === otherMs ? BigInt(place) > BigInt(otherPlace) : BigInt(ms) > BigInt(otherMs);
}
