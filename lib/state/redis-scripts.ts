import type { Result } from 'ioredis';

/**
 * What Redis does in one step each. All keys of a script have one hash tag, so that a cluster runs it on the one shard
 * that holds them; for Redis 6 or later, and Valkey.
 */

/** Redis's own time, milliseconds: the one clock that all gateways share. */
const TIME = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS: values. Gives the time, then each value or an empty text. What a value says of time is held against the time that it
 * was read at.
 */
const READ_TIMED = `
${TIME}
local reply = {string.format('%.0f', now)}
for i = 1, #KEYS do reply[i + 1] = redis.call('GET', KEYS[i]) or '' end
return reply
`;

/**
 * KEYS: the event (where it has one), then the limits, then what is known of the recipient (where that is asked for). ARGV:
 * the claim's token, how long it is remembered (both empty without an event), how many keys are the recipient's, then
 * points and milliseconds of each limit.
 *
 * Gives `{1, recipient, …}` to the first: what `readTimed` gives of the recipient, and the places of limits that have no
 * point left, from 0; `{0, value}` to a repeat. Claimed again with its own token, as a cluster's client may when a shard
 * moves, it is still the first, and takes no point twice.
 */
const CLAIM = `
local limits = ARGV[1] == '' and 1 or 2
local last = #KEYS - ARGV[3]
local reply = {1, ''}
if last < #KEYS then
  ${TIME}
  reply[2] = {string.format('%.0f', now)}
  for i = last + 1, #KEYS do table.insert(reply[2], redis.call('GET', KEYS[i]) or '') end
end
if limits == 2 then
  local held = redis.call('GET', KEYS[1])
  if held == ARGV[1] then return reply end
  if held then return {0, held} end
end
for i = limits, last do
  local points = tonumber(ARGV[4 + (i - limits) * 2])
  if tonumber(redis.call('GET', KEYS[i]) or 0) >= points then reply[#reply + 1] = i - limits end
end
if #reply == 2 then
  for i = limits, last do
    if redis.call('INCR', KEYS[i]) == 1 then redis.call('PEXPIRE', KEYS[i], ARGV[5 + (i - limits) * 2]) end
  end
end
if limits == 2 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return reply
`;

/** KEYS: the event. ARGV: the claim's token, the sealed answer. Whoever claimed it since keeps their claim. */
const SETTLE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
`;

/** KEYS: the event (where it has one), then the limits that a point was taken of. ARGV: the claim's token, or nothing. */
const RELEASE = `
local limits = ARGV[1] == '' and 1 or 2
if limits == 2 then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call('DEL', KEYS[1])
end
for i = limits, #KEYS do
  if tonumber(redis.call('GET', KEYS[i]) or 0) > 0 then redis.call('DECR', KEYS[i]) end
end
return 1
`;

/**
 * KEYS: the person. ARGV: the event, '1' for a preview, how long to know it, how many previews to know, how long ago it
 * was, the event that it comes right after (empty for none). Milliseconds.
 *
 * Kept is when the newest came, by Redis's clock, then the event ('-' where none is known), then the newest previews. What comes now is the newest,
 * whatever any clock says; only what is told later, because Redis was away, is not where a newer one is known. Previews are none.
 */
const OVERTAKE = `
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[5]
local life = tonumber(ARGV[3])
local known = redis.call('GET', KEYS[1])
local words = {}
for word in string.gmatch(known or '', '%S+') do words[#words + 1] = word end
local late = known and tonumber(ARGV[5]) > 0 and tonumber(words[1]) > at
if late and words[2] ~= '-' and words[2] ~= ARGV[6] then return 0 end
local kept = {string.format('%.0f', at), ARGV[1]}
if late then
  for i = 3, #words do kept[#kept + 1] = words[i] end
  life = math.max(life, redis.call('PTTL', KEYS[1]))
end
if ARGV[2] == '1' then
  kept[2] = '-'
  if known then
    kept = {words[1], words[2]}
    for i = math.max(3, #words - ARGV[4] + 2), #words do kept[#kept + 1] = words[i] end
    life = math.max(life, redis.call('PTTL', KEYS[1]))
  end
  kept[#kept + 1] = ARGV[1]
end
redis.call('SET', KEYS[1], table.concat(kept, ' '), 'PX', life)
return 1
`;

/**
 * KEYS: the receipt, the report of its message. ARGV: the sealed receipt, how long it is kept, milliseconds. Gives the report
 * that came first, and keeps nothing then.
 */
const KEEP = `
local report = redis.call('GET', KEYS[2])
if not report then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return report
`;

/**
 * KEYS: the receipt, the report of its message. ARGV: the sealed report, '1' where it was delivered, how long it is
 * remembered, milliseconds. The receipt is given to one, with what is left of its life, milliseconds. Of a message that was delivered nothing needs to be known where
 * there was a receipt: nobody goes on with it.
 */
const TAKE = `
local sealed = redis.call('GET', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if sealed then redis.call('DEL', KEYS[1]) end
if ARGV[2] == '1' then
  if not sealed then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3]) end
else
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3], 'NX')
end
return sealed and {sealed, left}
`;

/**
 * KEYS: one key. ARGV: the value that it had (empty for none), the one that it is to have (empty for none), how long,
 * milliseconds. Gives 0 where it has another one by now.
 */
const REPLACE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
`;

/**
 * KEYS: the pattern of names, a key so that the shard of these names is looked through. ARGV: where to go on, how many keys are
 * looked at. Gives where to go on, `0` at the end, and names.
 */
const SCAN_NAMES = `return redis.call('SCAN', ARGV[1], 'MATCH', KEYS[1], 'COUNT', ARGV[2])`;

/** Stands behind the time of a code that was accepted. */
export const ACCEPTED = '+';

/**
 * KEYS: the last code that somebody asked for. ARGV: when that was, the mark of one that was accepted (empty for another),
 * the sealed code, how long it is kept, milliseconds. One that was asked for later stays, and of two that were asked for at
 * the same time the one with the greater mark: '~' stands where one was given.
 */
const KEEP_SENT = `
local known = redis.call('GET', KEYS[1])
if known then
  local at, mark = string.match(known, '^([^ +~]+)([+~]?)')
  local later = tonumber(at) - tonumber(ARGV[1])
  if later > 0 or (later == 0 and mark > ARGV[2]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
`;

/**
 * KEYS: the last code that somebody asked for. ARGV: when a code was used, how long it is known that it was, milliseconds.
 * Gives it to one; what was asked for only after that stays.
 */
const TAKE_SENT = `
local known = redis.call('GET', KEYS[1])
if not known then return false end
local at, mark = string.match(known, '^([^ +~]+)([+~]?)')
if mark == '~' or tonumber(at) > tonumber(ARGV[1]) then return false end
redis.call('SET', KEYS[1], at .. '~', 'PX', ARGV[2])
return known
`;

/**
 * KEYS: the history, a stream. ARGV: a sealed batch, how many bytes of them are kept, how long, milliseconds.
 *
 * With each batch stands how many bytes have ever come, this one's included: so the oldest are told that no longer fit. They go
 * with the next ones that come, and all of them a time after the last.
 */
const APPEND = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local total = (last and tonumber(last[2][2]) or 0) + #ARGV[1]
redis.call('XADD', KEYS[1], '*', 'total', string.format('%.0f', total), 'batch', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
for i = 1, 500 do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  local at = tonumber(string.match(first[1], '^%d+'))
  if at >= oldest and tonumber(first[2][2]) > total - ARGV[2] then break end
  redis.call('XDEL', KEYS[1], first[1])
end
return 1
`;

/**
 * KEYS: the alarms, each with when it is due by Redis's clock. ARGV: the alarm, in how long it is due, how long alarms stay
 * after the last of them was due. Milliseconds.
 */
const SET_ALARM = `
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
local life = ARGV[2] + ARGV[3]
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
return 1
`;

/**
 * KEYS: the alarms. ARGV: how many at most, in how long they are due again, milliseconds. Gives those that are due. They are
 * due again until they are removed, so that none is lost with whoever took it.
 */
const TAKE_ALARMS = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, alarm in ipairs(due) do redis.call('ZADD', KEYS[1], now + ARGV[2], alarm) end
return due
`;

/** What a code needs of Redis, step by step: what is to be done at one moment is done by one command. */
const STEPS = {
  claimEvent: CLAIM,
  settleEvent: SETTLE,
  releaseEvent: RELEASE,
  overtakePerson: OVERTAKE,
  keepReceipt: KEEP,
  keepSent: KEEP_SENT,
} as const;

/** Stands in a step's lines for an argument that is no line, which comes after them: bytes, as a rule. */
export const NO_LINE = '*';

/**
 * KEYS: those of all steps, in turn. ARGV: for each step one text, since what a command costs its client grows with how many there are: a line
 * each for its name, how many keys are its own, and its arguments; then those that are no lines. Gives for each `{1, reply}`, or `{0, error}`: one
 * that fails keeps no other from being done.
 */
const RUN_STEPS = `
local steps = {}
${Object.entries(STEPS)
  .map(([name, lua]) => `function steps.${name}(KEYS, ARGV)${lua}end`)
  .join('\n')}
local key, arg = 0, 1
local replies = {}
while arg <= #ARGV do
  local name, count, lines = string.match(ARGV[arg], '^(%a+)\\n(%d+)\\n(.*)$')
  local keys, args = {}, {}
  for i = 1, tonumber(count) do keys[i] = KEYS[key + i] end
  for line in string.gmatch(lines, '([^\\n]*)\\n') do
    if line == '${NO_LINE}' then
      arg = arg + 1
      line = ARGV[arg]
    end
    args[#args + 1] = line
  end
  local isDone, reply = pcall(steps[name], keys, args)
  if not isDone then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  replies[#replies + 1] = {isDone and 1 or 0, reply}
  key = key + count
  arg = arg + 1
end
return replies
`;

/** By the names under which a client knows them. */
export const SCRIPTS = {
  ...STEPS,
  runSteps: RUN_STEPS,
  takeReceipt: TAKE,
  readTimed: READ_TIMED,
  replaceValue: REPLACE,
  scanNames: SCAN_NAMES,
  takeSent: TAKE_SENT,
  appendHistory: APPEND,
  setAlarm: SET_ALARM,
  takeAlarms: TAKE_ALARMS,
} as const;

export type StepName = keyof typeof STEPS;

type Arguments = readonly [numberOfKeys: number, ...keysAndArguments: (string | number | Buffer)[]];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    claimEventBuffer(...args: Arguments): Result<unknown, Context>;
    settleEventBuffer(...args: Arguments): Result<unknown, Context>;
    releaseEventBuffer(...args: Arguments): Result<unknown, Context>;
    overtakePersonBuffer(...args: Arguments): Result<unknown, Context>;
    keepReceiptBuffer(...args: Arguments): Result<unknown, Context>;
    keepSentBuffer(...args: Arguments): Result<unknown, Context>;
    runStepsBuffer(...args: Arguments): Result<unknown, Context>;
    takeReceiptBuffer(...args: Arguments): Result<[sealed: Buffer, leftMs: number] | null, Context>;
    readTimedBuffer(...args: Arguments): Result<unknown, Context>;
    replaceValue(...args: Arguments): Result<unknown, Context>;
    scanNames(...args: Arguments): Result<unknown, Context>;
    takeSentBuffer(...args: Arguments): Result<Buffer | null, Context>;
    appendHistory(...args: Arguments): Result<unknown, Context>;
    setAlarm(...args: Arguments): Result<unknown, Context>;
    takeAlarmsBuffer(...args: Arguments): Result<readonly Buffer[], Context>;
  }
}
