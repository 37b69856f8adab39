import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import type { RedisRecords } from './records.js';
import type { RedisTimes } from './options.js';
import { plainName, type Sealing } from './sealing.js';

/** Keys that Redis checks in one step. It serves other clients between the steps. */
const KEYS_AT_ONCE = 500;

/** Sweeps that a mark stays valid. A live gateway renews its mark with each sweep. */
const MARK_LIFE_SWEEPS = 2.5;

/**
 * The key under which gateways mark their lists of encryption keys. Each line holds until when it is valid,
 * then the keys' ids.
 */
interface KeysMark {
  readonly name: string;
  /** The ids of this gateway's list. */
  readonly ours: string;
  /** Whether a line's list shares a key with this one. */
  readonly isShared: (line: string) => boolean;
}

export function keysMark(keyPrefix: string, sealings: readonly Sealing[]): KeysMark {
  // Sorted, because the order of a list does not matter.
  const ids = sealings.map(({ id }) => id).sort();
  return {
    name: plainName(keyPrefix, 'keys'),
    ours: ids.join(' '),
    isShared: (line) => line.split(' ').some((id) => ids.includes(id)),
  };
}

interface RekeyingParts {
  readonly redis: RedisConnection;
  readonly keyPrefix: string;
  readonly records: RedisRecords;
  readonly times: RedisTimes;
}

/**
 * Background work for encryption keys, from the first use of Redis on. Each gateway marks its list of keys:
 * gateways without a common key share nothing, and only the mark reveals it. A gateway with several keys
 * copies opt-outs and opt-ins (STOP and START) to all of them: they are kept for a year, and a key may leave
 * the list long before.
 */
export class RedisRekeying {
  readonly #parts: RekeyingParts;
  readonly #mark: KeysMark;
  readonly #hasSeveral: boolean;
  #timer: NodeJS.Timeout | undefined;
  #hasStarted = false;
  #isClosed = false;

  constructor(sealings: readonly Sealing[], parts: RekeyingParts) {
    this.#parts = parts;
    this.#mark = keysMark(parts.keyPrefix, sealings);
    this.#hasSeveral = sealings.length > 1;
  }

  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    // With one key there is nothing to copy.
    this.#sweepIn(this.#hasSeveral ? 0 : this.#parts.times.rekeyEveryMs);
  }

  /** Starts the sweeps and warns at once about gateways with other keys. */
  async checkNow(): Promise<void> {
    this.start();
    // The connection reports the failure.
    await this.#markKeys().catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #sweepIn(waitMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#sweep(), waitMs);
    // Does not keep the process alive.
    this.#timer.unref();
  }

  async #sweep(): Promise<void> {
    const { redis, times } = this.#parts;
    try {
      const others = await this.#markKeys();
      if (this.#hasSeveral) await this.#copyAll();
      if (this.#hasSeveral && others.length === 0) {
        redis.warn(
          'SEVERAL_KEYS',
          'STOP and START are kept for each of the encryptionKeys. Remove the old key one hour after the last gateway has this list; with guard.learn, a month after.',
        );
      }
      this.#sweepIn(times.rekeyEveryMs);
    } catch (error) {
      const { reason, remedy } = failureOf(error);
      if (reason === 'NOPERM') redis.warn('REKEY_NOPERM', remedy);
      this.#sweepIn(times.rekeyRetryMs);
    }
  }

  /**
   * Marks the keys of this gateway. Resolves to the lines of other lists.
   *
   * @throws RedisFailure
   */
  async #markKeys(): Promise<readonly string[]> {
    const { redis, times } = this.#parts;
    const { name, ours, isShared } = this.#mark;
    const lifeMs = Math.ceil(times.rekeyEveryMs * MARK_LIFE_SWEEPS);
    const others = await redis.executeOptional((client) => client.markKeys(1, name, ours, lifeMs));
    if (!others.every(isShared)) {
      redis.warn(
        'OTHER_KEYS',
        'Another gateway uses other encryptionKeys with this Redis and keyPrefix, and shares nothing with this one. Give all gateways the same list.',
      );
    }
    return others;
  }

  /** @throws RedisFailure */
  async #copyAll(): Promise<void> {
    const { redis, keyPrefix, records } = this.#parts;
    const prefix = plainName(keyPrefix, 'suppressions');
    let cursor = '0';
    do {
      const [next, names] = (await redis.executeOptional((client) =>
        client.scanNames(1, `${prefix}:*`, cursor, KEYS_AT_ONCE),
      )) as readonly [next: string, names: readonly string[]];
      // A given client may have a `keyPrefix`, which ioredis puts before each name.
      await records.copy(names.map((name) => name.slice(name.indexOf(prefix))));
      cursor = next;
    } while (cursor !== '0' && !this.#isClosed);
  }
}
