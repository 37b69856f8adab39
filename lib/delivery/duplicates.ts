import { createHash } from 'node:crypto';
import type { Budget } from './budget.js';
import { TIMED_OUT } from './wait-at-most.js';
import type { TelephonyRequest } from './channel.js';

/** The answer that Okta was given, kept to be given again. It holds nothing personal. */
export type RememberedAnswer = Readonly<Record<string, unknown>>;

/** What a claim of an event found. */
export type Claim =
  | {
      readonly isFirst: true;
      /** Keeps the answer for repeats of the event. */
      settle(answer: RememberedAnswer): void;
      /** Nothing was sent and nothing is remembered: the next one is the first. */
      release(): void;
    }
  | {
      readonly isFirst: false;
      /** The first one's answer, once it has one; `undefined` if it released its claim. */
      readonly answer: Promise<RememberedAnswer | undefined>;
    };

/** What must be remembered between hook calls. `memoryState()` keeps it in the process. */
export interface State {
  /** Claims an event, so that of several calls with one key one sends and the others wait for its answer. */
  claim(key: string, life: { readonly nowMs: number; readonly rememberMs: number }): Promise<Claim>;
  /** Resolves when it can be reached; rejects with the reason. For `ready()`. */
  check(): Promise<void>;
  /** For `status()`. */
  readonly health: 'ok' | 'lost';
  close(): Promise<void>;
}

/**
 * What makes a request the same again: Okta repeats the event id, but an edited preview may repeat it too. A
 * digest, so that no code or number is a key.
 */
export function duplicateKey(request: TelephonyRequest): string {
  const { eventId, requestType, userId, login, phoneNumber, otpCode, deliveryChannel } = request;
  const parts = [eventId, requestType, userId ?? login, phoneNumber, otpCode, deliveryChannel];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** What the state may take of the budget before we go on without it: milliseconds, and a fraction of what is left. */
const STATE_SHARE = { maxMs: 200, fraction: 0.25 } as const;

/** More calls than that do not hang up one after the other: a state that says so is broken. */
const MOST_CLAIMS = 20;

/** What a claim came to: this call sends, or the first one's answer serves. */
export type ClaimResult =
  | {
      readonly isFirst: true;
      /** `undefined` inside where the state failed; may still be on its way where the state hangs. */
      readonly claim: Promise<Claim | undefined>;
    }
  | {
      readonly isFirst: false;
      /** `undefined` where the first one has none before this call's own deadline. */
      readonly answer: RememberedAnswer | undefined;
    };

/** Claims an event; a repeat waits for the first one's answer. A state that fails or hangs never holds up a code. */
export async function claimEvent(
  request: TelephonyRequest,
  parts: {
    readonly state: State;
    readonly nowMs: number;
    readonly rememberMs: number;
    readonly budget: Budget;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<ClaimResult> {
  const { state, nowMs, rememberMs, budget } = parts;
  const key = duplicateKey(request);
  for (let count = 0; count < MOST_CLAIMS; count += 1) {
    const claim = (async () => guardClaim(await state.claim(key, { nowMs, rememberMs }), parts.onFailure))();
    const settled = claim.catch((error: unknown) => {
      parts.onFailure(error);
      return undefined;
    });
    const found = await budget.within(settled, budget.share(STATE_SHARE.maxMs, STATE_SHARE.fraction));
    if (found === TIMED_OUT) parts.onFailure(new Error('no answer in time'));
    if (found === undefined || found === TIMED_OUT || found.isFirst) return { isFirst: true, claim: settled };
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
  }
  parts.onFailure(new Error('every claim is let go'));
  return { isFirst: true, claim: Promise.resolve(undefined) };
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
  const safely = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onFailure(error);
    }
  };
  return {
    isFirst: true,
    settle: (answer) => void safely(claim.settle.bind(claim, answer)),
    release: () => void safely(claim.release.bind(claim)),
  };
}
