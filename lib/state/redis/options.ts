import Joi from 'joi';
import { lazyRules, mustBe, optionsOf, readOptionsBy, tested, textOf } from '../../core/option-rules.js';

/** An ioredis client or cluster, version 5 or 6, with its connection options. */
export interface RedisClient {
  /** The hook uses a duplicate with its own time-outs and leaves the client unchanged. */
  duplicate(...overrides: never[]): object;
  /** Whether it is a cluster. */
  readonly isCluster: boolean;
}

/** The options of `redisState`. */
export interface RedisStateOptions {
  /** `redis://…` or `rediss://…`, or an ioredis client or cluster of your own. */
  readonly connection: string | RedisClient;
  /**
   * Keys of 32 bytes in base64. One key; two while a key is replaced, in any order. Every stored value has a
   * copy for each key.
   */
  readonly encryptionKeys: readonly string[];
  /**
   * The prefix of every Redis key, as a hash tag: 1 to 64 letters, digits and `. : _ -`. Hooks of different
   * Okta orgs on one Redis need different prefixes. Default `okta-telephony-hook`.
   */
  readonly keyPrefix?: string | undefined;
}

/** The validated options. */
interface RedisSettings {
  readonly connection: string | RedisClient;
  readonly keys: readonly Buffer[];
  readonly keyPrefix: string;
}

const KEY_BYTES = 32;
const HOW = 'openssl rand -base64 32';

const RULES = lazyRules(() =>
  optionsOf<RedisStateOptions & { readonly keyPrefix: string }>('an object', {
    connection: tested(
      'a URL such as rediss://user:password@host:6379/0, without a query, or an ioredis client or cluster',
      (value) => isRedisUrl(value) || isClient(value),
    )
      .custom((value: unknown, helpers) =>
        isRedisUrl(value) && !isDecodable(new URL(value)) ? helpers.error('redis.encoding') : value,
      )
      .messages({
        'redis.encoding':
          '{{#label}} has a % in its user or its password that begins no code of a character: percent-encode both (a % is %25)',
      })
      .required(),
    encryptionKeys: Joi.array()
      .items(tested(`32 bytes in base64: ${HOW}`, isKey))
      .min(1)
      .unique((one, other) => isKey(one) && isKey(other) && bytesOf(one).equals(bytesOf(other)))
      .required()
      .messages({
        ...mustBe(`an array of the key and, while it is changed, the old one: ${HOW}`),
        'array.sparse': `{{#label}} must be 32 bytes in base64: ${HOW}`,
        'array.unique': '{{#label}} is there before; remove it',
      }),
    keyPrefix: textOf('1 to 64 letters, digits and . : _ -')
      .pattern(/^[\w.:-]{1,64}$/)
      .default('okta-telephony-hook'),
  }),
);

/** @throws ConfigurationError that names every problem and its remedy, and no value. */
export function readRedisOptions(options: RedisStateOptions): RedisSettings {
  const { connection, encryptionKeys, keyPrefix } = readOptionsBy(RULES(), options, 'redisState');
  return { connection, keys: encryptionKeys.map(bytesOf), keyPrefix };
}

/** A query could set options of the client, time-outs among them: who needs one gives a client. */
function isRedisUrl(value: unknown): value is string {
  if (typeof value !== 'string' || /\s/.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname, search, hash } = new URL(value);
  return (protocol === 'redis:' || protocol === 'rediss:') && hostname !== '' && search === '' && hash === '';
}

/** ioredis throws for credentials that cannot be decoded. */
function isDecodable({ username, password }: URL): boolean {
  return decodeUrlPart(username) !== undefined && decodeUrlPart(password) !== undefined;
}

/** Decodes a part of a URL; `undefined` if it has an invalid `%` sequence. */
export function decodeUrlPart(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function isClient(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'duplicate' in value &&
    typeof value.duplicate === 'function' &&
    'isCluster' in value &&
    typeof value.isCluster === 'boolean'
  );
}

/** `Buffer.from` ignores invalid characters. */
function isKey(value: unknown): value is string {
  return (
    typeof value === 'string' && /^[A-Za-z0-9+/_-]{43}=?$/.test(value) && bytesOf(value).length === KEY_BYTES
  );
}

/** Accepts base64 and base64url, with and without padding. */
function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'base64');
}

/** Time-outs and intervals for Redis, in milliseconds. Read each time they are used. */
export interface RedisTimes {
  /** Time-out of a connection. */
  readonly connectMs: number;
  /** Time until the socket of a failed connection is destroyed. */
  readonly disconnectMs: number;
  /** Time-out of a command, and of the wait for a connection before it. */
  readonly commandMs: number;
  /**
   * Interval between attempts to reach a lost Redis. A connection that ends sooner after it was made was not
   * idle.
   */
  readonly probeEveryMs: number;
  /** How long a repeat waits for the answer of the first call. */
  readonly answerMs: number;
  /** How often a repeat polls for that answer: short at first, then longer. */
  readonly poll: { readonly firstMs: number; readonly factor: number; readonly longestMs: number };
  /** How often due alarms are taken. */
  readonly alarmEveryMs: number;
  /** Interval between sweeps for values without a copy for every key, while several keys are listed. */
  readonly rekeyEveryMs: number;
  /** Interval after a sweep that Redis did not complete. */
  readonly rekeyRetryMs: number;
}

/** The times that gateways use. */
export const DEFAULT_TIMES: RedisTimes = {
  connectMs: 1_000,
  disconnectMs: 200,
  // Far more than Redis needs, and less than a call allows for its state.
  commandMs: 150,
  probeEveryMs: 1_000,
  // No call waits longer than its own deadline, 2800 at most.
  answerMs: 3_000,
  poll: { firstMs: 10, factor: 1.5, longestMs: 100 },
  alarmEveryMs: 1_000,
  // Gateways with only the old key may still write with it.
  rekeyEveryMs: 600_000,
  rekeyRetryMs: 60_000,
};
