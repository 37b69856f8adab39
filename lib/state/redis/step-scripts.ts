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
 * The order of a person's codes. An event has its place in it from its first claim on, also after a release:
 * the order is that in which Redis gets the claims.
 *
 * Each encryption key has a copy (`ms#count#place newest preview…`): when the newest event came by Redis's
 * clock, how many events have come, the place of the newest, then the newest event itself ('-' if only previews
 * are known), then the newest previews. The copy with the highest count is right: a gateway with only one of the
 * keys writes only that copy. All copies live as long as the longest: one that expired earlier would count from 1
 * again and look older.
 *
 * An event that arrives now is the newest, whatever any clock says. Only an event that came while Redis was lost
 * does not replace a newer one. A stored time in the future is from before Redis's clock was set back, so such an
 * event counts as newer. Previews replace nothing, nor does an event that does not pass.
 *
 * `takePlace` takes the copies and the event: `names` and `follows` (the event and the one that it directly
 * follows, for each key), `place` (nil for a new event), `cameAt` (nil if it comes now), `passes`, `isPreview`,
 * `lifeMs`, `maxPreviews`. It returns the place, and whether the event is the newest.
 */
const TAKE_PLACE = `
local function takePlace(keys, event)
  ${READ_CLOCK}
  local copies, best = {}, nil
  local lifeMs = event.lifeMs
  for i = 1, #keys do
    local words = {}
    for word in string.gmatch(redis.call('GET', keys[i]) or '', '%S+') do words[#words + 1] = word end
    local came, count, place = string.match(words[1] or '', '^(%d+)#?(%d*)#?(%d*)$')
    count = tonumber(count or '') or 0
    copies[i] = {index = i, words = words, came = tonumber(came or 0), count = count}
    copies[i].place = tonumber(place or '') or count
    if not best or count > best.count then best = copies[i] end
    lifeMs = math.max(lifeMs, redis.call('PTTL', keys[i]))
  end
  local newest = best.words[2]
  if newest == event.names[best.index] then return event.place or best.place, true end
  local at = event.cameAt or now
  local isNew, place = not event.place, event.place or best.count + 1
  local isLate = event.cameAt and best.came > at and best.came <= now
  local hasNewest = newest and newest ~= '-'
  local follows = event.follows and event.follows[best.index]
  local isBehind = hasNewest and (best.place >= place or (isLate and not event.isPreview and newest ~= follows))
  local passes = event.passes and not isBehind
  if not passes and not isNew then return place, false end
  if isLate and not passes then return best.place, false end
  for i = 1, #keys do
    local words = copies[i].count == best.count and copies[i].words or best.words
    local cameAt, newestPlace, newestEvent, firstPreview = at, place, event.names[i], isLate and 3 or #words + 1
    if not passes or event.isPreview then
      cameAt, newestPlace = newest and best.came or at, hasNewest and best.place or 0
      newestEvent = newest and words[2] or '-'
      firstPreview = passes and math.max(3, #words - event.maxPreviews + 2) or 3
    end
    local kept = {string.format('%.0f#%d#%d', cameAt, math.max(best.count, place), newestPlace), newestEvent}
    for word = firstPreview, #words do
      if words[word] ~= event.names[i] then kept[#kept + 1] = words[word] end
    end
    if passes and event.isPreview then kept[#kept + 1] = event.names[i] end
    redis.call('SET', keys[i], table.concat(kept, ' '), 'PX', lifeMs)
  end
  return place, passes
end
`;

/**
 * Claims an event and takes a point of each of its limits, takes its place in the order of its person's codes,
 * and reads the suppressions of its recipient.
 *
 * KEYS: the event, then its limits, then its person (if it takes a place), then the recipient's suppressions (if
 * requested). Each stands there once for each encryption key; the limits key by key. ARGV: the claim's token, how
 * long it is remembered, the number of suppression keys, the number of encryption keys; `code` or `preview` if it
 * takes a place, '1' if it passes exceeded limits, how long its code lives, how many previews are known, the
 * event for each key; then points and window of each limit. Times in milliseconds.
 *
 * The value of an event is `A` and its sealed answer, or a word, the token of a claim and its place: `H` if the
 * claim has taken points, `h` if a limit was exceeded, `R` if it was released. An event that was released without a
 * place, because Redis was lost, has `@` and when it came.
 *
 * Replies `{1, suppressions, is newest, …}` to the first: the suppressions as Redis's time and each value or an empty text, 1 if the
 * event is the newest of its person now, and the indexes of exceeded limits, from 0. Replies `{0, value, index of
 * its key, age of the first claim}` to a repeat, the age only if it has no answer yet. A claim may come twice with its own token: from a cluster's client while a shard moves,
 * or after its connection has ended. It is the first again and takes no second point, but still has to pass its
 * limits. After its release it changes nothing.
 */
const CLAIM_EVENT = `
${TAKE_PLACE}
local token, rememberMs = ARGV[1], tonumber(ARGV[2])
local suppressionKeys, encryptionKeys = tonumber(ARGV[3]), tonumber(ARGV[4])
local order = ARGV[5]
local personKeys = order == '' and 0 or encryptionKeys
local firstLimitArg = 9 + personKeys
local lastLimitKey = #KEYS - suppressionKeys - personKeys
local limits = (lastLimitKey - encryptionKeys) / encryptionKeys
local reply = {1, '', 0}
if suppressionKeys > 0 then
  ${READ_CLOCK}
  reply[2] = {string.format('%.0f', now)}
  for i = #KEYS - suppressionKeys + 1, #KEYS do table.insert(reply[2], redis.call('GET', KEYS[i]) or '') end
end
local own, answered, held, place, cameAt
for i = 1, encryptionKeys do
  local value = redis.call('GET', KEYS[i])
  if value then
    local word, holder, mark, known = string.match(value, '^([HhR])(%S+) ?(@?)(%d*)$')
    if not word then answered = answered or {0, value, i - 1}
    elseif holder == token then own = word
    elseif word ~= 'R' then held = held or {0, value, i - 1, rememberMs - redis.call('PTTL', KEYS[i])} end
    if mark == '@' then cameAt = tonumber(known) else place = place or tonumber(known or '') end
  end
end
if answered or held then return answered or held end
if own == 'R' then return reply end
if own ~= 'H' then
  for limit = 0, limits - 1 do
    local points = tonumber(ARGV[firstLimitArg + limit * 2])
    local spent = 0
    for i = encryptionKeys + 1 + limit, lastLimitKey, limits do
      spent = math.max(spent, tonumber(redis.call('GET', KEYS[i]) or 0))
    end
    if spent >= points then reply[#reply + 1] = limit end
  end
end
local isExceeded = #reply > 3
if own ~= 'H' and not isExceeded then
  for i = encryptionKeys + 1, lastLimitKey do
    local windowMs = ARGV[firstLimitArg + 1 + (i - encryptionKeys - 1) % limits * 2]
    if redis.call('INCR', KEYS[i]) == 1 then redis.call('PEXPIRE', KEYS[i], windowMs) end
  end
end
if personKeys > 0 then
  local people, names = {}, {}
  for i = 1, personKeys do people[i], names[i] = KEYS[lastLimitKey + i], ARGV[8 + i] end
  local isNewest
  place, isNewest = takePlace(people, {
    names = names, place = place, cameAt = not place and cameAt or nil,
    passes = not isExceeded or ARGV[6] == '1', isPreview = order == 'preview', lifeMs = math.max(tonumber(ARGV[7]), rememberMs), maxPreviews = tonumber(ARGV[8])})
  reply[3] = isNewest and 1 or 0
end
if own ~= 'H' then
  local value = string.format('%s%s %s', isExceeded and 'h' or 'H', token, place or '')
  for i = 1, encryptionKeys do redis.call('SET', KEYS[i], value, 'PX', rememberMs) end
end
return reply
`;

/**
 * Stores the answer of an event, unless another call has claimed the event since. If its claim has not come,
 * it may still come, and must find the answer. Of a call that Redis did not answer, another one may have been released meanwhile.
 *
 * KEYS: the event. ARGV: the claim's token, the sealed answer, how long the event is remembered, milliseconds.
 */
const SETTLE_EVENT = `
local event, token, answer, rememberMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local value = redis.call('GET', event)
if not value or string.sub(value, 1, 1) == 'R' then redis.call('SET', event, answer, 'PX', rememberMs)
elseif string.match(value, '^[Hh](%S+)') == token then redis.call('SET', event, answer, 'KEEPTTL')
else return 0 end
return 1
`;

/**
 * Releases a claim and gives its points back, unless another call has claimed the event since. The event keeps
 * its place. A window that began after the claim has no point of it. If its claim has not come, it may still
 * come, and must not hold the event. The event then keeps the time at which it came.
 *
 * KEYS: the event, then its limits. ARGV: the claim's token, how long the event is remembered, the age of the
 * claim, then the window of each limit. Times in milliseconds.
 */
const RELEASE_EVENT = `
local event, token, rememberMs, ageMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local value = redis.call('GET', event)
if not value then
  ${READ_CLOCK}
  redis.call('SET', event, string.format('R%s @%.0f', token, now - ageMs), 'PX', rememberMs)
  return 1
end
local word, holder, place = string.match(value, '^([Hh])(%S+) ?(%d*)$')
if holder ~= token then return 0 end
redis.call('SET', event, 'R' .. token .. ' ' .. place, 'KEEPTTL')
if word == 'H' then
  local claimAgeMs = rememberMs - redis.call('PTTL', event)
  for i = 2, #KEYS do
    local windowAgeMs = ARGV[i + 2] - redis.call('PTTL', KEYS[i])
    local hasPoint = tonumber(redis.call('GET', KEYS[i]) or 0) > 0
    if hasPoint and windowAgeMs >= claimAgeMs then redis.call('DECR', KEYS[i]) end
  end
end
return 1
`;

/**
 * Makes an event the newest one of a person that took no place with a claim: Redis was lost, or it is a sign-in.
 *
 * KEYS: the person, once for each encryption key. ARGV: '1' for a preview, how long the event is remembered,
 * how many previews are known, the age of the event, then for each key the event and the event that it directly
 * follows (empty for none). Times in milliseconds.
 */
const OVERTAKE_PERSON = `
${TAKE_PLACE}
${READ_CLOCK}
local ageMs = tonumber(ARGV[4])
local names, follows = {}, {}
for i = 1, #KEYS do names[i], follows[i] = ARGV[3 + i * 2], ARGV[4 + i * 2] end
takePlace(KEYS, {
  names = names, follows = follows, cameAt = ageMs > 0 and now - ageMs or nil, passes = true,
  isPreview = ARGV[1] == '1', lifeMs = tonumber(ARGV[2]), maxPreviews = tonumber(ARGV[3])})
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
export const STEP_SCRIPTS = {
  claimEvent: CLAIM_EVENT,
  settleEvent: SETTLE_EVENT,
  releaseEvent: RELEASE_EVENT,
  overtakePerson: OVERTAKE_PERSON,
  exchange: EXCHANGE,
} as const;

export type StepName = keyof typeof STEP_SCRIPTS;

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
local steps = {}
${Object.entries(STEP_SCRIPTS)
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
  local isDone, reply = pcall(steps[name], stepKeys, stepArgs)
  if not isDone then reply = type(reply) == 'table' and reply.err or tostring(reply) end
  replies[#replies + 1] = {isDone and 1 or 0, reply}
  usedKeys = usedKeys + keyCount
  arg = arg + 1
end
return replies
`;
