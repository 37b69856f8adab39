/** Formats dates, durations and counts in the reader's own way. */

const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const OF_TODAY = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const OF_ANOTHER_DAY = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const CLOCK_OF_ANOTHER_DAY = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const WHOLE = new Intl.NumberFormat();
const TENTHS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [MINUTE_MS, 'minute'],
] as const;

/** Date and time, to the second. */
export function formatDateTime(at: number): string {
  return EXACT.format(at);
}

/** The reader's time zone, e.g. `Europe/London (GMT+1)`. */
export function nameTimeZone(): string {
  const format = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' });
  const short = format.formatToParts().find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const { timeZone } = format.resolvedOptions();
  return timeZone === short ? timeZone : `${timeZone} (${short})`;
}

/** Time to the second; with the day if it is not today. */
export function formatTime(at: number): string {
  return (isToday(at) ? OF_TODAY : OF_ANOTHER_DAY).format(at);
}

/** Time to the minute; with the weekday if it is not today. */
export function formatClock(at: number): string {
  return (isToday(at) ? CLOCK : CLOCK_OF_ANOTHER_DAY).format(at);
}

function isToday(at: number): boolean {
  return new Date(at).toDateString() === new Date().toDateString();
}

/** E.g. `3 minutes ago`, `in 20 seconds`. */
export function formatRelative(at: number, now: number): string {
  const ms = at - now;
  const [unitMs, unit] = UNITS.find(([each]) => Math.abs(ms) >= each) ?? [SECOND_MS, 'second'];
  return RELATIVE.format(Math.trunc(ms / unitMs), unit);
}

/** E.g. `10 minutes`; `hour` for one hour. */
export function formatWindow(seconds: number): string {
  const ms = seconds * SECOND_MS;
  const [unitMs, unit] = UNITS.find(([each]) => ms >= each && ms % each === 0) ?? [SECOND_MS, 'second'];
  const count = ms / unitMs;
  return count === 1 ? unit : `${formatCount(count)} ${unit}s`;
}

/** E.g. `312 ms`, `4.2 s`, `3 min 20 s`. */
export function formatDuration(ms: number): string {
  const size = Math.max(0, ms);
  if (size < 10 * SECOND_MS) return `${WHOLE.format(Math.round(size))} ms`;
  if (size < MINUTE_MS) return `${TENTHS.format(size / SECOND_MS)} s`;
  const seconds = Math.floor(size / SECOND_MS);
  const minutes = Math.floor(seconds / 60);
  const [count, unit, rest, smaller] =
    minutes < 60 ? [minutes, 'min', seconds % 60, 's'] : [Math.floor(minutes / 60), 'h', minutes % 60, 'min'];
  return rest === 0 ? `${count} ${unit}` : `${count} ${unit} ${rest} ${smaller}`;
}

/** E.g. `15 %`, `1.6 %`; `–` if there is nothing that it could be a share of. */
export function formatPercent(count: number, of: number): string {
  if (of === 0) return '–';
  const percent = (100 * count) / of;
  return `${(percent < 10 ? TENTHS : WHOLE).format(percent < 10 ? percent : Math.round(percent))} %`;
}

/** A share as a length in a picture. */
export function percentOf(part: number, whole: number): string {
  return `${((100 * Math.min(part, whole)) / whole).toFixed(2)}%`;
}

export function formatCount(count: number): string {
  return WHOLE.format(count);
}
