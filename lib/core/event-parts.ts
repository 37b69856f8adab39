/** What the events are made of. */

/** `open`: the host is not called for a while. `half-open`: one real call tries it again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * The outcome of a code. `accepted`: a provider accepted the message. `unknown`: the message may have left. `blocked`: the guard or
 * a provider's fraud filter blocked it, or a newer code superseded it. `refused`: no channel could send it.
 */
export type CodeOutcome = 'accepted' | 'unknown' | 'blocked' | 'refused';

/** A planned channel that was skipped. */
export interface SkippedChannel {
  /** The channel, such as `sms` or `whatsapp`. */
  readonly channel: string;
  /**
   * `ROLLED_BACK`: the rollout has it off for the user. `STOPPED`: the user sent STOP. `OPTED_OUT`, `NOT_REACHED`: the provider
   * reported it for an earlier message. `BLOCKED`: the guard that learns.
   */
  readonly reason: 'ROLLED_BACK' | 'STOPPED' | 'OPTED_OUT' | 'NOT_REACHED' | 'BLOCKED';
}

/** In the events that say how the channels were chosen. */
export interface OfOptIn {
  /**
   * What the profile says by the option `optInAttribute`. `yes`: it names a channel that users can choose. `no`: it is `false`, `null`,
   * `sms` or empty. `absent`: the profile has no such attribute, as for a user who never chose, or if the name is wrong. `unusable`: it
   * has another type, such as the text `true`, or an unknown channel name. `unread`: there is no profile. Not set with
   * `chooseChannels`, and if no channels were planned, as for a repeat or a blocked code.
   */
  readonly optIn?: 'yes' | 'no' | 'absent' | 'unusable' | 'unread' | undefined;
  /** The attribute's name. Set only if the attribute decided: the text goes by SMS, although users can choose another channel. */
  readonly optInAttribute?: string | undefined;
}

/** In the events that say which providers a number gets. */
export interface OfProviders {
  /**
   * By channel, whose providers the number gets: those of an ISO 3166 country in `channels`, or of `default`. Only for planned channels
   * that have providers by country. Not set without any.
   */
  readonly providersOf?: Readonly<Record<string, string>> | undefined;
}

/** In the events of a code that its user requested again, and that goes by the next route. Not set for other codes. */
export interface OfResend {
  /** The event of the earlier code: a provider accepted it, and nothing says that it was delivered or used. */
  readonly resendOf?: string | undefined;
  /** The channel that the earlier code went by. */
  readonly resendOfChannel?: string | undefined;
}

/** What a profile says. */
export type OptIn = NonNullable<OfOptIn['optIn']>;

/**
 * Why Okta gave up on a call. `TIMEOUT`: no answer came within 3 s. `HTTP_STATUS`: the status was not 200. `UNREACHABLE`: Okta could not
 * connect. `BAD_RESPONSE`: Okta could not read the answer. `OTHER`: Okta's reason says none of these.
 */
export type OktaFallback = 'TIMEOUT' | 'HTTP_STATUS' | 'UNREACHABLE' | 'BAD_RESPONSE' | 'OTHER';

/** Why a message was not delivered. */
export interface FailureCause {
  /** The provider's code; `NOT_DELIVERED_IN_TIME` if nothing was reported. */
  readonly code: string;
  /** The same in words. */
  readonly reason: string | undefined;
  /** What an operator can do about it. */
  readonly remedy: string | undefined;
}

/** One attempt to send a code by one channel. */
export interface AttemptReport {
  /** The channel, such as `sms` or `whatsapp`. */
  readonly channel: string;
  /** The provider, such as `TWILIO`. */
  readonly provider: string;
  /** What the attempt came to. `unknown`: the message may have left. */
  readonly outcome: 'accepted' | 'refused' | 'unknown';
  /** The provider's code, or one of ours (`UNREACHABLE`, `BREAKER_OPEN`, `HTTP_400`). */
  readonly code?: string | undefined;
  /** Why, in words. */
  readonly reason?: string | undefined;
  /** What an operator can do about a refusal. */
  readonly remedy?: string | undefined;
  /** The provider's id of the message. */
  readonly transactionId?: string | undefined;
  /** The provider's id of the request, for its support: Twilio's `Twilio-Request-Id`, LINE's `x-line-request-id`. */
  readonly providerRequestId?: string | undefined;
  /** How long the attempt took. */
  readonly durationMs: number;
}

/** The option of a guard rule; `numberType` has none. The rules of `guard.learn` begin with `learn.`. */
export type GuardRule =
  | 'perUser'
  | 'perNumber'
  | 'perIp'
  | 'country'
  | 'numberType'
  | 'assess'
  | 'learn.country'
  | 'learn.prefix'
  | 'learn.ip';

/** One rule of the guard that a request broke. */
export interface BrokenRule {
  /** The rule that was broken. */
  readonly rule: GuardRule;
  /** As in the answer and in `request.answered`. */
  readonly code: string;
  /** What an operator can do about it. */
  readonly remedy: string;
  /** The limit: so many codes in so many seconds. `undefined` for a rule that is no limit. */
  readonly points: number | undefined;
  /** The window of the limit. */
  readonly seconds: number | undefined;
  /** How many codes a rule of `guard.learn` counts now. */
  readonly level?: number | undefined;
}

/** An option that works, but not as well as it could: which, and which parts of it are affected. */
export interface OptionWarning {
  /** The option, or a part of it. `docs/reference/warnings.md` lists all. */
  readonly option:
    | 'publicUrl'
    | 'publicUrl.path'
    | 'path'
    | 'senders.sms'
    | 'senders.voice'
    | 'senders'
    | 'senders.number'
    | 'senders.countries'
    | 'chooseChannels'
    | 'optInAttribute'
    | 'guard.countries'
    | 'channels'
    | 'channels.receive'
    | 'lateFailover.afterSeconds'
    | 'credentials.hook'
    | 'credentials.eventHook'
    | 'credentials.twilio.accountSid'
    | 'credentials.twilio.apiKeySid'
    | 'sandboxNumber.contentSid'
    | 'senders.whatsapp.templates'
    | 'texts.sms'
    | 'texts.voice';
  /** Paths, such as `credentials.hook.secrets[1] (header)` or `lateFailover.afterSeconds.sms`; never a value. */
  readonly where: readonly string[];
  /** What an operator can do about it, if that is known. */
  readonly remedy?: string | undefined;
}

/** In every event about one hook call. */
export interface OfCall {
  /** Okta's `eventId`. */
  readonly eventId: string;
  /** Okta's transaction id, as in the System Log. */
  readonly oktaRequestId: string | undefined;
  /** Okta's id of the user. */
  readonly userId: string | undefined;
}

export interface OfUser extends OfCall {
  /** The last two digits of the number. */
  readonly toEnding: string;
}

export interface OfRequest extends OfUser {
  /** Okta's request type, such as `com.okta.user.telephony.mfa-verification`. */
  readonly requestType: string | undefined;
  /** Okta's preview, or a request of the console's tester. */
  readonly isPreview: boolean;
}

/** In the events of a test from the console. */
export interface OfTest {
  /** The name of the administrator who sent it, if the console's `authorize` gives one. */
  readonly testedBy?: string | undefined;
}

/** `rule`, `code`, `remedy`, `points` and `seconds` are those of the first broken rule, which decides. */
export interface OfGuard extends OfRequest, BrokenRule {
  /** The country of the number by ISO 3166, if it is known. */
  readonly country: string | undefined;
  /** `true` if the number of the profile broke the rules, and not the enrolled one: the code goes to the enrolled one. */
  readonly isOtherNumber?: boolean | undefined;
  /** What the function of `guard.assess` gave as its reason, with personal data masked. Only for the rule `assess`. */
  readonly reason?: string | undefined;
  /** All broken rules, with the first one. */
  readonly rules: readonly BrokenRule[];
  /** The channels that a rule of `guard.learn` blocks. Any other rule blocks all. */
  readonly blockedChannels?: readonly string[] | undefined;
  /** With `blockedChannels`: the channels of the plan that are allowed. */
  readonly allowedChannels?: readonly string[] | undefined;
}

/** In events that are emitted at once, then for all that follow within a minute: at its end, or by `close()`. */
export interface Counted {
  /** How often it happened since the event before. */
  readonly count: number;
}

/** A problem that has a remedy. */
export interface Problem {
  /** Why, in words. */
  readonly reason: string;
  /** What an operator can do about it. */
  readonly remedy: string;
}

/** What a provider or Okta refused. */
export interface Failure {
  /** The provider's code, or one of ours (`TIMEOUT`, `BREAKER_OPEN`, `PROVIDER_UNREACHABLE`, `HTTP_404`, …). */
  readonly code: string;
  /** Why, in words. */
  readonly reason: string;
  /** What an operator can do about it, if that is known. */
  readonly remedy: string | undefined;
}

/** The result of a code, beside its outcome and code. */
export interface CodeResult {
  /** The same as `code`, in words. */
  readonly reason: string | undefined;
  /** What an operator can do about it, if that is known. */
  readonly remedy: string | undefined;
  /** The channel, the provider and its message id of the attempt that decided. */
  readonly channel: string | undefined;
  /** The provider, such as `TWILIO`. */
  readonly provider: string | undefined;
  /** The provider's id of the message. */
  readonly transactionId: string | undefined;
  /** All attempts until now. */
  readonly attempts: readonly AttemptReport[];
}

/** An accepted message. */
export interface SentMessage {
  /** The channel, such as `sms` or `whatsapp`. */
  readonly channel: string;
  /** The provider, such as `TWILIO`. */
  readonly provider: string;
  /** The provider's id of the message. */
  readonly transactionId: string;
}

/** Functions of the user that the hook calls. A `rollout` that fails keeps its last value. If `authorize`, an option of the console, fails, the console refuses everyone. */
export type Extension =
  | 'chooseChannels'
  | 'composeText'
  | 'rollout'
  | 'guard.assess'
  | 'state'
  | 'lateFailover'
  | 'channel'
  | 'lookUp'
  | 'receive'
  | 'inbound'
  | 'authorize';
