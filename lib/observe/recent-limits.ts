import type { HookEvent, HookEventListener } from '../delivery/events.js';

/** What held codes back lately, and what holds Okta's profiles back now: for those who look at a hook's health. */
export interface RecentLimits {
  readonly listener: HookEventListener;
  /** How many codes the guard held back, or would have, in the last `WINDOW_SECONDS`. */
  blocked(): number;
  /** Until when Okta's Users API is left alone, milliseconds since 1970; `undefined` where it is asked. */
  oktaPausedUntil(): number | undefined;
}

export const WINDOW_SECONDS = 3600;

const MINUTE_MS = 60_000;

/** Counts by the minute: no more is kept than the window has of them, whatever comes. */
export function watchLimits(clock: () => number): RecentLimits {
  const byMinute = new Map<number, number>();
  let pausedUntil = 0;

  const forgetOld = (nowMs: number): void => {
    for (const minute of byMinute.keys()) {
      const ageMs = nowMs - minute * MINUTE_MS;
      // A clock that was set back leaves minutes that have not been yet.
      if (ageMs >= WINDOW_SECONDS * 1000 || ageMs < 0) byMinute.delete(minute);
    }
  };

  return {
    listener: (event: HookEvent) => {
      if (event.type === 'okta.paused') pausedUntil = event.untilMs;
      if (event.type !== 'guard.blocked' || event.isOtherNumber === true) return;
      const minute = Math.floor(event.at / MINUTE_MS);
      if (!byMinute.has(minute)) forgetOld(event.at);
      byMinute.set(minute, (byMinute.get(minute) ?? 0) + 1);
    },
    blocked: () => {
      forgetOld(clock());
      return [...byMinute.values()].reduce((sum, count) => sum + count, 0);
    },
    oktaPausedUntil: () => (pausedUntil > clock() ? pausedUntil : undefined),
  };
}
