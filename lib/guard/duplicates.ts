import type { Budget } from '../core/budget.js';
import { RecentMap } from '../core/caches.js';
import type { TelephonyRequest } from '../core/channel.js';
import { digestOf } from '../core/masking.js';
import { steadyMs, TIMED_OUT } from '../core/time.js';
import type { GuardedState } from '../delivery/guarded-state.js';
import type { Arrival } from '../delivery/order.js';
import type { AnswerOfFirst, Claim, EventLife, RememberedAnswer } from '../delivery/state.js';
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
      /** Whether the state says that no newer code of the person has passed; `undefined` if it does not say. */
      readonly isNewest: boolean | undefined;
      /** When the event came for the first time: an earlier call may have released it. */
      readonly arrival: Arrival | undefined;
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
  readonly state: GuardedState | undefined;
  /** The claims of this process: whatever the state does, at most one of its calls is the first. */
  readonly localClaims: LocalClaims;
  /** `false` without an event id of Okta: nothing is a repeat then. */
  readonly isRepeatable: boolean;
  readonly life: EventLife;
  /** When this call came; `undefined` for a preview. */
  readonly arrival: Arrival | undefined;
  readonly budget: Budget;
}

/**
 * Claims an event, in this process and then in the state, and takes its points. A repeat waits for the answer
 * of the first call; within one process it does not ask the state.
 */
export async function claimEvent(request: TelephonyRequest, parts: ClaimParts): Promise<ClaimResult> {
  const { state, localClaims, isRepeatable, life, arrival, budget } = parts;
  const key = isRepeatable ? duplicateKey(request) : undefined;
  for (let first = localClaims.answerOf(key); first !== undefined; first = localClaims.answerOf(key)) {
    const repeat = await repeatOf(first, budget);
    if (repeat !== undefined) return repeat;
    // The first call released its claim. A caller who has hung up must not become the first: others still wait.
    if (budget.hasHungUp) return RELEASED;
  }
  const local = localClaims.claim(key, life.rememberMs, arrival);
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
    isNewest: claim?.isNewest,
    arrival: local.arrival,
  };
}

const NONE: readonly string[] = [];

/**
 * At least so many running and so many answered events are remembered. So no running call is forgotten, and at 2,500 a second an
 * answer is known for the three seconds that Okta waits before its retry.
 */
const MIN_EVENTS = 8_000;

/** An answer that calls wait for. */
interface Waiting {
  readonly answer: AnswerOfFirst;
  readonly resolve: (answer: Awaited<AnswerOfFirst>) => void;
}

/** The claim of an event by one call of this process. */
class LocalClaim {
  /** By the steady clock. */
  readonly untilMs: number;
  readonly arrival: Arrival | undefined;
  readonly #key: string | undefined;
  readonly #events: LocalClaims;
  #isEnded = false;
  #found: RememberedAnswer | undefined;
  /** Made when the first repeat waits. */
  #waiting: Waiting | undefined;

  constructor(
    key: string | undefined,
    events: LocalClaims,
    { untilMs, arrival }: Pick<LocalClaim, 'untilMs' | 'arrival'>,
  ) {
    this.untilMs = untilMs;
    this.arrival = arrival;
    this.#key = key;
    this.#events = events;
  }

  get answer(): AnswerOfFirst {
    if (this.#waiting === undefined && this.#isEnded) return Promise.resolve(this.#found);
    this.#waiting ??= beginWaiting();
    return this.#waiting.answer;
  }

  /** Keeps the answer for repeats of the event. */
  settle(answer: RememberedAnswer): void {
    if (!this.#end(true)) return;
    this.#found = answer;
    this.#waiting?.resolve(answer);
    this.#waiting = undefined;
  }

  /** The next call may claim the event. */
  release(): void {
    if (!this.#end(false)) return;
    this.#waiting?.resolve(undefined);
    this.#waiting = undefined;
  }

  /** The first call is at another gateway: its answer counts. If it is lost, the next repeat asks again. */
  follow(first: AnswerOfFirst): void {
    void first.then((found) => {
      if (found === undefined) this.release();
      else if (found !== 'lost') this.settle(found);
      else if (this.#end(false)) this.#waiting?.resolve(found);
    });
  }

  /** `false` if the claim has ended before. */
  #end(isRemembered: boolean): boolean {
    if (this.#isEnded) return false;
    this.#isEnded = true;
    if (this.#key !== undefined) this.#events.ended(this.#key, this, isRemembered);
    return true;
  }
}

/**
 * The claims of this process, and the answers of its calls. Bounded: it keeps the last 8,000 running and answered events, and at
 * most a fifth more. It starts no timer.
 */
export class LocalClaims {
  /** Whether these are the claims of a state: the hook then does not claim an event in the state again. */
  readonly isOfState: boolean;
  readonly #running = new RecentMap<LocalClaim>(MIN_EVENTS);
  readonly #answered = new RecentMap<LocalClaim>(MIN_EVENTS);
  /** When events came whose claims were released: they keep their place. */
  readonly #released = new RecentMap<Arrival>(MIN_EVENTS);

  constructor({ isOfState = false } = {}) {
    this.isOfState = isOfState;
  }

  /** The answer of the call that has claimed an event; `undefined` if none has. */
  answerOf(key: string | undefined): AnswerOfFirst | undefined {
    if (key === undefined) return undefined;
    // A running call counts, however long it takes.
    const running = this.#running.get(key);
    if (running !== undefined) return running.answer;
    const answered = this.#answered.get(key);
    return answered !== undefined && answered.untilMs > steadyMs() ? answered.answer : undefined;
  }

  /**
   * Claims an event that no call has claimed. Without a key no repeat can find it.
   *
   * @param arrival - of the call. An event that was released before has its first one.
   */
  claim(key: string | undefined, rememberMs: number, arrival?: Arrival): LocalClaim {
    const held = new LocalClaim(key, this, {
      untilMs: steadyMs() + rememberMs,
      arrival: (key === undefined ? undefined : this.#released.get(key)) ?? arrival,
    });
    if (key !== undefined) this.#running.set(key, held);
    return held;
  }

  /** Called by claims. A forgotten event may be claimed by another call by now. */
  ended(key: string, held: LocalClaim, isRemembered: boolean): void {
    if (this.#running.get(key) !== held) return;
    this.#running.delete(key);
    if (isRemembered) {
      this.#answered.set(key, held);
      return;
    }
    this.#answered.delete(key);
    if (held.arrival !== undefined) this.#released.set(key, held.arrival);
  }
}

function beginWaiting(): Waiting {
  let resolve: Waiting['resolve'] = () => undefined;
  const answer: AnswerOfFirst = new Promise((settle) => {
    resolve = settle;
  });
  return { answer, resolve };
}
