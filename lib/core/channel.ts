import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest, HttpResult } from './http.js';

/**
 * What delivery channels get and give. A channel sends codes through a provider's network; docs/contribute/architecture.md
 * lists what a new provider needs.
 */

/** The voice channel. No preference of a user may choose it, because calls cost most and wake people. */
export const VOICE = 'voice';

/** The channels that Twilio's senders make, and that an own channel of this name replaces. */
export const STANDARD_CHANNELS: ReadonlySet<string> = new Set(['whatsapp', 'sms', VOICE]);

/** The code request of Okta, read and normalised. Functions of the user get it frozen, with all that it holds. */
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

/** Okta's `profile` object of a user: base and custom attributes, flat. It is frozen, with all that it holds. */
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
 * Why a message was refused, and so what follows.
 *
 * - `wrong-number`: nothing more goes to this number.
 * - `opted-out`: the recipient does not want this channel. Another channel follows, and later codes skip this
 *   one for a day.
 * - `not-reached`: the recipient is not on this channel. As `opted-out`.
 * - `fraud`: a fraud filter blocked the message. Nothing follows, and `guard.answer` is Okta's answer.
 * - `account`: the provider does not serve this account. Another provider follows.
 * - `busy`: a limit or an outage. The next channel follows.
 * - `never-left`: the request did not leave this process, which says nothing about the provider unless its
 *   connection took too long. The next channel follows.
 */
export type RefusalCause =
  'wrong-number' | 'opted-out' | 'not-reached' | 'fraud' | 'account' | 'busy' | 'never-left';

/**
 * Why a message was refused or will not arrive. `code` and `reason` appear in the log and in Okta's System
 * Log, so they must not contain a code, number, name or raw provider text.
 */
export interface FailureDetails {
  /** The provider's code, such as `21610` or `HTTP_400`. */
  readonly code: string;
  readonly reason: string;
  /** Default: the next channel follows. What a field below says counts more. */
  readonly cause?: RefusalCause | undefined;
  /** Which attempts can help. Default: by `cause`. */
  readonly moveOn?: MoveOn | undefined;
  /** `true` for a block by a fraud filter: nothing follows. Default: by `cause`. */
  readonly isFraudBlock?: boolean | undefined;
  /** `true` if this channel cannot reach the number: later codes skip it for a day. Default: by `cause`. */
  readonly isNotReached?: boolean | undefined;
  /** What an operator can do about it; for the log. */
  readonly remedy?: string | undefined;
}

/** An attempt after which the message has certainly not gone out. */
export interface Refusal extends FailureDetails {
  readonly status: 'refused';
  /**
   * `false` if the request never left this process, which says nothing about the provider. Default: by
   * `cause`.
   */
  readonly hasLeft?: boolean | undefined;
  readonly providerRequestId?: string | undefined;
}

/**
 * The outcome of one attempt.
 *
 * - `accepted`: the provider has taken the message.
 * - `refused`: the message has certainly not gone out: the request never left, or the provider itself refused it. What
 *   follows depends on `cause`.
 * - `unknown`: the message may have gone out (timeout, reset connection, a proxy's page). This call sends nothing else.
 *
 * `reason` and `remedy` must not contain a code, number, name or raw provider text. `providerRequestId` is the
 * provider's id of the request, for its support: at most 64 letters, digits, `.`, `_`, `:` and `-`.
 */
export type Outcome =
  | {
      readonly status: 'accepted';
      readonly transactionId: string;
      /** Who sent the message, if the channel hands it to another service. Default: the channel's `provider`. */
      readonly provider?: string | undefined;
      readonly providerRequestId?: string | undefined;
    }
  | Refusal
  | {
      readonly status: 'unknown';
      readonly reason: string;
      /** What an operator can do about it; for the log. */
      readonly remedy?: string | undefined;
      readonly providerRequestId?: string | undefined;
    };

/** An accepted message that will not arrive. */
export interface DeliveryFailure extends FailureDetails {
  readonly status: 'failed';
}

/** The delivery status of an accepted message. `pending` stands for every status that is not final. */
export type DeliveryReport = { readonly status: 'pending' | 'delivered' } | DeliveryFailure;

/**
 * A report that a provider pushes. It names its message by `transactionId`, or by the `reference` of the attempt. With both,
 * the hook recognises a message whose outcome is unknown, and knows its id.
 */
export type PushedReport = DeliveryReport & {
  /** As in the accepted outcome of `send`. */
  readonly transactionId?: string | undefined;
  /** `reference` of the `SendContext`, which the provider returns. */
  readonly reference?: string | undefined;
  /** The provider's word for the status, such as `undeliverable`; for the log. Default: `status`. */
  readonly providerStatus?: string | undefined;
  /** The recipient, E.164. With it, a failure that is `opted-out` or `not-reached` counts for later codes, even if nothing else is known of the message. */
  readonly to?: string | undefined;
};

/** A message that a user sent to a sender of a channel. */
export interface InboundMessage {
  /** The provider's id of the message: the same message may come twice. */
  readonly messageId: string;
  /** The sender's number, E.164; absent if the provider shows only an id. */
  readonly from?: string | undefined;
  /** The provider's id of the sender, which is the same for all their messages. */
  readonly externalUserId?: string | undefined;
  readonly text: string;
  /** When the user sent it, by the provider's clock: a message that comes late does not undo a newer one. Default: now. */
  readonly sentAt?: Date | undefined;
  /** Whether the provider has recognised a keyword and replied. Default: `false`. */
  readonly isHandled?: boolean | undefined;
}

/** What a provider sends to the callback URL of a channel. */
export interface CallbackRequest {
  readonly method: 'GET' | 'POST';
  /** The whole URL as the provider has it: `publicUrl`, the path of the callback and the query. */
  readonly url: string;
  /** The first value of each parameter. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly headers: IncomingHttpHeaders;
  /** The body as it came, for its signature. Empty for a GET. */
  readonly rawBody: Buffer;
}

/** What a channel makes of a callback. Nothing in it appears in the log, except for the reports. */
export interface CallbackAnswer {
  /** Of the answer to the provider: 401 or 403 for a sender that is not proven. */
  readonly status: number;
  readonly body?: string | undefined;
  /** Default: `text/plain; charset=utf-8`. */
  readonly contentType?: string | undefined;
  readonly reports?: readonly PushedReport[] | undefined;
  readonly inbound?: readonly InboundMessage[] | undefined;
}

/** Receives the callbacks of a provider. With `publicUrl`, the hook mounts a route for them. */
export interface CallbackReceiver {
  /** Default: `POST` alone. */
  readonly methods?: readonly ('GET' | 'POST')[] | undefined;
  /**
   * Proves the sender, and reads the callback. A throw is answered with 500, so that the provider sends it again.
   *
   * @param context - for requests to the provider, such as for its keys. They end after 10 s.
   */
  handle(
    request: CallbackRequest,
    context: Pick<SendContext, 'http' | 'signal'>,
  ): CallbackAnswer | Promise<CallbackAnswer>;
}

/** How a channel calls its provider. */
export interface SendContext {
  /**
   * Makes one HTTP request by the hook's connections, within the time of the attempt, and says whether it
   * left. Never rejects. `outcomeOf` makes an outcome of the result.
   */
  readonly http: (request: HttpRequest) => Promise<HttpResult>;
  /**
   * For an SDK in place of `http`: aborts when the attempt must end, which is 10 s after the call's time for
   * sends. A request that has left may go on until then.
   */
  readonly signal: AbortSignal;
  /**
   * For an SDK in place of `http`: aborts at the end of the call's send window (`deadlineMs` without the
   * reserve for writing the answer), or when Okta disconnects. A request that has not left by then must not leave.
   */
  readonly leaveSignal: AbortSignal;
  /**
   * An opaque id of this attempt: random, without personal data, at most 64 characters. A provider that returns it with
   * its reports, such as in the URL of a status callback, lets the hook recognise a message whose outcome is unknown.
   * Made when it is read. Empty for `lookUp`, `confirm`, `check` and `receive`.
   */
  readonly reference: string;
  /** The URL of the channel's `receive`; `undefined` without `receive` or `publicUrl`. */
  readonly callbackUrl?: string | undefined;
}

/** The sender of a channel's texts to a country. */
export interface ChannelSender {
  /** A number, a name, or the provider's id of a service. */
  readonly from: string;
  /** Its place in the hook's options. Default: the channel's own place. */
  readonly option?: string | undefined;
  /** Whether the options name the country. */
  readonly isNamed?: boolean | undefined;
  /** Whether the ids of India's DLT are set; `undefined` if the channel does not take them. */
  readonly hasDlt?: boolean | undefined;
}

/** A channel that is ready to send: a `Channel` that is an object, or what its function returns. */
export interface ConnectedChannel {
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
   * if there is `lookUp`, or `receive` with `publicUrl`. With `receive`, silence counts only after the first report since the start.
   */
  readonly reports?: 'failures' | 'deliveries' | undefined;
  /**
   * Looks up the status of a message, for a provider without status callbacks. Called a few times after the
   * message was accepted, while the plan has a next channel. A throw counts as `pending`. Read each time:
   * `undefined` while callbacks arrive.
   */
  readonly lookUp?: ((transactionId: string, context: SendContext) => Promise<DeliveryReport>) | undefined;
  /** Receives what the provider pushes: reports on messages, and messages of users. */
  readonly receive?: CallbackReceiver | undefined;
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
  /** The sender of the texts to a country by ISO 3166, to warn of senders that do not work there. @internal */
  readonly senderFor?: ((country: string) => ChannelSender) | undefined;
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

/** The effect of a refusal on the plan. Channels name the cause, or give the effect themselves. */
type Effect = Pick<FailureDetails, 'moveOn' | 'isFraudBlock' | 'isNotReached'> & {
  readonly hasLeft?: boolean | undefined;
};

const EFFECTS: Readonly<Record<RefusalCause, Effect>> = {
  'wrong-number': { moveOn: false },
  'opted-out': { moveOn: 'other-channel' },
  'not-reached': { moveOn: 'other-channel', isNotReached: true },
  fraud: { moveOn: false, isFraudBlock: true },
  account: { moveOn: 'other-provider' },
  busy: { moveOn: true },
  'never-left': { moveOn: true, hasLeft: false },
};

const NEXT: Effect = { moveOn: true };

/** Every cause, for messages. */
export const CAUSES: readonly unknown[] = Object.keys(EFFECTS);

/** What a cause means for the plan. Without a cause, or with one that is unknown, the next step follows. */
export function effectOf(cause: unknown): Effect {
  return typeof cause === 'string' && Object.hasOwn(EFFECTS, cause) ? EFFECTS[cause as RefusalCause] : NEXT;
}

/** Replaces the cause of a refusal by its effect. What the refusal says itself counts before that. */
export function withEffect<T extends { readonly cause?: RefusalCause | undefined }>({
  cause,
  ...details
}: T): Effect & Omit<T, 'cause'> {
  return { ...effectOf(cause), ...details };
}
