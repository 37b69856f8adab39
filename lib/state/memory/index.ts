import type { State } from '../../core/state.js';
import { openMemoryState } from './memory-state.js';

/**
 * A state in the memory of this process, for a single instance and for tests. It keeps up to 16,000 events,
 * 32,000 limits and 16,000 people with their last codes, and drops the older half first; it keeps up to 8,000
 * receipts and drops the oldest first. It starts no timer.
 */
export function memoryState(): State {
  return openMemoryState();
}
