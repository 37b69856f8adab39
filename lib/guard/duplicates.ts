import { hash } from 'node:crypto';
import type { Budget } from '../core/budget.js';
import type { TelephonyRequest } from '../core/channel.js';
import type { AnswerOfFirst, HeldEvent, HeldEvents } from './held-events.js';
import type { Bucket, Claim, RememberedAnswer, State } from '../delivery/state.js';
import type { Suppression } from '../delivery/suppressions.js';
import { socketsRead, TIMED_OUT } from '../core/wait-at-most.js';

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

/** What the first of its kind does with its event, whatever the state does. */
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
  /** `undefined` where the first one has none before this call's own deadline. */
  readonly answer: RememberedAnswer | undefined;
}

interface ClaimParts {
  /** `undefined` where only this process is to be asked. */
  readonly state: Pick<State, 'claim'> | undefined;
  /** Of this process: whatever the state does, one call of it at a time is the first. */
  readonly heldEvents: HeldEvents;
  /** Without an event id of Okta's nothing is a repeat. */
  readonly isRepeatable: boolean;
  readonly nowMs: number;
  readonly rememberMs: number;
  readonly buckets: readonly Bucket[];
  /** Whose suppressions are asked for, if anybody's. */
  readonly recipient: string | undefined;
  readonly budget: Budget;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Claims an event, in this process and then of the state, and takes its points; a repeat waits for the first one's
 * answer, and within the process it asks the state nothing. A state that fails or hangs never holds up a code.
 */
export function claimEvent(request: TelephonyRequest, parts: ClaimParts): ClaimResult | Promise<ClaimResult> {
  const key = parts.isRepeatable ? duplicateKey(request) : undefined;
  const known = parts.heldEvents.find(key);
  return known === undefined ? claimHere(key, parts) : waitForFirst(key, known, parts);
}

/** For an event that no call of this process holds: holds it, and asks the state. */
function claimHere(key: string | undefined, parts: ClaimParts): ClaimResult | Promise<ClaimResult> {
  const held = parts.heldEvents.hold(key, parts.rememberMs);
  const claim = askState(key, parts);
  // Nothing to wait for, nearly always.
  if (claim === undefined) return firstWith(held, claim, parts);
  if (!(claim instanceof Promise) && claim.isFirst) return firstWith(held, claim, parts, claim);
  return claimOfState(key, held, claim, parts);
}

/** For the one call of this process that holds the event: what the state says holds for all of them. */
async function claimOfState(
  key: string | undefined,
  held: HeldEvent,
  asked: PossibleClaim | Promise<PossibleClaim>,
  parts: ClaimParts,
): Promise<ClaimResult> {
  const { budget, onFailure } = parts;
  let claim = asked;
  for (let atOnce = 1; atOnce <= MOST_CLAIMS_AT_ONCE; atOnce += 1) {
    const found = claim instanceof Promise ? await claimInTime(claim, budget) : claim;
    if (found === TIMED_OUT) onFailure(new Error('no answer in time'));
    if (found === undefined || found === TIMED_OUT) return firstWith(held, claim, parts);
    if (found.isFirst) return firstWith(held, found, parts, found);
    const askedAt = budget.elapsedMs();
    const repeat = await repeatOf(found.answer, parts);
    if (repeat !== undefined) {
      // Others of this process may wait for longer than this call can.
      held.follow(found.answer);
      return repeat;
    }
    // The first one let go without sending anything: perhaps this one is the first now.
    if (budget.elapsedMs() - askedAt > 1) atOnce = 0;
    claim = askState(key, parts);
  }
  onFailure(new Error('every claim is let go'));
  return firstWith(held, claim, parts);
}

/** A process that was busy past the time has the state's answer lying there: it looks once more before it goes on alone. */
async function claimInTime(
  claim: Promise<PossibleClaim>,
  budget: Budget,
): Promise<PossibleClaim | typeof TIMED_OUT> {
  const found = await budget.within(claim, budget.share(STATE_SHARE.maxMs, STATE_SHARE.fraction));
  return found === TIMED_OUT
    ? Promise.race([claim, socketsRead().then((): typeof TIMED_OUT => TIMED_OUT)])
    : found;
}

async function waitForFirst(
  key: string | undefined,
  known: AnswerOfFirst,
  parts: ClaimParts,
): Promise<ClaimResult> {
  let answer: AnswerOfFirst | undefined = known;
  while (answer !== undefined) {
    const repeat = await repeatOf(answer, parts);
    if (repeat !== undefined) return repeat;
    // It let go; who has gone meanwhile is not to hold up who still waits.
    if (parts.budget.hasHungUp) return { isFirst: false, answer: undefined };
    answer = parts.heldEvents.find(key);
  }
  return claimHere(key, parts);
}

/** Waits for the first one's answer; `undefined` where it let go. */
async function repeatOf(
  first: AnswerOfFirst,
  { budget, onFailure }: ClaimParts,
): Promise<RepeatResult | undefined> {
  try {
    const answer = await budget.within(first, budget.remainingMs());
    if (answer === undefined) return undefined;
    return { isFirst: false, answer: answer === TIMED_OUT ? undefined : answer };
  } catch (error) {
    // There is a first one, and it may well have sent the code.
    onFailure(error);
    return { isFirst: false, answer: undefined };
  }
}

/** The first: here at once, and of the state where its claim is, or comes later; it is not waited for. */
function firstWith(
  held: HeldEvent,
  claim: PossibleClaim | Promise<PossibleClaim>,
  { onFailure }: ClaimParts,
  found?: Extract<Claim, { isFirst: true }>,
): ClaimResult {
  return {
    isFirst: true,
    claim: new ClaimHereAndThere(held, claim, onFailure),
    // One of the user's own may count nothing.
    exceeded: Array.isArray(found?.exceeded) ? found.exceeded : NONE,
    suppressions: Array.isArray(found?.suppressions) ? found.suppressions : undefined,
  };
}

const NONE: readonly string[] = [];

/** A first claim: in this process, and of the state. */
class ClaimHereAndThere implements FirstClaim {
  readonly #held: HeldEvent;
  readonly #claim: PossibleClaim | Promise<PossibleClaim>;
  readonly #onFailure: (error: unknown) => void;

  constructor(
    held: HeldEvent,
    claim: PossibleClaim | Promise<PossibleClaim>,
    onFailure: (error: unknown) => void,
  ) {
    this.#held = held;
    this.#claim = claim;
    this.#onFailure = onFailure;
  }

  settle(answer: RememberedAnswer, text = JSON.stringify(answer)): void {
    this.#tellState(answer, text);
    this.#held.settle(text);
  }

  release(): void {
    // Before the next one here asks it.
    this.#tellState();
    this.#held.release();
  }

  /** @param answer - `undefined`: it lets go. */
  #tellState(answer?: RememberedAnswer, text?: string): void {
    const claim = this.#claim;
    if (claim instanceof Promise) {
      void claim.then((ours) => {
        endClaim(ours, { answer, text }, this.#onFailure);
      });
    } else endClaim(claim, { answer, text }, this.#onFailure);
  }
}

/** What a state does with an answer is after the answer: its failures must not reach anybody. */
function endClaim(
  claim: PossibleClaim,
  { answer, text }: { readonly answer: RememberedAnswer | undefined; readonly text: string | undefined },
  onFailure: (error: unknown) => void,
): void {
  if (claim === undefined || !claim.isFirst) return;
  // By the port they return nothing; those of others may return a promise all the same.
  const first: { settle(answer: RememberedAnswer, text?: string): unknown; release(): unknown } = claim;
  try {
    const returned = answer === undefined ? first.release() : first.settle(answer, text);
    if (returned !== undefined) Promise.resolve(returned).catch(onFailure);
  } catch (error) {
    onFailure(error);
  }
}

/** Asks the state once. Neither throws nor rejects: what fails is told, and `undefined`. */
function askState(
  key: string | undefined,
  { state, heldEvents, nowMs, rememberMs, buckets, recipient, onFailure }: ClaimParts,
): PossibleClaim | Promise<PossibleClaim> {
  if (state === undefined) return undefined;
  try {
    // Its points are all that is left to claim, where it is held there already.
    const unheld = heldEvents.isOfState ? undefined : key;
    const claim = state.claim(unheld, { nowMs, rememberMs, buckets, recipient });
    if ('isFirst' in claim) return readClaim(claim);
    // One of another library, or a malformed one of the user's own, is a promise as well.
    return Promise.resolve(claim)
      .then(readClaim)
      .catch((error: unknown): undefined => {
        onFailure(error);
        return undefined;
      });
  } catch (error) {
    onFailure(error);
    return undefined;
  }
}

/** Holds what a state gives to its port. */
function readClaim(claim: Claim): Claim {
  if (claim.isFirst) return claim;
  const answer = Promise.resolve(claim.answer);
  // Its failure after nobody waits for it any more is nobody's.
  answer.catch(() => undefined);
  return { isFirst: false, answer };
}
