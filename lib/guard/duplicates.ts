import type { Budget } from '../core/budget.js';
import type { TelephonyRequest } from '../core/channel.js';
import { digestOf } from '../core/masking.js';
import { TIMED_OUT } from '../core/time.js';
import type { LocalClaim } from '../delivery/local-claims.js';
import type { Place } from '../delivery/order.js';
import type {
  AnswerOfFirst,
  Claim,
  EventClaim,
  LocalState,
  RememberedAnswer,
  StatePort,
} from '../delivery/state.js';
import type { Suppression } from '../delivery/suppressions.js';

/** Which calls repeat an event, and their answer: first by the claims of this process, then by those of the state. */

/**
 * The key by which repeats are recognised. Okta's repeats have the same event id, but an edited preview may
 * have it as well. A digest, so that no code or number is a key.
 */
export function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return digestOf(JSON.stringify(parts));
}

/** The claim of an event's first call. */
export interface FirstClaim {
  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void;
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
      /** Its place among the codes of its person. */
      readonly place: Place;
      /** Whether the state says that no newer code of the person has passed. */
      readonly isCurrent: boolean | 'unknown';
      /** The number of the call that brought the event first: an earlier call may have released it. */
      readonly arrival: number;
    }
  | RepeatResult;

interface RepeatResult {
  readonly isFirst: false;
  /**
   * `undefined` if the first call has no answer before this call's deadline, or the answer is lost. `'released'` if the first call
   * sent nothing, and the caller of this one has hung up.
   */
  readonly answer: RememberedAnswer | 'released' | undefined;
}

const RELEASED: RepeatResult = { isFirst: false, answer: 'released' };

interface ClaimParts {
  /** `undefined` to claim in this process alone. */
  readonly state: StatePort | undefined;
  readonly local: LocalState;
  /** The call's number in `LocalOrder`. */
  readonly arrival: number;
  readonly budget: Budget;
}

/**
 * Claims an event, in this process and then in the state, and takes its points and its place. A repeat waits for the
 * answer of the first call; within one process it does not ask the state.
 */
export async function claimEvent(
  event: Omit<EventClaim, 'waitMs'>,
  { state, local: { claims }, arrival, budget }: ClaimParts,
): Promise<ClaimResult> {
  const key = event.isRepeatable ? event.key : undefined;
  for (let first = claims.answerOf(key); first !== undefined; first = claims.answerOf(key)) {
    const repeat = await repeatOf(first, budget);
    if (repeat !== undefined) return repeat;
    // The first call released its claim. A caller who has hung up must not become the first: others still wait.
    if (budget.hasHungUp) return RELEASED;
  }
  const local = claims.claim(key, event.rememberMs, arrival);
  for (;;) {
    const claim = await state?.claim({ ...event, waitMs: budget.stateMs });
    if (claim?.isFirst !== false) return firstBy(local, claim);
    const repeat = await repeatOf(claim.answer, budget);
    if (repeat !== undefined) {
      // Other calls of this process may have more time to wait than this one.
      local.follow(claim.answer);
      return repeat;
    }
    // The first call released its claim without sending anything: this call tries again to be the first.
    if (budget.hasHungUp) {
      local.release();
      return RELEASED;
    }
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
    place: claim?.place,
    isCurrent: claim?.isCurrent ?? 'unknown',
    arrival: local.arrival,
  };
}

const NONE: readonly string[] = [];
