import type { LearnedCountry } from '../../delivery/learning.js';
import type { LearnOverview } from '../../guard/learning-guard.js';
import type { Tone } from '../../events/description.js';
import { formatClock, formatCount } from './format.js';

/** What the table of the guard that learns says of a country. */

/** The state of a country. The most urgent one is last. */
export interface LearnedState {
  readonly rank: number;
  readonly tone: Tone;
  readonly text: string;
  readonly canLift: boolean;
}

/** Whether it blocks now. */
function isActing({ mode, isBlind, warmUpUntilMs }: LearnOverview): boolean {
  return mode === 'enforce' && !isBlind && warmUpUntilMs === undefined;
}

export function stateOf(country: LearnedCountry, overview: LearnOverview): LearnedState {
  const { blockedUntilMs, partBlockedUntilMs, liftedUntilMs } = country;
  if (overview.isBlind) return { rank: 0, tone: 'plain', text: 'Not blocked: no uses seen', canLift: false };
  if (liftedUntilMs !== undefined)
    return { rank: 2, tone: 'warn', text: `Lifted until ${formatClock(liftedUntilMs)}`, canLift: false };
  const canLift = isActing(overview);
  const [be, tone] = canLift ? (['Blocked', 'bad'] as const) : (['Would be blocked', 'warn'] as const);
  if (blockedUntilMs !== undefined)
    return { rank: 4, tone, text: `${be} until ${formatClock(blockedUntilMs)}`, canLift };
  if (partBlockedUntilMs !== undefined) {
    const text = `${be} in part until ${formatClock(partBlockedUntilMs)}`;
    return { rank: 3, tone, text, canLift };
  }
  if (levelOf(country) >= 1) return { rank: 1, tone: 'warn', text: 'At its limit', canLift: false };
  return { rank: 0, tone: 'good', text: 'Not blocked', canLift: false };
}

/** The level that is nearest to its limit: 1 is the limit. */
export function levelOf({ hour, day }: LearnedCountry): number {
  return Math.max(hour, day);
}

/** E.g. `18 of 20 an hour`. */
export function sayLevel({ hour, day, hourLimit, dayLimit }: LearnedCountry): string {
  const [share, limit, period] = hour >= day ? [hour, hourLimit, 'an hour'] : [day, dayLimit, 'a day'];
  return `${formatCount(Math.round(share * limit))} of ${formatCount(limit)} ${period}`;
}

/** The countries with something to say: the most urgent one first, then those nearest to their limits. */
export function countriesOf(overview: LearnOverview): readonly LearnedCountry[] {
  const rankOf = (country: LearnedCountry): number => stateOf(country, overview).rank;
  return overview.countries
    .filter((country) => country.sent > 0 || country.used > 0 || rankOf(country) > 0)
    .sort(
      (one, other) => rankOf(other) - rankOf(one) || levelOf(other) - levelOf(one) || other.sent - one.sent,
    );
}
