import type { Budget } from '../core/budget.js';
import type { Delivery } from '../delivery/dispatch.js';
import type { RunningCall } from '../delivery/running-calls.js';
import type { Suppression } from '../delivery/suppressions.js';
import type { FirstClaim } from '../guard/duplicates.js';
import type { LimitRule } from '../guard/limits.js';
import type { NumberReading } from '../numbers/phone-number.js';
import type { HookAnswer } from '../okta/hook-answer.js';
import type { HookCall } from '../okta/inline-hook.js';
import type { Refusal } from '../okta/refusals.js';
import type { ProfileReading } from '../okta/user-profile.js';
import type { AwaitedCall, HookParts } from './parts.js';

/** One hook call. Each step of `router.ts` takes the call as the steps before it left it, and adds to it. */

/** A call that has come in: `openCall`. */
export interface OpenCall extends AwaitedCall {
  readonly budget: Budget;
  /** It came after `close()`: only a repeat is still answered. */
  readonly isAfterClose: boolean;
  /** The caller is Okta. */
  isProven: boolean;
  /** A step knows the answer: the steps after it are skipped. */
  answer: CallAnswer | undefined;
  isOver: boolean;
}

/** What Okta is told. */
export interface CallAnswer {
  readonly body: HookAnswer;
  /** The body, as JSON. */
  readonly text: string;
  /** It is the answer to an earlier call with the same event. */
  readonly isRepeat: boolean;
}

/** Its request is read: `readRequest`. */
export interface ReadCall extends OpenCall {
  readonly hook: HookCall;
  /** When its code ends, by the steady clock. */
  readonly expiresAtMs: number;
  /** Country and type of the number; `undefined` where there is none to dial. */
  readonly number: NumberReading | undefined;
  /** Its place among the calls of its user; `undefined` for a preview. */
  readonly running: RunningCall | undefined;
  /** Nothing is sent, for this reason: what could not be read, what the guard blocks, what is not configured. */
  refusal: Refusal | undefined;
  /** It has stopped for a newer code of the same user. */
  isSuperseded: boolean;
}

/** It is the first of its event: `deduplicate`. */
export interface FirstCall extends ReadCall {
  /** `undefined` where nothing was to be claimed. */
  readonly claim: FirstClaim | undefined;
  /** The limits that had no point left for it. */
  readonly exceeded: readonly LimitRule[];
  /** Those of its number that gateways share; `undefined` where nobody says. */
  readonly suppressions: readonly Suppression[] | undefined;
}

/** The guard has judged it: `enforceLimits`. */
export interface JudgedCall extends FirstCall {
  /** Which of whose events it is; `undefined` where nothing of it is sent, or a newer one was sent. */
  readonly event: CallEvent | undefined;
}

/** An event of Okta's by its user and its id. */
export interface CallEvent {
  readonly person: string;
  readonly eventKey: string;
  /** When its code ends, by the steady clock. */
  readonly expiresAtMs: number;
}

/** Its user is looked up: `lookUpProfile`. */
export interface ProfiledCall extends JudgedCall {
  /** `undefined` where nothing is sent. */
  readonly reading: (ProfileReading & { readonly durationMs: number }) | undefined;
}

/** Its channels are tried: `dispatchChannels`. */
export interface DispatchedCall extends ProfiledCall {
  /** Channels that were planned and are not tried. */
  readonly skipped: readonly string[];
  /** `undefined` where nothing is sent. */
  readonly delivery: Delivery | undefined;
}

/** What is known of a call that may have stopped at any step. */
export type AnyCall = OpenCall & Partial<Omit<DispatchedCall, keyof OpenCall>>;

export const NONE: readonly never[] = Object.freeze([]);

/** A call that has just come in. It has all that its steps will fill from the start, so that every call has one shape. */
export function beginCall(budget: Budget, { underWay }: Pick<HookParts, 'underWay'>): OpenCall {
  const call: OpenCall & { readonly [Name in keyof Omit<DispatchedCall, keyof OpenCall>]: unknown } = {
    budget,
    isAfterClose: underWay.isClosing,
    isProven: false,
    answer: undefined,
    isOver: false,
    onEnd: undefined,
    hook: undefined,
    expiresAtMs: undefined,
    number: undefined,
    running: undefined,
    refusal: undefined,
    isSuperseded: false,
    claim: undefined,
    exceeded: NONE,
    suppressions: undefined,
    event: undefined,
    reading: undefined,
    skipped: NONE,
    delivery: undefined,
  };
  underWay.calls.add(call);
  return call;
}

/** Once, when the answer has been given. */
export function endCall(call: AnyCall, { underWay, runningCalls }: HookParts): void {
  if (call.isOver) return;
  call.isOver = true;
  call.budget.close();
  if (call.running !== undefined) runningCalls.end(call.running);
  underWay.calls.delete(call);
  call.onEnd?.();
}

/** Resolves when all calls that are under way now have ended, however many come meanwhile. */
async function callsEnd({ calls }: HookParts['underWay']): Promise<void> {
  const ends = Array.from(
    calls,
    (call) =>
      new Promise<void>((resolve) => {
        call.onEnd = resolve;
      }),
  );
  await Promise.all(ends);
}

/**
 * Resolves when every call is answered, every detached send has ended, or been given up after its 10 s, and every late
 * failover that was due has ended. What is not due yet is dropped.
 */
export async function drain({ underWay, lateFailover }: HookParts): Promise<void> {
  lateFailover?.stopWaiting();
  await callsEnd(underWay);
  // One may lead to another: what was refused after its call is sent by the next channel.
  const late = lateFailover?.underWay ?? new Set();
  await lateFailover?.kept();
  while (underWay.detached.size + late.size > 0) await Promise.all([...underWay.detached, ...late]);
  lateFailover?.close();
  underWay.isDrained = true;
  // Repeats that came meanwhile may have asked the state: a claim must be given back before it is closed.
  await callsEnd(underWay);
}
