import type { Claim, EventLife, State } from './state.js';
import { TIMED_OUT, waitAtMost } from '../core/wait-at-most.js';

/** Of what comes more than once, here or at another gateway, only the first counts. Nobody waits for what becomes of it. */

/**
 * Whether nobody has asked the state for the same before.
 *
 * @param key - names it, apart from everything else that is claimed.
 * @param life - from when, and how long it is known.
 * @param timeoutMs - what the state may take.
 * @throws whatever the state throws, and where it does not answer in time: whether it counts then is the caller's to say.
 */
export async function isFirstOf(
  state: Pick<State, 'claim'>,
  key: string,
  life: Pick<EventLife, 'nowMs' | 'rememberMs'>,
  timeoutMs: number,
): Promise<boolean> {
  // To its end, also where that comes too late: others would wait for it.
  const claiming = Promise.resolve(state.claim(key, { ...life, buckets: [] })).then(endClaim);
  const isFirst = await waitAtMost(claiming, timeoutMs);
  if (isFirst === TIMED_OUT) throw new Error('no answer in time');
  return isFirst;
}

function endClaim(claim: Claim): boolean {
  if (claim.isFirst) claim.settle({});
  // Nobody asks for it here: that a state cannot give it must not end the process.
  else Promise.resolve(claim.answer).catch(() => undefined);
  return claim.isFirst;
}
