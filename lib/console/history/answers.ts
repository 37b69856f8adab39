import type { CodeOutcome, HookEvent } from '../../core/events.js';

/** What the execution history answers. */

/**
 * The outcome of a code, as it is known now. `running`: Okta is not answered yet. `sent`: a provider accepted the message.
 * `delivered`, `undelivered`: the provider reported it later. `used`: the user signed in with the code. `pending`: the outcome
 * is unknown. `blocked`: the guard or a fraud filter blocked it. `failed`: no message went out.
 */
export const EXECUTION_OUTCOMES = [
  'running',
  'sent',
  'delivered',
  'undelivered',
  'used',
  'pending',
  'blocked',
  'failed',
] as const;
export type ExecutionOutcome = (typeof EXECUTION_OUTCOMES)[number];

/** When another channel, or another provider, sent a code that the first one could not: before Okta was answered, or later. */
export const FAILOVERS = ['early', 'late'] as const;
export type Failover = (typeof FAILOVERS)[number];

/** One event of Okta's: its first call, its repeats, and what happened after the answer. */
export interface ExecutionSummary {
  /** Okta's `eventId`. */
  readonly id: string;
  /** When it came in, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly oktaRequestId: string | undefined;
  readonly userId: string | undefined;
  readonly requestType: string | undefined;
  /** The channel that Okta requested. */
  readonly deliveryChannel: 'sms' | 'voice' | undefined;
  /** The last two digits of the number. */
  readonly toEnding: string;
  /** A call of Okta's preview or of the console's tester, not of a sign-in. */
  readonly isPreview: boolean;
  /** A call of the console's tester. */
  readonly isTest: boolean;
  /** The administrator who sent the test, if the console's `authorize` gives a name. */
  readonly testedBy: string | undefined;
  readonly outcome: ExecutionOutcome;
  /** The channels that were tried, in order, and whether each failed: it refused the message, or did not deliver it. */
  readonly way: readonly { readonly channel: string; readonly hasFailed: boolean }[];
  /** `late` if both happened; `undefined` if the first channel was the only one. */
  readonly failover: Failover | undefined;
  /** The channel that sent it, or was tried last. */
  readonly channel: string | undefined;
  readonly provider: string | undefined;
  /** Why it was not sent or not delivered, or why that is unknown: a provider's code or one of ours. */
  readonly code: string | undefined;
  /** From the request to the answer; `undefined` before the answer. */
  readonly durationMs: number | undefined;
  /** How often the same event came again. */
  readonly repeats: number;
}

/** An execution with its events, oldest first. */
export interface Execution extends ExecutionSummary {
  readonly steps: readonly HookEvent[];
  /** How many more there were. Of hundreds of events, most of repeats, the newest are not kept. */
  readonly omittedSteps: number;
}

/** The filters of a search. All given ones must match. */
export interface ExecutionFilter {
  /**
   * A part of the event id, Okta's request id, the user id, a transaction id, a provider's request id or a code, in any case. Two or
   * four digits are the end of the number, of which the last two are known.
   */
  readonly search?: string | undefined;
  /** A channel that was requested, tried or used. */
  readonly channel?: string | undefined;
  readonly outcome?: ExecutionOutcome | undefined;
  /** `any`: early or late. */
  readonly failover?: Failover | 'any' | undefined;
  /** It came in then or later; then or earlier. Milliseconds since 1970. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** One page of a search. */
export interface ExecutionQuery extends ExecutionFilter {
  /** Continues after this execution, with older ones. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** The outcomes of one channel's messages. */
export interface ChannelTally {
  readonly channel: string;
  readonly accepted: number;
  readonly refused: number;
  /** Refused by the provider's fraud filter. They do not count as `refused`. */
  readonly blocked: number;
  readonly unknown: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly used: number;
}

/** How long the codes of one channel took from Okta's request to the provider's report that the message was delivered. */
export interface DeliveryTimes {
  readonly channel: string;
  readonly count: number;
  /** Half of them took so long at most, milliseconds. */
  readonly medianMs: number;
  /** 95 % of them took so long at most, milliseconds. */
  readonly p95Ms: number;
}

/**
 * What one code adds to a plot. `failedOver`: accepted, but not by the first channel, or not by the first provider.
 * `undelivered`: accepted, then reported as not delivered, and nothing followed. The others are as `CodeOutcome`.
 */
export type TimelineOutcome = CodeOutcome | 'failedOver' | 'undelivered';

/** The codes that Okta requested in one piece of time. */
export interface TimelineBucket {
  /** Its start, in milliseconds since 1970. */
  readonly from: number;
  readonly codes: Readonly<Record<TimelineOutcome, number>>;
  readonly deliveries: readonly DeliveryTimes[];
}

/** A row of pieces of time, of which the last one holds the present. */
export interface TimelineSpan {
  /** The length of each. They begin at multiples of it since 1970. */
  readonly bucketMs: number;
  readonly count: number;
}

/** The history over time. */
export interface Timeline {
  /** Older codes may be missing: the history began then, or has dropped them. Milliseconds since 1970. */
  readonly completeSince: number;
  /** In the order of the spans that were requested. Each has all its buckets, oldest first. */
  readonly spans: readonly { readonly bucketMs: number; readonly buckets: readonly TimelineBucket[] }[];
}

/** The codes whose first attempt was by one channel, and that took the same way from there. */
export interface FlowWay {
  /** The channel of the first attempt; `undefined` if there was none: the code was blocked, or nothing could send it. */
  readonly first: string | undefined;
  readonly failover: Failover | undefined;
  /** The channel of the last attempt after a failover. */
  readonly last: string | undefined;
  readonly count: number;
  /** A report says so, or the code was used. */
  readonly delivered: number;
  readonly used: number;
}

/** The codes of sign-ins and enrollments that one provider may have sent to one country: Okta reports the use of these. */
export interface SentCount {
  /** ISO 3166; `undefined` if it is not known. */
  readonly country: string | undefined;
  readonly channel: string;
  readonly provider: string;
  /** Messages that the provider accepted, or whose outcome is unknown. */
  readonly sent: number;
  readonly used: number;
}

/** The way of codes from Okta's request to their use, without previews, tests and running calls. */
export interface Flow {
  /** How many codes Okta requested. */
  readonly asked: number;
  readonly ways: readonly FlowWay[];
  /** Of all codes in the time. */
  readonly sent: readonly SentCount[];
  /** The countries and the first providers of all codes in the time, for the choice of one. */
  readonly countries: readonly string[];
  readonly providers: readonly string[];
  /** As in `Timeline`. */
  readonly completeSince: number;
}

export interface FlowQuery {
  /** Milliseconds since 1970. */
  readonly from?: number | undefined;
  /** The country of the number by ISO 3166. */
  readonly country?: string | undefined;
  /** The provider of the first attempt. */
  readonly provider?: string | undefined;
}

/** The last executions of this gateway, or of all gateways on one state. */
export interface History {
  /** Newest first. With a shared state it reads new events first. */
  find(query: ExecutionQuery): Promise<{
    readonly executions: readonly ExecutionSummary[];
    /** How many of the kept executions match. */
    readonly total: number;
    /** The `before` of the next page; `undefined` if this is the last. */
    readonly next: string | undefined;
    /** As in `Timeline`. */
    readonly completeSince: number;
  }>;
  open(id: string): Promise<Execution | undefined>;
  /** By channel, for executions that began since then, without previews and tests. */
  tally(sinceMs: number): Promise<readonly ChannelTally[]>;
  /** @param query - counts the executions that fit, previews and tests too. Default: all but previews and tests. */
  timeline(spans: readonly TimelineSpan[], query?: ExecutionFilter): Promise<Timeline>;
  flow(query: FlowQuery): Promise<Flow>;
  /**
   * Reports new and changed executions, those of other gateways too, a few times a second. Returns a function that ends it.
   * Without watchers, the shared log is not read.
   */
  watch(onChanged: (changed: readonly ExecutionSummary[]) => void): () => void;
  /** Whether it has the executions of other gateways, too. */
  readonly isShared: boolean;
}
