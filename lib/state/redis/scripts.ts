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
 * KEYS: the event (where it has one), then the limits, then what is known of the recipient (where that is asked for): each
 * under the names of all encryption keys, the limits key by key. ARGV: the claim's token, how long it is remembered (both empty
 * without an event), how many names are the recipient's, how many encryption keys there are, then points and milliseconds of
 * each limit.
 *
 * Gives `{1, recipient, …}` to the first: what `readTimed` gives of the recipient, and the places of limits that have no
 * point left, from 0; `{0, value, place of its name}` to a repeat. Claimed again with its own token, as a cluster's client may
 * when a shard moves, it is still the first, and takes no point twice.
 */
const CLAIM = `
local names = tonumber(ARGV[4])
local events = ARGV[1] == '' and 0 or names
local last = #KEYS - ARGV[3]
local limits = (last - events) / names
local reply = {1, ''}
if last < #KEYS then
  ${TIME}
  reply[2] = {string.format('%.0f', now)}
  for i = last + 1, #KEYS do table.insert(reply[2], redis.call('GET', KEYS[i]) or '') end
end
for i = 1, events do
  local held = redis.call('GET', KEYS[i])
  if held == ARGV[1] then return reply end
  if held then return {0, held, i - 1} end
end
for limit = 0, limits - 1 do
  local spent = 0
  for i = events + 1 + limit, last, limits do
    spent = math.max(spent, tonumber(redis.call('GET', KEYS[i]) or 0))
  end
  if spent >= tonumber(ARGV[5 + limit * 2]) then reply[#reply + 1] = limit end
end
if #reply == 2 then
  for i = events + 1, last do
    local lifeMs = ARGV[6 + (i - events - 1) % limits * 2]
    if redis.call('INCR', KEYS[i]) == 1 then redis.call('PEXPIRE', KEYS[i], lifeMs) end
  end
end
for i = 1, events do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
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
 * KEYS: the person, of each encryption key. ARGV: '1' for a preview, how long to know it, how many previews to know, how long ago
 * it was, then for each key the event and the one that it comes right after (empty for none). Milliseconds.
 *
 * Kept is when the newest came, by Redis's clock, and how many have come; then the event ('-' where none is known), then the
 * newest previews. The copy that has seen most knows best: a gateway that has one of the keys alone writes that one alone. All
 * copies live as long as the longest of them: one that ends before another would count from 1 again, and be taken for the older.
 *
 * What comes now is the newest, whatever any clock says; only what is told later, because Redis was away, is not where a newer
 * one is known. A time that is still to come is of before Redis's clock was set back: what is told after that is newer. Previews
 * are none.
 */
const OVERTAKE = `
${TIME}
local at = now - ARGV[4]
local copies, best = {}, nil
for i = 1, #KEYS do
  local words = {}
  for word in string.gmatch(redis.call('GET', KEYS[i]) or '', '%S+') do words[#words + 1] = word end
  local came, count = string.match(words[1] or '', '^(%d+)#?(%d*)$')
  copies[i] = {place = i, words = words, came = tonumber(came or 0), count = tonumber(count or '') or 0}
  if not best or copies[i].count > best.count then best = copies[i] end
end
local known = best.words[2]
local preview = ARGV[1] == '1'
local late = tonumber(ARGV[4]) > 0 and best.came > at and best.came <= now
if not preview and late and known ~= '-' and known ~= ARGV[4 + best.place * 2] then return 0 end
local life = tonumber(ARGV[2])
for i = 1, #KEYS do life = math.max(life, redis.call('PTTL', KEYS[i])) end
for i = 1, #KEYS do
  local words = copies[i].count == best.count and copies[i].words or best.words
  local event = ARGV[3 + i * 2]
  local kept = {at, event}
  local oldest = late and 3 or #words + 1
  if preview then
    kept = {known and best.came or at, known and words[2] or '-'}
    oldest = math.max(3, #words - ARGV[3] + 2)
  end
  for place = oldest, #words do kept[#kept + 1] = words[place] end
  if preview then kept[#kept + 1] = event end
  kept[1] = string.format('%.0f#%d', kept[1], best.count + 1)
  redis.call('SET', KEYS[i], table.concat(kept, ' '), 'PX', life)
end
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
 * KEYS: the receipt, the report of its message, of each encryption key in turn. ARGV: '1' where it was delivered, how long the
 * report is remembered, milliseconds, then the sealed reports. The copies of the receipt are given to one, after what is left of
 * their life, milliseconds. Of a message that was delivered nothing needs to be known where there was a receipt: nobody goes on
 * with it.
 */
const TAKE = `
local reply = {0}
for i = 1, #KEYS, 2 do
  local sealed = redis.call('GET', KEYS[i])
  local report = ARGV[3 + (i - 1) / 2]
  if sealed then
    reply[1] = redis.call('PTTL', KEYS[i])
    redis.call('DEL', KEYS[i])
  end
  reply[#reply + 1] = sealed
  if ARGV[1] ~= '1' then redis.call('SET', KEYS[i + 1], report, 'PX', ARGV[2], 'NX')
  elseif not sealed then redis.call('SET', KEYS[i + 1], report, 'PX', ARGV[2]) end
end
return reply
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

/**
 * KEYS: which lists of encryption keys gateways have, a line each: until when it is known, then the ids. ARGV: this gateway's ids,
 * how long they are known, milliseconds. Gives the lines of other lists.
 */
const MARK_KEYS = `
${TIME}
local others = {}
for line in string.gmatch(redis.call('GET', KEYS[1]) or '', '[^\\n]+') do
  local untilMs, ids = string.match(line, '^(%d+) (.+)$')
  if ids and ids ~= ARGV[1] and tonumber(untilMs) > now then others[#others + 1] = line end
end
local ours = string.format('%.0f %s', now + ARGV[2], ARGV[1])
local life = math.max(tonumber(ARGV[2]), redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], table.concat({ours, unpack(others)}, '\\n'), 'PX', life)
return others
`;

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
 * KEYS: the last code that somebody asked for, of each encryption key. ARGV: when a code was used, how long it is known that it
 * was, milliseconds. Gives the copies to one; what was asked for only after that stays.
 */
const TAKE_SENT = `
local reply = {}
for i = 1, #KEYS do
  local known = redis.call('GET', KEYS[i])
  local at, mark = string.match(known or '', '^([^ +~]+)([+~]?)')
  reply[i] = false
  if known and mark ~= '~' and tonumber(at) <= tonumber(ARGV[1]) then
    redis.call('SET', KEYS[i], at .. '~', 'PX', ARGV[2])
    reply[i] = known
  end
end
return reply
`;

/**
 * KEYS: the history, a stream. ARGV: how many bytes of batches are kept, how long, milliseconds, then the batch, sealed by each
 * encryption key.
 *
 * With each batch stands how many bytes have ever come, this one's included: so the oldest are told that no longer fit. They go
 * with the next ones that come, and all of them a time after the last.
 */
const APPEND = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local total = last and tonumber(last[2][2]) or 0
local batches = {}
for i = 3, #ARGV do
  total = total + #ARGV[i]
  batches[#batches + 1] = 'batch'
  batches[#batches + 1] = ARGV[i]
end
redis.call('XADD', KEYS[1], '*', 'total', string.format('%.0f', total), unpack(batches))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
${TIME}
local oldest = now - ARGV[2]
for i = 1, 500 do
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  local at = tonumber(string.match(first[1], '^%d+'))
  if at >= oldest and tonumber(first[2][2]) > total - ARGV[1] then break end
  redis.call('XDEL', KEYS[1], first[1])
end
return 1
`;

/**
 * KEYS: the alarms, each with when it is due by Redis's clock. ARGV: the alarm, in how long it is due, how long alarms stay
 * after the last of them was due. Milliseconds.
 */
const SET_ALARM = `
${TIME}
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local life = ARGV[2] + ARGV[3]
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
return 1
`;

/**
 * KEYS: the alarms. ARGV: how many at most, in how long they are due again, milliseconds. Gives those that are due. They are
 * due again until they are removed, so that none is lost with whoever took it.
 */
const TAKE_ALARMS = `
${TIME}
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
  markKeys: MARK_KEYS,
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
    takeReceiptBuffer(...args: Arguments): Result<[leftMs: number, ...copies: (Buffer | null)[]], Context>;
    readTimedBuffer(...args: Arguments): Result<unknown, Context>;
    replaceValue(...args: Arguments): Result<unknown, Context>;
    scanNames(...args: Arguments): Result<unknown, Context>;
    markKeys(...args: Arguments): Result<readonly string[], Context>;
    takeSentBuffer(...args: Arguments): Result<readonly (Buffer | null)[], Context>;
    appendHistory(...args: Arguments): Result<unknown, Context>;
    setAlarm(...args: Arguments): Result<unknown, Context>;
    takeAlarmsBuffer(...args: Arguments): Result<readonly Buffer[], Context>;
  }
}
