import type { StatePort } from '../delivery/state.js';

/** How many hooks use each state. Several hooks of a process may share one, and the last one closes it. */
const holders = new WeakMap<StatePort, number>();

/**
 * Counts a hook as a user of a state. Returns the function that releases it: the last release closes the
 * state.
 */
export function holdState(state: StatePort): () => unknown {
  holders.set(state, (holders.get(state) ?? 0) + 1);
  return () => {
    const others = (holders.get(state) ?? 1) - 1;
    holders.set(state, others);
    return others === 0 ? state.close() : undefined;
  };
}
