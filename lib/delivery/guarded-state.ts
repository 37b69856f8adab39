import type { Budget } from '../core/budget.js';
import type { UserProfile } from '../core/channel.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../core/time.js';
import type { CallIds } from './channel-contract.js';
import { guardClaim } from './guarded-claim.js';
import type { KeptRequest, Receipt, FinalReport } from './messages/receipt.js';
import type { LastCode } from './messages/sent-codes.js';
import type { Claim, EventLife, StatePort, NewEvent, SentCodeUse } from './state.js';
import type { LiftedSuppression, Suppression } from './suppressions.js';

/** How long each use waits for the state, milliseconds. */
const TIMEOUTS_MS = {
  /** A call; never more than a quarter of its remaining time. */
  call: 200,
  /** Changes and reads of suppressions. */
  suppressions: 200,
  /** Whether an inbound message is a repeat. */
  inbound: 500,
  /** After the answer: late failover, and codes that were used. */
  background: 2_000,
} as const;
const CALL_FRACTION = 0.25;

/**
 * How long the last code of a user is kept, milliseconds: Okta's event hooks have no time limit, and may be an
 * hour late.
 */
const SENT_CODE_MS = 60 * 60_000;

/** What the state was used for when it failed, if it is known. */
interface Use {
  readonly request?: KeptRequest | undefined;
  readonly profile?: UserProfile | undefined;
  readonly code?: LastCode | undefined;
  /** Replaces the error's message, which may be about any user. */
  readonly words?: string | undefined;
}

/** The claim of an inbound message. */
export interface ClaimedMessage {
  readonly isRepeat: boolean;
  /** When it came to any gateway for the first time, by the monotonic clock of this process. */
  readonly cameMs: number;
  readonly markReceived: () => void;
}

const TAKE_RECEIPT: Use = { words: 'takeReceipt failed' };

/**
 * @param of - the request of the call or of the receipt, and what the state got of the profile, for the masking.
 * @param call - the call in which it failed, or which it is about.
 */
export type OnStateFailure = (
  error: unknown,
  of: Pick<Use, 'request' | 'profile'>,
  call: Partial<CallIds> | undefined,
) => void;

/**
 * The state as hook calls use it. No method throws, rejects or waits longer than its time-out: where the state
 * fails or is late, the failure is reported and the hook goes on by what this process knows. The factory makes
 * it once.
 */
export class GuardedState {
  /** Whether gateways share the state. */
  readonly isShared: boolean;
  readonly #state: StatePort;
  readonly #onFailure: OnStateFailure;

  constructor(state: StatePort, onFailure: OnStateFailure) {
    this.isShared = state.isShared === true;
    this.#state = state;
    this.#onFailure = onFailure;
  }

  /**
   * Claims an event for a call. If the state fails, the call is the first. A claim that comes too late is
   * settled or released when the call ends. The answer of another call is `'lost'` if the state cannot give it.
   */
  async claim(
    key: string | undefined,
    life: EventLife,
    { request, budget }: { readonly request: KeptRequest; readonly budget: Budget },
  ): Promise<Claim> {
    const use = { request };
    const claim = await this.#claim(key, life, budget.share(TIMEOUTS_MS.call, CALL_FRACTION), use);
    if (claim.isFirst) return claim;
    const answer = claim.answer.catch((error: unknown): 'lost' => {
      // After its time the call does not wait any more: that is no failure.
      if (budget.remainingMs() > 0) this.#fail(error, use);
      return 'lost';
    });
    return { isFirst: false, answer };
  }

  /**
   * Whether no gateway has seen the use of a code before; `true` if the state fails.
   *
   * @param key - different from all other keys that are claimed.
   */
  async isFirstUse(key: string, life: Pick<EventLife, 'nowMs' | 'rememberMs'>): Promise<boolean> {
    const claim = await this.#claim(key, { ...life, buckets: [] }, TIMEOUTS_MS.background, {});
    if (claim.isFirst) claim.settle({});
    return claim.isFirst;
  }

  /**
   * Claims an inbound message. It is a repeat once a gateway has marked it as received, after it has applied its words. A
   * repeat without such a mark counts: the gateway of the first one may have died.
   *
   * @param key - as that of `isFirstUse`.
   */
  async claimMessage(key: string, life: Pick<EventLife, 'nowMs' | 'rememberMs'>): Promise<ClaimedMessage> {
    const askedMs = performance.now();
    const claim = await this.#claim(key, { ...life, buckets: [] }, TIMEOUTS_MS.inbound, {});
    if (claim.isFirst) {
      const markReceived = (): void => {
        claim.settle({});
      };
      return { isRepeat: false, cameMs: askedMs, markReceived };
    }
    const cameMs = performance.now() - (claim.ageMs ?? 0);
    const unknown = (): undefined => undefined;
    const mark = await waitAtMost(claim.answer.catch(unknown), TIMEOUTS_MS.inbound);
    return { isRepeat: mark !== TIMED_OUT && mark !== undefined, cameMs, markReceived: unknown };
  }

  /** @param request - `undefined` for a sign-in. */
  overtake(person: string, event: NewEvent, request: KeptRequest | undefined): void {
    const use = request === undefined ? { words: 'overtake failed' } : { request };
    this.#try(() => {
      this.#state.overtake(person, event);
    }, use);
  }

  /** @param budget - of the call that asks; `undefined` for late failover. */
  async isNewest(
    { person, eventKey, request }: Pick<Receipt, 'person' | 'eventKey' | 'request'>,
    budget?: Budget,
  ): Promise<boolean | 'unknown'> {
    const asking = this.#ask<boolean | 'unknown'>(
      () => this.#state.isNewest(person, eventKey, steadyMs()),
      'unknown',
      { request },
    );
    if (budget === undefined) return asking;
    const found = await budget.within(asking, budget.share(TIMEOUTS_MS.call, CALL_FRACTION));
    return found === TIMED_OUT ? 'unknown' : found;
  }

  /**
   * Keeps a receipt, in memory at once. Elsewhere it resolves when the receipt is kept; while Redis is lost, when
   * Redis is back.
   *
   * @param onReported - gets the report that came before the receipt. Then nothing is kept.
   */
  keepReceipt(
    messageKey: string,
    receipt: Receipt,
    onReported: (report: FinalReport) => void,
  ): Promise<void> | undefined {
    const use = { request: receipt.request, profile: receipt.profile };
    const keeping = this.#try(() => this.#state.keepReceipt(messageKey, receipt, steadyMs()), use);
    if (keeping !== undefined && 'then' in keeping) {
      return this.#attempt(() => keeping, use).then((report) => {
        if (report !== undefined) onReported(report);
      });
    }
    if (keeping !== undefined) onReported(keeping);
    return undefined;
  }

  /** @param onLate - gets the receipt if the state has it after the time-out: no one else will. */
  takeReceipt(
    messageKey: string,
    report: FinalReport,
    onLate: (receipt: Receipt) => void,
  ): Promise<Receipt | undefined> {
    const take = () => this.#state.takeReceipt(messageKey, steadyMs(), report, onLate);
    return this.#ask(take, undefined, TAKE_RECEIPT, (receipt) => {
      if (receipt !== undefined) onLate(receipt);
    });
  }

  async isDelivered(messageKeys: readonly string[], { request }: Receipt): Promise<boolean> {
    if (messageKeys.length === 0) return false;
    return this.#ask(() => this.#state.isDelivered(messageKeys, steadyMs()), false, { request });
  }

  /** Sets an alarm, if the state has alarms. */
  setAlarm(messageKey: string, dueInMs: number, { request }: Receipt): void {
    this.#try(() => this.#state.alarms?.set(messageKey, dueInMs), { request });
  }

  /** Adds a listener of alarms, and returns a function that removes it; see `Alarms`. */
  onAlarm(listener: (messageKey: string) => void): (() => void) | undefined {
    return this.#state.alarms?.onDue(listener);
  }

  /** @param person - as `personKey` makes it. */
  keepSent(person: string, code: LastCode): void {
    const nowMs = steadyMs();
    this.#try(
      () => {
        this.#state.keepSent(person, code, { nowMs, untilMs: nowMs + SENT_CODE_MS });
      },
      { code },
    );
  }

  /** @param onLate - as that of `takeReceipt`. */
  takeSent(
    person: string,
    use: Omit<SentCodeUse, 'nowMs'>,
    onLate: (code: LastCode) => void,
  ): Promise<LastCode | undefined> {
    const take = () => this.#state.takeSent(person, { ...use, nowMs: steadyMs() });
    return this.#ask(take, undefined, {}, (code) => {
      if (code !== undefined) onLate(code);
    });
  }

  /**
   * Resolves after a time-out, or when all gateways know the change; `onShared` is called then, however late.
   */
  suppress(
    recipient: string,
    suppression: Suppression,
    nowMs: number,
    onShared: () => void,
    ageMs = 0,
  ): Promise<void> {
    return this.#share(() => this.#state.suppress?.(recipient, suppression, nowMs, ageMs), onShared);
  }

  /** As `suppress`. */
  lift(recipient: string, lifted: LiftedSuppression, onShared: () => void, ageMs = 0): Promise<void> {
    return this.#share(() => this.#state.lift?.(recipient, lifted, ageMs), onShared);
  }

  /** As `suppress`. */
  pair(externalUserId: string, recipient: string, onShared: () => void): Promise<void> {
    return this.#share(() => this.#state.pair?.(externalUserId, recipient), onShared);
  }

  suppressionsOf(
    recipient: string,
    nowMs: number,
    budget?: Budget,
  ): Promise<readonly Suppression[] | undefined> {
    const waitMs = budget?.share(TIMEOUTS_MS.suppressions, CALL_FRACTION);
    return this.#askBriefly(() => this.#state.suppressionsOf?.(recipient, nowMs), waitMs);
  }

  numberOf(externalUserId: string): Promise<string | undefined> {
    return this.#askBriefly(() => this.#state.numberOf?.(externalUserId));
  }

  /** Reports data that cannot be used: a gateway of another version may have kept it. */
  reportUnusable(what: 'receipt' | 'sent code', error: unknown): void {
    this.#fail(error, what === 'receipt' ? TAKE_RECEIPT : {});
  }

  #fail(error: unknown, { request, profile, code, words }: Use): void {
    const shown = words === undefined ? error : new Error(words);
    this.#onFailure(shown, { request, profile }, code ?? request);
  }

  #claim(key: string | undefined, life: EventLife, waitMs: number, use: Use): Claim | Promise<Claim> {
    return guardClaim(
      () => this.#state.claim(key, { ...life, waitMs }),
      waitMs,
      (error) => {
        this.#fail(error, use);
      },
    );
  }

  /** The work's result; `undefined` if it fails at once. */
  #try<T>(work: () => T, use: Use): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(error, use);
      return undefined;
    }
  }

  /** Resolves with `undefined` if the work fails, however late. */
  async #attempt<T>(work: () => T | Promise<T>, use: Use): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#fail(error, use);
      return undefined;
    }
  }

  /** @param onLate - gets an answer that comes after the time-out. */
  async #ask<T>(
    question: () => T | Promise<T>,
    otherwise: T,
    use: Use,
    onLate: (answer: T) => void = () => undefined,
  ): Promise<T> {
    try {
      const asking = Promise.resolve(question());
      const answer = await waitAtMost(asking, TIMEOUTS_MS.background);
      if (answer !== TIMED_OUT) return answer;
      this.#fail(new Error('no answer in time'), use);
      // A failure after the time-out is the same one.
      asking.then(onLate).catch(() => undefined);
    } catch (error) {
      this.#fail(error, use);
    }
    return otherwise;
  }

  /** A time-out is not a failure here: while Redis is lost, changes wait until it is back. */
  async #askBriefly<T>(
    question: () => T | Promise<T>,
    waitMs: number = TIMEOUTS_MS.suppressions,
  ): Promise<T | undefined> {
    const answer = await waitAtMost(this.#attempt(question, {}), waitMs);
    return answer === TIMED_OUT ? undefined : answer;
  }

  #share(change: () => Promise<void> | undefined, onShared: () => void): Promise<void> {
    return this.#askBriefly(async () => {
      await change();
      onShared();
    });
  }
}
