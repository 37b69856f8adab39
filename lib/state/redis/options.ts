import { ConfigurationError } from '../../core/errors.js';

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
const KNOWN: Readonly<Record<keyof RedisStateOptions, true>> = {
  connection: true,
  encryptionKeys: true,
  keyPrefix: true,
};

/** @throws ConfigurationError that names every problem and its remedy, and no value. */
export function readRedisOptions(options: RedisStateOptions): RedisSettings {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems, { of: 'redisState' });
  const { connection, encryptionKeys, keyPrefix = 'okta-telephony-hook' } = options;
  return { connection, keys: encryptionKeys.map(bytesOf), keyPrefix };
}

/** Looks at options that may have any shape. */
function problemsOf(options: unknown): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options must be an object'];
  const { connection, encryptionKeys, keyPrefix } = options as Readonly<Record<string, unknown>>;
  const problems = Object.entries(options)
    .filter(([name, value]) => value !== undefined && !Object.hasOwn(KNOWN, name))
    .map(([name]) => `${name} is not an option; remove it, or look for a misspelling`);
  if (!isRedisUrl(connection) && !isClient(connection)) {
    problems.push(
      'connection must be a URL such as rediss://user:password@host:6379/0, without a query, or an ioredis client or cluster',
    );
  } else if (typeof connection === 'string' && !isDecodable(new URL(connection))) {
    problems.push(
      'connection has a % in its user or its password that begins no code of a character: percent-encode both (a % is %25)',
    );
  }
  const keys: readonly unknown[] = Array.isArray(encryptionKeys) ? encryptionKeys : [];
  if (keys.length === 0) {
    problems.push(`encryptionKeys must be an array of the key and, while it is changed, the old one: ${HOW}`);
  }
  for (const [index, key] of keys.entries()) {
    if (!isKey(key)) problems.push(`encryptionKeys[${index}] must be 32 bytes in base64: ${HOW}`);
    else if (keys.slice(0, index).some((other) => isKey(other) && bytesOf(other).equals(bytesOf(key)))) {
      problems.push(`encryptionKeys[${index}] is there before; remove it`);
    }
  }
  if (keyPrefix !== undefined && !(typeof keyPrefix === 'string' && /^[\w.:-]{1,64}$/.test(keyPrefix))) {
    problems.push('keyPrefix must be 1 to 64 letters, digits and . : _ -');
  }
  return problems;
}

const HOW = 'openssl rand -base64 32';

/** A query could set options of the client, time-outs among them: who needs one gives a client. */
function isRedisUrl(value: unknown): boolean {
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
