/**
 * The Channel port: what delivers a code, whoever's network it uses. A new provider is one new file that
 * implements it.
 */

/** The channel that no preference of a user may choose, for it costs most and wakes people. */
export const VOICE = 'voice';

/** What Okta asks for, read and normalised. */
export interface TelephonyRequest {
  /** Okta's id of this hook call; one of our own where Okta sent none. */
  readonly eventId: string;
  /** E.g. `com.okta.user.telephony.mfa-verification`; may be missing or one that does not exist yet. */
  readonly requestType: string | undefined;
  readonly deliveryChannel: 'sms' | 'voice';
  /** E.164. */
  readonly phoneNumber: string;
  readonly otpCode: string;
  /** When the code ends, by this process's clock. */
  readonly expiresAt: Date;
  /** Okta's text with the code in it; `undefined` where Okta sent none. */
  readonly msgTemplate: string | undefined;
  /** BCP-47, `undefined` where Okta sent none that can be read. */
  readonly locale: string | undefined;
  readonly userId: string | undefined;
  readonly login: string | undefined;
  readonly firstName: string | undefined;
  readonly lastName: string | undefined;
  /** The end user's address, as Okta saw it. */
  readonly ipAddress: string | undefined;
  /** Okta's transaction id, to be found again in Okta's System Log. */
  readonly oktaRequestId: string | undefined;
  /**
   * What Okta sent, as it came. With a code that is sent again, late, only where a `composeText` or a channel of the user's
   * own may read it, else `undefined`. Redis does not keep one that cannot be written as JSON.
   */
  readonly raw: unknown;
}

/** Okta's `profile` object of a user: the base attributes and the org's own, flat. */
export type UserProfile = Readonly<Record<string, unknown>>;

/** What a channel is asked to deliver. */
export interface Message {
  readonly request: TelephonyRequest;
  /** `undefined` where Okta could not be asked in time. */
  readonly profile: UserProfile | undefined;
  /** E.164. */
  readonly to: string;
  /** The words to send, with the code in them, at most 1600 characters. */
  readonly text: string;
  /** BCP-47: the request's locale, else the profile's, else `en`. */
  readonly locale: string;
  readonly expiresAt: Date;
}

/**
 * Whether another attempt can help after a refusal: by anything else (`true`), by nothing that goes to the same number
 * (`false`), only by another channel (the recipient does not want this one), only by another provider (this one does
 * not serve the account).
 */
export type MoveOn = boolean | 'other-channel' | 'other-provider';

/**
 * What became of one attempt.
 *
 * - `accepted`: the provider has taken the message.
 * - `refused`: it has certainly not gone out. The next channel is tried, unless `moveOn` is `false`.
 *   `'other-channel'` also passes over other providers of the same channel (the recipient opted out of it),
 *   `'other-provider'` also passes over other channels of the same provider (bad credentials).
 *   `isFraudBlock` says that a fraud filter held it back: nothing else is tried.
 * - `unknown`: it may have gone out, nobody knows. Nothing else is sent in this call.
 *
 * `code` and `reason` reach the log and Okta's administrators: no code, number, name or raw provider text.
 */
export type Outcome =
  | { readonly status: 'accepted'; readonly transactionId: string }
  | {
      readonly status: 'refused';
      readonly code: string;
      readonly reason: string;
      readonly moveOn?: MoveOn | undefined;
      readonly isFraudBlock?: boolean | undefined;
      /** `false` where it never left this process, which says nothing about the provider. Default `true`. */
      readonly hasLeft?: boolean | undefined;
      /** `true` where nobody is reached at the number by this channel: it is passed over for a day. */
      readonly isNotReached?: boolean | undefined;
      /** What an operator can do about it, for the log. */
      readonly remedy?: string | undefined;
    }
  | { readonly status: 'unknown'; readonly reason: string };

/** A message that its provider had accepted, and that will not arrive. The fields are those of a refusal. */
export interface DeliveryFailure {
  readonly status: 'failed';
  readonly code: string;
  readonly reason: string;
  readonly moveOn?: MoveOn | undefined;
  readonly isFraudBlock?: boolean | undefined;
  readonly isNotReached?: boolean | undefined;
  readonly remedy?: string | undefined;
}

/** What is known of a message that its provider had accepted. `pending` is whatever is not final. */
export type DeliveryReport = { readonly status: 'pending' | 'delivered' } | DeliveryFailure;

/** The clock of one attempt. */
export interface SendContext {
  /** Aborts 10 s after the call's deadline: a send that has left may go on until then. */
  readonly signal: AbortSignal;
  /** How long that is from the moment that it is read, milliseconds: for a client that takes a time, not a signal. */
  readonly endWithinMs: number;
  /** Whether it may leave at this moment: `false` once `leaveSignal` has aborted. */
  readonly mayLeave: () => boolean;
  /** Aborts at the call's deadline, or when Okta hangs up: what has not left by then must not leave. */
  readonly leaveSignal: AbortSignal;
  /**
   * How long a send may wait for a connection, milliseconds: a share of the time that is left when it is read, so read
   * it right before the call.
   */
  readonly leaveWithinMs: number;
}

/** A way to deliver a code. `Parts` is what the factory hands to `connect`. */
export interface ChannelPort<Parts> {
  /** Sends one message. A throw counts as `unknown`. */
  send(message: Message, context: SendContext): Promise<Outcome>;
  /** The name that Okta logs. Default: the channel's name in capitals. */
  readonly provider?: string | undefined;
  /** Which host's health decides whether it is tried. Default: one of its own. */
  readonly host?: string | undefined;
  /** `false` where the provider words the message itself: `composeText` is then not asked. Default `true`. */
  readonly usesText?: boolean | undefined;
  /**
   * What is learnt of a message after it was accepted: `'failures'`, or `'deliveries'` where one that arrived is always
   * told as well, so that silence says that it has not. Default: nothing, or `'failures'` where there is `lookUp`.
   */
  readonly reports?: 'failures' | 'deliveries' | undefined;
  /**
   * Asks what became of a message, for a provider that does not tell by itself: called a few times after it was
   * accepted, as long as the plan has a next channel. A throw counts as `pending`. Read each time: `undefined` while
   * the provider does tell.
   */
  readonly lookUp?: ((transactionId: string, context: SendContext) => Promise<DeliveryReport>) | undefined;
  /**
   * Is told, after the call, that the code of a message which it sent was used: for a provider that judges routes and
   * fraud by it. Once for a code, and not again where it rejects, which is told.
   */
  readonly confirm?: ((transactionId: string, context: SendContext) => Promise<void>) | undefined;
  /**
   * Asks the provider, for `ready()`, whether it would take a message, and sends none. A throw says why not: a
   * `TelephonyHookError` with its `remedy` is given as it is.
   */
  readonly check?: ((context: SendContext) => Promise<void>) | undefined;
  /**
   * A word for where its messages' ids come from, for channels whose ids are one set: `'twilio'` where they are Twilio's
   * SIDs, which its status callbacks tell of. Letters, digits, `.`, `-` and `_`. Default: ids of this channel and provider alone.
   */
  readonly idNamespace?: string | undefined;
  /** Called once by the factory. What it returns, if anything, is used in this channel's place. */
  connect?(parts: Parts): ChannelPort<Parts> | undefined;
}

/** Anything whose `info`, `warn` and `error` take a message, then its fields: winston, `console`. */
export interface Logger {
  /** What goes well, and what somebody may want to know. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
  /** What works, but not as it should. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
  /** What somebody has to look at now. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
}
