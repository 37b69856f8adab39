import type { State } from '../../core/state.js';
import { openMemoryState } from './memory-state.js';

/**
 * A state in the memory of this process, for a single instance and for tests. It keeps the last 8,000 events, the people of the last
 * 8,000 codes with their last codes (up to a fifth more of both), 16,000 to 32,000 limits, and up to 8,000 receipts. It drops the
 * oldest first and starts no timer.
 */
export function memoryState(): State {
  return openMemoryState();
}
