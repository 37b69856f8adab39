import { hash } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import type { TelephonyRequest } from '../core/channel.js';
import { TIMED_OUT } from '../core/wait-at-most.js';
import type { GuardedState } from '../delivery/guarded-state.js';
import type { AnswerOfFirst, Claim, EventLife, RememberedAnswer } from '../delivery/state.js';
import type { Suppression } from '../delivery/suppressions.js';
import type { LocalClaim, LocalClaims } from './local-claims.js';

/**
 * What makes a request the same again: Okta repeats the event id, but an edited preview may repeat it too. A
 * digest, so that no code or number is a key.
 */
export function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

/** What the first of its kind does with its event. */
export interface FirstClaim {
  /** Keeps the answer for repeats of the event. @param text - the same, as JSON. */
  settle(answer: RememberedAnswer, text?: string): void;
  /** Nothing was sent: the next one is the first. */
  release(): void;
}

/** What a claim came to: this call sends, or the first one's answer serves. */
export type ClaimResult =
  | {
      readonly isFirst: true;
      readonly claim: FirstClaim;
      /** The keys of the buckets that had no point left; none where the state does not say. */
      readonly exceeded: readonly string[];
      /** Those of the recipient that gateways share; `undefined` where nobody says. */
      readonly suppressions: readonly Suppression[] | undefined;
    }
  | RepeatResult;

interface RepeatResult {
  readonly isFirst: false;
  /** `undefined` where the first one has none before this call's own deadline, or it is lost. */
  readonly answer: RememberedAnswer | undefined;
}

interface ClaimParts {
  /** `undefined` where only this process is to be asked. */
  readonly state: GuardedState | undefined;
  /** Of this process: whatever the state does, one call of it at a time is the first. */
  readonly localClaims: LocalClaims;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly isRepeatable: boolean;
  readonly life: EventLife;
  readonly budget: Budget;
}

/**
 * Claims an event, in this process and then of the state, and takes its points; a repeat waits for the first one's
 * answer, and within the process it asks the state nothing.
 */
export async function claimEvent(request: TelephonyRequest, parts: ClaimParts): Promise<ClaimResult> {
  const { state, localClaims, isRepeatable, life, budget } = parts;
  const key = isRepeatable ? duplicateKey(request) : undefined;
  for (let first = localClaims.answerOf(key); first !== undefined; first = localClaims.answerOf(key)) {
    const repeat = await repeatOf(first, budget);
    if (repeat !== undefined) return repeat;
    // The first let go. A caller who has gone meanwhile must not hold up those who still wait.
    if (budget.hasHungUp) return { isFirst: false, answer: undefined };
  }
  const held = localClaims.claim(key, life.rememberMs);
  // A state that holds the event already only takes its points.
  const stateKey = localClaims.isOfState ? undefined : key;
  for (;;) {
    const claim = await state?.claim(stateKey, life, { request, budget });
    if (claim?.isFirst !== false) return firstBy(held, claim);
    const repeat = await repeatOf(claim.answer, budget);
    if (repeat !== undefined) {
      // Others of this process may wait for longer than this call can.
      held.follow(claim.answer);
      return repeat;
    }
    // The first one let go without sending anything: perhaps this one is the first now.
  }
}

/** Waits for the first one's answer; `undefined` where it let go. */
async function repeatOf(first: AnswerOfFirst, budget: Budget): Promise<RepeatResult | undefined> {
  const answer = await budget.within(first, budget.remainingMs());
  if (answer === undefined) return undefined;
  // Where nobody knows, the first one may well have sent the code.
  return { isFirst: false, answer: answer === TIMED_OUT || answer === 'lost' ? undefined : answer };
}

/** The state is told first: the next one here asks it. */
function firstBy(held: LocalClaim, claim: Extract<Claim, { isFirst: true }> | undefined): ClaimResult {
  return {
    isFirst: true,
    claim: {
      settle: (answer, text = JSON.stringify(answer)) => {
        claim?.settle(answer, text);
        held.settle(text);
      },
      release: () => {
        claim?.release();
        held.release();
      },
    },
    exceeded: claim?.exceeded ?? NONE,
    suppressions: claim?.suppressions,
  };
}

const NONE: readonly string[] = [];
