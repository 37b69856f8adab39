import type { StatePort } from '../delivery/state.js';

/** How many hooks have a state. */
const holders = new WeakMap<StatePort, number>();

/** A hook has a state from now on. Gives what lets go of it: the last one closes it. */
export function holdState(state: StatePort): () => unknown {
  holders.set(state, (holders.get(state) ?? 0) + 1);
  return () => {
    const others = (holders.get(state) ?? 1) - 1;
    holders.set(state, others);
    return others === 0 ? state.close() : undefined;
  };
}
