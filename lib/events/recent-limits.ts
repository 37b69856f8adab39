import type { HookEvent, HookEventListener } from '../core/events.js';

/** What was held back and turned away lately, and what holds Okta's profiles back now: for those who look at a hook's health. */
export interface RecentLimits {
  readonly listener: HookEventListener;
  /** How many codes the guard held back, or would have, in the last `WINDOW_SECONDS`. */
  blocked(): number;
  /** How many calls were turned away in it, and as what: as far as they were told, which is once a minute where anybody can cause it. */
  turnedAway(): readonly TurnedAway[];
  /** Until when Okta's Users API is left alone, milliseconds since 1970; `undefined` where it is asked. */
  oktaPausedUntil(): number | undefined;
}

/** Calls that got an error in place of a code, with one code of ours. */
export interface TurnedAway {
  readonly code: string;
  readonly count: number;
}

export const WINDOW_SECONDS = 3600;

const MINUTE_MS = 60_000;

/** Counts by the minute: no more is kept than the window has of them, whatever comes. */
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
      // A clock that was set back leaves minutes that have not been yet.
      if (ageMs >= WINDOW_SECONDS * 1000 || ageMs < 0) this.#byMinute.delete(minute);
    }
  }
}

export function watchLimits(clock: () => number): RecentLimits {
  const heldBack = new MinuteCount();
  // By code, of which there are few.
  const rejected = new Map<string, MinuteCount>();
  let pausedUntil = 0;

  const countRejected = (code: string, atMs: number, count: number): void => {
    const counted = rejected.get(code) ?? new MinuteCount();
    rejected.set(code, counted);
    counted.add(atMs, count);
  };

  return {
    listener: (event: HookEvent) => {
      switch (event.type) {
        case 'okta.paused':
          pausedUntil = event.untilMs;
          return;
        case 'guard.blocked':
          if (event.isOtherNumber !== true) heldBack.add(event.at, 1);
          return;
        case 'caller.rejected':
          countRejected(event.reason, event.at, event.count);
          return;
        case 'request.rejected':
          countRejected(event.code, event.at, event.count);
          return;
        default:
      }
    },
    blocked: () => heldBack.sum(clock()),
    turnedAway: () =>
      [...rejected]
        .map(([code, counted]) => ({ code, count: counted.sum(clock()) }))
        .filter(({ count }) => count > 0),
    oktaPausedUntil: () => (pausedUntil > clock() ? pausedUntil : undefined),
  };
}
