import type {
  LearnBlock,
  LearnedCode,
  LearnedCountry,
  LearnedSummary,
  LearnedUse,
  LearnRule,
  LearnShare,
  LearnVerdict,
} from '../delivery/learning.js';

/**
 * The rules of the guard that learns, as pure functions. It counts codes sent by paid channels against codes used. A level rises by one
 * with a code and falls by one with a use, and drains over its period. The memory state runs these functions; a script of Redis does
 * the same (`state/redis/learn-scripts.ts`), and a test compares the two.
 */

export const HOUR_MS = 60 * 60_000;
export const DAY_MS = 24 * HOUR_MS;

/** How high a level may be: the highest of a floor, a part of the largest day of used codes in 14 days, and the codes used in the period. */
interface LevelLimit {
  readonly floor: number;
  readonly ofLargestDay: number;
  readonly ofUsed: number;
}

/** Every number of the guard that learns. The last three factors are for `ratio: 1`. */
export const LEARN = {
  limits: {
    country: {
      day: { floor: 50, ofLargestDay: 1, ofUsed: 1 },
      hour: { floor: 20, ofLargestDay: 1 / 6, ofUsed: 1 },
    },
    prefix: {
      day: { floor: 10, ofLargestDay: 0, ofUsed: 1 },
      hour: { floor: 5, ofLargestDay: 0, ofUsed: 1 },
    },
  } satisfies Readonly<Record<string, Readonly<Record<'day' | 'hour', LevelLimit>>>>,
  /** Countries of one network in a day, if no code that it requested was used. */
  countriesPerNetwork: 3,
  block: { firstMs: 30 * 60_000, longestMs: 12 * HOUR_MS, probes: 5 },
  /**
   * Blind: so many codes were sent in so many hours, and none was used. Or so many in a row to numbers that used codes before, and none was
   * used for some minutes: with 72 % of codes used, that is chance once in 300,000 times.
   */
  blind: { sent: 50, hours: 6, knownInRow: 10, quietMs: 10 * 60_000 },
  /**
   * A code that follows another one of the same person and number so soon adds no count. One count stands for so many codes at most, and
   * stays until all of them are given back.
   */
  supersededMs: 60_000,
  codesOfCount: 20,
  /** How long a number that used a code passes. */
  knownMs: 90 * DAY_MS,
  /** Days of used codes that are kept, today included. */
  days: 14,
} as const;

/** A block of a rule. It stays after its end while the level stays above the limit. */
export interface Block {
  readonly untilMs: number;
  readonly lengthMs: number;
  /** Codes that may still pass after its end. */
  readonly probes: number;
}

/** The counts of a country or a prefix. */
export interface Tally {
  /** When it was last changed. */
  readonly atMs: number;
  /** The levels. */
  readonly hour: number;
  readonly day: number;
  /** Used codes in this hour and the one before. */
  readonly usedByHour: readonly number[];
  /** Used and sent codes by day, today first. */
  readonly usedByDay: readonly number[];
  readonly sentByDay: readonly number[];
  readonly block?: Block | undefined;
  /** Of a country. */
  readonly liftedUntilMs?: number | undefined;
  /** Of a country: when the last block ends that stopped codes to it for their prefix or their network. */
  readonly partBlockedUntilMs?: number | undefined;
}

/** The countries of a network. */
export interface NetworkTally {
  readonly atMs: number;
  /** When each country's last code was requested. */
  readonly countries: Readonly<Record<string, number>>;
  readonly usedAtMs: number;
  readonly block?: Block | undefined;
}

/** The counts of everything. */
export interface Total {
  readonly atMs: number;
  readonly beganAtMs: number;
  /** When the last code was used; 0 if none was. */
  readonly usedAtMs: number;
  /** Codes that left by hour, this hour first. */
  readonly sentByHour: readonly number[];
  /** Codes to known numbers since the last use. */
  readonly knownInRow: number;
  /** 0 if it is not blind. */
  readonly blindSinceMs: number;
  /** When the last blindness ended: what was counted before it is void. */
  readonly trustedSinceMs: number;
}

/** The last count of a person's codes to a number. */
export interface Marker {
  /** The codes that it stands for. */
  readonly tokens: readonly string[];
  readonly atMs: number;
  /** Whether it is in the levels, and not only in the total. */
  readonly isInLevels: boolean;
  /** Whether it was one of the probes of the blocks that had ended. */
  readonly isProbe: boolean;
  readonly isKnown: boolean;
  readonly isNewCountry: boolean;
}

/** A number that used a code. */
export interface KnownNumber {
  readonly token: string;
  readonly atMs: number;
}

/** What is known around one code. */
export interface Learned {
  readonly total?: Total | undefined;
  readonly country?: Tally | undefined;
  readonly prefix?: Tally | undefined;
  readonly network?: NetworkTally | undefined;
  readonly marker?: Marker | undefined;
  readonly known?: KnownNumber | undefined;
}

type TallyKind = keyof typeof LEARN.limits;

/** Counts by period, the current one first, moved on to `nowMs`. */
function shifted(
  counts: readonly number[],
  { fromMs, nowMs, periodMs, length }: { fromMs: number; nowMs: number; periodMs: number; length: number },
): readonly number[] {
  const by = Math.floor(nowMs / periodMs) - Math.floor(fromMs / periodMs);
  if (by <= 0) return counts;
  return [...Array.from({ length: Math.min(by, length) }, () => 0), ...counts].slice(0, length);
}

/** The sum of the last `periods`: the oldest one counts as far as it still lies in them. */
function lastOf(counts: readonly number[], periods: number, nowMs: number, periodMs: number): number {
  const recent = counts.slice(0, periods).reduce((sum, count) => sum + count, 0);
  const left = 1 - (nowMs % periodMs) / periodMs;
  return recent + (counts[periods] ?? 0) * left;
}

interface Limits {
  readonly hour: number;
  readonly day: number;
}

function limitsOf(kind: TallyKind, tally: Tally, ratio: number): Limits {
  const { hour, day } = LEARN.limits[kind];
  const { usedByHour, usedByDay, atMs } = tally;
  const largestDay = Math.max(...usedByDay);
  const usedOfDay = lastOf(usedByDay, 1, atMs, DAY_MS);
  const usedOfHour = lastOf(usedByHour, 1, atMs, HOUR_MS);
  const highest = ({ floor, ofLargestDay, ofUsed }: LevelLimit, used: number): number =>
    Math.max(floor, ratio * ofLargestDay * largestDay, ratio * ofUsed * used);
  return { hour: highest(hour, usedOfHour), day: highest(day, usedOfDay) };
}

interface MovedTally {
  readonly tally: Tally;
  readonly limits: Limits;
}

/** A tally at a later moment: periods that have begun, and levels that have drained. */
function movedOn(
  kind: TallyKind,
  known: Tally | undefined,
  { ratio, nowMs: toMs }: { readonly ratio: number; readonly nowMs: number },
  trustedSinceMs: number,
): MovedTally {
  const fromMs = known?.atMs ?? toMs;
  const isVoid = fromMs < trustedSinceMs;
  // Void once, also by a clock that is behind.
  const nowMs = Math.max(fromMs, toMs, trustedSinceMs);
  const move = (counts: readonly number[], periodMs: number, length: number): readonly number[] =>
    shifted(counts, { fromMs, nowMs, periodMs, length });
  const tally: Tally = {
    ...known,
    atMs: nowMs,
    hour: isVoid ? 0 : (known?.hour ?? 0),
    day: isVoid ? 0 : (known?.day ?? 0),
    usedByHour: move(known?.usedByHour ?? [0], HOUR_MS, 2),
    usedByDay: move(known?.usedByDay ?? [0], DAY_MS, LEARN.days),
    sentByDay: move(known?.sentByDay ?? [0], DAY_MS, 2),
    block: isVoid ? undefined : known?.block,
  };
  const limits = limitsOf(kind, tally, ratio);
  const drained = (level: number, limit: number, periodMs: number): number =>
    Math.max(0, level - (limit * (nowMs - fromMs)) / periodMs);
  return {
    tally: {
      ...tally,
      hour: drained(tally.hour, limits.hour, HOUR_MS),
      day: drained(tally.day, limits.day, DAY_MS),
    },
    limits,
  };
}

type Phase = 'free' | 'over' | 'blocked' | 'probing';

function phaseOf(block: Block | undefined, isOver: boolean, nowMs: number): Phase {
  if (block !== undefined && block.untilMs > nowMs) return 'blocked';
  if (!isOver) return 'free';
  return block !== undefined && block.probes > 0 ? 'probing' : 'over';
}

/** The block that begins now: twice as long as the last one, if the level has stayed above the limit since. */
function nextBlock(block: Block | undefined, nowMs: number): Block {
  const { firstMs, longestMs, probes } = LEARN.block;
  const lengthMs = block === undefined ? firstMs : Math.min(block.lengthMs * 2, longestMs);
  return { untilMs: nowMs + lengthMs, lengthMs, probes };
}

/** The block after a code that passed. */
function blockAfter(block: Block | undefined, phase: Phase): Block | undefined {
  if (phase === 'free' || block === undefined) return undefined;
  return phase === 'probing' ? { ...block, probes: block.probes - 1 } : block;
}

/** The level that is nearest to its limit. */
function tightest({ tally, limits }: MovedTally): Pick<LearnBlock, 'level' | 'points' | 'seconds'> {
  const isHour = tally.hour / limits.hour >= tally.day / limits.day;
  const [level, limit] = isHour ? [tally.hour, limits.hour] : [tally.day, limits.day];
  return { level: Math.round(level), points: Math.floor(limit), seconds: (isHour ? HOUR_MS : DAY_MS) / 1000 };
}

function isOver({ tally, limits }: MovedTally): boolean {
  return tally.hour + 1 > limits.hour || tally.day + 1 > limits.day;
}

export function totalAt(known: Total | undefined, toMs: number): Total {
  const { hours } = LEARN.blind;
  if (known === undefined) {
    const none = { knownInRow: 0, blindSinceMs: 0, trustedSinceMs: 0 };
    return { atMs: toMs, beganAtMs: toMs, usedAtMs: 0, sentByHour: [0], ...none };
  }
  const nowMs = Math.max(known.atMs, toMs);
  const how = { fromMs: known.atMs, nowMs, periodMs: HOUR_MS, length: hours + 1 };
  return { ...known, atMs: nowMs, sentByHour: shifted(known.sentByHour, how) };
}

/** The total with what it says of blindness. Only a use ends it. */
function withBlindness(total: Total): Total {
  const { sent, hours, knownInRow, quietMs } = LEARN.blind;
  if (total.blindSinceMs > 0) return total;
  const { atMs, usedAtMs, sentByHour } = total;
  const unusedMs = atMs - usedAtMs;
  const isBlind =
    (unusedMs >= hours * HOUR_MS && lastOf(sentByHour, hours, atMs, HOUR_MS) >= sent) ||
    (unusedMs >= quietMs && total.knownInRow >= knownInRow);
  return isBlind ? { ...total, blindSinceMs: atMs } : total;
}

function increased(counts: readonly number[], by: number): readonly number[] {
  const [first = 0, ...others] = counts;
  return [Math.max(0, first + by), ...others];
}

function raised(tally: Tally, by: number): Tally {
  return { ...tally, hour: Math.max(0, tally.hour + by), day: Math.max(0, tally.day + by) };
}

/** The network with the countries of the last day. */
function networkAt(known: NetworkTally | undefined, toMs: number, trustedSinceMs: number): NetworkTally {
  if (known === undefined || known.atMs < trustedSinceMs)
    return { atMs: Math.max(toMs, trustedSinceMs), countries: {}, usedAtMs: known?.usedAtMs ?? 0 };
  const nowMs = Math.max(known.atMs, toMs);
  const countries = Object.entries(known.countries).filter(([, atMs]) => atMs > nowMs - DAY_MS);
  return { ...known, atMs: nowMs, countries: Object.fromEntries(countries) };
}

export function isKnownNumber(known: KnownNumber | undefined, nowMs: number): boolean {
  return known !== undefined && nowMs - known.atMs < LEARN.knownMs;
}

/** Counts a code and judges it. */
export function countCode(
  learned: Learned,
  code: LearnedCode,
): { readonly next: Learned; readonly verdict: LearnVerdict } {
  const { nowMs, token } = code;
  const total = totalAt(learned.total, nowMs);
  const { trustedSinceMs } = total;
  const country = movedOn('country', learned.country, code, trustedSinceMs);
  const prefix = movedOn('prefix', learned.prefix, code, trustedSinceMs);
  const network = networkAt(learned.network, nowMs, trustedSinceMs);
  const { marker, known } = learned;

  const isKnown = isKnownNumber(known, nowMs);
  const isBlind = total.blindSinceMs > 0;
  const isLifted = (country.tally.liftedUntilMs ?? 0) > nowMs;
  const mayBlock = !isKnown && !code.isAllowed && !isBlind && !isLifted;
  // The same code again: its first count stands.
  const isAgain = marker?.tokens.includes(token) === true;
  const isFollowing = marker !== undefined && !isAgain && nowMs - marker.atMs < LEARN.supersededMs;
  const isCounting = code.isCounted && !isFollowing && !isAgain;

  const isNewCountry = code.network !== '' && !Object.hasOwn(network.countries, code.country);
  const countries = Object.keys(network.countries).length + (isNewCountry ? 1 : 0);
  const isUsedNetwork = network.usedAtMs > nowMs - DAY_MS;
  const isNetworkOver = !isUsedNetwork && isNewCountry && countries > LEARN.countriesPerNetwork;
  const phases = {
    country: phaseOf(country.tally.block, isOver(country), nowMs),
    prefix: phaseOf(prefix.tally.block, isOver(prefix), nowMs),
    network: phaseOf(network.block, isNetworkOver, nowMs),
  };
  const isBlocking = (phase: Phase): boolean =>
    mayBlock && !isAgain && (phase === 'blocked' || (phase === 'over' && isCounting));
  const blocks: LearnBlock[] = [];
  const addBlock = (rule: LearnRule, phase: Phase, limit: Omit<LearnBlock, 'rule'>): void => {
    if (isBlocking(phase)) blocks.push({ rule, ...limit });
  };
  addBlock('learn.country', phases.country, tightest(country));
  addBlock('learn.prefix', phases.prefix, tightest(prefix));
  addBlock('learn.ip', phases.network, {
    level: countries,
    points: LEARN.countriesPerNetwork,
    seconds: DAY_MS / 1000,
  });

  const isActing = code.isEnforced && nowMs >= total.beganAtMs + code.warmUpMs;
  const isBlocked = blocks.length > 0;
  const isLeaving = !isBlocked || !isActing;
  const leaves = isCounting && isLeaving;
  // The code before it may be given back: then the count stays for this one.
  const joins = code.isCounted && isFollowing && isLeaving && marker.tokens.length < LEARN.codesOfCount;
  // A code to a known number is not blocked, and does not show an attack: in a large organisation, many have one prefix.
  const entersLevels = isCounting && !isKnown && !isBlocked && !isBlind;

  const blockOf = (block: Block | undefined, phase: Phase): Block | undefined => {
    if (mayBlock && isCounting && isBlocked) return phase === 'over' ? nextBlock(block, nowMs) : block;
    return mayBlock && entersLevels ? blockAfter(block, phase) : block;
  };
  const tallyAfter = ({ tally }: MovedTally, phase: Phase): Tally => ({
    ...(entersLevels ? raised(tally, 1) : tally),
    sentByDay: leaves ? increased(tally.sentByDay, 1) : tally.sentByDay,
    block: blockOf(tally.block, phase),
  });
  const nextPrefix = tallyAfter(prefix, phases.prefix);
  const nextNetwork: NetworkTally = {
    ...network,
    countries:
      entersLevels && code.network !== ''
        ? { ...network.countries, [code.country]: nowMs }
        : network.countries,
    block: blockOf(network.block, phases.network),
  };
  const partUntilMs = Math.max(nextPrefix.block?.untilMs ?? 0, nextNetwork.block?.untilMs ?? 0);
  const nextCountry: Tally = {
    ...tallyAfter(country, phases.country),
    partBlockedUntilMs: Math.max(country.tally.partBlockedUntilMs ?? 0, partUntilMs) || undefined,
  };
  const nextTotal = withBlindness({
    ...total,
    sentByHour: leaves ? increased(total.sentByHour, 1) : total.sentByHour,
    knownInRow: total.knownInRow + (leaves && isKnown ? 1 : 0),
  });
  return {
    next: {
      total: nextTotal,
      country: nextCountry,
      prefix: nextPrefix,
      network: code.network === '' ? undefined : nextNetwork,
      known,
      marker: leaves
        ? {
            tokens: [token],
            atMs: nowMs,
            isInLevels: entersLevels,
            isProbe: mayBlock && entersLevels,
            isKnown,
            isNewCountry: isNewCountry && entersLevels,
          }
        : joins
          ? { ...marker, tokens: [...marker.tokens, token] }
          : marker,
    },
    verdict: {
      hasCounted: leaves || joins || isAgain,
      isKnown,
      blocks,
      isActing,
      isBlind: nextTotal.blindSinceMs > 0,
      beganAtMs: total.beganAtMs,
      shares: [
        shareOf('learn.country', code.country, nextCountry, country.limits),
        shareOf('learn.prefix', code.country, nextPrefix, prefix.limits),
      ],
    },
  };
}

function shareOf(rule: LearnRule, country: string, { hour, day }: Tally, limits: Limits): LearnShare {
  return { rule, country, hour: hour / limits.hour, day: day / limits.day };
}

/** Takes a code back, which did not leave by a paid channel, and its count with the last of its codes. */
export function withoutCode(
  learned: Learned,
  { token, country }: Pick<LearnedCode, 'token' | 'country'>,
): Learned {
  const { marker, total, prefix, network } = learned;
  if (marker?.tokens.includes(token) !== true) return learned;
  const tokens = marker.tokens.filter((one) => one !== token);
  if (tokens.length > 0) return { ...learned, marker: { ...marker, tokens } };
  const blockOf = ({ block, atMs }: Pick<Tally, 'block' | 'atMs'>): Block | undefined =>
    marker.isProbe && block !== undefined && block.untilMs <= atMs
      ? { ...block, probes: Math.min(block.probes + 1, LEARN.block.probes) }
      : block;
  const back = (tally: Tally | undefined): Tally | undefined => {
    if (tally === undefined) return undefined;
    const lowered = marker.isInLevels ? raised(tally, -1) : tally;
    return { ...lowered, sentByDay: increased(tally.sentByDay, -1), block: blockOf(tally) };
  };
  const others = Object.entries(network?.countries ?? {}).filter(([name]) => name !== country);
  return {
    ...learned,
    total: total && {
      ...total,
      sentByHour: increased(total.sentByHour, -1),
      knownInRow: Math.max(0, total.knownInRow - (marker.isKnown ? 1 : 0)),
    },
    country: back(learned.country),
    prefix: back(prefix),
    network:
      network !== undefined && marker.isNewCountry
        ? { ...network, countries: Object.fromEntries(others), block: blockOf(network) }
        : network,
    marker: undefined,
  };
}

/** Counts a use. A use with the token of the number's last use is the same one. */
export function withUse(learned: Learned, use: LearnedUse): Learned {
  const { token, nowMs, isPaid } = use;
  if (learned.known?.token === token) return learned;
  const total = totalAt(learned.total, nowMs);
  // By the clock of the total: this gateway's may be behind that of another one.
  const trustedSinceMs = total.blindSinceMs > 0 ? total.atMs + 1 : total.trustedSinceMs;
  const isKnown = isKnownNumber(learned.known, nowMs);
  const after = (kind: TallyKind, known: Tally | undefined): Tally => {
    const { tally } = movedOn(kind, known, use, trustedSinceMs);
    if (!isPaid) return tally;
    return {
      // A code to a known number has not raised them.
      ...(isKnown ? tally : raised(tally, -1)),
      usedByHour: increased(tally.usedByHour, 1),
      usedByDay: increased(tally.usedByDay, 1),
    };
  };
  return {
    total: {
      ...total,
      usedAtMs: total.atMs,
      knownInRow: 0,
      blindSinceMs: 0,
      trustedSinceMs,
    },
    country: after('country', learned.country),
    prefix: after('prefix', learned.prefix),
    network:
      use.network === ''
        ? undefined
        : { ...networkAt(learned.network, nowMs, trustedSinceMs), usedAtMs: nowMs },
    marker: learned.marker,
    known: { token, atMs: nowMs },
  };
}

/** What the console shows. */
export function describeLearned(
  total: Total | undefined,
  countries: readonly (readonly [country: string, known: Tally])[],
  at: { readonly ratio: number; readonly nowMs: number },
): LearnedSummary {
  return {
    isBlind: total !== undefined && total.blindSinceMs > 0,
    beganAtMs: total?.beganAtMs,
    countries: countries.map(([country, known]) =>
      describeCountry(country, movedOn('country', known, at, total?.trustedSinceMs ?? 0), at),
    ),
  };
}

function describeCountry(
  country: string,
  { tally, limits }: MovedTally,
  at: { readonly nowMs: number },
): LearnedCountry {
  const { nowMs } = at;
  const ifLater = (untilMs = 0): number | undefined => (untilMs > nowMs ? untilMs : undefined);
  return {
    ...shareOf('learn.country', country, tally, limits),
    sent: Math.round(lastOf(tally.sentByDay, 1, nowMs, DAY_MS)),
    used: Math.round(lastOf(tally.usedByDay, 1, nowMs, DAY_MS)),
    dayLimit: Math.floor(limits.day),
    hourLimit: Math.floor(limits.hour),
    blockedUntilMs: ifLater(tally.block?.untilMs),
    partBlockedUntilMs: ifLater(tally.partBlockedUntilMs),
    liftedUntilMs: ifLater(tally.liftedUntilMs),
  };
}

/** A country whose blocks are lifted until then. */
export function liftedUntil(
  known: Tally | undefined,
  untilMs: number,
  at: { readonly ratio: number; readonly nowMs: number },
): Tally {
  const { tally } = movedOn('country', known, at, 0);
  return { ...tally, liftedUntilMs: untilMs };
}
