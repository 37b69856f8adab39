import type { IncomingMessage } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ChannelPort, Logger } from '../core/channel.js';
import type { HookEvent } from '../core/events.js';
import type { ChooseChannels } from '../delivery/plan.js';
import type { Rollout } from '../delivery/rollout.js';
import type { State } from '../core/state.js';
import type { ComposeText } from '../texts/text.js';
import type { TextsOptions } from '../texts/texts.js';
import type { MetricsRegistry } from '../events/metrics.js';
import type { TwilioConnection } from '../channels/twilio/client.js';
import type { ReceivedMessage } from '../channels/twilio/webhooks.js';

/** One way in which Okta proves that it is the caller. */
export type HookCredential =
  | {
      /** A shared secret in a header. */
      readonly scheme: 'header';
      /** The header that Okta's "Authentication field" names. Default `Authorization`. */
      readonly name?: string | undefined;
      /** The header's whole value, as typed into Okta; the previous one beside it while it is rotated. */
      readonly secrets: readonly string[];
    }
  | {
      /** HTTP Basic, as in a header value that Okta is given. */
      readonly scheme: 'basic';
      /** Any of whom may call. A name has no colon. */
      readonly users: readonly {
        /** Compared in constant time, as the password is. */
        readonly username: string;
        /** At least 16 characters, or a warning tells so. */
        readonly password: string;
      }[];
    }
  | {
      /** Access tokens of a custom authorization server (RS256), got by Okta with client credentials. */
      readonly scheme: 'oauth2';
      /** E.g. `https://acme.okta.com/oauth2/default`; https, or http on loopback. */
      readonly issuer: string;
      /** The authorization server's: must be in the token's `aud`. */
      readonly audience: string;
      /** The client that the hook uses: checked against the token's `cid`. */
      readonly clientId: string;
      /** The hook's scope: must be in the token's `scp`. */
      readonly scope: string;
      /** Default: the issuer's `/v1/keys`. */
      readonly jwksUri?: string | undefined;
    };

/** One way in which Okta's event hook proves itself, which knows no OAuth. */
export type EventHookCredential = Exclude<HookCredential, { readonly scheme: 'oauth2' }>;

/** How we prove to Okta's API who we are. */
export type OktaCredential =
  | {
      /** The org's origin, e.g. `https://acme.okta.com`; https, or http on loopback. */
      readonly orgUrl: string;
      /** Of an administrator who may read users, and nothing else if possible. */
      readonly apiToken: string;
      readonly clientId?: undefined;
      readonly privateKey?: undefined;
      readonly keyId?: undefined;
    }
  | {
      /** As above. */
      readonly orgUrl: string;
      /** A service app with the scope `okta.users.read` and an admin role that may read users. */
      readonly clientId: string;
      /** The private key of the app: PEM, a JWK object, or its JSON. */
      readonly privateKey: string | Readonly<Record<string, unknown>>;
      /** The key's id at Okta. Default: the JWK's own `kid`, else none. */
      readonly keyId?: string | undefined;
      readonly apiToken?: undefined;
    };

/** Where Twilio is reached. */
interface TwilioPlace {
  /** `AC…` */
  readonly accountSid: string;
  /** E.g. `ie1`; needs credentials of that region. */
  readonly region?: string | undefined;
  /** E.g. `dublin`. */
  readonly edge?: string | undefined;
  /** One origin for every Twilio product, e.g. an emulator; https, or http on loopback. */
  readonly baseUrl?: string | undefined;
}

/** How we prove to Twilio who we are; an API key rather than the account's auth token in production. */
export type TwilioCredential =
  | (TwilioPlace & {
      /** `SK…` */
      readonly apiKeySid: string;
      /** Shown by Twilio once, when the key is made. */
      readonly apiKeySecret: string;
      /** Only checks the signatures of Twilio's callbacks; the next one beside it while it is rotated. */
      readonly authToken?: string | readonly [current: string, next: string] | undefined;
    })
  | (TwilioPlace & {
      /** The account's own: it may do everything. Checks the signatures of callbacks, too. */
      readonly authToken: string | readonly [current: string, next: string];
      readonly apiKeySid?: undefined;
      readonly apiKeySecret?: undefined;
    });

/** A sender, or one per country of the recipient: `{ default: '+1…', GB: 'ACME' }`. */
export type SenderOption =
  | string
  | ({
      /** For every country that is not named. */
      readonly default: string;
    } & Readonly<Record<string, string>>);

/** What every channel is given by the factory. */
export interface ChannelParts {
  /** Twilio by the hook's own credentials, connections and deadline. */
  readonly twilio: TwilioConnection;
  /** For every call outward. */
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** The hook's own. */
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** The name under which this channel is mounted. */
  readonly channel: string;
}

/** How many codes in how many seconds. */
export interface GuardLimit {
  /** 1 to 1,000,000. */
  readonly points: number;
  /** 1 to 604,800. */
  readonly seconds: number;
}

/** What is held back before anything is spent on it. */
export interface GuardOptions {
  /** `record` sends everything, and tells what `enforce` would have held back. Default `enforce`. */
  readonly mode?: 'enforce' | 'record' | undefined;
  /**
   * Codes for one user id, else login, else number; counted apart for sign-in, enrolment and recovery.
   * Default `{ points: 10, seconds: 600 }`.
   */
  readonly perUser?: GuardLimit | false | undefined;
  /** Codes for one number, whoever asks. Default `false`. */
  readonly perNumber?: GuardLimit | false | undefined;
  /** Codes caused from one IP address, as Okta saw it; IPv6 by the first 64 bits. Default `false`. */
  readonly perIp?: GuardLimit | false | undefined;
  /**
   * ISO 3166 countries that codes go to, or do not, by the numbering plans. A number of no known country is blocked
   * under `allow` and sent under `deny`. What has a code of its own is not included: US is not PR. Default: no rule.
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
    | undefined;
  /** What Okta is answered, of a provider's fraud filter as well. After `error` it may send the code itself. Default `pending`. */
  readonly answer?: 'pending' | 'error' | undefined;
}

/** What is answered, and whether what somebody wrote counts as START: with `isStart` an earlier STOP is taken back. */
export type InboundReply =
  | string
  | {
      /** The answer, at most 1600 characters; without it the usual one. */
      readonly text?: string | undefined;
      /** Default `false`. */
      readonly isStart?: boolean | undefined;
    };

/** What somebody wrote to one of the senders, and what is answered. */
export interface InboundOptions {
  /**
   * Words in place of the usual ones, each a whole message, whatever its case: what takes a number off WhatsApp, what puts
   * it back, and what asks for help. Default: Twilio's own words, and theirs in ten languages.
   */
  readonly keywords?:
    | {
        /** Takes the number off WhatsApp. */
        readonly stop?: readonly string[] | undefined;
        /** Puts it back. */
        readonly start?: readonly string[] | undefined;
        /** Asks what to write. */
        readonly help?: readonly string[] | undefined;
      }
    | undefined;
  /** What is answered, at most 1600 characters; `false` for nothing. Default: a sentence each, in English. */
  readonly replies?:
    | {
        /** To STOP. */
        readonly stop?: string | false | undefined;
        /** To START. */
        readonly start?: string | false | undefined;
        /** To HELP, and by SMS to words that Twilio does not know. */
        readonly help?: string | false | undefined;
        /** To STOP and START over WhatsApp from a user whose number nothing has told: they take effect once it is known. */
        readonly hiddenNumber?: string | false | undefined;
        /** To anything else, at most every ten minutes. */
        readonly other?: string | false | undefined;
      }
    | undefined;
  /**
   * Told of what is none of these words, with the number that it came from. What it returns is the answer; nothing, or
   * a failure: the usual one. It has as long as `deadlineMs`; a later `isStart` still counts, unless a STOP came meanwhile.
   */
  readonly onMessage?:
    ((message: ReceivedMessage) => InboundReply | undefined | Promise<InboundReply | undefined>) | undefined;
}

/** A way to deliver a code; see the README's "Write a channel". */
export type Channel = ChannelPort<ChannelParts>;

/** Where the routes hang where `path` does not say. */
export const DEFAULT_PATH = '/okta/telephony';

/** What `oktaTelephonyHook` takes. `undefined` means the default. */
export interface OktaTelephonyHookOptions {
  /** Who calls us, and how we prove who we are; without a default. */
  readonly credentials: {
    /** How Okta proves itself: one scheme, or several of which any may pass. */
    readonly hook: HookCredential | readonly HookCredential[];
    /**
     * The same for Okta's event hook, which tells what became of a code. `false` where there is no event hook: nothing is
     * kept for it then, and the route is not there. Default: the header and basic schemes of `hook`; without any the same.
     */
    readonly eventHook?: EventHookCredential | readonly EventHookCredential[] | false | undefined;
    /** For looking users up. */
    readonly okta: OktaCredential;
    /** For sending, and for checking callbacks. */
    readonly twilio: TwilioCredential;
  };
  /**
   * The hook's own public URL, as entered in Okta. Twilio's callbacks go to it + `/twilio/status`; it needs
   * `credentials.twilio.authToken`. Default: no callbacks.
   */
  readonly publicUrl?: string | undefined;
  /**
   * Twilio's shared WhatsApp sandbox number, E.164. With `contentSid` the sandbox's template is sent, which works
   * for the 72 hours of a membership; without, free text, which works for 24. Not beside `senders.whatsapp`.
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
  /** From which numbers codes come, by Twilio; a channel without a sender is not there. At least one is needed, or `channels`. */
  readonly senders?:
    | {
        /** E.164, a Messaging Service SID (`MG…`) or an alphanumeric sender. */
        readonly sms?: SenderOption | undefined;
        /** E.164. */
        readonly voice?: SenderOption | undefined;
        /** An approved sender, and its authentication templates (`HX…`) by BCP-47 tag. */
        readonly whatsapp?:
          | {
              /** E.164, without `whatsapp:`. */
              readonly from: string;
              /** Each of one language, with the code as its one variable. */
              readonly templates: {
                /** For every language without one. */
                readonly default: string;
              } & Readonly<Record<string, string>>;
            }
          | undefined;
      }
    | undefined;
  /** The profile attribute that says what a user opted in to. Default `whatsAppOptIn`. */
  readonly optInAttribute?: string | undefined;
  /** The channels that the attribute may choose; never `voice`. Default `['whatsapp']`. */
  readonly optInChannels?: readonly string[] | undefined;
  /** How users are looked up at Okta. A profile never stops a code. */
  readonly profile?:
    | {
        /** What a lookup may take, 50 to 2000. Default 800. */
        readonly timeoutMs?: number | undefined;
        /** Default `{ ttlSeconds: 60, staleSeconds: 3600, max: 10000 }`. */
        readonly cache?:
          | false
          | {
              /** How old a profile may be before Okta is asked again. */
              readonly ttlSeconds?: number | undefined;
              /** How old a profile may serve when Okta fails, is slow, or limits the rate. */
              readonly staleSeconds?: number | undefined;
              /** So many profiles are kept. */
              readonly max?: number | undefined;
            }
          | undefined;
        /**
         * The attribute with the number that WhatsApp goes to instead of the enrolled one, for `mfa-verification`
         * only. INSECURE: it bypasses the enrolled factor. The guard looks at it, too; `perNumber` counts the enrolled one.
         * Default: off.
         */
        readonly unverifiedPhoneAttribute?: string | undefined;
      }
    | undefined;
  /** ISO 3166 country for numbers that come without `+`. Default: they are not dialled. */
  readonly defaultCountry?: string | undefined;
  /** Where the routes hang. Default `/okta/telephony`. */
  readonly path?: string | undefined;
  /** The whole budget of one hook call, 500 to 2800. Okta gives up at 3000. Default 2200. */
  readonly deadlineMs?: number | undefined;
  /** In place of the opt-in rule; asked for texts, not for voice. */
  readonly chooseChannels?: ChooseChannels | undefined;
  /** In place of Okta's text, for channels that send free text. */
  readonly composeText?: ComposeText | undefined;
  /**
   * Texts by language and kind of request, for SMS and other free text, and for calls; the line that browsers fill codes
   * in from. `composeText` goes before them, they before Okta's text.
   */
  readonly texts?: TextsOptions | undefined;
  /** More channels by name, or `whatsapp`, `sms`, `voice` by other providers; an array is tried in turn. */
  readonly channels?: Readonly<Record<string, Channel | readonly Channel[] | undefined>> | undefined;
  /** Limits, countries, and what Okta is answered where they block; numbers that cost more always are blocked. */
  readonly guard?: GuardOptions | undefined;
  /**
   * Percentage of users by channel, stable per user: `{ whatsapp: 25 }`; 0 is the kill switch. A function is asked
   * when the hook is made, and with every call; where it fails, or gives anything that is wrong, its last good answer
   * goes on. Default: all on.
   */
  readonly rollout?: Rollout | (() => Rollout) | undefined;
  /**
   * A message that was accepted and then failed: the same code goes out by the plan's next channel, once, while it is
   * good. `afterSeconds` does so too when nothing says delivered by then, 1 to 900 by channel, for channels that report
   * it (WhatsApp by Twilio). `false`: never. Default: on, without `afterSeconds`.
   */
  readonly lateFailover?:
    | false
    | {
        /** By channel; 1 to 900. */
        readonly afterSeconds?: Readonly<Record<string, number | undefined>> | undefined;
      }
    | undefined;
  /** Words that users send to the senders, such as STOP. Needs `publicUrl`. */
  readonly inbound?: InboundOptions | undefined;
  /** What is remembered between calls: `redisState()` for several gateways. Default `memoryState()`. */
  readonly state?: State | undefined;
  /** Default: a winston logger that writes JSON lines to stdout. It drops and counts lines that stdout does not take. */
  readonly logger?: Logger | undefined;
  /** A `Registry` of prom-client 15 to register metrics in; several hooks may share one. Default: none. */
  readonly metrics?: MetricsRegistry | undefined;
  /** Told of each step. A failure of it changes nothing. */
  readonly onEvent?: ((event: HookEvent) => void) | undefined;
  /**
   * A Dispatcher of undici 7 or later for every call outward, e.g. through an egress proxy. One that retries would
   * send twice. Left open by `close()`. Default: pools of our own.
   */
  readonly dispatcher?: Dispatcher | undefined;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** What `hook.console()` takes. */
export interface ConsoleOptions {
  /**
   * Whether a request is an administrator's of the gateway: `true` lets it in. Asked for every request of the console,
   * the page and its files among them, and given at most 5 s; where it fails nobody is let in.
   */
  authorize(req: IncomingMessage): boolean | Promise<boolean>;
  /** More pages that the console leads to, by paths of the gateway or URLs. Default: none. */
  readonly links?: readonly { readonly title: string; readonly href: string }[] | undefined;
}

/** Environment variables, by name. An empty variable counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;
