import type { ServerResponse } from 'node:http';
import type { EventStream } from '../core/event-stream.js';
import type { Delivery } from '../delivery/attempt.js';
import type { HistoryLog } from '../delivery/state.js';
import type { LearningGuard } from '../guard/learning-guard.js';
import type { Texts } from '../texts/texts.js';
import type { About, Health, TestResult } from './api.js';

/** What the consoles of a hook know of it. Types only. */
export interface ConsoleHook {
  /** The history, the counts of limits, and pauses of Okta's API are made of these events. */
  readonly events: EventStream;
  /** The log of a shared state, if there is one. */
  readonly historyLog: HistoryLog | undefined;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
  readonly orgUrl: string;
  readonly deadlineMs: number;
  /** What calls say, by the option `texts`. */
  readonly texts: Texts | undefined;
  readonly about: () => Pick<About, 'org' | 'hook' | 'channels'>;
  readonly health: () => HookHealth;
  /** The guard that learns, if it is on. */
  readonly learning: Pick<LearningGuard, 'list' | 'lift'> | undefined;
  readonly isClosing: () => boolean;
  /** Knows an open answer: after `drain()` it ends its connection. */
  readonly addAnswer: (res: ServerResponse) => void;
  /**
   * Reads a path of Okta's API by the hook's own credential.
   *
   * @throws OktaApiError
   */
  readonly readOkta: (path: string) => Promise<unknown>;
  /**
   * Runs a call within the process, by the same steps as Okta's calls. It is marked as a preview, so that it supersedes no real
   * code.
   *
   * @param sender - the administrator's name.
   * @throws RequestError with the wrong fields if the payload is not a hook call, or if the hook is closing.
   */
  readonly runCall: (payload: unknown, sender: string | undefined) => Promise<CallResult>;
}

/** The part of the health that the hook itself knows. */
export type HookHealth = Pick<
  Health,
  'inFlight' | 'detached' | 'closing' | 'state' | 'breakers' | 'channels'
> & {
  readonly limits: Omit<Health['limits'], 'blocked'>;
};

/** `delivery` is `undefined` if nothing was sent. */
export type CallResult = Pick<TestResult, 'executionId' | 'httpStatus' | 'body'> & {
  readonly delivery: Delivery | undefined;
};
