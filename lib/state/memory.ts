import { HeldEvents } from '../delivery/held-events.js';
import type { State } from '../delivery/state.js';
import { memoryReceipts } from './memory-receipts.js';
import { memorySentCodes } from './memory-sent-codes.js';
import { LimitWindows } from './limit-windows.js';

/**
 * Remembers within this process: right for one instance, and for tests. Bounded to 20,000 events, people, receipts and sent codes
 * and 60,000 limits, the oldest forgotten first; starts no timer.
 */
export function memoryState(): State {
  const events = new HeldEvents();
  const limits = new LimitWindows();
  return {
    ...memoryReceipts(),
    ...memorySentCodes(),
    claim: (key, life) => {
      const answer = events.find(key, life.nowMs);
      if (answer !== undefined) return { isFirst: false, answer };
      const { exceeded, giveBack } = limits.take(life.buckets, life.nowMs);
      const { settle, release } = events.hold(key, life);
      return {
        isFirst: true,
        exceeded,
        settle,
        release: () => {
          giveBack();
          release();
        },
      };
    },
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
}
