import { HeldEvents } from '../../guard/held-events.js';
import type { State } from '../../delivery/state.js';
import { memoryReceipts } from './receipts.js';
import { newPeople } from './people.js';
import { memorySentCodes } from './sent-codes.js';
import { LimitWindows } from './limit-windows.js';

/** By what claims them: one of the user's own that is put in its place does so in its own way. */
const HELD = new WeakMap<State['claim'], HeldEvents>();

/** The events that a state holds in this process, where it is one of `memoryState()`: a hook holds its own among them. */
export function heldEventsOf(state: State): HeldEvents | undefined {
  // Looked up, not called.
  // eslint-disable-next-line @typescript-eslint/unbound-method
  return HELD.get(state.claim);
}

/**
 * Remembers within this process: right for one instance, and for tests. Bounded to 16,000 events, 32,000 limits and 16,000
 * people with their last codes, the older half of them forgotten first, and to 8,000 receipts, the oldest first; starts no timer.
 */
export function memoryState(): State {
  const events = new HeldEvents({ isOfState: true });
  const limits = new LimitWindows();
  const claim: State['claim'] = (key, life) => {
    const answer = events.find(key);
    if (answer !== undefined) return { isFirst: false, answer };
    const exceeded = limits.take(life.buckets, life.nowMs);
    const held = key === undefined ? undefined : events.hold(key, life.rememberMs);
    return {
      isFirst: true,
      exceeded,
      settle: (found, text = JSON.stringify(found)) => {
        held?.settle(text);
      },
      release: () => {
        if (exceeded.length === 0) limits.giveBack(life.buckets, life.nowMs);
        held?.release();
      },
    };
  };
  HELD.set(claim, events);
  const people = newPeople();
  return {
    ...memoryReceipts(people),
    ...memorySentCodes(people),
    claim,
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
}
