import { LEARN } from '../../guard/learning.js';

/**
 * The guard that learns, as `guard/learning.ts` says it, for Redis: what one code changes is changed in one step.
 *
 * KEYS of each script: the total, the country, the prefix, the network, the marker and the known number; each once for each encryption
 * key, kind by kind. Values are JSON and hold counts, times, countries and tokens; names are keyed digests. The newest copy is right:
 * a gateway with only one of the keys writes only that copy. ARGV: the number of encryption keys, the code or the use as JSON, the life
 * of each kind in milliseconds.
 */

/** A value as Lua writes it. */
function luaOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => `${name} = ${luaOf(field)}`);
  return `{${fields.join(', ')}}`;
}

const LEARNED = `
local LEARN = ${luaOf(LEARN)}
local HOUR, DAY = 3600000, 86400000
local KINDS = {'total', 'country', 'prefix', 'network', 'marker', 'known'}
local copies, given = tonumber(ARGV[1]), cjson.decode(ARGV[2])
local toMs = given.nowMs
local learned, missing = {}, {}
for kind = 1, #KINDS do
  for i = 1, copies do
    local value = redis.call('GET', KEYS[(kind - 1) * copies + i])
    local record, known = value and cjson.decode(value), learned[KINDS[kind]]
    if not value then missing[KINDS[kind]] = true
    elseif not known or record.atMs > known.atMs then learned[KINDS[kind]] = record end
  end
end
local isKnown = learned.known ~= nil and toMs - learned.known.atMs < LEARN.knownMs
local function write(name, record)
  for kind = 1, #KINDS do
    if KINDS[kind] == name then
      for i = 1, copies do
        local key = KEYS[(kind - 1) * copies + i]
        if record then redis.call('SET', key, cjson.encode(record), 'PX', ARGV[2 + kind]) else redis.call('DEL', key) end
      end
    end
  end
end
local function shifted(counts, fromMs, nowMs, periodMs, length)
  local by = math.floor(nowMs / periodMs) - math.floor(fromMs / periodMs)
  if by <= 0 then return counts end
  local moved = {}
  for i = 1, math.min(by, length) do moved[i] = 0 end
  for i = 1, #counts do if #moved < length then moved[#moved + 1] = counts[i] end end
  return moved
end
local function lastOf(counts, periods, nowMs, periodMs)
  local sum = 0
  for i = 1, math.min(periods, #counts) do sum = sum + counts[i] end
  return sum + (counts[periods + 1] or 0) * (1 - (nowMs % periodMs) / periodMs)
end
local function highest(limit, ratio, largestDay, used)
  return math.max(limit.floor, ratio * limit.ofLargestDay * largestDay, ratio * limit.ofUsed * used)
end
local function moveOn(kind, tally, trustedSinceMs)
  tally = tally or {atMs = toMs, hour = 0, day = 0, usedByHour = {0}, usedByDay = {0}, sentByDay = {0}}
  local fromMs, nowMs = tally.atMs, math.max(tally.atMs, toMs, trustedSinceMs)
  if fromMs < trustedSinceMs then tally.hour, tally.day, tally.block = 0, 0, nil end
  tally.atMs = nowMs
  tally.usedByHour = shifted(tally.usedByHour, fromMs, nowMs, HOUR, 2)
  tally.usedByDay = shifted(tally.usedByDay, fromMs, nowMs, DAY, LEARN.days)
  tally.sentByDay = shifted(tally.sentByDay, fromMs, nowMs, DAY, 2)
  local largestDay = 0
  for i = 1, #tally.usedByDay do largestDay = math.max(largestDay, tally.usedByDay[i]) end
  local hour = highest(LEARN.limits[kind].hour, given.ratio, largestDay, lastOf(tally.usedByHour, 1, nowMs, HOUR))
  local day = highest(LEARN.limits[kind].day, given.ratio, largestDay, lastOf(tally.usedByDay, 1, nowMs, DAY))
  tally.hour = math.max(0, tally.hour - hour * (nowMs - fromMs) / HOUR)
  tally.day = math.max(0, tally.day - day * (nowMs - fromMs) / DAY)
  return tally, {hour = hour, day = day}
end
local function totalAt(total)
  total = total or {atMs = toMs, beganAtMs = toMs, usedAtMs = 0, sentByHour = {0}, knownInRow = 0, blindSinceMs = 0, trustedSinceMs = 0}
  local nowMs = math.max(total.atMs, toMs)
  total.sentByHour = shifted(total.sentByHour, total.atMs, nowMs, HOUR, LEARN.blind.hours + 1)
  total.atMs = nowMs
  return total
end
local function networkAt(network, trustedSinceMs)
  if not network or network.atMs < trustedSinceMs then
    return {atMs = math.max(toMs, trustedSinceMs), countries = {}, usedAtMs = network and network.usedAtMs or 0}
  end
  network.atMs = math.max(network.atMs, toMs)
  for country, atMs in pairs(network.countries) do
    if atMs <= network.atMs - DAY then network.countries[country] = nil end
  end
  return network
end
local function tokenIn(marker)
  for at, token in ipairs(marker and marker.tokens or {}) do if token == given.token then return at end end
end
local function increase(counts, by) counts[1] = math.max(0, counts[1] + by) end
local function raise(tally, by)
  tally.hour, tally.day = math.max(0, tally.hour + by), math.max(0, tally.day + by)
end
`;

/** Counts a code and judges it. Replies the verdict as JSON, without `blocks` if there are none. */
const LEARN_CODE = `
${LEARNED}
local total = totalAt(learned.total)
local country, countryLimits = moveOn('country', learned.country, total.trustedSinceMs)
local prefix, prefixLimits = moveOn('prefix', learned.prefix, total.trustedSinceMs)
local network = networkAt(learned.network, total.trustedSinceMs)
local marker, known = learned.marker, learned.known

local isBlind = total.blindSinceMs > 0
local mayBlock = not isKnown and not given.isAllowed and not isBlind and (country.liftedUntilMs or 0) <= toMs
local isAgain = tokenIn(marker) ~= nil
local isFollowing = marker ~= nil and not isAgain and toMs - marker.atMs < LEARN.supersededMs
local isCounting = given.isCounted and not isFollowing and not isAgain

local isNewCountry = given.hasNetwork and network.countries[given.country] == nil
local countries = isNewCountry and 1 or 0
for _ in pairs(network.countries) do countries = countries + 1 end
local isUsedNetwork = network.usedAtMs > toMs - DAY
local isNetworkOver = not isUsedNetwork and isNewCountry and countries > LEARN.countriesPerNetwork
local function isOver(tally, limits) return tally.hour + 1 > limits.hour or tally.day + 1 > limits.day end
local function phaseOf(block, over)
  if block and block.untilMs > toMs then return 'blocked' end
  if not over then return 'free' end
  return block and block.probes > 0 and 'probing' or 'over'
end
local countryPhase = phaseOf(country.block, isOver(country, countryLimits))
local prefixPhase = phaseOf(prefix.block, isOver(prefix, prefixLimits))
local networkPhase = phaseOf(network.block, isNetworkOver)
local blocks = {}
local function addBlock(rule, phase, level, points, seconds)
  if mayBlock and not isAgain and (phase == 'blocked' or (phase == 'over' and isCounting)) then
    blocks[#blocks + 1] = {rule = rule, level = level, points = points, seconds = seconds}
  end
end
local function addTally(rule, phase, tally, limits)
  local isHour = tally.hour / limits.hour >= tally.day / limits.day
  local level, limit = isHour and tally.hour or tally.day, isHour and limits.hour or limits.day
  addBlock(rule, phase, math.floor(level + 0.5), math.floor(limit), isHour and 3600 or 86400)
end
addTally('learn.country', countryPhase, country, countryLimits)
addTally('learn.prefix', prefixPhase, prefix, prefixLimits)
addBlock('learn.ip', networkPhase, countries, LEARN.countriesPerNetwork, 86400)

local isActing = given.isEnforced and toMs >= total.beganAtMs + given.warmUpMs
local isBlocked = #blocks > 0
local isLeaving = not isBlocked or not isActing
local leaves = isCounting and isLeaving
local joins = given.isCounted and isFollowing and isLeaving and #marker.tokens < LEARN.codesOfCount
local entersLevels = isCounting and not isKnown and not isBlocked and not isBlind

local function changeBlock(record, phase)
  local block = record.block
  if mayBlock and isCounting and isBlocked then
    if phase == 'over' then
      local lengthMs = block and math.min(block.lengthMs * 2, LEARN.block.longestMs) or LEARN.block.firstMs
      record.block = {untilMs = toMs + lengthMs, lengthMs = lengthMs, probes = LEARN.block.probes}
    end
  elseif mayBlock and entersLevels then
    if phase == 'free' then record.block = nil
    elseif phase == 'probing' then block.probes = block.probes - 1 end
  end
end
local function change(tally, phase)
  if entersLevels then raise(tally, 1) end
  if leaves then increase(tally.sentByDay, 1) end
  changeBlock(tally, phase)
end
change(country, countryPhase)
change(prefix, prefixPhase)
changeBlock(network, networkPhase)
local partUntilMs = math.max(country.partBlockedUntilMs or 0, prefix.block and prefix.block.untilMs or 0, network.block and network.block.untilMs or 0)
country.partBlockedUntilMs = partUntilMs > 0 and partUntilMs or nil
if entersLevels and given.hasNetwork then network.countries[given.country] = toMs end
if leaves then
  increase(total.sentByHour, 1)
  if isKnown then total.knownInRow = total.knownInRow + 1 end
end
local unusedMs = total.atMs - total.usedAtMs
local blind = LEARN.blind
if total.blindSinceMs == 0 and (
  (unusedMs >= blind.hours * HOUR and lastOf(total.sentByHour, blind.hours, total.atMs, HOUR) >= blind.sent) or
  (unusedMs >= blind.quietMs and total.knownInRow >= blind.knownInRow)
) then total.blindSinceMs = total.atMs end

write('total', total)
write('country', country)
write('prefix', prefix)
if given.hasNetwork then write('network', network) end
if leaves then
  write('marker', {
    tokens = {given.token}, atMs = toMs, isInLevels = entersLevels, isProbe = mayBlock and entersLevels, isKnown = isKnown,
    isNewCountry = isNewCountry and entersLevels,
  })
elseif joins then
  table.insert(marker.tokens, given.token)
  write('marker', marker)
end
if isKnown and missing.known then write('known', known) end
return cjson.encode({
  hasCounted = leaves or joins or isAgain, isKnown = isKnown, isActing = isActing, isBlind = total.blindSinceMs > 0, beganAtMs = total.beganAtMs,
  blocks = isBlocked and blocks or nil,
  shares = {
    {rule = 'learn.country', country = given.country, hour = country.hour / countryLimits.hour, day = country.day / countryLimits.day},
    {rule = 'learn.prefix', country = given.country, hour = prefix.hour / prefixLimits.hour, day = prefix.day / prefixLimits.day},
  },
})
`;

/** Takes a code back, and its count with the last of its codes, unless another code of the person has counted since. */
const GIVE_BACK = `
${LEARNED}
local marker, total, network = learned.marker, learned.total, learned.network
local token = tokenIn(marker)
if not token then return 0 end
table.remove(marker.tokens, token)
if #marker.tokens > 0 then
  write('marker', marker)
  return 1
end
local function giveProbeBack(record)
  local block = record.block
  if marker.isProbe and block and block.untilMs <= record.atMs then block.probes = math.min(block.probes + 1, LEARN.block.probes) end
end
local function back(name)
  local tally = learned[name]
  if not tally then return end
  if marker.isInLevels then raise(tally, -1) end
  increase(tally.sentByDay, -1)
  giveProbeBack(tally)
  write(name, tally)
end
back('country')
back('prefix')
if total then
  increase(total.sentByHour, -1)
  if marker.isKnown then total.knownInRow = math.max(0, total.knownInRow - 1) end
  write('total', total)
end
if network and marker.isNewCountry then
  network.countries[given.country] = nil
  giveProbeBack(network)
  write('network', network)
end
write('marker', nil)
return 1
`;

/** Counts a use, unless it is the number's last one. */
const LEARN_USE = `
${LEARNED}
if learned.known and learned.known.token == given.token then return 0 end
local total = totalAt(learned.total)
if total.blindSinceMs > 0 then total.trustedSinceMs = total.atMs + 1 end
total.usedAtMs, total.knownInRow, total.blindSinceMs = total.atMs, 0, 0
for _, kind in ipairs({'country', 'prefix'}) do
  local tally = moveOn(kind, learned[kind], total.trustedSinceMs)
  if given.isPaid then
    if not isKnown then raise(tally, -1) end
    increase(tally.usedByHour, 1)
    increase(tally.usedByDay, 1)
  end
  write(kind, tally)
end
if given.hasNetwork then
  local network = networkAt(learned.network, total.trustedSinceMs)
  network.usedAtMs = toMs
  write('network', network)
end
write('total', total)
write('known', {token = given.token, atMs = toMs})
return 1
`;

/** Lifts the blocks of a country until then. Only the copies of the country count. */
const LIFT_LEARNED = `
${LEARNED}
local country = moveOn('country', learned.country, 0)
country.liftedUntilMs = given.untilMs
write('country', country)
return 1
`;

export const LEARN_SCRIPTS = {
  learnCode: LEARN_CODE,
  giveBack: GIVE_BACK,
  learnUse: LEARN_USE,
  liftLearned: LIFT_LEARNED,
} as const;
