/** When an organisation requests codes. All times are UTC, milliseconds since 1970. */

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The begin of each simulation: a Monday. */
export const BEGIN_MS = Date.UTC(2026, 0, 5);

/** Codes of each hour of a weekday, relative to each other: people sign in when work begins, and after lunch. */
const WEEKDAY = [1, 1, 1, 1, 1, 2, 4, 9, 15, 13, 9, 7, 6, 8, 7, 6, 5, 4, 3, 2, 2, 2, 1, 1];
const WEEKEND = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0];
/** On Monday mornings, sessions of the week before have ended. */
const MONDAY_MORNING = 1.8;
const MORNING = [7, 8, 9];

/** Relative codes of each hour of a week. */
const WEEK: readonly number[] = Array.from({ length: 7 }, (_, day) =>
  (day < 5 ? WEEKDAY : WEEKEND).map((codes, hour) =>
    day === 0 && MORNING.includes(hour) ? codes * MONDAY_MORNING : codes,
  ),
).flat();
const MEAN = WEEK.reduce((sum, codes) => sum + codes, 0) / WEEK.length;

/** The codes of an hour that begin without a resend, on average. */
export function codesOfHour(atMs: number, codesPerDay: number): number {
  const hour = Math.floor((atMs - BEGIN_MS) / HOUR_MS) % WEEK.length;
  return ((WEEK[hour] ?? 0) / MEAN) * (codesPerDay / 24);
}

/** The next request after a moment: requests do not know of each other. */
export function nextRequestMs(afterMs: number, codesPerDay: number, chance: () => number): number {
  let atMs = afterMs;
  for (;;) {
    const hourEndsMs = (Math.floor(atMs / HOUR_MS) + 1) * HOUR_MS;
    const rate = codesOfHour(atMs, codesPerDay);
    const nextMs = rate === 0 ? Infinity : atMs + (-Math.log(1 - chance()) / rate) * HOUR_MS;
    if (nextMs < hourEndsMs) return nextMs;
    atMs = hourEndsMs;
  }
}
