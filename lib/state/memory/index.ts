import type { State } from '../../core/state.js';
import { openMemoryState } from './memory-state.js';

/**
 * Remembers within this process: right for one instance, and for tests. Bounded to 16,000 events, 32,000 limits and 16,000
 * people with their last codes, the older half of them forgotten first, and to 8,000 receipts, the oldest first; starts no timer.
 */
export function memoryState(): State {
  return openMemoryState();
}
