import type { HookEvent, HookEventFields } from '../core/events.js';

/** Calls that were answered with an error. */
export interface RejectedCalls {
  /** Our code; `probe` for test calls of the command line. */
  readonly code: string;
  readonly count: number;
  /** `plain`: test calls. `warn`: a few that any stranger can cause, such as one GET of a browser. */
  readonly tone: 'plain' | 'warn' | 'bad';
}

const PROBE = 'probe';
/** Rejections that anyone can cause without authentication. Below this number in the window they are no problem. */
const STRAY: ReadonlySet<string> = new Set(['CALLER_NOT_PROVEN', 'METHOD_NOT_ALLOWED', 'BAD_SIGNATURE']);
const MANY = 3;

function toneOf(code: string, count: number): RejectedCalls['tone'] {
  if (code === PROBE) return 'plain';
  return STRAY.has(code) && count < MANY ? 'warn' : 'bad';
}

export const WINDOW_SECONDS = 3600;

const MINUTE_MS = 60_000;

/** Counts by the minute, so that it keeps at most one number for each minute of the window. */
class MinuteCount {
  readonly #byMinute = new Map<number, number>();

  add(atMs: number, count: number): void {
    const minute = Math.floor(atMs / MINUTE_MS);
    if (!this.#byMinute.has(minute)) this.#forgetOld(atMs);
    this.#byMinute.set(minute, (this.#byMinute.get(minute) ?? 0) + count);
  }

  sum(nowMs: number): number {
    this.#forgetOld(nowMs);
    return [...this.#byMinute.values()].reduce((sum, count) => sum + count, 0);
  }

  #forgetOld(nowMs: number): void {
    for (const minute of this.#byMinute.keys()) {
      const ageMs = nowMs - minute * MINUTE_MS;
      // A clock that was set back leaves minutes that are still to come.
      if (ageMs >= WINDOW_SECONDS * 1000 || ageMs < 0) this.#byMinute.delete(minute);
    }
  }
}

/** For the console's health view: codes that the guard blocked lately, rejected calls, and a pause of Okta's Users API. */
export function watchLimits(clock: () => number) {
  const blocked = new MinuteCount();
  // By code. There are few codes.
  const rejected = new Map<string, MinuteCount>();
  let pause: HookEventFields['okta.paused'] | undefined;

  const countRejected = (
    code: string,
    { at, count }: { readonly at: number; readonly count: number },
  ): void => {
    const counted = rejected.get(code) ?? new MinuteCount();
    rejected.set(code, counted);
    counted.add(at, count);
  };

  return {
    listener: (event: HookEvent): void => {
      if (event.type === 'okta.paused') pause = { reason: event.reason, untilMs: event.untilMs };
      if (event.type === 'okta.resumed') pause = undefined;
      if (event.type === 'guard.blocked' || event.type === 'guard.noticed') {
        if (event.isOtherNumber !== true) blocked.add(event.at, 1);
      }
      if (event.type === 'caller.rejected') countRejected(event.reason, event);
      if (event.type === 'request.rejected') countRejected(event.code, event);
      if (event.type === 'probe.rejected') countRejected(PROBE, event);
    },
    /** How many codes the guard blocked, or would have blocked, in the last `WINDOW_SECONDS`. */
    blocked: () => blocked.sum(clock()),
    /** Rejected calls in the same window, by code. Rejections without authentication count within a minute. */
    rejectedCalls: (): readonly RejectedCalls[] =>
      [...rejected].flatMap(([code, counted]) => {
        const count = counted.sum(clock());
        return count === 0 ? [] : [{ code, count, tone: toneOf(code, count) }];
      }),
    /** Until when the hook does not call Okta's Users API, and why; `undefined` if it does. */
    oktaPause: () => (pause !== undefined && pause.untilMs > clock() ? pause : undefined),
  };
}
