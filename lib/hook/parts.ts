import type { EventStream } from '../core/event-stream.js';
import type { ReadyChannel } from '../delivery/attempt.js';
import type { LRUCache } from 'lru-cache';
import type { LateFailover } from '../delivery/messages/late-failover.js';
import type { MessageOwner } from '../delivery/messages/receipt.js';
import type { ReadRollout } from '../options/rollout.js';
import type { StatePort } from '../delivery/state.js';
import type { SuppressionList } from '../delivery/suppression-list.js';
import type { ProfileReader } from '../okta/user-profile.js';
import type { CallerVerifier } from '../okta/verify-caller.js';
import type { HookSettings } from '../options/settings.js';
import type { OpenAnswers } from '../http/routes.js';

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
  readonly rollout: ReadRollout;
  readonly optIns: {
    /** Users can choose another channel than SMS by the opt-in attribute. */
    readonly isOffered: boolean;
    /** A value that cannot be used was reported. */
    isWarned: boolean;
  };
  readonly suppressions: SuppressionList;
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
