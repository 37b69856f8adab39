import type { StatePort } from '../delivery/state.js';

/** How many hooks use each state. Several hooks of a process may share one, and the last one closes it. */
const users = new WeakMap<StatePort, number>();

/**
 * Counts a hook as a user of a state. Returns the function that releases it: the last release closes the
 * state.
 */
export function holdState(state: StatePort): () => unknown {
  users.set(state, (users.get(state) ?? 0) + 1);
  return () => {
    const remaining = (users.get(state) ?? 1) - 1;
    users.set(state, remaining);
    return remaining === 0 ? state.close() : undefined;
  };
}
