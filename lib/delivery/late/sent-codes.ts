/** What is kept of the last code that a user asked for, until Okta tells that it was used: neither the code nor a number. */

/** What was asked for before a code that was used is not kept for so long after it, milliseconds: no send ends later. */
export const TAKEN_MS = 30_000;

/** How a code was asked for: its use is held against it. */
export interface CodeRequest {
  /** When Okta asked for it, by Okta's clock, milliseconds since 1970. */
  readonly atMs: number;
  /** When the code ends, by Okta's clock, milliseconds since 1970. */
  readonly endsAtMs: number;
  /** ISO 3166, where the number's is known. */
  readonly country?: string | undefined;
}

/** What is known of any code. */
interface LastCodeBase {
  readonly asked: CodeRequest;
  readonly deliveryChannel: 'sms' | 'voice';
  readonly eventId: string;
}

/** A code that a channel has accepted, or may have (`unknown`). Plain data, as JSON carries it. */
export interface SentCode extends LastCodeBase {
  readonly status: 'accepted' | 'unknown';
  readonly channel: string;
  /** Which of the channel's providers sent it, from 0. */
  readonly place: number;
  /** The name of that provider. */
  readonly provider: string;
  /** The provider's own id; empty where it gave none, or has not answered. */
  readonly transactionId: string;
  /** The id by which it was told. */
  readonly toldId: string;
  readonly requestType?: string | undefined;
  readonly oktaRequestId?: string | undefined;
}

/** One of which nothing went out: the user has a code of Okta's own, or none; an older one of ours is not what they use. */
export interface UnsentCode extends LastCodeBase {
  readonly status: 'refused';
}

/** The last code that a user asked for: sent, or not. */
export type LastCode = SentCode | UnsentCode;

/** Whether a code that is kept stays where another one comes: it was asked for later, or is the one whose message is known. */
export function staysBefore(kept: LastCode, next: LastCode): boolean {
  if (kept.asked.atMs !== next.asked.atMs) return kept.asked.atMs > next.asked.atMs;
  return kept.status === 'accepted' && next.status !== 'accepted';
}

/** The part of `State` that sign-in outcomes need. */
export interface SentCodeState {
  /**
   * Keeps a code as the last one of a person, a digest, by its `deliveryChannel`: texts and calls are two factors to Okta, and
   * the use of one says nothing of the other. It takes the place of one that was asked for before it (`asked.atMs`), and not of one
   * that was asked for after it. Of one that was asked for at the same time it takes the place, unless that one is
   * `accepted` and it is not.
   */
  keepSent(person: string, code: LastCode, life: SentCodeLife): void;
  /**
   * Gives it to exactly one of all who ask for it. One that was asked for only after the use is not given, and stays. For
   * half a minute after it was given none that was asked for at the same time, or before, should be kept: one whose
   * provider answers late.
   */
  takeSent(person: string, use: SentCodeUse): LastCode | undefined | Promise<LastCode | undefined>;
}

/** How long a code is kept, by the steady clock of this process: how far the two are apart counts. */
export interface SentCodeLife {
  readonly nowMs: number;
  readonly untilMs: number;
}

/** Which code was used, and when. */
export interface SentCodeUse {
  readonly deliveryChannel: LastCode['deliveryChannel'];
  /** By the steady clock of this process. */
  readonly nowMs: number;
  /** By Okta's clock, as `asked.atMs` is. */
  readonly usedMs: number;
}
