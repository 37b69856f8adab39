import { LEARN_SCRIPTS } from './learn-scripts.js';

/**
 * The Lua scripts of what one code needs of Redis, and the script that runs several of them in one command.
 *
 * All keys of a script share one hash tag, so that a cluster runs it on the shard that holds them. For Redis
 * 6 or later, and Valkey. Where a script takes an encryption key's name of something, it takes one for each
 * key of the list.
 */

/** Reads Redis's own clock into `now`, milliseconds: the one clock that all gateways share. */
export const READ_CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * The order of a person's codes, as `delivery/order.ts` says it. The value is one word,
 * `count.epoch:newestPlace:newestEvent:requestedAt`. Each encryption key has a copy, which names the newest event by
 * its own digest. All copies live as long as the longest.
 *
 * The copy with the highest count is right, because a gateway with only one of the keys writes only that copy: of
 * several the one that knows a use, else one that knows the newest event. A copy that has another newest event gets
 * '?'.
 */
const ORDER = `
local RANKS = {['-'] = 2, ['?'] = 0}
local function readOrder(keys, lifeMs)
  local order = {keys = keys, copies = {}, lifeMs = lifeMs}
  for i = 1, #keys do
    local value = redis.call('GET', keys[i]) or ''
    local count, epoch, place, newest, requestedAt = string.match(value, '^(%d+)%.([^:]+):(%d+):([^:]+):(%d+)$')
    if count then
      local copy = {index = i, count = tonumber(count), epoch = epoch, place = tonumber(place), newest = newest, requestedAt = requestedAt}
      copy.rank = RANKS[newest] or 1
      order.copies[i] = copy
      local best = order.best
      local ahead = best and (copy.count - best.count)
      if ahead == 0 then ahead = copy.place - best.place end
      if ahead == 0 then ahead = copy.rank - best.rank end
      if not best or ahead > 0 then order.best = copy end
      order.lifeMs = math.max(order.lifeMs, redis.call('PTTL', keys[i]))
    end
  end
  return order
end

local function writeOrder(order, known, names)
  for i = 1, #order.keys do
    local copy, name = order.copies[i], known.newest
    if names then name = names[i]
    elseif name ~= '-' and name ~= '?' then
      local isSame = copy and copy.epoch == known.epoch and copy.place == known.place and copy.requestedAt == known.requestedAt
      name = isSame and copy.newest or '?'
    end
    local value = string.format('%.0f.%s:%.0f:%s:%s', known.count, known.epoch, known.place, name, known.requestedAt)
    redis.call('SET', order.keys[i], value, 'PX', order.lifeMs)
  end
end

local function readPlace(place)
  local count, epoch, mark = string.match(place or '', '^(%d+)%.([^%s~]+)(~?)$')
  return tonumber(count), epoch, mark == '~'
end

local function isCurrent(known, event, count, epoch, wasAlone)
  local isComparable = known and epoch == known.epoch
  if event.isPreview then
    if isComparable and count <= known.place then return 'no' end
    return isComparable and not wasAlone and 'yes' or 'unknown'
  end
  if not known then return 'unknown' end
  if known.newest == event.names[known.index] then return 'yes' end
  if known.newest == '?' and not (isComparable and count < known.place) then return 'unknown' end
  if not count then return 'unknown' end
  if not isComparable then return 'no' end
  if not wasAlone then return count > known.place and 'unknown' or 'no' end
  return count >= known.place and known.newest ~= '-' and 'unknown' or 'no'
end

local function takePlace(keys, event)
  local order = readOrder(keys, event.lifeMs)
  local best = order.best
  local count, epoch, wasAlone = readPlace(event.place)
  if not count then wasAlone = event.wasAlone end
  count = count or (best and best.count or 0) + 1
  epoch = epoch or (best and best.epoch or event.token)
  local known = {count = count, epoch = epoch, place = 0, newest = '?', requestedAt = '0', index = 1}
  if best then
    known = {count = best.count, epoch = best.epoch, place = best.place, newest = best.newest, requestedAt = best.requestedAt, index = best.index}
  end
  local isComparable = epoch == known.epoch
  local mayBeOlder = wasAlone or (known.newest == '?' and count < known.count)
  if isComparable then known.count = math.max(known.count, count) end
  local isAbove = event.passes and not event.isPreview and isComparable and count > known.place
  local isUnclear = isAbove and mayBeOlder and known.place > 0 and known.newest ~= event.names[known.index]
  local isNewest = isAbove and not isUnclear
  if isNewest then known.place, known.newest, known.requestedAt = count, event.names[known.index], event.requestedAt end
  if isUnclear then
    known.newest = '?'
    known.requestedAt = string.format('%.0f', math.max(tonumber(known.requestedAt), tonumber(event.requestedAt)))
  end
  writeOrder(order, known, isNewest and event.names)
  return string.format('%.0f.%s%s', count, epoch, wasAlone and '~' or ''), isCurrent(known, event, count, epoch, wasAlone)
end
`;

/**
 * Reads an event that was claimed. Its value is a letter, the token of its claim and its place, if it has one. The letter says how its
 * call stands: it runs and has taken points (`P`) or none (`N`), it was released (`R`), or it is answered (`A`); its sealed answer follows.
 */
const EVENT = `
local function readEvent(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local word, token, place = string.match(value, '^([PNRA])(%S*) (%S*)')
  return {word = word, token = token, place = place ~= '' and place or nil, value = value}
end
`;

/**
 * Claims an event and takes a point of each of its limits, takes its place in the order of its person's codes,
 * and reads records.
 *
 * KEYS: the event, then its limits, then its person (if it takes a place), then the records to
 * read. Each stands there once for each encryption key; the limits key by key. ARGV: the claim's token, how
 * long it is remembered, the number of keys to read, the number of encryption keys; `code` or `preview` if it
 * takes a place, whether it passes (`never`, `withinLimits`, `always`, or `alone` if its process decided alone), how long its code lives, when it was requested,
 * the event for each key; then points and window of each limit. Times in milliseconds.
 *
 * Replies `{1, records, place, is current, …}` to the first: the records as `exchange` replies them, if there are any, the
 * event's place, `yes`, `no` or `unknown`, and the indexes of exceeded limits, from 0. Replies `{0, value, index of
 * its key, age of the first claim}` to a repeat, the age only if it has no answer yet. A claim may come twice with its
 * own token: from a cluster's client while a shard moves, or after its connection has ended. It is the first again and
 * takes no second point, but still has to pass its limits. After its release it changes nothing.
 */
const CLAIM_EVENT = `
local token, rememberMs = ARGV[1], tonumber(ARGV[2])
local readKeys, encryptionKeys = tonumber(ARGV[3]), tonumber(ARGV[4])
local kind, passing = ARGV[5], ARGV[6]
local wasAlone = passing == 'alone'
local personKeys = kind == '' and 0 or encryptionKeys
local firstLimitArg = 9 + personKeys
local lastLimitKey = #KEYS - readKeys - personKeys
local limits = (lastLimitKey - encryptionKeys) / encryptionKeys
local reply = {1, '', '', 'unknown'}
if readKeys > 0 then
  ${READ_CLOCK}
  reply[2] = {string.format('%.0f', now)}
  for i = #KEYS - readKeys + 1, #KEYS do
    local value = redis.call('GET', KEYS[i])
    table.insert(reply[2], value or '')
    table.insert(reply[2], value and redis.call('PTTL', KEYS[i]) or 0)
  end
end
local ownWord, answered, running, place
for i = 1, encryptionKeys do
  local event = readEvent(KEYS[i])
  if event then
    if event.word == 'A' then answered = answered or {0, event.value, i - 1}
    elseif event.token == token then ownWord = event.word
    elseif event.word ~= 'R' then running = running or {0, event.value, i - 1, rememberMs - redis.call('PTTL', KEYS[i])} end
    place = place or event.place
  end
end
if answered or running then return answered or running end
if ownWord == 'R' then return reply end
if ownWord ~= 'P' then
  for limit = 0, limits - 1 do
    local points = tonumber(ARGV[firstLimitArg + limit * 2])
    local spent = 0
    for i = encryptionKeys + 1 + limit, lastLimitKey, limits do
      spent = math.max(spent, tonumber(redis.call('GET', KEYS[i]) or 0))
    end
    if spent >= points then reply[#reply + 1] = limit end
  end
end
local isExceeded = #reply > 4
if ownWord ~= 'P' and not isExceeded then
  for i = encryptionKeys + 1, lastLimitKey do
    local windowMs = ARGV[firstLimitArg + 1 + (i - encryptionKeys - 1) % limits * 2]
    if not redis.call('SET', KEYS[i], 1, 'PX', windowMs, 'NX') then redis.call('INCR', KEYS[i]) end
  end
end
if personKeys > 0 then
  local people, names = {}, {}
  for i = 1, personKeys do people[i], names[i] = KEYS[lastLimitKey + i], ARGV[8 + i] end
  reply[3], reply[4] = takePlace(people, {
    token = token, names = names, place = place, isPreview = kind == 'preview', requestedAt = ARGV[8],
    passes = passing == 'always' or wasAlone or (passing == 'withinLimits' and not isExceeded), wasAlone = wasAlone,
    lifeMs = math.max(tonumber(ARGV[7]), rememberMs)})
end
if ownWord ~= 'P' then
  local value = string.format('%s%s %s', (isExceeded or limits == 0) and 'N' or 'P', token, reply[3])
  for i = 1, encryptionKeys do redis.call('SET', KEYS[i], value, 'PX', rememberMs) end
end
return reply
`;

/**
 * Stores the answer of an event, and keeps an answer that is there. The answer replaces its own claim, and a release.
 * If the process decided alone, it replaces another claim as well: the code was sent.
 *
 * If the order may not know the code, it learns of it: the process decided alone, or Redis has forgotten the event. The
 * place then ends with `~` (`takePlace`), unless another claim gave it.
 *
 * KEYS: the event, then its person (if its code passed), once for each encryption key. ARGV: the claim's token, how
 * long the event is remembered, the number of encryption keys, '1' if the process decided alone, its place (empty if
 * it is not known), how long its code lives, when it was requested, then the sealed answer for each key, then the event
 * for each key. Times in milliseconds.
 */
const SETTLE_EVENT = `
local token, rememberMs, encryptionKeys = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local isAlone, place = ARGV[4] == '1', ARGV[5] ~= '' and ARGV[5] or nil
local events, isKnown, isAnswered = {}, false, false
for i = 1, encryptionKeys do
  local event = readEvent(KEYS[i])
  events[i] = event
  if event then
    place = place or event.place
    isAnswered = isAnswered or (event.token == token and event.word == 'A')
    isKnown = true
  end
end
if #KEYS > encryptionKeys and not isAnswered and (isAlone or not isKnown) then
  local people, names = {}, {}
  for i = 1, encryptionKeys do people[i], names[i] = KEYS[encryptionKeys + i], ARGV[7 + encryptionKeys + i] end
  local lifeMs = math.max(tonumber(ARGV[6]), rememberMs)
  -- Redis has forgotten the event, and may have given later ones lower places since.
  if not isKnown and place and string.sub(place, -1) ~= '~' then place = place .. '~' end
  place = takePlace(people, {
    token = token, names = names, place = place, wasAlone = isAlone, requestedAt = ARGV[7], passes = true, lifeMs = lifeMs})
end
for i = 1, encryptionKeys do
  local event, value = events[i], string.format('A%s %s ', token, place or '') .. ARGV[7 + i]
  local isOwn = event and event.word ~= 'A' and event.token == token
  if isOwn then redis.call('SET', KEYS[i], value, 'KEEPTTL')
  elseif not event or event.word == 'R' or (isAlone and event.word ~= 'A') then redis.call('SET', KEYS[i], value, 'PX', rememberMs) end
end
return 1
`;

/**
 * Releases a claim and gives its points back, unless another call has claimed the event since. The event keeps
 * its place, and takes one if it has none. A window that began after the claim has no point of it. If its claim has not
 * come, it may still come, and must not hold the event.
 *
 * KEYS: the event, then its limits, then its person (if it may have no place). Each stands there once for each
 * encryption key; the limits key by key. ARGV: the claim's token, how long the event is remembered, the number of
 * encryption keys, its place (empty if it is not known), then the window of each limit. Times in milliseconds.
 */
const RELEASE_EVENT = `
local token, rememberMs, encryptionKeys = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limits = #ARGV - 4
local place = ARGV[4] ~= '' and ARGV[4] or nil
local released = {}
for i = 1, encryptionKeys do
  local event = readEvent(KEYS[i])
  if event then place = place or event.place end
  local isOwn = event and event.token == token and (event.word == 'P' or event.word == 'N')
  if not event or isOwn then released[#released + 1] = {index = i, word = event and event.word} end
end
local firstPerson = encryptionKeys * (1 + limits) + 1
if #released > 0 and not place and #KEYS >= firstPerson then
  local people = {}
  for i = firstPerson, #KEYS do people[#people + 1] = KEYS[i] end
  place = takePlace(people, {token = token, names = {}, wasAlone = true, lifeMs = rememberMs})
end
for _, event in ipairs(released) do
  local key, value = KEYS[event.index], string.format('R%s %s', token, place or '')
  if event.word then redis.call('SET', key, value, 'KEEPTTL') else redis.call('SET', key, value, 'PX', rememberMs) end
  local claimAgeMs = rememberMs - redis.call('PTTL', key)
  for limit = 1, event.word == 'P' and limits or 0 do
    local name = KEYS[encryptionKeys + (event.index - 1) * limits + limit]
    local windowAgeMs = ARGV[4 + limit] - redis.call('PTTL', name)
    local hasPoint = tonumber(redis.call('GET', name) or 0) > 0
    if hasPoint and windowAgeMs >= claimAgeMs then redis.call('DECR', name) end
  end
end
return 1
`;

/**
 * Replies whether an event is its person's newest: `yes`, `no` or `unknown`.
 *
 * KEYS: the event, then its person, once for each encryption key. ARGV: the event's place (empty if its process does not
 * know it), `code` or `preview`, then the event for each key.
 */
const IS_CURRENT = `
local event = {isPreview = ARGV[2] == 'preview', names = {unpack(ARGV, 3)}}
local place, people = ARGV[1], {unpack(KEYS, #event.names + 1)}
for i = 1, place == '' and #event.names or 0 do
  local known = readEvent(KEYS[i])
  place = known and known.place or place
end
return isCurrent(readOrder(people, 0).best, event, readPlace(place))
`;

/**
 * A user has used a code: if the newest one was requested before, none is current.
 *
 * KEYS: the person, once for each encryption key. ARGV: when the code was used, by Okta's clock, milliseconds since
 * 1970.
 */
const USE_CODE = `
local order = readOrder(KEYS, 1)
local best = order.best
if not best or best.place == 0 or tonumber(best.requestedAt) > tonumber(ARGV[1]) then return 0 end
best.newest = '-'
writeOrder(order, best)
return 1
`;

/**
 * Changes several records in one step: all of them or none. Also reads.
 *
 * KEYS: the copies of each record, one for each encryption key. ARGV: for each copy its expected version (empty if there is none),
 * the life of its new value in milliseconds (0 if it stays) and that value; nothing at all to read. A value begins with its version,
 * which ends with a space. Replies 1 if every copy has the expected version. Otherwise writes nothing and replies Redis's time, then
 * the value of each copy (or an empty text) and its remaining life, milliseconds.
 */
const EXCHANGE = `
local values = {}
local isExpected = #ARGV > 0
for i = 1, #KEYS do
  values[i] = redis.call('GET', KEYS[i]) or ''
  if string.match(values[i], '^[^ ]*') ~= ARGV[i * 3 - 2] then isExpected = false end
end
if isExpected then
  for i = 1, #KEYS do
    local lifeMs, value = ARGV[i * 3 - 1], ARGV[i * 3]
    if lifeMs ~= '0' then redis.call('SET', KEYS[i], value, 'PX', lifeMs) end
  end
  return 1
end
${READ_CLOCK}
local reply = {string.format('%.0f', now)}
for i = 1, #KEYS do
  reply[i * 2] = values[i]
  reply[i * 2 + 1] = redis.call('PTTL', KEYS[i])
end
return reply
`;

/** The steps, by the names under which a client knows their scripts. */
const STEPS = {
  claimEvent: CLAIM_EVENT,
  settleEvent: SETTLE_EVENT,
  releaseEvent: RELEASE_EVENT,
  isCurrent: IS_CURRENT,
  useCode: USE_CODE,
  exchange: EXCHANGE,
  ...LEARN_SCRIPTS,
} as const;

export type StepName = keyof typeof STEPS;

/** The functions that steps share. */
const SHARED = `${ORDER}${EVENT}`;

/** Each step as a command of its own. */
export const STEP_SCRIPTS = {
  claimEvent: SHARED + STEPS.claimEvent,
  settleEvent: SHARED + STEPS.settleEvent,
  releaseEvent: SHARED + STEPS.releaseEvent,
  isCurrent: SHARED + STEPS.isCurrent,
  useCode: SHARED + STEPS.useCode,
  exchange: STEPS.exchange,
  ...LEARN_SCRIPTS,
} as const;

/**
 * Replaces an argument that cannot be a line of a step's text. The argument follows the text; usually it is
 * bytes.
 */
export const SEPARATE_ARGUMENT = '*';

/**
 * Runs several steps. A step that fails does not stop the others.
 *
 * KEYS: those of all steps, in order. ARGV: one text for each step, because a command costs its client more
 * with every argument. Its lines are the step's name, the number of its keys, and its arguments. The
 * arguments that cannot be lines follow the text. Replies `{1, reply}` or `{0, error}` for each step.
 */
export const RUN_STEPS = `
${SHARED}
local steps = {}
${Object.entries(STEPS)
  .map(([name, lua]) => `function steps.${name}(KEYS, ARGV)${lua}end`)
  .join('\n')}
local usedKeys, arg = 0, 1
local replies = {}
while arg <= #ARGV do
  local name, keyCount, lines = string.match(ARGV[arg], '^(%a+)\\n(%d+)\\n(.*)$')
  local stepKeys, stepArgs = {}, {}
  for i = 1, tonumber(keyCount) do stepKeys[i] = KEYS[usedKeys + i] end
  for line in string.gmatch(lines, '([^\\n]*)\\n') do
    if line == '${SEPARATE_ARGUMENT}' then
      arg = arg + 1
      line = ARGV[arg]
    end
    stepArgs[#stepArgs + 1] = line
  end
  local hasRun, reply = pcall(steps[name], stepKeys, stepArgs)
  if not hasRun then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  replies[#replies + 1] = {hasRun and 1 or 0, reply}
  usedKeys = usedKeys + keyCount
  arg = arg + 1
end
return replies
`;
