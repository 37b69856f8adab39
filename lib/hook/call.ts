import type { Budget } from '../core/budget.js';
import type { OfCall, OfOptIn, OfProviders, OfResend, SkippedChannel } from '../core/events.js';
import type { Delivery, ReadyChannel } from '../delivery/attempt.js';
import type { FirstClaim, StatePort } from '../delivery/state.js';
import { isPaidChannel, type LearnedCall, type LearningGuard } from '../guard/learning-guard.js';
import type { LimitRule } from '../guard/limits.js';
import type { NumberReading } from '../numbers/phone-number.js';
import type { Decision, HookRefusal } from '../okta/hook-answer.js';
import type { HookCall } from '../okta/inline-hook.js';
import type { TwilioConnection } from '../core/option-types.js';
import type { ProfileReading, ProfileReader } from '../okta/user-profile.js';
import type { EventStream } from '../core/event-stream.js';
import type { LRUCache } from 'lru-cache';
import type { LateFailover } from '../delivery/messages/late-failover.js';
import type { MessageOwner } from '../delivery/messages/receipt.js';
import type { ReadRollout } from '../options/rollout.js';
import type { SuppressionList } from '../delivery/suppression-list.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import type { HookSettings } from '../options/settings.js';
import type { OpenAnswers } from '../http/routes.js';

/** One hook call. It has all its fields from the start, and each step of `router.ts` fills in its own. */

/** A call that has begun. Until a step says more, its fields say that there is nothing. */
export interface OpenCall {
  /** Its entry in `underWay.calls`. */
  readonly awaited: AwaitedCall;
  readonly budget: Budget;
  /** The call came after `close()`, so it is answered only if it is a repeat. */
  readonly isAfterClose: boolean;
  /** Set for a call of the console's tester. */
  readonly test: { readonly by: string | undefined } | undefined;
  /** Whether the caller is proven to be Okta. */
  isProven: boolean;
  /** Set if a step knows the answer; the steps after it are skipped. */
  answer: CallAnswer | undefined;
  isOver: boolean;
  /** Why nothing is sent: an unusable request, a block by the guard, or a missing channel. */
  refusal: HookRefusal | undefined;
  /** A newer code of the same user has superseded it. */
  isSuperseded: boolean;

  // By `deduplicate`, if the call is the first of its event.

  /** `undefined` if nothing had to be claimed. */
  claim: FirstClaim | undefined;
  /** The rate limits that had no point left. */
  exceeded: readonly LimitRule[];
  /** As `duplicateKey` makes it; empty if nothing had to be claimed. */
  eventKey: string;
  /** When the claim was sent, milliseconds since the call came. */
  claimedMs: number;
  /** What the guard that learns says; `undefined` if it is off, or does not count the code. */
  learned: LearnedCall | undefined;

  // By `lookUpProfile`.

  reading: (ProfileReading & { readonly durationMs: number }) | undefined;

  // By `dispatchChannels`.

  /** Planned channels that were skipped, with the reason. */
  skipped: readonly SkippedChannel[];
  optIn: OfOptIn;
  /** `undefined` if no planned channel has providers by country. */
  providersOf: OfProviders['providersOf'];
  resend: OfResend;
  delivery: Delivery | undefined;
}

/** A call whose request is read (`readRequest`). */
export interface ReadCall extends OpenCall {
  readonly hook: HookCall;
  /** When the code expires, by the steady clock. */
  readonly expiresAtMs: number;
  /** The number's country and type; `undefined` if there is no number to dial. */
  readonly number: NumberReading | undefined;
  /** Identifies its user, as `personKey` makes it. */
  readonly person: string;
  /** When its event came first, as `LocalOrder` numbers the calls. */
  arrival: number;
}

/** A call that may have ended before its request was read. */
export type AnyCall = OpenCall & Partial<ReadCall>;

/** What the answer to Okta is made of. */
export interface CallAnswer {
  readonly decision: Decision;
  /** The decision is that of an earlier call with the same event. */
  readonly isRepeat: boolean;
}

export const NONE: readonly never[] = Object.freeze([]);

/** No opt-in was read. */
export const NO_OPT_IN: OfOptIn = { optIn: undefined, optInAttribute: undefined };

/** The code is not asked for again, or there is no other route. */
export const NO_RESEND: OfResend = { resendOf: undefined, resendOfChannel: undefined };

/** Begins a call. All fields are there from the start: otherwise a code takes about 5 % more CPU time on Node 24. */
export function beginCall(
  budget: Budget,
  { underWay }: Pick<HookParts, 'underWay'>,
  test?: OpenCall['test'],
): OpenCall {
  const awaited: AwaitedCall = { onEnd: undefined };
  const call: OpenCall & { readonly [Name in Exclude<keyof ReadCall, keyof OpenCall>]: undefined } = {
    awaited,
    budget,
    isAfterClose: underWay.isClosing,
    test,
    isProven: false,
    answer: undefined,
    isOver: false,
    hook: undefined,
    expiresAtMs: undefined,
    number: undefined,
    person: undefined,
    arrival: undefined,
    refusal: undefined,
    isSuperseded: false,
    claim: undefined,
    exceeded: NONE,
    eventKey: '',
    claimedMs: 0,
    learned: undefined,
    reading: undefined,
    skipped: NONE,
    optIn: NO_OPT_IN,
    providersOf: undefined,
    resend: NO_RESEND,
    delivery: undefined,
  };
  underWay.calls.add(awaited);
  return call;
}

/** The ids that every event about a call has. */
export function idsOf({ eventId, oktaRequestId, userId }: OfCall): OfCall {
  return { eventId, oktaRequestId, userId };
}

/** The fields of a test in its events. */
export function testFields(test: OpenCall['test']): { readonly testedBy?: string } {
  return test?.by === undefined ? {} : { testedBy: test.by };
}

/** Ends a call after its answer is written. Calls after the first one do nothing. */
export function endCall(call: AnyCall, { underWay, learning }: HookParts): void {
  if (call.isOver) return;
  call.isOver = true;
  const { learned, delivery } = call;
  const isPaid = delivery?.status !== 'refused' && isPaidChannel(delivery?.decidedBy?.channel ?? '');
  if (learned !== undefined && !isPaid) learning?.giveBack(learned);
  call.budget.close();
  underWay.calls.delete(call.awaited);
  call.awaited.onEnd?.();
}

/**
 * A call as `close()` knows it. Not the call itself: what a set held may outlive several collections of garbage, and a
 * call holds 10 KB.
 */
export interface AwaitedCall {
  /** Called when the call has ended; `undefined` unless `close()` waits for it. */
  onEnd: (() => void) | undefined;
}

/** The parts of a hook, which every call uses. The factory makes them once. */
export interface HookParts {
  readonly settings: HookSettings;
  readonly events: EventStream;
  readonly verifier: CallerVerifier;
  readonly profiles: ProfileReader;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  readonly oktaClock: {
    /** The steady clock minus Okta's, as of its last call, milliseconds. */
    skewMs: number;
    /** When a large difference was last reported. */
    reportedMs: number;
  };
  /** The ids of the inline hooks that Okta's calls came from. */
  readonly inlineHookIds: Set<string>;
  readonly rollout: ReadRollout;
  readonly optIns: {
    /** Users can choose another channel than SMS by the opt-in attribute. */
    readonly isOffered: boolean;
    /** A value that cannot be used was reported. */
    isWarned: boolean;
  };
  /** `undefined` if a code that is asked for again goes by the same order: by the option, or because nothing else is possible. */
  readonly resend: { readonly withinMs: number } | undefined;
  /** For `guard.assess`; `undefined` without `credentials.twilio`. */
  readonly twilio: TwilioConnection | undefined;
  readonly suppressions: SuppressionList;
  /** `undefined` if it is off. */
  readonly learning: LearningGuard | undefined;
  readonly state: StatePort;
  /** `undefined` if it is off. */
  readonly lateFailover: LateFailover | undefined;
  /** Whose message it is, for the reports on it: by `messageKey`, or by the reference of an attempt without an answer. */
  readonly messageOwners: LRUCache<string, MessageOwner>;
  readonly openAnswers: OpenAnswers;
  readonly underWay: {
    /** `ready()` has ended once. */
    isChecked: boolean;
    /** The calls that are not answered yet. */
    readonly calls: Set<AwaitedCall>;
    isClosing: boolean;
    /** The state is about to be closed: it must not be asked any more. */
    isDrained: boolean;
    /** The messages of users that are handled: the state must learn their words. */
    readonly messages: Set<Promise<unknown>>;
    /** The sends that go on after their call was answered. */
    readonly detached: Set<Promise<unknown>>;
    /** When a channel last accepted a message, by its name, milliseconds since 1970. */
    readonly lastSuccess: Map<string, number>;
  };
}
