import type { RedisConnection } from './redis-connection.js';
import { failureOf } from './redis-failure.js';
import type { RedisSuppressions } from './redis-suppressions.js';
import type { RedisTimes } from './redis-times.js';
import { plainName } from './sealing.js';

/** So many keys does Redis look at in one step: it serves others between the steps. */
const KEYS_AT_ONCE = 500;

interface RekeyingParts {
  readonly redis: RedisConnection;
  readonly keyPrefix: string;
  readonly suppressions: RedisSuppressions;
  readonly times: RedisTimes;
}

/**
 * Carries over what users said, STOP and START, to all listed keys: it holds for a year, and a key may be taken off the list long
 * before that. In the background, from the first use of Redis on, again and again.
 */
export class RedisRekeying {
  readonly #parts: RekeyingParts;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;
  #isClosed = false;

  constructor(parts: RekeyingParts) {
    this.#parts = parts;
  }

  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#sweepIn(0);
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
      await this.#copyAll();
      this.#sweepIn(times.rekeyEveryMs);
    } catch (error) {
      const { reason, remedy } = failureOf(error);
      if (reason === 'NOPERM') redis.warn('REKEY_NOPERM', remedy);
      this.#sweepIn(times.rekeyRetryMs);
    }
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
