import { LRUCache } from 'lru-cache';
import type { Bucket } from '../delivery/state.js';

/** About 100 users a second for ten minutes. */
const MAX_WINDOWS = 60_000;

interface Window {
  readonly until: number;
  spent: number;
}

/** What came of asking for points. */
interface TakenPoints {
  /** The keys of the buckets that had none left. */
  readonly exceeded: readonly string[];
  /** Puts back what was taken. */
  readonly giveBack: () => void;
}

const NONE: readonly string[] = [];

/**
 * Points by the hook's own clock, in windows that begin with the first one spent. Bounded, the one that was least
 * asked for forgotten first; starts no timer.
 */
export class LimitWindows {
  readonly #windows = new LRUCache<string, Window>({ max: MAX_WINDOWS });

  /** Takes a point of each bucket, or of none where one has none left. */
  take(buckets: readonly Bucket[], nowMs: number): TakenPoints {
    const exceeded = this.#spend(buckets, nowMs);
    return {
      exceeded,
      giveBack: () => {
        if (exceeded.length === 0) this.#giveBack(buckets, nowMs);
      },
    };
  }

  #spend(buckets: readonly Bucket[], nowMs: number): readonly string[] {
    const exceeded = buckets.filter((bucket) => (this.#open(bucket, nowMs)?.spent ?? 0) >= bucket.points);
    if (exceeded.length > 0) return exceeded.map(({ key }) => key);
    for (const bucket of buckets) {
      const open = this.#open(bucket, nowMs);
      if (open === undefined) {
        this.#windows.set(bucket.key, { until: nowMs + bucket.seconds * 1000, spent: 1 });
      } else open.spent += 1;
    }
    return NONE;
  }

  #giveBack(buckets: readonly Bucket[], spentMs: number): void {
    for (const bucket of buckets) {
      const open = this.#open(bucket, spentMs);
      if (open !== undefined && open.spent > 0) open.spent -= 1;
    }
  }

  /** The window that a moment is in. One from before the clock was set back, or of a later moment, is none. */
  #open({ key, seconds }: Bucket, nowMs: number): Window | undefined {
    const window = this.#windows.get(key);
    const leftMs = (window?.until ?? 0) - nowMs;
    return leftMs > 0 && leftMs <= seconds * 1000 ? window : undefined;
  }
}
