import type { Budget } from '../core/budget.js';
import type { UserProfile } from '../core/channel.js';
import { TIMED_OUT, waitAtMost } from '../core/time.js';
import type { CallIds } from './channel-contract.js';
import { guardClaim } from './guarded-claim.js';
import type { KeptRequest, PlannedCode, Receipt } from './messages/receipt.js';
import type { Known, Reading, RecordKind, RecordName, RecordValues, Transition } from './records.js';
import type { Claim, EventClaim, LocalState, StatePort } from './state.js';
import { isSuppression, type Suppression } from './suppressions.js';

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

/** What the state was used for when it failed, if it is known. */
interface Use {
  readonly request?: KeptRequest | undefined;
  readonly profile?: UserProfile | undefined;
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

/** A code as the question for newer ones names it. */
type OrderedCode = Pick<PlannedCode, 'person' | 'eventKey' | 'place' | 'isPreview' | 'request'>;

/** The claim of an event that is no code: it takes no place and no point. */
const NO_CODE = {
  isRepeatable: true,
  person: undefined,
  isPreview: false,
  passes: 'never',
  requestedAtMs: 0,
  lifeMs: 0,
  limits: [],
  recipient: undefined,
} as const;

const UNREADABLE: Use = { words: 'a record cannot be read' };

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
  readonly local: LocalState;
  readonly #state: StatePort;
  readonly #onFailure: OnStateFailure;

  constructor(state: StatePort, onFailure: OnStateFailure) {
    this.isShared = state.isShared === true;
    this.local = state.local;
    this.#state = state;
    this.#onFailure = onFailure;
  }

  /**
   * Claims an event for a call. If the state fails, the call is the first. A claim that comes too late is
   * settled or released when the call ends. The answer of another call is `'lost'` if the state cannot give it.
   */
  async claim(
    event: Omit<EventClaim, 'waitMs'>,
    { request, budget }: { readonly request: KeptRequest; readonly budget: Budget },
  ): Promise<Claim> {
    const use = { request };
    const waitMs = budget.share(TIMEOUTS_MS.call, CALL_FRACTION);
    const claim = await this.#claim({ ...event, waitMs }, use);
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
  async isFirstUse(key: string, life: Pick<EventClaim, 'nowMs' | 'rememberMs'>): Promise<boolean> {
    const claim = await this.#claim({ ...NO_CODE, ...life, key, waitMs: TIMEOUTS_MS.background }, {});
    if (claim.isFirst) claim.settle({});
    return claim.isFirst;
  }

  /**
   * Claims an inbound message. It is a repeat once a gateway has marked it as received, after it has applied its words. A
   * repeat without such a mark counts: the gateway of the first one may have died.
   *
   * @param key - as that of `isFirstUse`.
   */
  async claimMessage(key: string, life: Pick<EventClaim, 'nowMs' | 'rememberMs'>): Promise<ClaimedMessage> {
    const askedMs = performance.now();
    const claim = await this.#claim({ ...NO_CODE, ...life, key, waitMs: TIMEOUTS_MS.inbound }, {});
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

  /** @param usedAtMs - by Okta's clock. */
  useCode(person: string, usedAtMs: number): void {
    this.#try(
      () => {
        this.#state.useCode(person, usedAtMs);
      },
      { words: 'useCode failed' },
    );
  }

  /** @param budget - of the call that asks; `undefined` for late failover. */
  async isCurrent(
    { person, eventKey, place, isPreview = false, request }: OrderedCode,
    budget?: Budget,
  ): Promise<boolean | 'unknown'> {
    const asking = this.#ask<boolean | 'unknown'>(
      () => this.#state.isCurrent(person, { eventKey, place, isPreview }),
      'unknown',
      { request },
    );
    if (budget === undefined) return asking;
    const found = await budget.within(asking, budget.share(TIMEOUTS_MS.call, CALL_FRACTION));
    return found === TIMED_OUT ? 'unknown' : found;
  }

  /**
   * As that of the state; resolves to `undefined` if it fails, which is reported.
   *
   * @param of - what the records are about, if it is known.
   */
  update<const Names extends readonly RecordName[], Result>(
    names: Names,
    transition: Transition<Names, Result>,
    of: Pick<Receipt, 'request' | 'profile'> | undefined,
  ): Promise<Result | undefined> {
    return this.#attempt(() => this.#state.update(names, transition), of ?? UNREADABLE);
  }

  /** As that of the state; resolves to `undefined` if it fails, which is reported, or does not answer in time. */
  async read<const Names extends readonly RecordName[], Result>(
    names: Names,
    read: Reading<Names, Result>,
    waitMs: number = TIMEOUTS_MS.background,
  ): Promise<Result | undefined> {
    const found = await waitAtMost(
      this.#attempt(() => this.#state.read(names, read), UNREADABLE),
      waitMs,
    );
    return found === TIMED_OUT ? undefined : found;
  }

  /** As that of the state. */
  recall<Kind extends RecordKind>(name: RecordName<Kind>): Known<RecordValues[Kind]> | undefined {
    return this.#state.recall(name);
  }

  /** Sets an alarm, if the state has alarms. */
  setAlarm(messageKey: string, dueInMs: number, { request }: Receipt): void {
    this.#try(() => this.#state.alarms?.set(messageKey, dueInMs), { request });
  }

  /** Adds a listener of alarms, and returns a function that removes it; see `Alarms`. */
  onAlarm(listener: (messageKey: string) => void): (() => void) | undefined {
    return this.#state.alarms?.onDue(listener);
  }

  /** What gateways share about a recipient, by the hook's clock; `undefined` if the state cannot say. */
  suppressionsOf(
    recipient: string,
    nowMs: number,
    budget?: Budget,
  ): Promise<readonly Suppression[] | undefined> {
    const waitMs = budget?.share(TIMEOUTS_MS.suppressions, CALL_FRACTION) ?? TIMEOUTS_MS.suppressions;
    if (!this.isShared) return Promise.resolve(undefined);
    return this.read(
      [{ kind: 'suppressions', key: recipient }],
      ([known], { keeperMs }) =>
        (known?.value.entries ?? [])
          .filter(isSuppression)
          .filter(({ untilMs }) => untilMs > keeperMs)
          .map(({ channel, reason, untilMs }) => ({ channel, reason, untilMs: nowMs + untilMs - keeperMs })),
      waitMs,
    );
  }

  /** Reports data that cannot be used: a gateway of another version may have kept it. */
  reportUnusable(error: unknown): void {
    this.#fail(error, UNREADABLE);
  }

  #fail(error: unknown, { request, profile, words }: Use): void {
    const shown = words === undefined ? error : new Error(words);
    this.#onFailure(shown, { request, profile }, request);
  }

  #claim(event: EventClaim, use: Use): Claim | Promise<Claim> {
    return guardClaim(
      () => this.#state.claim(event),
      event.waitMs,
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
}
