import { randomUUID } from 'node:crypto';
import type { Client } from './clients.js';
import { plainName } from './sealing.js';

/** What is asked of a Redis to know whether it will do. */

/** A probe that let itself be written is of no further use, milliseconds. */
const PROBE_LIFE_MS = 1_000;

/**
 * One key, which is gone at the end, or by itself where a command in between is refused: the right to let it go is asked
 * for before anything is written that would stay.
 */
const begin = `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[1])
`;

/** What each use of a Redis asks of it, as the README's section on Redis lists it: one command of each kind. */
const USES = {
  codes: `${begin}
redis.call('TIME')
redis.call('GET', KEYS[1])
redis.call('PTTL', KEYS[1])
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('DECR', KEYS[1])
redis.call('DEL', KEYS[1])
return 1`,
  history: `${begin}
local id = redis.call('XADD', KEYS[1], '*', 'probe', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('XDEL', KEYS[1], id)
redis.call('DEL', KEYS[1])
return 1`,
  alarms: `${begin}
redis.call('ZADD', KEYS[1], 1, 'probe')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', 1, 'LIMIT', 0, 1)
redis.call('ZREM', KEYS[1], 'probe')
return 1`,
} as const;

/** What gateways do with a Redis: send codes once, show their history, and wait for what becomes of a message. */
export type RedisUse = keyof typeof USES;

/** Does once what a use does. */
export function tryUse(client: Client, keyPrefix: string, use: RedisUse): Promise<unknown> {
  return client.eval(USES[use], 1, probeName(keyPrefix), PROBE_LIFE_MS);
}

/**
 * Writes as a claim writes: what lets it through lets claims through. An event and a limit, for a cluster takes no command with two
 * keys of a slot that moves.
 */
export function probeBy(keyPrefix: string): (client: Client) => Promise<unknown> {
  return (client) => {
    const names = [probeName(keyPrefix), probeName(keyPrefix)];
    return client.claimEventBuffer(names.length, ...names, 'H', PROBE_LIFE_MS, 0, 1, 1, PROBE_LIFE_MS);
  };
}

function probeName(keyPrefix: string): string {
  return plainName(keyPrefix, `probe:${randomUUID()}`);
}
