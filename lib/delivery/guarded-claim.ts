import { letSocketsBeRead, TIMED_OUT, waitAtMost } from '../core/time.js';
import type { Claim } from './state.js';

/** A claim that neither fails nor waits longer than its time-out. `GuardedState` makes it. */

type FirstClaim = Extract<Claim, { isFirst: true }>;
type OnFailure = (error: unknown) => void;

/** The claim of a call if the state fails: the call is the first. */
const NO_CLAIM: FirstClaim = {
  isFirst: true,
  place: undefined,
  isCurrent: 'unknown',
  exceeded: [],
  suppressions: undefined,
  settle: () => undefined,
  release: () => undefined,
};

/**
 * Claims an event. A state in memory answers at once, and its claim is then not waited for. A claim that comes too late
 * is settled or released when the call ends.
 */
export function guardClaim(
  claim: () => Claim | Promise<Claim>,
  waitMs: number,
  onFailure: OnFailure,
): Claim | Promise<Claim> {
  let claiming;
  try {
    claiming = claim();
  } catch (error) {
    onFailure(error);
    return NO_CLAIM;
  }
  return 'then' in claiming
    ? claimInTime(claiming, waitMs, onFailure)
    : withSafeSettling(claiming, onFailure);
}

async function claimInTime(claiming: Promise<Claim>, waitMs: number, onFailure: OnFailure): Promise<Claim> {
  const asking = claiming.then(
    (claim) => withSafeSettling(claim, onFailure),
    (error: unknown) => {
      onFailure(error);
      return NO_CLAIM;
    },
  );
  const found = await answerInTime(asking, waitMs);
  if (found !== TIMED_OUT) return found;
  onFailure(new Error('no answer in time'));
  const settleLate = (settle: (first: FirstClaim) => void): void => {
    void asking.then((claim) => {
      if (claim.isFirst) settle(claim);
    });
  };
  return {
    ...NO_CLAIM,
    settle: (answer) => {
      settleLate((first) => {
        first.settle(answer);
      });
    },
    release: () => {
      settleLate((first) => {
        first.release();
      });
    },
  };
}

/** A claim whose `settle()` and `release()` do not throw. They are synchronous: a state has them before the call goes on. */
function withSafeSettling(claim: Claim, onFailure: OnFailure): Claim {
  if (!claim.isFirst) {
    // The answer may be lost when no caller waits any more: that must not be an unhandled rejection.
    claim.answer.catch(() => undefined);
    return claim;
  }
  return {
    isFirst: true,
    place: claim.place,
    isCurrent: claim.isCurrent,
    exceeded: claim.exceeded,
    suppressions: claim.suppressions,
    settle: (answer) => {
      try {
        claim.settle(answer);
      } catch (error) {
        onFailure(error);
      }
    },
    release: () => {
      try {
        claim.release();
      } catch (error) {
        onFailure(error);
      }
    },
  };
}

/** A process that was busy past the time-out may have the answer in its sockets: it reads them once more. */
async function answerInTime<T>(asking: Promise<T>, waitMs: number): Promise<T | typeof TIMED_OUT> {
  const answer = await waitAtMost(asking, waitMs);
  return answer === TIMED_OUT
    ? Promise.race([asking, letSocketsBeRead().then((): typeof TIMED_OUT => TIMED_OUT)])
    : answer;
}
