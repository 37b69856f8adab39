import type { ChannelTally, Execution, ExecutionSummary } from '../core/history.js';
import type { RequestType } from '../core/request-types.js';

/** What the console's page and its server tell each other, as JSON. Types only: browsers get none of this file. */

/** `GET api/about`: what the page shows whatever it does. */
export interface About {
  readonly version: string;
  /** The org's host, e.g. `acme.okta.com`. */
  readonly org: string;
  /** The hook's path, or its public URL. */
  readonly hook: string;
  readonly deadlineMs: number;
  /** Those that have a sender. */
  readonly channels: readonly string[];
  /** Whether the history is that of all gateways. */
  readonly isShared: boolean;
  /** More pages beside this one, such as the emulators' phones. */
  readonly links: readonly { readonly title: string; readonly href: string }[];
}

/** `GET api/executions?search=&channel=&outcome=&before=&limit=` */
export interface ExecutionPage {
  readonly executions: readonly ExecutionSummary[];
  readonly total: number;
  readonly next?: string | undefined;
}

/** `GET api/executions/{id}` */
export type OpenedExecution = Execution;

/** `GET api/health` */
export interface Health {
  readonly at: number;
  readonly inFlight: number;
  readonly detached: number;
  readonly closing: boolean;
  readonly state: 'ok' | 'lost';
  readonly breakers: readonly { readonly host: string; readonly state: 'closed' | 'open' | 'half-open' }[];
  readonly channels: readonly {
    readonly channel: string;
    readonly providers: readonly string[];
    /** Milliseconds since 1970. */
    readonly lastSuccess?: number | undefined;
    /** Percentage of users; `undefined` where all. */
    readonly rollout?: number | undefined;
  }[];
  /** The guard's. */
  readonly limits: {
    readonly mode: 'enforce' | 'record';
    readonly rules: readonly { readonly rule: string; readonly points: number; readonly seconds: number }[];
    /** In words, e.g. `only DE, FR`. */
    readonly countries?: string | undefined;
    /** Codes that were held back, or would have been, in the window. */
    readonly blocked: number;
  };
  /** Calls that were answered by an error in the window, and with which code of ours. */
  readonly turnedAway: readonly { readonly code: string; readonly count: number }[];
  /** Whether Okta's Users API is left alone, and until when. */
  readonly oktaPausedUntil?: number | undefined;
  /** What `deliveries` counts. */
  readonly windowSeconds: number;
  readonly deliveries: readonly ChannelTally[];
}

/** `GET api/stream`, server-sent events: `executions` with `ExecutionSummary[]`, `health` with `Health`. */
export type StreamEvent =
  | { readonly event: 'executions'; readonly data: readonly ExecutionSummary[] }
  | { readonly event: 'health'; readonly data: Health };

/** `POST api/tester/payload`: makes what Okta would send. */
export interface PayloadQuestion {
  /** An Okta user id or a login. */
  readonly user: string;
  /** Without `com.okta.user.telephony.`. */
  readonly requestType: RequestType;
  readonly deliveryChannel: 'sms' | 'voice';
}
export interface MadePayload {
  readonly payload: unknown;
  /** What to know before it is sent, such as that the user has enrolled no phone. */
  readonly notes: readonly string[];
}

/** `POST api/tester/send` with `{payload}`. */
export interface SendQuestion {
  readonly payload: unknown;
}
export interface TestResult {
  /** The execution's, to be opened in the history. */
  readonly executionId?: string | undefined;
  readonly httpStatus: number;
  readonly body: unknown;
  readonly durationMs: number;
  readonly deadlineMs: number;
  readonly reaction: ToldReaction;
}

/** What Okta does with an answer; see `okta/reaction.ts`, whose words it has. */
export interface ToldReaction {
  /** `sent`, `pending`: it takes the code as sent. `failover`: it sends the code itself. `error`: the same, and shows a sentence. */
  readonly action: 'sent' | 'pending' | 'failover' | 'error';
  /** In words, for an administrator. */
  readonly text: string;
  /** What the end user sees, where they see something. */
  readonly shown?: string | undefined;
}

/** Every answer that is not 2xx. */
export interface ConsoleFailure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly remedy?: string | undefined;
    /** Paths into what was sent, e.g. `data.messageProfile.phoneNumber`. */
    readonly fields?: readonly string[] | undefined;
  };
}
