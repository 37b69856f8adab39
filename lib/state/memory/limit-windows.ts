import { RecentMap } from '../../core/recent-map.js';
import type { Bucket } from '../../delivery/state.js';

/**
 * 16,000 always: some 27 users a second through the ten minutes of a window. Where one process is asked for more, whoever pauses is forgotten
 * before the window's end, and whoever goes on asking is not; a state that gateways share has no such bound.
 */
const MAX_WINDOWS = 32_000;

interface Window {
  readonly until: number;
  spent: number;
}

const NONE: readonly string[] = [];

/**
 * Points by the hook's own clock, in windows that begin with the first one spent. Bounded: those who ask no
 * more are forgotten first; starts no timer.
 */
export class LimitWindows {
  readonly #windows = new RecentMap<Window>(MAX_WINDOWS);

  /**
   * Takes a point of each bucket, or of none where one has none left.
   *
   * @returns the keys of the buckets that had none left.
   */
  take(buckets: readonly Bucket[], nowMs: number): readonly string[] {
    const windows = buckets.map((bucket) => this.#find(bucket, nowMs));
    let exceeded = NONE;
    buckets.forEach(({ key, points }, index) => {
      if ((windows[index]?.spent ?? 0) >= points) exceeded = [...exceeded, key];
    });
    if (exceeded.length > 0) return exceeded;
    buckets.forEach(({ key, seconds }, index) => {
      const window = windows[index];
      if (window === undefined) this.#windows.set(key, { until: nowMs + seconds * 1000, spent: 1 });
      else window.spent += 1;
    });
    return exceeded;
  }

  /** Puts back what was taken then: a point of each bucket, where none had none left. */
  giveBack(buckets: readonly Bucket[], takenMs: number): void {
    for (const bucket of buckets) {
      const window = this.#find(bucket, takenMs);
      if (window !== undefined && window.spent > 0) window.spent -= 1;
    }
  }

  /** The window that a moment is in. One from before the clock was set back, or of a later moment, is none. */
  #find({ key, seconds }: Bucket, nowMs: number): Window | undefined {
    // Whoever asks again and again is not forgotten, also where nothing is left.
    const window = this.#windows.use(key);
    const leftMs = (window?.until ?? 0) - nowMs;
    return leftMs > 0 && leftMs <= seconds * 1000 ? window : undefined;
  }
}
