import { chanceOf } from '../chaos/chance.js';
import { requestsOf, type Attack } from './attacks.js';
import { HOUR_MS, nextRequestMs } from './calendar.js';
import type { LearningGuard, Request } from './guard.js';
import { Moments } from './moments.js';
import { CONVERSION, reactionTo } from './people.js';
import { Population, type User } from './population.js';

/** Plays the traffic of an organisation, period after period. */

/** Codes to enrol a phone, of all codes: new people, and new phones. */
const ENROLLMENTS = 0.02;
/** After midnight of the first day of a period. */
const ATTACK_BEGINS_MS = 10 * HOUR_MS;
const MORNING = { fromMs: 8 * HOUR_MS, untilMs: 10 * HOUR_MS };

/** A part of a run, with a row in the report. */
export interface Period {
  readonly name: string;
  readonly untilMs: number;
  /** Begins in the first morning of the period. */
  readonly attack?: Attack | undefined;
  /** Whether Okta's event hook reports uses. Default: `true`. */
  readonly hasUses?: boolean;
  /** People who are all asked to enrol, and do so in the first morning. */
  readonly enrollments?: number;
  /** No text to this country arrives in the first morning. */
  readonly outageOf?: string;
  /** Its honest codes look like an attack: some may be blocked. */
  readonly isHard?: boolean;
}

/** What a period had. */
export interface PeriodResult {
  readonly period: Period;
  readonly honest: Tally;
  readonly attack: Tally;
}

/** The codes of honest users, or of an attack. */
export interface Tally {
  /** Codes requested. */
  codes: number;
  used: number;
  readonly sent: Costs;
  readonly blocked: Costs;
  readonly blockedUsers: Set<string>;
  /** The rules of all blocks. */
  readonly rules: Map<string, number>;
  /** The first block; `undefined` if there is none. */
  firstBlock: { readonly afterCodes: number; readonly atMs: number } | undefined;
}

/** Codes by text and by WhatsApp, by country. */
interface Costs {
  readonly sms: Map<string, number>;
  readonly whatsapp: Map<string, number>;
}

type Happening =
  | { readonly kind: 'request' }
  | { readonly kind: 'code'; readonly request: Request; readonly nth: number; readonly isAttack: boolean }
  | { readonly kind: 'use'; readonly request: Request };

export interface Traffic {
  readonly beginMs: number;
  /** Codes on an average day. */
  readonly size: number;
  readonly seed: number;
  readonly periods: readonly Period[];
}

export async function play(
  { beginMs, size, seed, periods }: Traffic,
  guard: LearningGuard,
): Promise<readonly PeriodResult[]> {
  const arrivals = chanceOf(seed, `arrivals ${size}`);
  const reactions = chanceOf(seed, `reactions ${size}`);
  const people = new Population(size, chanceOf(seed, `people ${size}`));
  const moments = new Moments<Happening>();
  const addRequest = (afterMs: number): void => {
    moments.add(nextRequestMs(afterMs, firstCodesOf(size), arrivals), { kind: 'request' });
  };
  const results: PeriodResult[] = [];

  addRequest(beginMs);
  let startMs = beginMs;
  for (const period of periods) {
    const result = { period, honest: newTally(), attack: newTally() };
    for (const { afterMs, request } of attackOf(period, seed)) {
      moments.add(startMs + ATTACK_BEGINS_MS + afterMs, { kind: 'code', request, nth: 1, isAttack: true });
    }
    for (const { afterMs, request } of enrollmentsOf(period, people, arrivals)) {
      moments.add(startMs + afterMs, { kind: 'code', request, nth: 1, isAttack: false });
    }
    for (;;) {
      const moment = moments.takeBefore(period.untilMs);
      if (moment === undefined) break;
      const { atMs, item } = moment;
      if (item.kind === 'use') {
        result.honest.used += 1;
        if (period.hasUses !== false) guard.use(item.request, atMs);
        continue;
      }
      const code = item.kind === 'code' ? item : firstCode(people, arrivals);
      if (item.kind === 'request') addRequest(atMs);
      const { rules } = await guard.send(code.request, atMs);
      const isBlocked = rules.length > 0;
      const tally = code.isAttack ? result.attack : result.honest;
      count(tally, code.request, rules, atMs - startMs - ATTACK_BEGINS_MS);
      if (isBlocked || code.isAttack) continue;
      const isLost = isInOutage(period, code.request, atMs - startMs);
      const reaction = reactionTo(code.nth, reactions, isLost ? 0 : CONVERSION);
      if (reaction.kind === 'use') {
        moments.add(atMs + reaction.eventAfterMs, { kind: 'use', request: code.request });
      } else if (reaction.kind === 'resend') {
        moments.add(atMs + reaction.afterMs, { ...code, nth: code.nth + 1 });
      }
    }
    results.push(result);
    startMs = period.untilMs;
  }
  return results;
}

interface PlannedRequest {
  /** After the begin of the period, or of its attack. */
  readonly afterMs: number;
  readonly request: Request;
}

function attackOf({ attack }: Period, seed: number): readonly PlannedRequest[] {
  return attack === undefined ? [] : requestsOf(attack, seed);
}

function enrollmentsOf(
  { enrollments = 0 }: Period,
  people: Population,
  chance: () => number,
): readonly PlannedRequest[] {
  return Array.from({ length: enrollments }, () => ({
    afterMs: MORNING.fromMs + chance() * (MORNING.untilMs - MORNING.fromMs),
    request: requestOf(people.enroll(), true),
  }));
}

function isInOutage({ outageOf }: Period, { channel, country }: Request, afterMs: number): boolean {
  return channel === 'sms' && country === outageOf && afterMs >= MORNING.fromMs && afterMs < MORNING.untilMs;
}

/** Each first code leads to so many codes, because some users ask again. */
const CODES_PER_SIGN_IN = 1.16;

function firstCodesOf(size: number): number {
  return size / CODES_PER_SIGN_IN;
}

function firstCode(people: Population, chance: () => number): Extract<Happening, { kind: 'code' }> {
  const isEnrollment = chance() < ENROLLMENTS;
  const user = isEnrollment ? people.enroll() : people.any();
  return { kind: 'code', request: requestOf(user, isEnrollment), nth: 1, isAttack: false };
}

function requestOf({ id, number, country, ip, isOnWhatsApp }: User, isEnrollment: boolean): Request {
  return {
    userId: id,
    number,
    country,
    ip,
    // Who enrols has not opted in yet.
    channel: isOnWhatsApp && !isEnrollment ? 'whatsapp' : 'sms',
  };
}

function newTally(): Tally {
  const costs = (): Costs => ({ sms: new Map(), whatsapp: new Map() });
  return {
    codes: 0,
    used: 0,
    sent: costs(),
    blocked: costs(),
    blockedUsers: new Set(),
    rules: new Map(),
    firstBlock: undefined,
  };
}

function count(
  tally: Tally,
  { channel, country, userId }: Request,
  rules: readonly string[],
  afterMs: number,
): void {
  const isBlocked = rules.length > 0;
  if (isBlocked) {
    tally.firstBlock ??= { afterCodes: tally.codes, atMs: afterMs };
    tally.blockedUsers.add(userId);
    for (const rule of rules) addTo(tally.rules, rule);
  }
  tally.codes += 1;
  addTo((isBlocked ? tally.blocked : tally.sent)[channel], country);
}

function addTo(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
