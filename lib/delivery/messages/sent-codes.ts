/**
 * The last code that a user requested, kept until Okta reports its use. It holds neither the code nor a number.
 */

/**
 * After a use, how long codes that were requested before it are not kept, milliseconds: no send of one ends
 * later.
 */
export const TAKEN_MS = 30_000;

/** How a code was requested. A use is matched with it. */
export interface CodeRequest {
  /** When Okta requested it, by Okta's clock, milliseconds since 1970. */
  readonly atMs: number;
  /** When the code ends, by Okta's clock, milliseconds since 1970. */
  readonly endsAtMs: number;
  /** ISO 3166; `undefined` if the country of the number is not known. */
  readonly country?: string | undefined;
}

interface LastCodeBase {
  readonly codeRequest: CodeRequest;
  readonly deliveryChannel: 'sms' | 'voice';
  readonly eventId: string;
}

/** A code that a channel has accepted, or whose outcome is unknown. Plain data, as JSON carries it. */
export interface SentCode extends LastCodeBase {
  readonly status: 'accepted' | 'unknown';
  readonly channel: string;
  /** The index of the provider in its channel's list. States keep it by this name. */
  readonly place: number;
  /** The provider's name. */
  readonly provider: string;
  /** The provider's id of the message; empty if it gave none, or has not answered. */
  readonly transactionId: string;
  /** The id of the message in events. */
  readonly reportedId: string;
  readonly requestType?: string | undefined;
  readonly oktaRequestId?: string | undefined;
}

/**
 * A code that was not sent. The user has a code from Okta itself, or none, and does not use an older one of
 * ours.
 */
export interface UnsentCode extends LastCodeBase {
  readonly status: 'refused';
}

/** The last code that a user requested: sent, or not. */
export type LastCode = SentCode | UnsentCode;

/** Whether a kept code stays when another one comes: it was requested later, or its message is known. */
export function staysBefore(kept: LastCode, next: LastCode): boolean {
  if (kept.codeRequest.atMs !== next.codeRequest.atMs) return kept.codeRequest.atMs > next.codeRequest.atMs;
  return kept.status === 'accepted' && next.status !== 'accepted';
}
