import type { IncomingMessage } from 'node:http';
import type { Budget } from '../core/budget.js';
import type { TelephonyRequest } from '../core/channel.js';
import type { Delivery, LateEnd, ReadyChannel } from '../delivery/dispatch.js';
import type { FirstClaim } from '../guard/duplicates.js';
import type { EventStream, Throttle, Throttles } from '../core/events.js';
import { EXTENSION_REMEDIES, type Extension } from '../core/extensions.js';
import type { LimitRule } from '../guard/limits.js';
import type { HeldEvents } from '../guard/held-events.js';
import type { LateFailover } from '../delivery/late/late-failover.js';
import { maskError, maskNumber } from '../core/masking.js';
import type { NumberReading } from '../numbers/phone-number.js';
import type { Receipt, Receipts } from '../delivery/late/receipt.js';
import type { ReadRollout } from '../delivery/rollout.js';
import type { RunningCall, RunningCalls } from '../delivery/running-calls.js';
import type { SuppressionList } from '../delivery/suppression-list.js';
import type { Suppression } from '../delivery/suppressions.js';
import type { SentCodes } from '../delivery/late/sent-codes.js';
import { statusOf, type HookAnswer } from '../okta/hook-answer.js';
import type { HookCall } from '../okta/inline-hook.js';
import type { Refusal } from '../okta/refusals.js';
import type { ProfileReader, ProfileReading } from '../okta/user-profile.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import type { HookSettings } from '../options/settings.js';
import type { TwilioConnection } from '../channels/twilio/client.js';

/** One hook call while it is under way: what its handlers leave for each other, how it ends, what is told of it. */

/** What the factory makes once, for every call. */
export interface HookParts {
  readonly settings: HookSettings;
  readonly events: EventStream;
  readonly verifier: CallerVerifier;
  readonly profiles: ProfileReader;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  readonly twilioCallbacks: TwilioConnection['callbacks'];
  /** By error code: what an unproven caller can cause is told at most once a minute. */
  readonly rejections: Throttles;
  readonly skews: Throttle;
  /** The steady clock minus Okta's, as its last call had it, milliseconds. */
  readonly oktaClock: { skewMs: number };
  /** By extension: what fails, fails with every call. */
  readonly failures: Throttles;
  readonly rollout: ReadRollout;
  readonly heldEvents: HeldEvents;
  readonly runningCalls: RunningCalls;
  readonly suppressions: SuppressionList;
  /** `undefined` where nobody tells whether codes are used, or the state keeps none. */
  readonly sentCodes: SentCodes | undefined;
  /** What the state knows of codes that were sent, and which is the newest of its user. */
  readonly receipts: Receipts;
  /** `undefined` where it is off. */
  readonly lateFailover: LateFailover | undefined;
  readonly underWay: {
    /** Calls that are not answered yet. */
    readonly calls: Set<Call>;
    isClosing: boolean;
    /** The state is about to be closed: what comes now must not ask it. */
    isDrained: boolean;
    /** Sends that go on after their call was answered. */
    readonly detached: Set<Promise<unknown>>;
    /** By channel, milliseconds since 1970. */
    readonly lastSuccess: Map<string, number>;
  };
}

/** What the handlers of one call leave for each other. */
export interface Call {
  readonly budget: Budget;
  /** It came after `close()`: only a repeat is still answered. */
  readonly isAfterClose: boolean;
  /** The caller is Okta. */
  isProven: boolean;
  hook: HookCall | undefined;
  /** When its code ends, by the steady clock. */
  expiresAtMs: number;
  /** Country and type of the number; `undefined` until the guard reads it. */
  number: NumberReading | undefined;
  /** Not there for a repeat, and where nothing was to be claimed. */
  claim: FirstClaim | undefined;
  /** The limits that had no point left for it. */
  exceeded: readonly LimitRule[];
  /** Which of whose events it is; not there before it has passed the guard. */
  event: { readonly person: string; readonly eventKey: string; readonly expiresAtMs: number } | undefined;
  /** Not there for a preview. */
  running: RunningCall | undefined;
  /** It has stopped for a newer code of the same user. */
  isOvertaken: boolean;
  /** Those of its number that gateways share; `undefined` where nobody says. */
  suppressions: readonly Suppression[] | undefined;
  reading: (ProfileReading & { readonly durationMs: number }) | undefined;
  /** Channels that were planned and are not tried. */
  passedOver: readonly string[];
  delivery: Delivery | undefined;
  /** Nothing is sent, for this reason: what could not be read, what the guard blocks, what is not configured. */
  refusal: Refusal | undefined;
  isOver: boolean;
  /** Told when it is over; `undefined` where `close()` does not wait for it. */
  onEnd: (() => void) | undefined;
}

/** One that has just come in. All that its handlers will leave is named here, so that every call has one shape. */
export function beginCall(budget: Budget, { underWay }: Pick<HookParts, 'underWay'>): Call {
  const call: Call = {
    budget,
    isAfterClose: underWay.isClosing,
    isProven: false,
    hook: undefined,
    expiresAtMs: 0,
    number: undefined,
    claim: undefined,
    exceeded: NONE,
    event: undefined,
    running: undefined,
    isOvertaken: false,
    suppressions: undefined,
    reading: undefined,
    passedOver: NONE,
    delivery: undefined,
    refusal: undefined,
    isOver: false,
    onEnd: undefined,
  };
  underWay.calls.add(call);
  return call;
}

const NONE: readonly never[] = Object.freeze([]);

/**
 * The one place where handlers find their call. Not on the request: Express gives each another prototype, after which V8
 * describes its whole shape anew for every property that it is given.
 */
const calls = new WeakMap<IncomingMessage, Call>();

export function callOf(req: IncomingMessage): Call | undefined {
  return calls.get(req);
}

export function keepCall(req: IncomingMessage, call: Call): void {
  calls.set(req, call);
}

/** Once, when the answer has been given. */
export function endCall(call: Call, { underWay, runningCalls }: HookParts): void {
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

/** The request that an earlier handler has read. */
export function hookOf(call: Call): HookCall {
  if (call.hook === undefined) throw new Error('the request was not read before this step');
  return call.hook;
}

/** What every event about a call carries. */
export function idsOf({ eventId, oktaRequestId }: TelephonyRequest): {
  eventId: string;
  oktaRequestId: string | undefined;
} {
  return { eventId, oktaRequestId };
}

/** What the user gave has failed: it is told, at most once a minute, and we go on without it. */
export function tellFailed(
  extension: Extension,
  request: TelephonyRequest,
  parts: Pick<HookParts, 'events' | 'failures'>,
): (error: unknown, inForce?: { readonly percentages: Readonly<Record<string, number>> }) => void {
  return (error, inForce) => {
    emitFailed(extension, request, { reason: maskError(error, request), ...inForce }, parts);
  };
}

/** The same where no call is under way; it may be about one that was. */
export function tellOutsideCall(
  extension: Extension,
  parts: Pick<HookParts, 'events' | 'failures'>,
): (error: unknown, of?: FailedCall) => void {
  return (error, of) => {
    emitFailed(extension, of, { reason: maskError(error, undefined) }, parts);
  };
}

/** The same of what a state does not do; whose message it was is not known without a receipt, and the error's words may be about anybody. */
export function tellStateFailed(
  parts: Pick<HookParts, 'events' | 'failures'>,
): (error: unknown, request: Receipt['request'] | undefined, asked?: string) => void {
  return (error, request, asked = 'takeReceipt') => {
    const reason = request === undefined ? `${asked} failed` : maskError(error, request);
    emitFailed('state', request, { reason }, parts);
  };
}

/** The call that something failed in, as far as it is known. */
type FailedCall = Partial<Pick<TelephonyRequest, 'eventId' | 'oktaRequestId'>>;

function emitFailed(
  extension: Extension,
  of: FailedCall | undefined,
  told: { readonly reason: string; readonly percentages?: Readonly<Record<string, number>> },
  { events, failures }: Pick<HookParts, 'events' | 'failures'>,
): void {
  failures.of(extension).tell((count) => {
    events.emit({
      type: 'extension.failed',
      at: events.now(),
      eventId: of?.eventId,
      oktaRequestId: of?.oktaRequestId,
      extension,
      remedy: EXTENSION_REMEDIES[extension],
      count,
      ...told,
    });
  });
}

/** A send that outlives its call: waited for by `close()`, told when it ends. */
export function recordLate(
  late: Promise<LateEnd>,
  request: TelephonyRequest,
  { events, underWay, settings }: HookParts,
  onEnd: (end: LateEnd) => void,
): void {
  const recorded = late.then((end) => {
    const { attempt } = end;
    underWay.detached.delete(recorded);
    if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
    events.emit({ type: 'attempt.late', at: events.now(), ...idsOf(request), ...attempt });
    onEnd(end);
  });
  underWay.detached.add(recorded);
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

/** The one event that sums a call up. */
export function tellAnswered(call: Call, body: HookAnswer, { events }: HookParts, isRepeat: boolean): void {
  const { request, isPreview } = hookOf(call);
  const { budget, delivery, reading, refusal } = call;
  const decidedBy = delivery?.decidedBy;
  const refused = decidedBy?.outcome === 'refused' ? decidedBy : undefined;
  // Written out, without a spread: a literal has its one shape from the start, where a spread adds each of so many
  // fields in turn; and this is made for every call.
  events.emit({
    type: 'request.answered',
    at: events.now(),
    eventId: request.eventId,
    oktaRequestId: request.oktaRequestId,
    requestType: request.requestType,
    deliveryChannel: request.deliveryChannel,
    userId: request.userId,
    to: maskNumber(request.phoneNumber),
    country: call.number?.country,
    isPreview,
    isRepeat,
    status: statusOf(body),
    code: refusal?.code ?? refused?.code,
    reason: refusal?.reason ?? decidedBy?.reason,
    remedy: refusal?.remedy ?? refused?.remedy,
    hasHungUp: budget.hasHungUp,
    channel: decidedBy?.channel,
    provider: decidedBy?.provider,
    transactionId: decidedBy?.transactionId,
    attempts: delivery?.attempts ?? [],
    // A copy: whoever is told it must not be able to change it.
    passedOver: [...call.passedOver],
    profileSource: reading?.source,
    profileReason: reading?.reason,
    profileMs: reading?.durationMs,
    durationMs: Math.round(budget.elapsedMs()),
    remainingMs: Math.round(budget.remainingMs()),
  });
}
