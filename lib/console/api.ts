import type { HookEventFields } from '../core/events.js';
import type { ChannelTally, ExecutionSummary, History } from './history/answers.js';
import type { RequestType } from '../core/request-types.js';
import type { Reaction } from './reaction.js';
import type { RejectedCalls } from './recent-limits.js';

/** The JSON between the console's page and its server. Types only: browsers do not load this file. */

/** `GET api/about`: what every view of the page shows. */
export interface About {
  readonly version: string;
  /** The org's host, e.g. `acme.okta.com`. */
  readonly org: string;
  /** The hook's path, or its public URL. */
  readonly hook: string;
  readonly deadlineMs: number;
  /** The channels that have a sender. */
  readonly channels: readonly string[];
  /** Whether the history has the executions of all gateways. */
  readonly isShared: boolean;
  /** Whether `guard.learn` is on. */
  readonly isLearning: boolean;
  /** More pages beside this one, such as the emulators' phones. */
  readonly links: readonly { readonly title: string; readonly href: string }[];
}

/** `GET api/executions?search=&channel=&outcome=&failover=&from=&to=&before=&limit=`; `from` and `to` by ISO 8601. */
export type ExecutionPage = Awaited<ReturnType<History['find']>>;

/** `GET api/histogram?search=&channel=&outcome=&failover=`, `GET api/timeline`: a `Timeline`. `GET api/flow?from=&country=&provider=`: a `Flow`. */

/** `GET api/health` */
export interface Health {
  readonly at: number;
  readonly inFlight: number;
  readonly detached: number;
  readonly closing: boolean;
  readonly state: 'ok' | 'lost';
  readonly breakers: readonly HookEventFields['breaker.changed'][];
  readonly channels: readonly {
    readonly channel: string;
    readonly providers: readonly string[];
    /** Milliseconds since 1970. */
    readonly lastSuccess?: number | undefined;
    /** The percentage of users; `undefined` for all. */
    readonly rollout?: number | undefined;
  }[];
  readonly limits: {
    readonly mode: 'enforce' | 'record';
    readonly rules: readonly { readonly rule: string; readonly points: number; readonly seconds: number }[];
    /** In words, e.g. `only DE, FR`. */
    readonly countries?: string | undefined;
    /** Codes that were blocked, or would have been, in the window. */
    readonly blocked: number;
  };
  /** Calls that were answered with an error in the window, by our code; `probe` for test calls of the command line. */
  readonly rejectedCalls: readonly RejectedCalls[];
  /** While the hook does not call Okta's Users API. */
  readonly oktaPause?: HookEventFields['okta.paused'] | undefined;
  readonly windowSeconds: number;
  readonly deliveries: readonly ChannelTally[];
}

/**
 * `GET api/stream`, server-sent events: `executions` with `ExecutionSummary[]`, `health` with `Health`, and `ended` with `null`
 * before the stream ends because the caller is no administrator any more.
 */
export type StreamEvent =
  | { readonly event: 'executions'; readonly data: readonly ExecutionSummary[] }
  | { readonly event: 'health'; readonly data: Health }
  | { readonly event: 'ended'; readonly data: null };

/** `GET api/learning`: a `LearnOverview`. `POST api/learning/lift`: lifts the blocks of a country for an hour, and answers with the new one. */
export interface LiftQuestion {
  /** As in the overview. */
  readonly country: string;
}

/** `POST api/user`: finds a user at Okta. The history knows users by their id only. */
export interface UserQuestion {
  /** As in `PayloadQuestion`. */
  readonly user: string;
}
export interface FoundUser {
  readonly id: string;
}

/** `POST api/tester/payload`: makes the request that Okta would send. */
export interface PayloadQuestion {
  /** An Okta user id, a login, or the login's part before the `@`. */
  readonly user: string;
  /** Without `com.okta.user.telephony.`. */
  readonly requestType: RequestType;
  readonly deliveryChannel: 'sms' | 'voice';
  /** BCP 47. Default: the user's own. */
  readonly locale?: string | undefined;
}
export interface MadePayload {
  readonly payload: unknown;
  /** What the administrator must know before they send it, such as that the user has no phone. */
  readonly notes: readonly string[];
}

/** `POST api/tester/send` with `{payload}`. */
export interface SendQuestion {
  readonly payload: unknown;
}
export interface TestResult {
  /** The message that may have gone out; `undefined` if none has. */
  readonly message?: SentWords | undefined;
  /** The id of the execution in the history. */
  readonly executionId?: string | undefined;
  readonly httpStatus: number;
  readonly body: unknown;
  readonly durationMs: number;
  readonly deadlineMs: number;
  readonly reaction: Reaction;
}

/** The words of a message, without the code and without personal data: the page knows the code. */
export interface SentWords {
  readonly channel: string;
  /** BCP 47. */
  readonly locale: string;
  /** The text, divided at the codes; `undefined` if a template at the provider has the words. */
  readonly parts: readonly string[] | undefined;
}

/** Every answer that is not 2xx. */
export interface ConsoleFailure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly remedy?: string | undefined;
    /** The wrong fields of the request, e.g. `data.messageProfile.phoneNumber`. */
    readonly fields?: readonly string[] | undefined;
  };
}
