/** The records of a run. Every `at` is in milliseconds since 1970, by this machine's clock. */

/** One call that Okta made for an event; the second one repeats it. */
export interface CallFact {
  readonly at: number;
  /** As Okta measures it, with the network. */
  readonly durationMs: number;
  /** The gateway that got the call last; `undefined` if no gateway accepted it. */
  readonly gateway: number | undefined;
  /** Which process of this gateway, if it is known. */
  readonly life?: number | undefined;
  /** The answer that Okta read; `undefined` without a complete answer. */
  readonly answer: 'SUCCESSFUL' | 'PENDING' | 'ERROR' | 'UNREADABLE' | undefined;
  /** Why there was no answer. */
  readonly problem: 'no answer in time' | 'hung up' | 'connection lost' | 'no gateway' | undefined;
}

/** A code that a user requested. */
export interface EventFact {
  readonly eventId: string;
  readonly code: string;
  readonly userId: string;
  readonly calls: readonly CallFact[];
}

/** A message that a provider accepted. */
export interface MessageFact {
  readonly sid: string;
  readonly code: string;
  readonly channel: string;
  readonly provider: string;
  readonly at: number;
  /** Its last status, and since when. */
  readonly status: string;
  readonly statusAt: number;
  readonly errorCode: number | undefined;
  /** When it failed, if it has arrived since. */
  readonly failedAt?: number | undefined;
  /** The gateway that sent it, if it is known. */
  readonly gateway?: number | undefined;
  readonly life?: number | undefined;
  /** When Redis made the last answer that this gateway had read by then, if it is known. */
  readonly knewAt?: number | undefined;
  /** When the gateway read that it was accepted, if it is known. */
  readonly acceptedAt?: number | undefined;
}

/** A status callback, and whether it reached a gateway. */
export interface CallbackFact {
  readonly sid: string;
  readonly status: string;
  /** The time of the answer. */
  readonly at: number;
  readonly gateway: number | undefined;
  readonly isTaken: boolean;
  /** Whether it names the attempt that sent the message. */
  readonly isNamed: boolean;
}

/** STOP or START of a user by WhatsApp. */
export interface WordFact {
  readonly userId: string;
  readonly word: 'STOP' | 'START';
  readonly messageId: string;
  readonly at: number;
  readonly answeredAt: number;
  readonly gateway: number;
  /** The gateway has answered 200. */
  readonly isTaken: boolean;
}

/** A report of Okta's event hook that a user has used a code. */
export interface UseFact {
  readonly userId: string;
  readonly eventId: string;
  /** When it was used. */
  readonly usedAt: number;
  /** When the gateway answered. */
  readonly at: number;
  readonly gateway: number;
  readonly isTaken: boolean;
}

/** A time in which Redis lost keys: it was flushed, started empty, or evicted some. */
export interface WipeFact {
  readonly from: number;
  readonly to: number;
  /** It kept what had been written before this time; `undefined`: it may have lost anything. */
  readonly since?: number | undefined;
}

/** Redis's clock was set forward or back. */
export interface ClockJumpFact {
  readonly at: number;
  readonly byMs: number;
}

/** A fault of Redis that a gateway has felt: its connection closed with a command in flight. */
export interface FeltFact {
  readonly gateway: number;
  readonly life: number;
  readonly at: number;
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
  readonly channel?: string | undefined;
  readonly transactionId?: string | undefined;
  /** Of `channels.planned`: the event whose code the user requested again. */
  readonly resendOf?: string | undefined;
  /** Of `channels.planned`: a channel is left out because the user wrote STOP. */
  readonly isStopped?: boolean | undefined;
  /** An error that only a fault of the gateway explains. */
  readonly isInternal?: boolean | undefined;
  /** Of `failover.ended`: every attempt. */
  readonly attempts?: readonly { readonly channel: string; readonly outcome: string }[] | undefined;
  /** Which process of this gateway. */
  readonly life?: number | undefined;
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
  /** By code: the number of requests to providers to send it, with any result. */
  readonly sendRequests: ReadonlyMap<string, number>;
  /** A WhatsApp message without a delivery report counts as lost after this time; `undefined`: never. */
  readonly afterSeconds: number | undefined;
  readonly words?: readonly WordFact[] | undefined;
  readonly uses?: readonly UseFact[] | undefined;
  readonly felt?: readonly FeltFact[] | undefined;
  readonly wipes?: readonly WipeFact[] | undefined;
  readonly clockJumps?: readonly ClockJumpFact[] | undefined;
  /** The end of the records, if nothing was wrong any more for a while before it. */
  readonly endsAt?: number | undefined;
  /** The limit for each user, if there is one. */
  readonly limit?: { readonly points: number; readonly seconds: number } | undefined;
}
