import type { IncomingMessage } from 'node:http';
import type { Logger } from '../core/channel.js';
import type { HookEvent } from '../core/events.js';
import type { HttpDispatcher } from '../core/http.js';
import type { Assess, ChooseChannels, ComposeText, Rollout, TextsOptions } from '../core/option-types.js';
import type { State } from '../core/state.js';
import type { LogFunction } from '../events/adapt-logger.js';
import type { MetricsRegistry } from '../events/metrics.js';
import type { Channel, ReceivedMessage } from '../channels/channel.js';
import type {
  EventHookCredential,
  HookCredential,
  OktaCredential,
  TwilioCredential,
} from './credential-types.js';

/** A sender, or senders by ISO 3166 country of the recipient: `{ default: '+1…', GB: 'ACME' }`. */
export type SenderOption =
  | string
  | ({
      /** For every other country. */
      readonly default: string;
    } & Readonly<Record<string, string>>);

/** A channel, or several providers of it, which are tried in order. */
export type ChannelList = Channel | readonly Channel[];

/**
 * The providers of a channel by the ISO 3166 country of the number that the code goes to:
 * `{ default: twilioMessages(), IN: [msg91, twilioMessages()] }`.
 */
export interface ChannelsByCountry {
  /** For every other country, and for a number whose country is not known. */
  readonly default: ChannelList;
  /** For a country. */
  readonly [country: Uppercase<string>]: ChannelList | undefined;
}

/** A Messaging Service that sends by RCS, and by SMS to phones that RCS does not reach. */
export interface RcsSenderOption {
  /** `MG…`. Its pool must have an RCS sender. */
  readonly service: string;
  /** The sender of these SMS: E.164 or alphanumeric, of the same account. */
  readonly fallbackFrom: string;
}

/** At most `points` codes in `seconds`. */
export interface GuardLimit {
  /** 1 to 1,000,000. */
  readonly points: number;
  /** 1 to 604,800. */
  readonly seconds: number;
}

/**
 * The guard that learns: it counts codes sent by SMS and call against codes that were used, by country, number prefix and IP address.
 * It needs an event hook (`credentials.eventHook`).
 */
export interface GuardLearnOptions {
  /** `record` only reports what `enforce` would block. Default `record`. */
  readonly mode?: 'record' | 'enforce' | undefined;
  /** Unused codes per used code that are normal: 0.1 to 10. It scales the limits above their floors. Default 1. */
  readonly ratio?: number | undefined;
  /** What is never blocked. It still counts. Default: nothing. */
  readonly allow?:
    | {
        /** ISO 3166 countries of numbers. */
        readonly countries?: readonly string[] | undefined;
        /** IP addresses that request codes, as Okta sees them, or CIDR ranges such as `198.51.100.0/24`. */
        readonly ips?: readonly string[] | undefined;
      }
    | undefined;
  /** Days after learning began in which `enforce` acts as `record`: 0 to 365. Default 30. */
  readonly warmUpDays?: number | undefined;
}

/** What the hook blocks before it sends. */
export interface GuardOptions {
  /** `record` sends everything, and reports what `enforce` would block. Default `enforce`. */
  readonly mode?: 'enforce' | 'record' | undefined;
  /**
   * Codes for one user id, else login, else number. Sign-in, enrollment and recovery count separately.
   * Default `{ points: 10, seconds: 600 }`.
   */
  readonly perUser?: GuardLimit | false | undefined;
  /** Codes for one number, for all users. Default `{ points: 10, seconds: 600 }`. */
  readonly perNumber?: GuardLimit | false | undefined;
  /** Codes requested from one IP address, as Okta sees it. IPv6 counts by the first 64 bits. Default `false`. */
  readonly perIp?: GuardLimit | false | undefined;
  /**
   * ISO 3166 countries of the numbers, by the numbering plans. `allow` blocks a number of an unknown country, `deny`
   * does not. A territory with a code of its own is not included: US is not PR. `false`: every country. Default: every
   * country, with a warning in the log.
   */
  readonly countries?:
    | {
        /** Only these. */
        readonly allow: readonly string[];
        readonly deny?: undefined;
      }
    | {
        /** All but these. */
        readonly deny: readonly string[];
        readonly allow?: undefined;
      }
    | false
    | undefined;
  /** The guard that learns. Default: off. */
  readonly learn?: GuardLearnOptions | undefined;
  /** The answer to Okta for a blocked code, also if a provider's fraud filter blocks it. After `error` Okta may send the code itself. Default `pending`. */
  readonly answer?: 'pending' | 'error' | undefined;
  /**
   * `(request, { signal }) => undefined | { block, reason }`, or a promise of it: a check of your own, such as `twilioLookup()`. It runs
   * beside the profile read, for each code that the other rules allow, also for previews. If it throws, takes over 300 ms or returns
   * something else, the code goes out. Default: none.
   */
  readonly assess?: Assess | undefined;
}

/** The answer to a message. `isStart`: the message counts as START and cancels an earlier STOP. */
export type InboundReply =
  | string
  | {
      /** At most 1600 characters. Default: the usual answer. */
      readonly text?: string | undefined;
      /** Default `false`. */
      readonly isStart?: boolean | undefined;
    };

/** Messages from users to the senders, and the answers. */
export interface InboundOptions {
  /**
   * Words that replace the usual ones. A word is a whole message, in any case. Default: Twilio's words, and their
   * translations in ten languages.
   */
  readonly keywords?:
    | {
        /** Opts the number out of WhatsApp. Default: the usual words. */
        readonly stop?: readonly string[] | undefined;
        /** Cancels the opt-out. Default: the usual words. */
        readonly start?: readonly string[] | undefined;
        /** Asks for help. Default: the usual words. */
        readonly help?: readonly string[] | undefined;
      }
    | undefined;
  /** The answers, at most 1600 characters each. `false`: no answer. Default: one English sentence each. */
  readonly replies?:
    | {
        /** To STOP. Default: a sentence that says how to undo it. */
        readonly stop?: string | false | undefined;
        /** To START. */
        readonly start?: string | false | undefined;
        /** To HELP. By SMS also to the other keywords, if Twilio does not know them. */
        readonly help?: string | false | undefined;
        /** To STOP and START by WhatsApp from a user whose number is unknown. Both take effect once it is known. */
        readonly hiddenNumber?: string | false | undefined;
        /** To anything else, at most once in ten minutes. */
        readonly other?: string | false | undefined;
      }
    | undefined;
  /**
   * Gets every message that is none of these words, with its sender. Returns the answer; after `undefined` or an error
   * the usual answer goes out. Its time limit is `deadlineMs`. A later `isStart` still counts, unless a STOP came meanwhile.
   */
  readonly onMessage?:
    ((message: ReceivedMessage) => InboundReply | undefined | Promise<InboundReply | undefined>) | undefined;
}

/** The default of `path`. */
export const DEFAULT_PATH = '/okta/telephony';
/** The default of `optInAttribute`. */
export const DEFAULT_OPT_IN_ATTRIBUTE = 'whatsAppOptIn';

/** The options of `oktaTelephonyHook`. `undefined` means the default. They are copied: a later change has no effect. */
export interface OktaTelephonyHookOptions {
  /** Required. */
  readonly credentials: {
    /** How Okta proves itself: one scheme, or several of which one must match. */
    readonly hook: HookCredential | readonly HookCredential[];
    /**
     * The same for Okta's event hook, which reports which codes were used. `false`: there is no event hook, no route and
     * no memory for it. Default: the header and basic schemes of `hook`; if it has none, `false`.
     */
    readonly eventHook?: EventHookCredential | readonly EventHookCredential[] | false | undefined;
    /** For reading user profiles: an API token, or a service app. */
    readonly okta: OktaCredential;
    /**
     * For sending by Twilio and checking its callbacks. `senders`, `sandboxNumber`, `twilio`, `publicUrl`, `inbound` and the `twilio…`
     * channels need it. Default: Twilio is not used.
     */
    readonly twilio?: TwilioCredential | undefined;
  };
  /** What Twilio keeps of the messages, and what it gets with them. Needs `credentials.twilio`. Default: `{ smartEncoding: true, deviceIp: true }`. */
  readonly twilio?:
    | {
        /**
         * `'discard'`: Twilio does not keep the text of a message. The account needs Twilio's Message Redaction: without it, Twilio
         * refuses every message. Default: the account's setting.
         */
        readonly contentRetention?: 'discard' | undefined;
        /**
         * `'obfuscate'`: Twilio keeps the recipient's number without its last four digits. Needs Message Redaction, too. Default: the
         * account's setting.
         */
        readonly addressRetention?: 'obfuscate' | undefined;
        /**
         * For SMS: Twilio replaces characters that GSM-7 does not have by similar ones, so that a segment holds 160 characters in place
         * of 70. `false`: the setting of the Messaging Service. Default `true`.
         */
        readonly smartEncoding?: boolean | undefined;
        /** For `twilioVerify`: Verify gets the user's IP address, as Okta saw it, for its check for fraud. Default `true`. */
        readonly deviceIp?: boolean | undefined;
      }
    | undefined;
  /**
   * The public URL of the hook, as entered in Okta. Twilio's callbacks go to it + `/twilio/status`. Needs
   * `credentials.twilio.authToken`. Default: no callbacks.
   */
  readonly publicUrl?: string | undefined;
  /**
   * The number of Twilio's shared WhatsApp sandbox, E.164. With `contentSid` the hook sends the sandbox's template, which
   * arrives for 72 hours after joining; without it free text, which arrives for 24 hours. Excludes `senders.whatsapp`.
   * Default: none.
   */
  readonly sandboxNumber?:
    | string
    | {
        /** E.164. */
        readonly number: string;
        /** `HX…` */
        readonly contentSid: string;
      }
    | undefined;
  /** Twilio's senders. A channel without a sender does not exist. One sender is required, or `channels`. */
  readonly senders?:
    | {
        /**
         * E.164, a Messaging Service SID (`MG…`) or an alphanumeric sender; for RCS `{ service: 'MG…', fallbackFrom: '+1…' }`; or one of
         * these for each country of the recipient: `{ default: '+1…', GB: 'ACME' }`.
         */
        readonly sms?:
          | string
          | RcsSenderOption
          | ({
              /** For every other country. */
              readonly default: string | RcsSenderOption;
            } & Readonly<Record<string, string | RcsSenderOption>>)
          | undefined;
        /** E.164, or a number for each country of the recipient. */
        readonly voice?: SenderOption | undefined;
        /** An approved sender and its authentication templates (`HX…`) by BCP-47 tag. */
        readonly whatsapp?:
          | {
              /** E.164, without `whatsapp:`. */
              readonly from: string;
              /** Each has one language, and the code as its only variable. For `pt-BR` the hook looks for `pt-BR`, then `pt`, then `default`. */
              readonly templates: {
                /** For every other language. */
                readonly default: string;
              } & Readonly<Record<string, string>>;
            }
          | undefined;
      }
    | undefined;
  /**
   * The profile attribute with the user's choice. `true` means WhatsApp. The name of a channel, or an array of names in order of
   * preference, means these channels. Anything else is not an opt-in. Default `whatsAppOptIn`.
   */
  readonly optInAttribute?: string | undefined;
  /**
   * The channels that the attribute may name. Custom names in `channels` are always allowed, and `voice` never is. Without
   * `whatsapp`, no user can choose WhatsApp. With `sms`, a user's list may have it before another channel. Default `['whatsapp']`.
   */
  readonly optInChannels?: readonly string[] | undefined;
  /** How the hook reads user profiles. A profile that cannot be read stops no code. */
  readonly profile?:
    | {
        /**
         * Time limit of a read, milliseconds: 50 to 2000. If the connection ends before Okta's answer begins, the hook reads once more within it. After five reads in a row without an answer within 10 s, a circuit breaker
         * skips reads for 2 s, then twice as long each time, up to 30 s. Default 800.
         */
        readonly timeoutMs?: number | undefined;
        /** How long profiles stay in memory, and how many. `false`: no cache. Default `{ ttlSeconds: 60, staleSeconds: 3600, max: 10000 }`. */
        readonly cache?:
          | false
          | {
              /** A younger profile is used without a read. 0 to 86,400. */
              readonly ttlSeconds?: number | undefined;
              /** After `ttlSeconds`, how long it still serves while Okta fails, is slow, or limits the rate. 0 to 604,800. */
              readonly staleSeconds?: number | undefined;
              /** Profiles in memory. 1 to 1,000,000. */
              readonly max?: number | undefined;
            }
          | undefined;
        /**
         * INSECURE: it bypasses the enrolled factor. The attribute whose number replaces the enrolled number for WhatsApp, for
         * `mfa-verification` only. The guard checks it, too; `perNumber` counts the enrolled number. Default: off.
         */
        readonly unverifiedPhoneAttribute?: string | undefined;
      }
    | undefined;
  /** ISO 3166 country of numbers without `+`. Default: the hook does not dial them. */
  readonly defaultCountry?: string | undefined;
  /** The path of the routes, at the root and if the hook is mounted at this path. Default `/okta/telephony`. */
  readonly path?: string | undefined;
  /**
   * The time of one hook call until its answer is written, milliseconds: 500 to 2800. Okta stops waiting at 3000. The last tenth
   * (40 to 250 ms) is reserved for writing the answer: no request leaves in it. Default 2200.
   */
  readonly deadlineMs?: number | undefined;
  /** `(request, profile) => string[]`: the channels of a text, in order of preference. `sms` follows if it is not named. Default: the opt-in rule. */
  readonly chooseChannels?: ChooseChannels | undefined;
  /**
   * `(request, profile, channel) => string | Promise<string>`: the text for channels that send free text. The hook does not use it
   * if the function throws, is late, or returns a text without the code or of over 1600 characters. Default: `texts`, else Okta's text.
   */
  readonly composeText?: ComposeText | undefined;
  /**
   * Texts by language and request type, for free text and for calls, and the line from which browsers fill in codes.
   * `composeText` has precedence over them. Default: Okta's text.
   */
  readonly texts?: TextsOptions | undefined;
  /**
   * Channels by name: your own, or other providers for `whatsapp`, `sms` and `voice`. An array is tried in order. An object with
   * `default` and ISO 3166 countries has a list for each country of a number. Default: Twilio's senders.
   */
  readonly channels?: Readonly<Record<string, ChannelList | ChannelsByCountry | undefined>> | undefined;
  /** Limits, countries, and the answer for a blocked code. Premium-rate numbers are always blocked. Default: the limits below. */
  readonly guard?: GuardOptions | undefined;
  /**
   * Percentage of users by channel, stable per user: `{ whatsapp: 25 }`. 0 switches a channel off. The hook calls a
   * function when it is made and for every code. If it fails or returns a wrong value, its last good value counts. Default: 100.
   */
  readonly rollout?: Rollout | (() => Rollout) | undefined;
  /**
   * If a message fails after the provider accepted it, the code goes out once by the next channel of the plan, while it
   * is valid. With `afterSeconds` also if no delivery is reported by then, for channels that report it (WhatsApp by Twilio).
   * `false`: never. Default: on, without `afterSeconds`.
   */
  readonly lateFailover?:
    | false
    | {
        /** Seconds by channel: 1 to 900. */
        readonly afterSeconds?: Readonly<Record<string, number | undefined>> | undefined;
      }
    | undefined;
  /** What happens if a user requests a text again. Default: the next route. */
  readonly resend?:
    | {
        /**
         * `true`: the code goes by the next route, if a provider accepted the user's last text for the same number and request type, and
         * its channel reports deliveries, but no report says that it was delivered, and no sign-in used it. The steps of the order up to
         * the one that sent it then come last. Default `true`.
         */
        readonly nextRoute?: boolean | undefined;
        /** How long after the first request, in seconds by Okta's clock: 1 to 3600. Default 600. */
        readonly withinSeconds?: number | undefined;
      }
    | undefined;
  /** Messages of users to the senders, such as STOP. Needs `publicUrl`. Default: the usual words and answers. */
  readonly inbound?: InboundOptions | undefined;
  /** The state between calls. Use `redisState()` for several gateways. Default `memoryState()`. */
  readonly state?: State | undefined;
  /**
   * winston, `console` or another logger whose methods take a message and its fields; pino or another that takes the fields
   * first, as it is; or a function `(level, message, fields) => …`. `false`: no log. Default: a winston logger that writes JSON
   * lines to stdout. It drops and counts the lines that stdout does not accept.
   */
  readonly logger?: Logger | LogFunction | false | undefined;
  /** A `Registry` of prom-client 15. Several hooks may share one. Default: no metrics. */
  readonly metrics?: MetricsRegistry | undefined;
  /** Gets one event per step. Its errors change nothing. Default: none. */
  readonly onEvent?: ((event: HookEvent) => void) | undefined;
  /**
   * A `Dispatcher` of undici 7 or 8 for all outgoing calls, e.g. an egress proxy. It must not retry: a code would go
   * out twice. `close()` leaves it open. Default: connection pools of the hook.
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /**
   * Returns milliseconds since 1970, for the times in events, the windows of limits and the profile cache. A code that ended more
   * than two minutes ago by this clock is refused (`CODE_EXPIRED`). Default `Date.now`.
   */
  readonly clock?: (() => number) | undefined;
}

/** The options of `hook.console()`. */
export interface ConsoleOptions {
  /**
   * Whether the request comes from an administrator of the gateway: `true`, or `{ administrator }` with
   * their name and no other key. The events, the log and the history then show the first 100 characters of the name
   * with the tests that they send. The hook calls `authorize` for every request of the console, also for its files.
   * Time limit 5 s. If it fails, the hook refuses the request.
   */
  authorize(
    req: IncomingMessage,
  ): boolean | { readonly administrator: string } | Promise<boolean | { readonly administrator: string }>;
  /** Links in the console, to paths of the gateway or URLs. A title has 100 characters at most. Default: none. */
  readonly links?: readonly { readonly title: string; readonly href: string }[] | undefined;
}

/** Environment variables, by name. An empty variable counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;
