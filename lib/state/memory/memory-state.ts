import { LocalClaims } from '../../guard/local-claims.js';
import type { StatePort } from '../../delivery/state.js';
import { memoryReceipts } from './receipts.js';
import { memorySentCodes, newPeople } from './people.js';
import { LimitWindows } from './limit-windows.js';

const HELD = new WeakMap<StatePort, LocalClaims>();

/** The claims that a `memoryState()` holds, which a hook uses as its own; `undefined` for any other state. */
export function localClaimsOf(state: StatePort): LocalClaims | undefined {
  return HELD.get(state);
}

/** A `memoryState()` with the members of the port. */
export function openMemoryState(): StatePort {
  const claims = new LocalClaims({ isOfState: true });
  const limits = new LimitWindows();
  const claim: StatePort['claim'] = (key, life) => {
    const answer = claims.answerOf(key);
    if (answer !== undefined) return { isFirst: false, answer };
    const exceeded = limits.take(life.buckets, life.nowMs);
    const held = key === undefined ? undefined : claims.claim(key, life.rememberMs);
    return {
      isFirst: true,
      exceeded,
      settle: (answer) => {
        held?.settle(answer);
      },
      release: () => {
        if (exceeded.length === 0) limits.refund(life.buckets, life.nowMs);
        held?.release();
      },
    };
  };
  const people = newPeople();
  const state: StatePort = {
    ...memoryReceipts(people),
    ...memorySentCodes(people),
    claim,
    check: () => Promise.resolve(),
    health: 'ok',
    close: () => Promise.resolve(),
  };
  HELD.set(state, claims);
  return state;
}
