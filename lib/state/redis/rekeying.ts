import type { RedisConnection } from './connection.js';
import { failureOf } from './failure.js';
import type { RedisSuppressions } from './suppressions.js';
import type { RedisTimes } from './times.js';
import { plainName, type Sealing } from './sealing.js';

/** So many keys does Redis look at in one step: it serves others between the steps. */
const KEYS_AT_ONCE = 500;

/** A gateway that lives marks its keys again within so many sweeps; what another one has marked is known for as long. */
const MARKED_FOR_SWEEPS = 2.5;

/** Where gateways write which lists of keys they have: a line each, until when it is known, then the ids. */
interface KeysMark {
  readonly name: string;
  /** What one of this list writes there. */
  readonly ours: string;
  /** Whether the list of a line has one of these keys. */
  readonly isShared: (line: string) => boolean;
}

export function keysMark(keyPrefix: string, sealings: readonly Sealing[]): KeysMark {
  // In whatever order they are listed.
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
  readonly suppressions: RedisSuppressions;
  readonly times: RedisTimes;
}

/**
 * What gateways do about their encryption keys in the background, from the first use of Redis on, again and again. Each marks which
 * it has: those that have none in common find nothing of each other's, and nothing else would tell. Those that have several carry
 * over what users said, STOP and START, to all of them: it holds for a year, and a key may be taken off the list long before that.
 */
export class RedisRekeying {
  readonly #parts: RekeyingParts;
  readonly #mark: KeysMark;
  readonly #hasSeveral: boolean;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;
  #isClosed = false;

  constructor(sealings: readonly Sealing[], parts: RekeyingParts) {
    this.#parts = parts;
    this.#mark = keysMark(parts.keyPrefix, sealings);
    this.#hasSeveral = sealings.length > 1;
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    // With one key there is nothing to carry over.
    this.#sweepIn(this.#hasSeveral ? 0 : this.#parts.times.rekeyEveryMs);
  }

  /** Begins, and tells at once of gateways that have other keys. */
  async look(): Promise<void> {
    this.begin();
    // Told by the connection.
    await this.#markKeys().catch(() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #sweepIn(waitMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#sweep(), waitMs);
    // A process that has nothing else to do may end.
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
          'STOP and START are kept under each of the encryptionKeys. An hour after the last gateway has this list, take the old key off.',
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
   * Gives the other lists that gateways have.
   *
   * @throws what the connection throws.
   */
  async #markKeys(): Promise<readonly string[]> {
    const { redis, times } = this.#parts;
    const { name, ours, isShared } = this.#mark;
    const lifeMs = Math.ceil(times.rekeyEveryMs * MARKED_FOR_SWEEPS);
    const others = await redis.askBeside((client) => client.markKeys(1, name, ours, lifeMs));
    if (!others.every(isShared)) {
      redis.warn(
        'OTHER_KEYS',
        'Another gateway has other encryptionKeys on this Redis and keyPrefix, and shares nothing with this one. Give all of them one list.',
      );
    }
    return others;
  }

  /** @throws what the connection throws. */
  async #copyAll(): Promise<void> {
    const { redis, keyPrefix, suppressions } = this.#parts;
    const begin = plainName(keyPrefix, 'suppressed');
    let cursor = '0';
    do {
      const [next, names] = (await redis.askBeside((client) =>
        client.scanNames(1, `${begin}:*`, cursor, KEYS_AT_ONCE),
      )) as readonly [next: string, names: readonly string[]];
      // A client of the user's own may have a prefix, which it puts before every name.
      await suppressions.copy(names.map((name) => name.slice(name.indexOf(begin))));
      cursor = next;
    } while (cursor !== '0' && !this.#isClosed);
  }
}
