/** What was seen of a run, by those who saw it. Every `at` is in milliseconds since 1970, by this machine's clock. */

/** One call that Okta made for an event; the second one repeats it. */
export interface CallFact {
  readonly at: number;
  /** As Okta measures it, with the way there and back. */
  readonly durationMs: number;
  /** Who had it last; `undefined` where none took it. */
  readonly gateway: number | undefined;
  /** What Okta read; `undefined` where there was no whole answer. */
  readonly answer: 'SUCCESSFUL' | 'PENDING' | 'ERROR' | 'UNREADABLE' | undefined;
  /** Why there was none. */
  readonly problem: 'no answer in time' | 'connection lost' | 'no gateway' | undefined;
}

/** A code that somebody asked for. */
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
  /** Its last word, and since when. */
  readonly status: string;
  readonly statusAt: number;
  readonly errorCode: number | undefined;
}

/** A status callback as it reached a gateway, or did not. */
export interface CallbackFact {
  readonly sid: string;
  readonly status: string;
  /** When it was answered. */
  readonly at: number;
  readonly gateway: number | undefined;
  readonly isTaken: boolean;
}

/** When a process was not there: from, and until it worked as usual. */
export interface OutageFact {
  /** `undefined` is Redis. */
  readonly gateway: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** When this machine did not let a process run: a gateway, or (`undefined`) the one that Okta is in. */
export interface ShortageFact {
  readonly gateway: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** What a gateway told of an event on its stream. */
export interface ToldFact {
  readonly gateway: number;
  readonly at: number;
  readonly type: string;
  readonly eventId: string | undefined;
  readonly outcome: string | undefined;
  /** The rest, for people. */
  readonly text: string;
}

/** All of it. */
export interface RunFacts {
  readonly events: readonly EventFact[];
  readonly messages: readonly MessageFact[];
  readonly callbacks: readonly CallbackFact[];
  readonly outages: readonly OutageFact[];
  readonly shortages: readonly ShortageFact[];
  readonly told: readonly ToldFact[];
  /** By code: how often Twilio was asked to send it, whatever it did then. */
  readonly asked: ReadonlyMap<string, number>;
  /** After so long without a delivery report a WhatsApp message counts as lost; `undefined` where it never does. */
  readonly afterSeconds: number | undefined;
}
