/** Headers of an answer, names in lower case. */
type Headers = Readonly<Record<string, string>>;

/** Okta counts by windows of a minute; one second more, since its clock is only known to the second. */
const MAX_PAUSE_MS = 61_000;
const ONE_SECOND_MS = 1_000;
/** A 429 for too many calls at once has no window to wait for, and its Reset is only a suggestion. */
const CONCURRENCY_PAUSE_MS = 2_000;
/** Okta's limits are shared by the whole org: its last tenth is left to sign-ins and administrators. */
const LOW_FRACTION = 0.1;

const LIMIT = 'x-rate-limit-limit';
const REMAINING = 'x-rate-limit-remaining';
const RESET = 'x-rate-limit-reset';

/** The part of an answer's headers that says how much may still be asked, and by which clock. */
export function rateLimitHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    [LIMIT, REMAINING, RESET, 'date'].flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * How long nothing should be asked after an answer, milliseconds; `undefined` where all is well.
 *
 * @param answer.isRefused - whether it was a 429. Then there always is a pause.
 * @param nowMs - our own clock, for an answer that brings no `Date`.
 */
export function pauseAfter(
  answer: { readonly headers: Headers; readonly isRefused: boolean },
  nowMs: number,
): number | undefined {
  const { headers, isRefused } = answer;
  const limit = readCount(headers[LIMIT]);
  const remaining = readCount(headers[REMAINING]);
  const resetSeconds = readCount(headers[RESET]);

  if (!isRefused) {
    const isLow = limit !== undefined && remaining !== undefined && remaining < limit * LOW_FRACTION;
    if (!isLow || resetSeconds === undefined) return undefined;
  } else if (limit === 0 || resetSeconds === undefined) {
    return CONCURRENCY_PAUSE_MS;
  }
  // Against Okta's own clock, not ours: ours may be minutes off.
  const pauseMs = resetSeconds * 1000 - (readDate(headers['date']) ?? nowMs) + ONE_SECOND_MS;
  if (pauseMs <= 0 && !isRefused) return undefined;
  return Math.min(Math.max(pauseMs, ONE_SECOND_MS), MAX_PAUSE_MS);
}

/** An HTTP date, as milliseconds since 1970. */
export function readDate(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** A header that came twice has a comma, and is as good as none: nobody knows which of them counts. */
function readCount(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
