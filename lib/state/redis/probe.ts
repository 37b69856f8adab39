import { randomUUID } from 'node:crypto';
import type { Client } from './clients.js';
import { plainName } from './sealing.js';

/** Probes that test whether a Redis accepts what the hook needs. */

/** The life of a probe's key, milliseconds. */
const PROBE_LIFE_MS = 1_000;

/**
 * Writes one key and deletes it. If a command in between is refused, the key expires: the right to do that is
 * tested before anything is written that would stay.
 */
const WRITE_AND_DELETE = `
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[1])
`;

/** One command of each kind that a use needs, as docs/run/several-gateways.md lists them. */
const USES = {
  codes: `${WRITE_AND_DELETE}
redis.call('TIME')
redis.call('GET', KEYS[1])
redis.call('PTTL', KEYS[1])
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('DECR', KEYS[1])
redis.call('DEL', KEYS[1])
return 1`,
  history: `${WRITE_AND_DELETE}
local id = redis.call('XADD', KEYS[1], '*', 'probe', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('XDEL', KEYS[1], id)
redis.call('DEL', KEYS[1])
return 1`,
  alarms: `${WRITE_AND_DELETE}
redis.call('ZADD', KEYS[1], 1, 'probe')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', 1, 'LIMIT', 0, 1)
redis.call('ZREM', KEYS[1], 'probe')
return 1`,
} as const;

/** The uses of a Redis: claims of codes, the console's history, and alarms of late failover. */
export type RedisUse = keyof typeof USES;

/** Runs the commands of a use once. */
export function tryUse(client: Client, keyPrefix: string, use: RedisUse): Promise<unknown> {
  return client.eval(USES[use], 1, probeName(keyPrefix), PROBE_LIFE_MS);
}

/**
 * Writes as a claim writes: if Redis accepts it, it accepts claims. It uses the keys of an event and of a
 * limit, because a cluster refuses commands with several keys of a slot that moves.
 */
export function probeBy(keyPrefix: string): (client: Client) => Promise<unknown> {
  return (client) => {
    const names = [probeName(keyPrefix), probeName(keyPrefix)];
    const noPlace = ['', 'never', 0, 0];
    return client.claimEventBuffer(
      ...([names.length, ...names, 'probe', PROBE_LIFE_MS, 0, 1, ...noPlace, 1, PROBE_LIFE_MS] as const),
    );
  };
}

function probeName(keyPrefix: string): string {
  return plainName(keyPrefix, `probe:${randomUUID()}`);
}
