import { TIMED_OUT, waitAtMost } from '../core/time.js';
import type { LocalClaim, LocalClaims, AnswerOfFirst, RememberedAnswer } from './local-claims.js';
import type { EventClaim, FirstClaim, StatePort } from './state.js';

/** Which calls repeat an event, and their answer: first by the claims of this process, then by those of the state. */

/** The result of a claim: this call sends, or it gets the answer of the first call. */
export type ClaimResult = {
  /** When the event came first, by the monotonic clock of this process, as far as it is known. */
  readonly cameMs: number;
} & (
  | (FirstClaim & {
      /** The number of the call that brought the event first: an earlier call may have released it. */
      readonly arrival: number;
    })
  | {
      readonly isFirst: false;
      /**
       * `undefined` if the first call has no answer before this call's deadline, or the answer is lost. `'released'` if the
       * first call sent nothing, and the caller of this one has hung up.
       */
      readonly answer: RememberedAnswer | 'released' | undefined;
    }
);

/** How long a call waits: its `Budget`, or fixed times. */
interface ClaimWait {
  /** For the state, each time, milliseconds. */
  readonly stateMs: number;
  /** For the answer of the first call, milliseconds. */
  remainingMs(): number;
  /** Whether the caller has hung up. */
  readonly hasHungUp: boolean;
}

interface ClaimParts {
  /** `undefined` to claim in this process alone. */
  readonly state: Pick<StatePort, 'claim'> | undefined;
  readonly claims: LocalClaims;
  /** The call's number in `LocalOrder`. */
  readonly arrival: number;
  readonly wait: ClaimWait;
}

/**
 * Claims an event, in this process and then in the state, and takes its points and its place. A repeat waits for the
 * answer of the first call; within one process it does not ask the state.
 */
export async function claimEvent(
  event: Omit<EventClaim, 'waitMs'>,
  { state, claims, arrival, wait }: ClaimParts,
): Promise<ClaimResult> {
  const key = event.isRepeatable ? event.key : undefined;
  for (let first = claims.find(key); first !== undefined; first = claims.find(key)) {
    const answer = await answerOf(first.answer, wait);
    // A caller who has hung up must not become the first: others still wait.
    if (answer !== 'released' || wait.hasHungUp) return { isFirst: false, answer, cameMs: first.cameMs };
  }
  const local = claims.claim(key, event.rememberMs, arrival);
  for (;;) {
    const claim = state === undefined ? ALONE : await state.claim({ ...event, waitMs: wait.stateMs });
    if (claim.isFirst) return withLocal(claim, local);
    const cameMs = performance.now() - (claim.ageMs ?? 0);
    const answer = await answerOf(claim.answer, wait);
    // Other calls of this process may have more time to wait than this one.
    if (answer !== 'released') local.follow(claim.answer, cameMs);
    else if (wait.hasHungUp) local.release();
    // The first call sent nothing: this call tries again to be the first.
    else continue;
    return { isFirst: false, answer, cameMs };
  }
}

/**
 * Claims something that is no code, such as a message of a user. It takes no place and counts against no limit.
 *
 * @param key - different from all other keys that are claimed.
 * @param how.rememberMs - how long it is remembered.
 * @param how.waitMs - how long to wait for the state, and then for the first call.
 */
export function claimOnce(
  key: string,
  how: Pick<ClaimParts, 'state' | 'claims'> & { readonly rememberMs: number; readonly waitMs: number },
): Promise<ClaimResult> {
  const { state, claims, rememberMs, waitMs } = how;
  const event = {
    key,
    isRepeatable: true,
    person: undefined,
    isPreview: false,
    passes: 'never',
    requestedAtMs: 0,
    nowMs: 0,
    rememberMs,
    lifeMs: rememberMs,
    limits: [],
    reads: [],
  } as const;
  const wait = { stateMs: waitMs, remainingMs: () => waitMs, hasHungUp: false };
  return claimEvent(event, { state, claims, arrival: 0, wait });
}

/** Waits for the answer of the first call. Without one it may have sent the code: the call must not send it again. */
async function answerOf(
  first: AnswerOfFirst,
  wait: ClaimWait,
): Promise<RememberedAnswer | 'released' | undefined> {
  const answer = await waitAtMost(first, wait.remainingMs());
  if (answer === TIMED_OUT || answer === 'lost') return undefined;
  // A gateway of another version may have stored `null`.
  return answer === undefined ? 'released' : answer;
}

/** The claim in the state, which comes first, and in this process. The next call of this process will ask the state. */
function withLocal(claim: FirstClaim, local: LocalClaim): ClaimResult {
  const { cameMs, arrival } = local;
  return {
    ...claim,
    cameMs,
    arrival,
    settle: (answer) => {
      claim.settle(answer);
      local.settle(answer);
    },
    release: () => {
      claim.release();
      local.release();
    },
  };
}

const nothing = (): undefined => undefined;

/** The claim of a process that has no state any more. */
const ALONE: FirstClaim = {
  isFirst: true,
  place: undefined,
  isCurrent: 'unknown',
  exceeded: [],
  hasRead: false,
  settle: nothing,
  release: nothing,
};
