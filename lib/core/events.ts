import type {
  AttemptReport,
  BreakerState,
  CodeOutcome,
  CodeResult,
  Counted,
  Extension,
  Failure,
  FailureCause,
  OfCall,
  OfGuard,
  OfOptIn,
  OfProviders,
  OfRequest,
  OfResend,
  OfTest,
  OfUser,
  OktaFallback,
  OptionWarning,
  Problem,
  SentMessage,
  SkippedChannel,
} from './event-parts.js';

export type * from './event-parts.js';

/**
 * The events of a hook: what happened, step by step. `onEvent` gets them, and so do the log, the metrics and the console.
 *
 * No event holds a code, a login, a user's name, a secret or a number. Of a number it has the last two digits, in `toEnding` and
 * `fromEnding`. New types of events and new fields may come in a minor version.
 */

/** One event. Its `type` says what happened, and which other fields it has: see `HookEventFields`. */
export type HookEvent = HookEventOf<HookEventType>;

/** The events of one type, such as `HookEventOf<'request.answered'>`. */
export type HookEventOf<Type extends HookEventType> = {
  [Each in Type]: {
    readonly type: Each;
    /** When it happened, in milliseconds since 1970. */
    readonly at: number;
  } & HookEventFields[Each];
}[Type];

/** Every type that an event may have. */
export type HookEventType = keyof HookEventFields;

/** An event as it is emitted: the stream adds the time. */
export type EmittedEvent = {
  [Each in HookEventType]: { readonly type: Each } & HookEventFields[Each];
}[HookEventType];

/** The return value is ignored. If it is a promise, it may reject. */
export type HookEventListener = (event: HookEvent) => unknown;

/** The fields of each event, by its type, in the order in which a call usually emits them. */
export interface HookEventFields {
  /**
   * An option works, but not as well as it could. Emitted for each such option when the hook is made; for `path` at the first request
   * for the hook's public path that the hook passes on; for `optInAttribute` at the first `unusable` value, if users can
   * choose another channel than SMS.
   */
  readonly 'configuration.warned': OptionWarning;

  // A request comes in.

  /** Okta sent a well-formed request. */
  readonly 'request.received': OfRequest &
    OfTest & {
      /** What Okta requested. */
      readonly deliveryChannel: 'sms' | 'voice';
    };
  /**
   * A request was answered with another status than 200, or something failed after the code was sent. Rejections that
   * callers can cause without authentication are emitted at most once a minute, with their count; the others one by one.
   * Without ids if the request was not read.
   */
  readonly 'request.rejected': Partial<OfCall> &
    Counted & {
      /** The HTTP status. */
      readonly status: number;
      /** Why: a code of the hook. */
      readonly code: string;
      /** The channel whose callback it was, if it was one of `receive`. */
      readonly channel?: string | undefined;
      /** The fields of the body that are wrong. */
      readonly fields: readonly string[];
      /** The cause, if the code alone does not say it. */
      readonly reason: string | undefined;
    };
  /** Callers could not prove that they are Okta. Emitted at once, then at most once a minute and by `close()`, with their count. */
  readonly 'caller.rejected': Counted & {
    /** What is wrong with its authentication, as a code. */
    readonly reason: string;
    /** Which of Okta's hooks they called. */
    readonly hook: 'inline' | 'event';
    /** The kinds of authentication that the gateway accepts there. */
    readonly schemes: readonly ('header' | 'basic' | 'oauth2')[];
  };
  /**
   * A test call of the command line (`doctor`, `setup`, `preview`) was refused. Its mark is made with the hook's secret. Many of
   * them may come from a copied mark.
   */
  readonly 'probe.rejected': Counted & {
    /** The HTTP status. */
    readonly status: number;
    /** Why: a code of the hook. */
    readonly code: string;
  };
  /** Okta's clock and this machine's clock differ by more than 30 s. Reported at most once a minute. */
  readonly 'clock.skewed': {
    /** This machine's time minus Okta's. */
    readonly skewMs: number;
  };

  // The hook decides what to do, sends the code and answers.

  /** The hook needed the user's profile. */
  readonly 'profile.read': OfCall & {
    /** `stale`: an older copy, because Okta did not answer in time. `none`: there is no profile. */
    readonly source: 'okta' | 'cache' | 'stale' | 'none';
    /** Why the profile does not come from Okta: a code of `OktaApiError`, `TIMEOUT`, `PAUSED`, … */
    readonly reason: string | undefined;
    /** Okta's HTTP status, if the reason is `OKTA_HTTP_ERROR`. */
    readonly httpStatus?: number | undefined;
    /** How long the read took. */
    readonly durationMs: number;
  };
  /** The guard blocked a code, or with `isOtherNumber` the number of the profile. */
  readonly 'guard.blocked': OfGuard;
  /** The guard noticed what it would have blocked if `guard.mode` were not `record`. Nothing was blocked. */
  readonly 'guard.noticed': OfGuard;
  /** Codes are sent, and Okta reports no use: `guard.learn` blocks nothing until a use is reported. Each process reports it once. */
  readonly 'guard.blind': {
    /** What an operator can do about it. */
    readonly remedy: string;
  };
  /** `guard.learn` sees used codes again, and counts from zero. */
  readonly 'guard.recovered': {
    /** For how long this process knew of it. */
    readonly blindMs: number;
  };
  /** An administrator lifted the blocks of `guard.learn` for a country for an hour. */
  readonly 'guard.lifted': {
    /** ISO 3166, or `none`. */
    readonly country: string;
    /** The administrator's name, if known. */
    readonly liftedBy?: string | undefined;
  };
  /** The hook decided by which channels it tries to send the code. */
  readonly 'channels.planned': OfCall &
    OfOptIn &
    OfProviders &
    OfResend & {
      /** In the order of the attempts. */
      readonly channels: readonly string[];
      /** As in `request.answered`. */
      readonly skipped: readonly SkippedChannel[];
    };
  /** An attempt to send the code ended before Okta was answered, or as a part of late failover. */
  readonly 'attempt.ended': OfUser & AttemptReport;
  /** Okta was answered, and the hook call is over. This event sums the call up. */
  readonly 'request.answered': OfRequest &
    OfTest &
    OfOptIn &
    OfProviders &
    OfResend &
    CodeResult & {
      /** The outcome of the code. */
      readonly outcome: CodeOutcome;
      /** What Okta was answered. Whether a blocked code is `PENDING` or `ERROR` depends on `guard.answer`. */
      readonly status: 'SUCCESSFUL' | 'PENDING' | 'ERROR';
      /** Why no code was sent, if none was. `SUPERSEDED`: the user has a newer code. */
      readonly code: string | undefined;
      /** What Okta requested. */
      readonly deliveryChannel: 'sms' | 'voice';
      /** The country of the enrolled number by ISO 3166, if it is known. */
      readonly country: string | undefined;
      /** Okta sent the same event again. It got the first answer, whose outcome this is, and nothing was sent. */
      readonly isRepeat: boolean;
      /** Okta had closed the connection before. */
      readonly hasHungUp: boolean;
      /** Planned channels that were skipped. */
      readonly skipped: readonly SkippedChannel[];
      /** `source` of `profile.read`. */
      readonly profileSource: HookEventFields['profile.read']['source'] | undefined;
      /** `reason` of `profile.read`. */
      readonly profileReason: string | undefined;
      /** Okta's HTTP status, if `profileReason` is `OKTA_HTTP_ERROR`. */
      readonly profileStatus?: number | undefined;
      /** How long the profile took. */
      readonly profileMs: number | undefined;
      /** From the request to the answer. */
      readonly durationMs: number;
      /** What was left of the send window: of `deadlineMs` without the margin for writing the answer. */
      readonly remainingMs: number;
    };

  // After the answer: what the hook learns about the message.

  /**
   * An attempt whose outcome was unknown when Okta was answered has ended, or a status callback named the attempt and so
   * says that its message went out: `accepted`. One attempt may have both, `unknown` first.
   */
  readonly 'attempt.settled': OfUser & AttemptReport;
  /**
   * A provider reported the status of a message that it had accepted: by a status callback, or because the hook asked.
   * The ids and `toEnding` are missing if neither this process nor the state knows whose message it is: after a restart or after
   * the code's end, and at other gateways than the sender for a status that is not final, with `lateFailover: false` for any.
   */
  readonly 'message.reported': Partial<OfUser> & {
    /** The channel, such as `sms` or `whatsapp`. */
    readonly channel: string;
    /** The provider's id of the message. */
    readonly transactionId: string;
    /** What the status means. A call that was not picked up is `failed`: the user has no code. */
    readonly report: 'pending' | 'delivered' | 'failed';
    /** The provider's word, such as `undelivered`; the same as `report` if the hook asked. */
    readonly status: string;
    /** The provider's code of a failure. */
    readonly code: string | undefined;
    /** The same in words. */
    readonly reason: string | undefined;
    /** What an operator can do about a failure. */
    readonly remedy?: string | undefined;
  };
  /** A message was not delivered, and late failover by the next channel of the plan has ended. */
  readonly 'failover.ended': OfUser &
    CodeResult & {
      /** The channel that did not deliver. */
      readonly fromChannel: string;
      /** Why it did not. */
      readonly cause: FailureCause;
      /** The outcome of the last attempt; `dropped` if none was made, for the reason in `code`. */
      readonly outcome: 'accepted' | 'refused' | 'unknown' | 'dropped';
      /** The code of the refusal; for `dropped` one of ours, such as `SUPERSEDED`, `CODE_EXPIRED` or `STATE_LOST`. */
      readonly code: string | undefined;
    };
  /** Okta's event hook reported that a user signed in, or enrolled a phone, with a code that the hook sent. */
  readonly 'code.used': OfCall &
    SentMessage & {
      /** Okta's request type, such as `com.okta.user.telephony.mfa-verification`. */
      readonly requestType: string | undefined;
      /** What Okta requested. */
      readonly deliveryChannel: 'sms' | 'voice';
      /** Okta's id of the user. */
      readonly userId: string;
      /** The country of the number by ISO 3166, if it is known. */
      readonly country: string | undefined;
      /** From Okta's request to the use of the code. */
      readonly sinceSentMs: number;
    };
  /** The hook could not report to a provider that a code which it sent was used. Counted for each channel. */
  readonly 'feedback.failed': OfCall &
    SentMessage &
    Failure &
    Counted & {
      /** Okta's id of the user. */
      readonly userId: string;
    };
  /**
   * Okta's event hook reported that Okta gave up on a call of the hook. Okta then sends the code itself, if it can. The call may have
   * reached no gateway.
   */
  readonly 'okta.fell-back': {
    /** Okta's id of the event in its System Log. */
    readonly logEventId: string | undefined;
    /** Okta's transaction id, as in the events of the call. */
    readonly oktaRequestId: string | undefined;
    /** Okta's id of the user. */
    readonly userId: string | undefined;
    /** What Okta's reason is about. */
    readonly code: OktaFallback;
    /** Okta's own words, with personal data masked; `undefined` if Okta gives none. */
    readonly reason: string | undefined;
    /** Okta does not say which of the org's inline hooks it called, or no call has come yet that names ours. */
    readonly isHookUnknown: boolean;
  };
  /** Okta reported more used codes than the hook can follow, so it ignored some. */
  readonly 'uses.skipped': Counted;
  /** A user sent a message to a sender of the gateway. */
  readonly 'inbound.received': {
    /** The channel, such as `sms`, `whatsapp` or `rcs`. */
    readonly channel: string;
    /** The provider's id of the message; its digest if the message came by `receive` of a channel. */
    readonly messageId: string;
    /** The keyword, if the message is one. */
    readonly keyword: 'stop' | 'start' | 'help' | undefined;
    /** Whether the provider recognised the keyword and replied, as Twilio's Advanced Opt-Out does. The hook then sends no reply. */
    readonly isHandled: boolean;
    /** The last two digits; `undefined` if WhatsApp hides the number, and no earlier message showed it. */
    readonly fromEnding: string | undefined;
  };
  /** Status callbacks came for messages that this process did not send, or no longer knows. */
  readonly 'callback.unmatched': Counted & {
    /** The message of one of these callbacks. */
    readonly transactionId: string;
  };
  /**
   * Twilio accepted messages, and no status callback has come since. Until one comes, the hook polls WhatsApp messages.
   * Reported once until then.
   */
  readonly 'callbacks.missing': {
    /** That many messages in a row, the last of them 20 s old. */
    readonly count: number;
    /** What an operator can do about it. */
    readonly remedy: string;
  };

  // What the hook depends on.

  /** `ready()` found that a part does not work. Emitted for each such part, whenever `ready()` is called. */
  readonly 'readiness.failed': Failure & {
    /**
     * A member of the result: `okta`, `twilio`, `hookKeys`, `state`, or a channel such as `channels.sms` or `channels.sms[1]`. `hook`
     * after `close()`.
     */
    readonly part: string;
  };
  /** A function or an object of the user, or a library, failed, and the hook went on without it. Counted for each extension. */
  readonly 'extension.failed': Problem &
    Counted & {
      /** What failed. */
      readonly extension: Extension;
      /**
       * Of a `rollout`: the percentages that stay in force, by channel. Channels without one are on. Only in the event that is
       * emitted at once.
       */
      readonly percentages?: Readonly<Record<string, number>> | undefined;
      /** `undefined` if it failed outside a call, and in the event at the end of a minute, which is about many calls. */
      readonly eventId: string | undefined;
      /** Okta's transaction id; `undefined` where `eventId` is. */
      readonly oktaRequestId: string | undefined;
      /** Okta's id of the user. */
      readonly userId?: string | undefined;
    };
  /** The hook does not call Okta's Users API for a while, so that the org keeps its rate limit. */
  readonly 'okta.paused': {
    /** `LOW`: less than a tenth of the limit is left. `RATE_LIMITED`: Okta answered 429. */
    readonly reason: 'LOW' | 'RATE_LIMITED';
    /** Milliseconds since 1970. */
    readonly untilMs: number;
  };
  /** The pause of Okta's Users API is over. */
  readonly 'okta.resumed': {
    /** Why it was paused: the reason in `okta.paused`. */
    readonly reason: HookEventFields['okta.paused']['reason'];
    /** For how long it was paused. */
    readonly pausedMs: number;
  };
  /** The circuit breaker of a host opened or closed. */
  readonly 'breaker.changed': {
    /** A channel without a host of its provider has a breaker by its own name, such as `push` or `push[1]`. */
    readonly host: string;
    /** The new state of the circuit breaker. */
    readonly state: BreakerState;
    /** The channels that call the host; none for Okta. */
    readonly channels: readonly string[];
  };
  /** The shared state cannot be reached. Until it is back, each process counts repeats and limits on its own. */
  readonly 'state.lost': Problem & {
    /** A word, such as `ECONNREFUSED`, `READONLY` or `TIMEOUT`. */
    readonly reason: string;
  };
  /** The shared state can be reached again. */
  readonly 'state.recovered': {
    /** Why it was lost. */
    readonly reason: string;
    /** For how long it was lost. */
    readonly lostMs: number;
  };
  /** The shared state works, but it may forget entries, or late failover may not be woken. */
  readonly 'state.warned': Problem;
}
