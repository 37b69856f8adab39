import type { TelephonyRequest } from '../core/channel.js';
import type { EventStream } from '../core/event-stream.js';
import { EXTENSION_REMEDIES, type Extension } from '../core/extensions.js';
import { maskError } from '../core/masking.js';
import type { ReadyChannel } from '../delivery/attempt.js';
import type { GuardedState, OnStateFailure } from '../delivery/guarded-state.js';
import type { RecentMap } from '../core/caches.js';
import type { LateFailover } from '../delivery/late/late-failover.js';
import type { KeptRequest, MessageOwner } from '../delivery/late/receipt.js';
import type { ReadRollout } from '../delivery/rollout.js';
import type { RunningCalls } from '../delivery/running-calls.js';
import type { CallIds } from '../delivery/send-context.js';
import type { SuppressionList } from '../delivery/suppression-list.js';
import type { LocalClaims } from '../guard/local-claims.js';
import type { ProfileReader } from '../okta/user-profile.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import type { HookSettings } from '../options/settings.js';
import type { OpenAnswers } from './open-answers.js';

/**
 * What the factory makes once for all calls, and how failures of the user's functions, channels and state are
 * reported.
 */

/**
 * A call as `close()` knows it. Not the call itself: what a set held may outlive several collections of garbage, and a
 * call holds 10 KB.
 */
export interface AwaitedCall {
  /** Called when the call has ended; `undefined` unless `close()` waits for it. */
  onEnd: (() => void) | undefined;
}

/** The parts of a hook. The factory makes them once. */
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
  readonly rollout: ReadRollout;
  readonly localClaims: LocalClaims;
  readonly runningCalls: RunningCalls;
  readonly suppressions: SuppressionList;
  readonly state: GuardedState;
  /** `undefined` if it is off. */
  readonly lateFailover: LateFailover | undefined;
  /**
   * Whose message it is, by the provider's id, for the reports on it. Only while late failover, which knows that itself, is off
   * and reports come.
   */
  readonly messageOwners: RecentMap<MessageOwner> | undefined;
  readonly openAnswers: OpenAnswers;
  readonly underWay: {
    /** `ready()` has ended once. */
    isChecked: boolean;
    /** The calls that are not answered yet. */
    readonly calls: Set<AwaitedCall>;
    isClosing: boolean;
    /** The state is about to be closed: it must not be asked any more. */
    isDrained: boolean;
    /** The sends that go on after their call was answered. */
    readonly detached: Set<Promise<unknown>>;
    /** When a channel last accepted a message, by its name, milliseconds since 1970. */
    readonly lastSuccess: Map<string, number>;
  };
}

/** The ids that every event about a call has. */
export function idsOf({ eventId, oktaRequestId }: Pick<TelephonyRequest, 'eventId' | 'oktaRequestId'>): {
  eventId: string;
  oktaRequestId: string | undefined;
} {
  return { eventId, oktaRequestId };
}

/**
 * Reports a failure of the user's function or channel in a call, at most once a minute. The call goes on
 * without it.
 */
export function reportFailure(
  extension: Extension,
  request: KeptRequest,
  parts: Pick<HookParts, 'events'>,
): (error: unknown, inForce?: { readonly percentages: Readonly<Record<string, number>> }) => void {
  return (error, inForce) => {
    emitFailed(extension, request, { reason: maskError(error, request), ...inForce }, parts);
  };
}

/** As `reportFailure`, for a failure outside of a call. It may be about an earlier call. */
export function reportFailureOutsideCall(
  extension: Extension,
  parts: Pick<HookParts, 'events'>,
): (error: unknown, of?: FailedCall) => void {
  return (error, of) => {
    emitFailed(extension, of, { reason: maskError(error, undefined) }, parts);
  };
}

/**
 * As `reportFailure`, for the state: it may fail in a call, for a message of an earlier call, or outside of
 * any.
 */
export function reportStateFailure(parts: Pick<HookParts, 'events'>): OnStateFailure {
  return (error, request, call) => {
    emitFailed('state', call, { reason: maskError(error, request) }, parts);
  };
}

/** As `reportFailure`, for a channel that gave a malformed outcome or made a wrong request: for each channel once a minute. */
export function reportMistake(
  parts: Pick<HookParts, 'events'>,
): (channel: string, mistake: string, call: FailedCall | undefined) => void {
  return (channel, mistake, call) => {
    emitFailed('channel', call, { reason: `${channel}: ${mistake}` }, parts, `channel ${channel}`);
  };
}

/** The call in which something failed, as far as it is known. */
type FailedCall = Partial<CallIds>;

function emitFailed(
  extension: Extension,
  of: FailedCall | undefined,
  details: { readonly reason: string; readonly percentages?: Readonly<Record<string, number>> },
  { events }: Pick<HookParts, 'events'>,
  /** What is reported once a minute. */
  subject: string = extension,
): void {
  events.emitCounted(`failed ${subject}`, (count) => ({
    type: 'extension.failed',
    eventId: of?.eventId,
    oktaRequestId: of?.oktaRequestId,
    userId: of?.userId,
    extension,
    remedy: EXTENSION_REMEDIES[extension],
    count,
    ...details,
  }));
}
