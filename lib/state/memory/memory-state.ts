import { LocalClaims } from '../../guard/local-claims.js';
import type { StatePort } from '../../delivery/state.js';
import { memoryReceipts } from './receipts.js';
import { newPeople } from './people.js';
import { memorySentCodes } from './sent-codes.js';
import { LimitWindows } from './limit-windows.js';

const HELD = new WeakMap<StatePort, LocalClaims>();

/** The claims that a state holds in this process, where it is one of `memoryState()`: a hook holds its own among them. */
export function localClaimsOf(state: StatePort): LocalClaims | undefined {
  return HELD.get(state);
}

/** What `memoryState()` makes. */
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
      settle: (found, text = JSON.stringify(found)) => {
        held?.settle(text);
      },
      release: () => {
        if (exceeded.length === 0) limits.giveBack(life.buckets, life.nowMs);
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
