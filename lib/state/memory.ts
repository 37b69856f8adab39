import type { State } from '../delivery/state.js';
import { memoryReceipts } from './memory-receipts.js';
import { ProcessClaims } from './process-claims.js';

/**
 * Remembers within this process: right for one instance, and for tests. Bounded to 20,000 events, people and receipts
 * and 60,000 limits, the oldest forgotten first; starts no timer.
 */
export function memoryState(): State {
  const claims = new ProcessClaims();
  return {
    ...memoryReceipts(),
    claim: (key, life) => claims.claim(key, life),
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
}
