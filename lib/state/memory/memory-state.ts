import { RecentMap } from '../../core/caches.js';
import type { Bucket, StatePort } from '../../delivery/state.js';
import { LocalClaims } from '../../guard/duplicates.js';
import { memoryOrder } from './receipts.js';
import { MemoryRecords } from './records.js';

const HELD = new WeakMap<StatePort, LocalClaims>();

/** The claims that a `memoryState()` holds, which a hook uses as its own; `undefined` for any other state. */
export function localClaimsOf(state: StatePort): LocalClaims | undefined {
  return HELD.get(state);
}

/** A `memoryState()` with the members of the port. */
export function openMemoryState(): StatePort {
  const claims = new LocalClaims({ isOfState: true });
  const limits = new LimitWindows();
  const claim: StatePort['claim'] = (key, life) => {
    const answer = claims.answerOf(key);
    if (answer !== undefined) return { isFirst: false, answer };
    const exceeded = limits.take(life.buckets, life.nowMs);
    const held = key === undefined ? undefined : claims.claim(key, life.rememberMs);
    return {
      isFirst: true,
      exceeded,
      settle: (answer) => {
        held?.settle(answer);
      },
      release: () => {
        if (exceeded.length === 0) limits.refund(life.buckets, life.nowMs);
        held?.release();
      },
    };
  };
  const records = new MemoryRecords();
  const state: StatePort = {
    ...memoryOrder(),
    update: (names, transition) => records.update(names, transition),
    read: (names, read) => records.read(names, read),
    recall: (name) => records.recall(name),
    claim,
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
  HELD.set(state, claims);
  return state;
}

/**
 * At least so many windows are kept: of 13 codes a second for ten minutes, because a code uses two by default. With more, a window
 * that is not used any more is dropped before its end, but never one that is still used. A state that gateways share has no
 * such bound.
 */
const MIN_WINDOWS = 16_000;

interface Window {
  readonly until: number;
  spent: number;
}

const NONE: readonly string[] = [];

/**
 * Rate limits in memory: fixed windows that begin with their first point, by the hook's clock. Bounded,
 * without a timer.
 */
export class LimitWindows {
  readonly #windows = new RecentMap<Window>(MIN_WINDOWS, 1);

  /**
   * Takes a point from each bucket, or from none if one of them is exceeded.
   *
   * @returns the keys of the exceeded buckets.
   */
  take(buckets: readonly Bucket[], nowMs: number): readonly string[] {
    let exceeded = NONE;
    const windows: (Window | undefined)[] = [];
    for (const bucket of buckets) {
      const window = this.#find(bucket, nowMs);
      windows.push(window);
      if (window !== undefined && window.spent >= bucket.points) exceeded = [...exceeded, bucket.key];
    }
    if (exceeded.length > 0) return exceeded;
    buckets.forEach(({ key, seconds }, index) => {
      const window = windows[index];
      if (window === undefined) this.#windows.set(key, { until: nowMs + seconds * 1000, spent: 1 });
      else window.spent += 1;
    });
    return exceeded;
  }

  /**
   * Gives back the points of a `take` that exceeded no bucket.
   *
   * @param takenMs - when they were taken.
   */
  refund(buckets: readonly Bucket[], takenMs: number): void {
    for (const bucket of buckets) {
      const window = this.#find(bucket, takenMs);
      if (window !== undefined && window.spent > 0) window.spent -= 1;
    }
  }

  /**
   * The window of a bucket at a moment; `undefined` if there is none, if it has ended, or if it lies outside
   * the moment because the clock was set back.
   */
  #find({ key, seconds }: Bucket, nowMs: number): Window | undefined {
    // Keeps the window of a user who goes on requesting codes, also if it is exceeded.
    const window = this.#windows.use(key);
    const leftMs = (window?.until ?? 0) - nowMs;
    return leftMs > 0 && leftMs <= seconds * 1000 ? window : undefined;
  }
}
