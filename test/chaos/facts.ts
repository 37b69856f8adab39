/** The records of a run. Every `at` is in milliseconds since 1970, by this machine's clock. */

/** One call that Okta made for an event; the second one repeats it. */
export interface CallFact {
  readonly at: number;
  /** As Okta measures it, with the network. */
  readonly durationMs: number;
  /** The gateway that got the call last; `undefined` if no gateway accepted it. */
  readonly gateway: number | undefined;
  /** The answer that Okta read; `undefined` without a complete answer. */
  readonly answer: 'SUCCESSFUL' | 'PENDING' | 'ERROR' | 'UNREADABLE' | undefined;
  /** Why there was no answer. */
  readonly problem: 'no answer in time' | 'connection lost' | 'no gateway' | undefined;
}

/** A code that a user requested. */
export interface EventFact {
  readonly eventId: string;
  readonly code: string;
  readonly userId: string;
  readonly calls: readonly CallFact[];
}

/** A message that Twilio accepted. */
export interface MessageFact {
  readonly sid: string;
  readonly code: string;
  readonly channel: string;
  readonly at: number;
  /** Its last status, and since when. */
  readonly status: string;
  readonly statusAt: number;
  readonly errorCode: number | undefined;
}

/** A status callback, and whether it reached a gateway. */
export interface CallbackFact {
  readonly sid: string;
  readonly status: string;
  /** The time of the answer. */
  readonly at: number;
  readonly gateway: number | undefined;
  readonly isTaken: boolean;
}

/** The outage of a process, until it worked as usual. */
export interface OutageFact {
  /** `undefined` is Redis. */
  readonly gateway: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** A time without CPU for a process: a gateway, or (`undefined`) the process that plays Okta. */
export interface ShortageFact {
  readonly gateway: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** An event of a gateway's `onEvent`. */
export interface HookEventFact {
  readonly gateway: number;
  readonly at: number;
  readonly type: string;
  readonly eventId: string | undefined;
  readonly outcome: string | undefined;
  /** The other fields, for the report. */
  readonly text: string;
}

/** All records of a run. */
export interface RunFacts {
  readonly events: readonly EventFact[];
  readonly messages: readonly MessageFact[];
  readonly callbacks: readonly CallbackFact[];
  readonly outages: readonly OutageFact[];
  readonly shortages: readonly ShortageFact[];
  readonly hookEvents: readonly HookEventFact[];
  /** By code: the number of requests to Twilio to send it, with any result. */
  readonly sendRequests: ReadonlyMap<string, number>;
  /** A WhatsApp message without a delivery report counts as lost after this time; `undefined`: never. */
  readonly afterSeconds: number | undefined;
}
