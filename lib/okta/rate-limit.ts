/** Reads the rate limit of Okta's API from an answer, and how long to pause. */

/** Headers of an answer, names in lower case. */
type Headers = Readonly<Record<string, string>>;

/** Okta's windows last a minute. One more second, because its `Date` has whole seconds. */
const MAX_PAUSE_MS = 61_000;
const ONE_SECOND_MS = 1_000;
/** A 429 for too many concurrent calls has no window, and its Reset is only a suggestion. */
const CONCURRENCY_PAUSE_MS = 2_000;
/** The whole org shares Okta's limits. We leave the last tenth to sign-ins and administrators. */
const LOW_FRACTION = 0.1;

const LIMIT = 'x-rate-limit-limit';
const REMAINING = 'x-rate-limit-remaining';
const RESET = 'x-rate-limit-reset';

/** The answer's rate limit headers, and its `Date`. */
export function rateLimitHeaders(headers: Headers): Headers {
  return Object.fromEntries(
    [LIMIT, REMAINING, RESET, 'date'].flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * How long to pause after an answer, milliseconds; `undefined` if no pause is needed.
 *
 * @param answer.isRefused - whether the answer is a 429. It always needs a pause.
 * @param nowMs - our clock, for an answer without a `Date`.
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
  // Relative to Okta's clock, because ours may be minutes off.
  const pauseMs = resetSeconds * 1000 - (readDate(headers['date']) ?? nowMs) + ONE_SECOND_MS;
  if (pauseMs <= 0 && !isRefused) return undefined;
  return Math.min(Math.max(pauseMs, ONE_SECOND_MS), MAX_PAUSE_MS);
}

/** An HTTP date as milliseconds since 1970. */
export function readDate(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? '');
  return Number.isNaN(time) ? undefined : time;
}

/** A repeated header has a comma and is ignored, because it is unknown which value counts. */
function readCount(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
