/**
 * The port of delivery channels: whatever sends codes through a provider's network implements
 * {@link ChannelPort}. A new provider is one new folder under `channels/`.
 */

/** The voice channel. No preference of a user may choose it, because calls cost most and wake people. */
export const VOICE = 'voice';

/** The code request of Okta, read and normalised. */
export interface TelephonyRequest {
  /** Okta's id of this hook call; a generated one if Okta sent none. */
  readonly eventId: string;
  /**
   * E.g. `com.okta.user.telephony.mfa-verification`. May be missing, or one that this version does not know.
   */
  readonly requestType: string | undefined;
  readonly deliveryChannel: 'sms' | 'voice';
  /** E.164. */
  readonly phoneNumber: string;
  readonly otpCode: string;
  /** When the code expires, by the clock of this process. */
  readonly expiresAt: Date;
  /** Okta's text with the code in it; `undefined` if Okta sent none. */
  readonly msgTemplate: string | undefined;
  /** BCP-47; `undefined` if Okta sent none that can be read. */
  readonly locale: string | undefined;
  readonly userId: string | undefined;
  readonly login: string | undefined;
  readonly firstName: string | undefined;
  readonly lastName: string | undefined;
  /** The end user's IP address as Okta saw it. */
  readonly ipAddress: string | undefined;
  /** Okta's transaction id, which Okta's System Log has, too. */
  readonly oktaRequestId: string | undefined;
  /**
   * Okta's request body as it came. When a code is sent again late, it is present only if a `composeText` or
   * a custom channel may read it, else `undefined`. Redis does not keep a body that cannot be written as
   * JSON.
   */
  readonly raw: unknown;
}

/** Okta's `profile` object of a user: base and custom attributes, flat. */
export type UserProfile = Readonly<Record<string, unknown>>;

/** One message for a channel to deliver. */
export interface Message {
  readonly request: TelephonyRequest;
  /** `undefined` if Okta's users API did not answer in time. */
  readonly profile: UserProfile | undefined;
  /** E.164. */
  readonly to: string;
  /** The text with the code in it, at most 1600 characters. */
  readonly text: string;
  /** BCP-47: the request's locale, else the profile's, else `en`. */
  readonly locale: string;
  readonly expiresAt: Date;
}

/**
 * Which attempts can help after a refusal: all others (`true`), none to this number (`false`), only other
 * channels (the recipient does not want this one), or only other providers (this one does not serve the
 * account).
 */
export type MoveOn = boolean | 'other-channel' | 'other-provider';

/**
 * The outcome of one attempt.
 *
 * - `accepted`: the provider has taken the message.
 * - `refused`: the message has certainly not gone out. The next channel follows, unless `moveOn` is `false`.
 *   `'other-channel'` also skips other providers of the same channel (the recipient opted out of it).
 *   `'other-provider'` also skips other channels of the same provider (bad credentials). After
 *   `isFraudBlock`, a block by a fraud filter, nothing follows.
 * - `unknown`: the message may have gone out (timeout, reset connection). This call sends nothing else.
 *
 * `code` and `reason` appear in the log and in Okta's System Log, so they must not contain a code, number,
 * name or raw provider text.
 */
export type Outcome =
  | { readonly status: 'accepted'; readonly transactionId: string }
  | {
      readonly status: 'refused';
      readonly code: string;
      readonly reason: string;
      readonly moveOn?: MoveOn | undefined;
      readonly isFraudBlock?: boolean | undefined;
      /**
       * `false` if the request never left this process, which says nothing about the provider. Default
       * `true`.
       */
      readonly hasLeft?: boolean | undefined;
      /** `true` if this channel cannot reach the number: the hook then skips it for a day. */
      readonly isNotReached?: boolean | undefined;
      /** What an operator can do about it; for the log. */
      readonly remedy?: string | undefined;
    }
  | { readonly status: 'unknown'; readonly reason: string };

/** An accepted message that will not arrive. The fields are those of a refusal. */
export interface DeliveryFailure {
  readonly status: 'failed';
  readonly code: string;
  readonly reason: string;
  readonly moveOn?: MoveOn | undefined;
  readonly isFraudBlock?: boolean | undefined;
  readonly isNotReached?: boolean | undefined;
  readonly remedy?: string | undefined;
}

/** The delivery status of an accepted message. `pending` stands for every status that is not final. */
export type DeliveryReport = { readonly status: 'pending' | 'delivered' } | DeliveryFailure;

/** The signals and times of one attempt. */
export interface SendContext {
  /** Aborts 10 s after the call's deadline: a request that has left may go on until then. */
  readonly signal: AbortSignal;
  /**
   * The time until `signal` aborts, milliseconds, from the moment that it is read: for clients that take a
   * time-out.
   */
  readonly endWithinMs: number;
  /** Whether a request may leave now: `false` once `leaveSignal` has aborted. */
  readonly mayLeave: () => boolean;
  /**
   * Aborts at the call's deadline, or when Okta disconnects: a request that has not left by then must not
   * leave.
   */
  readonly leaveSignal: AbortSignal;
  /**
   * How long a send may wait for a connection, milliseconds: a share of the remaining time at the moment that
   * it is read. Read it right before the call.
   */
  readonly leaveWithinMs: number;
}

/** A delivery channel. `Parts` is what the factory passes to `connect`. */
export interface ChannelPort<Parts> {
  /** Sends one message. A throw counts as `unknown`. */
  send(message: Message, context: SendContext): Promise<Outcome>;
  /** The name that Okta logs. Default: the channel's name in capitals. */
  readonly provider?: string | undefined;
  /** The host whose health decides whether the channel is tried. Default: a host of its own. */
  readonly host?: string | undefined;
  /** `false` if the provider words the message itself: `composeText` is then not called. Default `true`. */
  readonly usesText?: boolean | undefined;
  /**
   * What the channel reports about accepted messages: `'failures'`, or `'deliveries'` if it always reports a
   * delivery too, so that silence means that the message has not arrived. Default: nothing, or `'failures'`
   * if there is `lookUp`.
   */
  readonly reports?: 'failures' | 'deliveries' | undefined;
  /**
   * Looks up the status of a message, for a provider without status callbacks. Called a few times after the
   * message was accepted, while the plan has a next channel. A throw counts as `pending`. Read each time:
   * `undefined` while callbacks arrive.
   */
  readonly lookUp?: ((transactionId: string, context: SendContext) => Promise<DeliveryReport>) | undefined;
  /**
   * Reports to the provider that the code of a message was used, for providers that rate routes and detect
   * fraud by it. Called after the hook call, once for a code and without a retry. A rejection is logged.
   */
  readonly confirm?: ((transactionId: string, context: SendContext) => Promise<void>) | undefined;
  /**
   * Checks, for `ready()`, whether the provider would take a message, without sending one. A throw says why
   * not; a `TelephonyHookError` keeps its `remedy`.
   */
  readonly check?: ((context: SendContext) => Promise<void>) | undefined;
  /**
   * The namespace of the channel's message ids, for channels that share one: `'twilio'` if they are Twilio
   * SIDs, which Twilio's status callbacks name. Letters, digits, `.`, `-` and `_`. Default: a namespace of
   * this channel and provider alone.
   */
  readonly idNamespace?: string | undefined;
  /** Called once by the factory. A channel that it returns replaces this one. */
  connect?(parts: Parts): ChannelPort<Parts> | undefined;
}

/** A logger whose methods take a message and its fields, such as winston or `console`. */
export interface Logger {
  /** Normal operation. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
  /** Something works, but not as it should. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
  /** Something needs attention now. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): unknown;
}
