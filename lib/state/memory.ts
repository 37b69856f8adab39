import { LRUCache } from 'lru-cache';
import type { Claim, RememberedAnswer, State } from '../delivery/state.js';
import { LimitWindows } from './limit-windows.js';
import { memoryReceipts } from './memory-receipts.js';

/** About 100 sign-ins a second for three minutes. */
const MAX_ENTRIES = 20_000;

interface Entry {
  readonly until: number;
  readonly answer: Promise<RememberedAnswer | undefined>;
}

/**
 * Remembers within this process: right for one instance, and for tests. Bounded to 20,000 events, people and receipts
 * and 60,000 limits, the oldest forgotten first; starts no timer.
 */
export function memoryState(): State {
  const entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  const limits = new LimitWindows();
  return {
    ...memoryReceipts(),
    claim(key, { nowMs, rememberMs, buckets }): Claim {
      const known = key === undefined ? undefined : entries.get(key);
      if (known !== undefined && known.until > nowMs) {
        return { isFirst: false, answer: known.answer };
      }
      const exceeded = limits.spend(buckets, nowMs);
      const giveBack = (): void => {
        if (exceeded.length === 0) limits.giveBack(buckets, nowMs);
      };
      if (key === undefined) return { isFirst: true, exceeded, settle: () => undefined, release: giveBack };
      let resolve: (answer: RememberedAnswer | undefined) => void = () => undefined;
      const answer = new Promise<RememberedAnswer | undefined>((settle) => {
        resolve = settle;
      });
      const entry: Entry = { until: nowMs + rememberMs, answer };
      entries.set(key, entry);
      return {
        isFirst: true,
        exceeded,
        settle: resolve,
        release() {
          giveBack();
          if (entries.peek(key) === entry) entries.delete(key);
          resolve(undefined);
        },
      };
    },
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
}
