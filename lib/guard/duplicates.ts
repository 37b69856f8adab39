import { hash } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import type { TelephonyRequest } from '../core/channel.js';
import { TIMED_OUT } from '../core/time.js';
import type { GuardedState } from '../delivery/guarded-state.js';
import type { AnswerOfFirst, Claim, EventLife, RememberedAnswer } from '../delivery/state.js';
import type { Suppression } from '../delivery/suppressions.js';
import type { LocalClaim, LocalClaims } from './local-claims.js';

/**
 * The key by which repeats are recognised. Okta's repeats have the same event id, but an edited preview may
 * have it as well. A digest, so that no code or number is a key.
 */
export function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

/** The claim of an event's first call. */
export interface FirstClaim {
  /** Keeps the answer for repeats of the event. @param answer - a `RememberedAnswer` as JSON. */
  settle(answer: string): void;
  /** Nothing was sent: the next call is the first. */
  release(): void;
}

/** The result of a claim: this call sends, or it gets the answer of the first call. */
export type ClaimResult =
  | {
      readonly isFirst: true;
      readonly claim: FirstClaim;
      /** The keys of the buckets without a point left; none if the state does not say. */
      readonly exceeded: readonly string[];
      /** The recipient's suppressions that gateways share; `undefined` if the state does not say. */
      readonly suppressions: readonly Suppression[] | undefined;
    }
  | RepeatResult;

interface RepeatResult {
  readonly isFirst: false;
  /** `undefined` if the first call has no answer before this call's deadline, or the answer is lost. */
  readonly answer: RememberedAnswer | undefined;
}

interface ClaimParts {
  /** `undefined` to claim in this process alone. */
  readonly state: GuardedState | undefined;
  /** The claims of this process: whatever the state does, at most one of its calls is the first. */
  readonly localClaims: LocalClaims;
  /** `false` without an event id of Okta: nothing is a repeat then. */
  readonly isRepeatable: boolean;
  readonly life: EventLife;
  readonly budget: Budget;
}

/**
 * Claims an event, in this process and then in the state, and takes its points. A repeat waits for the answer
 * of the first call; within one process it does not ask the state.
 */
export async function claimEvent(request: TelephonyRequest, parts: ClaimParts): Promise<ClaimResult> {
  const { state, localClaims, isRepeatable, life, budget } = parts;
  const key = isRepeatable ? duplicateKey(request) : undefined;
  for (let first = localClaims.answerOf(key); first !== undefined; first = localClaims.answerOf(key)) {
    const repeat = await repeatOf(first, budget);
    if (repeat !== undefined) return repeat;
    // The first call released its claim. A caller who has hung up must not become the first: others still wait.
    if (budget.hasHungUp) return { isFirst: false, answer: undefined };
  }
  const local = localClaims.claim(key, life.rememberMs);
  // If the state uses the same local claims, it only has to take the points.
  const stateKey = localClaims.isOfState ? undefined : key;
  for (;;) {
    const claim = await state?.claim(stateKey, life, { request, budget });
    if (claim?.isFirst !== false) return firstBy(local, claim);
    const repeat = await repeatOf(claim.answer, budget);
    if (repeat !== undefined) {
      // Other calls of this process may have more time to wait than this one.
      local.follow(claim.answer);
      return repeat;
    }
    // The first call released its claim without sending anything: this call tries again to be the first.
  }
}

/** Waits for the answer of the first call; `undefined` if it released its claim. */
async function repeatOf(first: AnswerOfFirst, budget: Budget): Promise<RepeatResult | undefined> {
  const answer = await budget.within(first, budget.remainingMs());
  if (answer === undefined) return undefined;
  // Without an answer the first call may have sent the code: this call must not send it again.
  return { isFirst: false, answer: answer === TIMED_OUT || answer === 'lost' ? undefined : answer };
}

/** The state comes first: the next call of this process will ask it. */
function firstBy(local: LocalClaim, claim: Extract<Claim, { isFirst: true }> | undefined): ClaimResult {
  return {
    isFirst: true,
    claim: {
      settle: (answer) => {
        claim?.settle(answer);
        local.settle(answer);
      },
      release: () => {
        claim?.release();
        local.release();
      },
    },
    exceeded: claim?.exceeded ?? NONE,
    suppressions: claim?.suppressions,
  };
}

const NONE: readonly string[] = [];
