import { randomUUID } from 'node:crypto';
import type { Result } from 'ioredis';
import type { Client } from './clients.js';
import { plainName } from './sealing.js';
import { READ_CLOCK, RUN_STEPS, STEP_SCRIPTS } from './step-scripts.js';

/**
 * The Lua scripts that Redis runs as commands of their own, and the names under which a client knows all
 * scripts. `step-scripts.ts` says what holds for all of them.
 */

/**
 * Scans for keys. KEYS: the pattern, passed as a key so that a cluster scans the shard of these keys. ARGV:
 * the cursor, how many keys Redis checks at once. Replies the next cursor, `0` at the end, and the keys
 * found.
 */
const SCAN_NAMES = `
local pattern, cursor, count = KEYS[1], ARGV[1], ARGV[2]
return redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', count)
`;

/**
 * Marks which encryption keys a gateway has.
 *
 * KEYS: the marks, a line for each list of keys in use: until when it is valid, then the keys' ids. ARGV: the
 * ids of this gateway, how long its mark is valid, milliseconds. Replies the lines of other lists.
 */
const MARK_KEYS = `
${READ_CLOCK}
local ownIds, lifeMs = ARGV[1], tonumber(ARGV[2])
local others = {}
for line in string.gmatch(redis.call('GET', KEYS[1]) or '', '[^\\n]+') do
  local untilMs, ids = string.match(line, '^(%d+) (.+)$')
  if ids and ids ~= ownIds and tonumber(untilMs) > now then others[#others + 1] = line end
end
local ownLine = string.format('%.0f %s', now + lifeMs, ownIds)
local longestMs = math.max(lifeMs, redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], table.concat({ownLine, unpack(others)}, '\\n'), 'PX', longestMs)
return others
`;

/**
 * Appends a batch to the history, and deletes the oldest batches that are too old or exceed the size.
 *
 * KEYS: the history, a stream. ARGV: how many bytes are kept, how long, milliseconds, then the batch, sealed
 * for each encryption key. Each entry holds the total of bytes up to and including it, which says how many of
 * the oldest exceed the size.
 */
const APPEND_HISTORY = `
local maxBytes, lifeMs = ARGV[1], ARGV[2]
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local total = last and tonumber(last[2][2]) or 0
local batches = {}
for i = 3, #ARGV do
  total = total + #ARGV[i]
  batches[#batches + 1] = 'batch'
  batches[#batches + 1] = ARGV[i]
end
redis.call('XADD', KEYS[1], '*', 'total', string.format('%.0f', total), unpack(batches))
redis.call('PEXPIRE', KEYS[1], lifeMs)
${READ_CLOCK}
local oldestMs = now - lifeMs
for i = 1, 500 do
  local id, fields = unpack(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1])
  local addedMs = tonumber(string.match(id, '^%d+'))
  if addedMs >= oldestMs and tonumber(fields[2]) > total - maxBytes then break end
  redis.call('XDEL', KEYS[1], id)
end
return 1
`;

/**
 * Sets an alarm. KEYS: the alarms, a sorted set by when each is due, by Redis's clock. ARGV: the alarm, in
 * how many milliseconds it is due, how long the set stays after the last alarm was due, milliseconds.
 */
const SET_ALARM = `
${READ_CLOCK}
local alarm, dueInMs, keptMs = ARGV[1], ARGV[2], ARGV[3]
redis.call('ZADD', KEYS[1], now + dueInMs, alarm)
local lifeMs = dueInMs + keptMs
if redis.call('PTTL', KEYS[1]) < lifeMs then redis.call('PEXPIRE', KEYS[1], lifeMs) end
return 1
`;

/** Removes the alarms that are due, and replies them. KEYS: the alarms. ARGV: how many at most. */
const TAKE_ALARMS = `
${READ_CLOCK}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, alarm in ipairs(due) do redis.call('ZREM', KEYS[1], alarm) end
return due
`;

/** All scripts by the names of their commands. */
export const SCRIPTS = {
  ...STEP_SCRIPTS,
  runSteps: RUN_STEPS,
  scanNames: SCAN_NAMES,
  markKeys: MARK_KEYS,
  appendHistory: APPEND_HISTORY,
  setAlarm: SET_ALARM,
  takeAlarms: TAKE_ALARMS,
} as const;

type Arguments = readonly [numberOfKeys: number, ...keysAndArguments: (string | number | Buffer)[]];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    claimEventBuffer(...args: Arguments): Result<unknown, Context>;
    settleEventBuffer(...args: Arguments): Result<unknown, Context>;
    releaseEventBuffer(...args: Arguments): Result<unknown, Context>;
    isCurrentBuffer(...args: Arguments): Result<unknown, Context>;
    useCodeBuffer(...args: Arguments): Result<unknown, Context>;
    learnCodeBuffer(...args: Arguments): Result<unknown, Context>;
    giveBackBuffer(...args: Arguments): Result<unknown, Context>;
    learnUseBuffer(...args: Arguments): Result<unknown, Context>;
    liftLearnedBuffer(...args: Arguments): Result<unknown, Context>;
    exchangeBuffer(...args: Arguments): Result<unknown, Context>;
    runStepsBuffer(...args: Arguments): Result<unknown, Context>;
    scanNames(...args: Arguments): Result<unknown, Context>;
    markKeys(...args: Arguments): Result<readonly string[], Context>;
    appendHistory(...args: Arguments): Result<unknown, Context>;
    setAlarm(...args: Arguments): Result<unknown, Context>;
    takeAlarmsBuffer(...args: Arguments): Result<readonly Buffer[], Context>;
  }
}

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
