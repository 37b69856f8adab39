import type { TelephonyRequest } from '../core/channel.js';
import type { EventStream, Throttle, Throttles } from '../core/event-stream.js';
import { EXTENSION_REMEDIES, type Extension } from '../core/extensions.js';
import { maskError } from '../core/masking.js';
import type { TwilioConnection } from '../channels/twilio/client.js';
import type { ReadyChannel } from '../delivery/dispatch.js';
import type { GuardedState, OnStateFailure } from '../delivery/guarded-state.js';
import type { LateFailover } from '../delivery/late/late-failover.js';
import type { ReadRollout } from '../delivery/rollout.js';
import type { RunningCalls } from '../delivery/running-calls.js';
import type { SuppressionList } from '../delivery/suppression-list.js';
import type { HeldEvents } from '../guard/held-events.js';
import type { ProfileReader } from '../okta/user-profile.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import type { HookSettings } from '../options/settings.js';

/** What the factory makes once for all calls, and how a failure of what the user gave is reported. */

/** A call as `close()` knows it. */
export interface AwaitedCall {
  /** Called when it is over; `undefined` where `close()` does not wait for it. */
  onEnd: (() => void) | undefined;
}

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
  readonly state: GuardedState;
  /** `undefined` where it is off. */
  readonly lateFailover: LateFailover | undefined;
  readonly underWay: {
    /** Calls that are not answered yet. */
    readonly calls: Set<AwaitedCall>;
    isClosing: boolean;
    /** The state is about to be closed: what comes now must not ask it. */
    isDrained: boolean;
    /** Sends that go on after their call was answered. */
    readonly detached: Set<Promise<unknown>>;
    /** By channel, milliseconds since 1970. */
    readonly lastSuccess: Map<string, number>;
  };
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

/** The same for the state, which may fail in a call, about a message of one, or outside of any. */
export function tellStateFailed(parts: Pick<HookParts, 'events' | 'failures'>): OnStateFailure {
  return (error, request, call) => {
    emitFailed('state', call, { reason: maskError(error, request) }, parts);
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
      eventId: of?.eventId,
      oktaRequestId: of?.oktaRequestId,
      extension,
      remedy: EXTENSION_REMEDIES[extension],
      count,
      ...told,
    });
  });
}
