import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { HistoryLog, HistoryPage } from '../../delivery/state.js';
import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import { plainName, type Sealing } from './sealing.js';

/** The history of all gateways for the console: a stream of sealed batches in Redis. */

/** Milliseconds that a batch is kept. */
const LIFE_MS = 86_400_000;
/**
 * Bytes that are kept: the events of 8,000 codes at least, and of many more that come in quick succession.
 */
const MAX_BYTES = 8 * 1024 * 1024;
/** Bytes. Longer than any batch of a gateway. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Reasons to report here: lasting refusals that no claim meets. */
const REPORTED_REASONS: ReadonlySet<string> = new Set(['NOPERM', 'WRONGTYPE', 'REFUSED']);

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** A stream entry of ioredis: its id, then names and values in turn. */
type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

/** Batches are compressed before sealing, because their events repeat the same words. */
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
    await this.#reportRefusal(
      this.#connection.executeOptional((client) =>
        client.appendHistory(1, this.#name, MAX_BYTES, LIFE_MS, ...sealed),
      ),
    );
  }

  /** Skips batches of other keys and damaged ones. */
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
    return this.#reportRefusal(
      this.#connection.executeOptional((client) => client.xrangeBuffer(this.#name, from, '+', 'COUNT', max)),
    );
  }

  /**
   * Whether the cursor is later than the newest entry: Redis failed over to a machine whose clock is behind,
   * or lost its data, so that new ids are smaller. The reader recognises repeated batches by their gateway
   * and number.
   */
  async #isAhead(cursor: string): Promise<boolean> {
    const [last] = await this.#reportRefusal(
      this.#connection.executeOptional((client) => client.xrevrangeBuffer(this.#name, '+', '-', 'COUNT', 1)),
    );
    return last !== undefined && isLater(cursor, last[0].toString());
  }

  async #open([, fields]: Entry): Promise<string | undefined> {
    // The batch follows the total, once for each key of the gateway that wrote it.
    const sealed = fields.filter((_, at) => at > 2 && at % 2 === 1);
    const bytes = this.#sealings
      .flatMap((sealing) => sealed.map((batch) => sealing.openBytes('history', this.#name, batch)))
      .find((opened) => opened !== undefined);
    if (bytes === undefined) return undefined;
    // A damaged batch must not keep the others from being read.
    return inflate(bytes, { maxOutputLength: MAX_BATCH_BYTES }).then(
      (batch) => batch.toString('utf8'),
      () => undefined,
    );
  }

  async #reportRefusal<T>(reply: Promise<T>): Promise<T> {
    try {
      return await reply;
    } catch (error) {
      const failure = failureOf(error);
      if (this.#connection.health === 'ok' && REPORTED_REASONS.has(failure.reason)) {
        this.#connection.warn(`HISTORY_${failure.reason}`, failure.remedy);
      }
      throw failure;
    }
  }
}

/** The next greater id. Redis before 6.2 has no exclusive ranges. */
function idAfter(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-');
  return `${ms}-${BigInt(sequence) + 1n}`;
}

function isLater(id: string, other: string): boolean {
  const [ms = '0', sequence = '0'] = id.split('-');
  const [otherMs = '0', otherSequence = '0'] = other.split('-');
  return ms === otherMs ? BigInt(sequence) > BigInt(otherSequence) : BigInt(ms) > BigInt(otherMs);
}
