import { ATTACKS } from './attacks.js';
import { BEGIN_MS, DAY_MS } from './calendar.js';
import type { LearningGuard, LearnOptions } from './guard.js';
import { play, type Period, type PeriodResult } from './play.js';
import { blockedIn, numberOf } from './tables.js';

/** One run of the guard: warm-up, honest days, the loss of the event hook, then one attack after the other. */

export interface GuardRun {
  /** Codes on an average day. */
  readonly size: number;
  readonly days: number;
  readonly learn: Pick<LearnOptions, 'warmUpDays'>;
  readonly seed: number;
}

export interface GuardResult {
  readonly honest: readonly PeriodResult[];
  readonly attacks: readonly PeriodResult[];
  /** What must not happen. */
  readonly problems: readonly string[];
}

/** Each attack, and each bad morning, has so many days of honest traffic. */
const ATTACK_DAYS = 2;
const LOSS_DAYS = 7;
const RECOVERY_DAYS = 3;
const WEEK_MS = 7 * DAY_MS;
/** The country with the most users. */
const HOME = 'US';

export async function simulateGuard(run: GuardRun, guard: LearningGuard): Promise<GuardResult> {
  const { size, seed } = run;
  const results = await play({ beginMs: BEGIN_MS, size, seed, periods: periodsOf(run) }, guard);
  const honest = results.filter(({ period }) => period.attack === undefined);
  const attacks = results.filter(({ period }) => period.attack !== undefined);
  return { honest, attacks, problems: problemsOf(honest, attacks) };
}

function periodsOf({ size, days, learn: { warmUpDays } }: GuardRun): readonly Period[] {
  const periods: Period[] = [];
  let untilMs = BEGIN_MS;
  const add = (lastDays: number, period: Omit<Period, 'untilMs'>): void => {
    untilMs += lastDays * DAY_MS;
    if (lastDays > 0) periods.push({ ...period, untilMs });
  };
  add(warmUpDays, { name: `${warmUpDays} days of warm-up` });
  add(days, { name: `${days} days` });
  add(LOSS_DAYS, { name: `${LOSS_DAYS} days without event hook`, hasUses: false });
  // What follows begins on a Monday.
  const recoveryMs = RECOVERY_DAYS * DAY_MS;
  const mondayMs = Math.ceil((untilMs + recoveryMs - BEGIN_MS) / WEEK_MS) * WEEK_MS + BEGIN_MS;
  add((mondayMs - untilMs) / DAY_MS, { name: 'the days after that' });
  add(ATTACK_DAYS, { name: `a morning without texts in ${HOME}`, outageOf: HOME, isHard: true });
  add(ATTACK_DAYS, {
    name: 'a morning with many enrolments',
    enrollments: Math.ceil(size / 2),
    isHard: true,
  });
  for (const attack of ATTACKS) add(ATTACK_DAYS, { name: attack.name, attack });
  return periods;
}

function problemsOf(honest: readonly PeriodResult[], attacks: readonly PeriodResult[]): readonly string[] {
  return [
    ...honest.flatMap((result) => {
      const blocked = blockedIn(result.honest);
      return blocked === 0 || result.period.isHard === true
        ? []
        : [`${numberOf(blocked)} honest codes blocked in ${result.period.name}`];
    }),
    ...attacks.flatMap(({ period, attack }) => {
      const most = period.attack?.blockedWithin;
      const sent = attack.firstBlock?.afterCodes ?? Infinity;
      if (most === undefined || sent <= most) return [];
      return [`${period.name}: the first block comes after ${numberOf(sent)} codes, not ${numberOf(most)}`];
    }),
  ];
}
