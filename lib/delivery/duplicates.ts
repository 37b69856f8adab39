import { hash } from 'node:crypto';
import type { Budget } from './budget.js';
import type { TelephonyRequest } from './channel.js';
import type { Bucket, Claim, RememberedAnswer, State } from './state.js';
import { TIMED_OUT } from './wait-at-most.js';

/**
 * What makes a request the same again: Okta repeats the event id, but an edited preview may repeat it too. A
 * digest, so that no code or number is a key.
 */
export function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return hash('sha256', JSON.stringify(parts), 'base64url');
}

/** What the state may take of the budget before we go on without it: milliseconds, and a fraction of what is left. */
const STATE_SHARE = { maxMs: 200, fraction: 0.25 } as const;

/** A first one that lets go has taken some time to do so. One after the other in no time: the state is broken. */
const MOST_CLAIMS_AT_ONCE = 20;

type PossibleClaim = Claim | undefined;

/** What a claim came to: this call sends, or the first one's answer serves. */
export type ClaimResult =
  | {
      readonly isFirst: true;
      /** `undefined` where the state failed; still on its way where the state hangs. */
      readonly claim: PossibleClaim | Promise<PossibleClaim>;
      /** The keys of the buckets that had no point left; none where the state does not say. */
      readonly exceeded: readonly string[];
    }
  | {
      readonly isFirst: false;
      /** `undefined` where the first one has none before this call's own deadline. */
      readonly answer: RememberedAnswer | undefined;
    };

interface ClaimParts {
  readonly state: Pick<State, 'claim'>;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly isRepeatable: boolean;
  readonly nowMs: number;
  readonly rememberMs: number;
  readonly buckets: readonly Bucket[];
  readonly budget: Budget;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Claims an event and takes its points; a repeat waits for the first one's answer. A state that fails or hangs never
 * holds up a code.
 */
export function claimEvent(request: TelephonyRequest, parts: ClaimParts): ClaimResult | Promise<ClaimResult> {
  const key = parts.isRepeatable ? duplicateKey(request) : undefined;
  const claim = claimOnce(key, parts);
  // Nothing to wait for, nearly always.
  if (claim === undefined) return { isFirst: true, claim, exceeded: [] };
  if (!(claim instanceof Promise) && claim.isFirst) return { isFirst: true, claim, exceeded: claim.exceeded };
  return waitForFirst(key, claim, parts);
}

async function waitForFirst(
  key: string | undefined,
  claimed: PossibleClaim | Promise<PossibleClaim>,
  parts: ClaimParts,
): Promise<ClaimResult> {
  const { budget } = parts;
  let claim = claimed;
  for (let atOnce = 0; atOnce < MOST_CLAIMS_AT_ONCE; atOnce += 1) {
    if (atOnce > 0) claim = claimOnce(key, parts);
    const found =
      claim instanceof Promise
        ? await budget.within(claim, budget.share(STATE_SHARE.maxMs, STATE_SHARE.fraction))
        : claim;
    if (found === TIMED_OUT) parts.onFailure(new Error('no answer in time'));
    if (found === undefined || found === TIMED_OUT) return { isFirst: true, claim, exceeded: [] };
    if (found.isFirst) return { isFirst: true, claim, exceeded: found.exceeded };
    const askedAt = budget.elapsedMs();
    try {
      const answer = await budget.within(found.answer, budget.remainingMs());
      if (answer === TIMED_OUT) return { isFirst: false, answer: undefined };
      if (answer !== undefined) return { isFirst: false, answer };
    } catch (error) {
      // There is a first one, and it may well have sent the code.
      parts.onFailure(error);
      return { isFirst: false, answer: undefined };
    }
    // The first one let go without sending anything: perhaps this one is the first now.
    if (budget.elapsedMs() - askedAt > 1) atOnce = 0;
  }
  parts.onFailure(new Error('every claim is let go'));
  return { isFirst: true, claim: undefined, exceeded: [] };
}

/** Asks the state once. Neither throws nor rejects: what fails is told, and `undefined`. */
function claimOnce(
  key: string | undefined,
  { state, nowMs, rememberMs, buckets, onFailure }: ClaimParts,
): PossibleClaim | Promise<PossibleClaim> {
  const fail = (error: unknown): undefined => {
    onFailure(error);
    return undefined;
  };
  const guard = (claim: Claim): Claim => guardClaim(claim, onFailure);
  try {
    const claim = state.claim(key, { nowMs, rememberMs, buckets });
    // One of another library, or a malformed one of the user's own, is a promise as well.
    return 'isFirst' in claim ? guard(claim) : Promise.resolve(claim).then(guard).catch(fail);
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** What a state does with an answer is after the answer: its failures must not reach anybody. */
function guardClaim(claim: Claim, onFailure: (error: unknown) => void): Claim {
  if (!claim.isFirst) {
    const answer = Promise.resolve(claim.answer);
    // Its failure after nobody waits for it any more is nobody's.
    answer.catch(() => undefined);
    return { isFirst: false, answer };
  }
  // By the port it returns nothing; that of others may return a promise all the same.
  const safely = (work: () => unknown): void => {
    try {
      const returned = work();
      if (returned !== undefined) Promise.resolve(returned).catch(onFailure);
    } catch (error) {
      onFailure(error);
    }
  };
  return {
    isFirst: true,
    // One of the user's own may count nothing.
    exceeded: Array.isArray(claim.exceeded) ? claim.exceeded : [],
    settle: (answer) => {
      safely(claim.settle.bind(claim, answer));
    },
    release: () => {
      safely(claim.release.bind(claim));
    },
  };
}
