import type { State } from '../../core/state.js';
import { openMemoryState } from './memory-state.js';

/**
 * A state in the memory of this process, for a single instance and for tests. It keeps the last 8,000 events, 8,000 people, 16,000 last
 * codes, 16,000 limits and 8,000 receipts. It drops the oldest first and starts no timer.
 */
export function memoryState(): State {
  return openMemoryState();
}
