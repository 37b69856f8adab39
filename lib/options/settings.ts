import { IncomingMessage } from 'node:http';
import { twilioCalls } from '../channels/twilio/calls.js';
import { twilioMessages } from '../channels/twilio/messages.js';
import type { TwilioFeatures, TwilioSettings, WhatsAppSender } from '../channels/twilio/settings.js';
import { STANDARD_CHANNELS, VOICE, type Logger } from '../core/channel.js';
import { ConfigurationError } from '../core/errors.js';
import type { HttpDispatcher } from '../core/http.js';
import { checkOptions } from '../core/option-rules.js';
import type { StatePort } from '../delivery/state.js';
import type { Guard } from '../guard/limits.js';
import type { OktaCredentials } from '../okta/api-client.js';
import type { ProfileOptions } from '../okta/user-profile.js';
import type { HookScheme } from '../okta/verify-caller.js';
import type { Keywords } from '../texts/keywords.js';
import { Texts } from '../texts/texts.js';
import { readProviders, type ChannelProviders } from './channel-lists.js';
import { combinationProblems } from './combinations.js';
import type { TwilioAccount } from './credentials.js';
import type { ChannelList, ChannelsByCountry, InboundOptions, OktaTelephonyHookOptions } from './options.js';
import { optionRules } from './schema.js';

/** Where Twilio's callbacks arrive, below `publicUrl` and `path`. */
export const STATUS_PATH = '/twilio/status';

/** What users write, by the answer that it gets. */
export type ReplyKind = keyof NonNullable<InboundOptions['replies']>;

/** What the code runs on: every option checked, with its default, in one shape. */
export interface HookSettings extends Pick<
  OktaTelephonyHookOptions,
  'chooseChannels' | 'composeText' | 'defaultCountry' | 'metrics' | 'onEvent' | 'rollout'
> {
  readonly credentials: {
    readonly hook: readonly HookScheme[];
    /** Empty if the route of the event hook is not mounted. */
    readonly eventHook: readonly HookScheme[];
    readonly okta: OktaCredentials;
    /** `undefined`: Twilio is not used. */
    readonly twilio?: TwilioAccount;
  };
  readonly twilio: TwilioFeatures;
  /** Without a slash at its end. */
  readonly publicUrl?: string;
  readonly sandboxNumber?: WhatsAppSender;
  readonly senders: Partial<TwilioSettings['senders']>;
  readonly optInAttribute: string;
  /** With the names of the user's own. */
  readonly optInChannels: readonly string[];
  readonly profile: ProfileOptions & { readonly unverifiedPhoneAttribute?: string };
  /** Without a slash at its end. */
  readonly path: string;
  readonly deadlineMs: number;
  readonly texts: Texts | undefined;
  readonly channels: ReadonlyMap<string, ChannelProviders>;
  /** The channels of the user's own. What they read of a message is unknown. */
  readonly ownChannels: ReadonlySet<string>;
  readonly guard: Guard;
  /** `false`: off. */
  readonly lateFailover: { readonly afterSeconds: Readonly<Record<string, number | undefined>> } | false;
  readonly resend: { readonly nextRoute: boolean; readonly withinSeconds: number };
  readonly inbound: Pick<InboundOptions, 'onMessage'> & {
    readonly keywords: Keywords;
    /** `false`: no answer. */
    readonly replies: Readonly<Record<ReplyKind, string | false>>;
  };
  readonly state: StatePort;
  readonly logger?: Logger;
  readonly dispatcher?: HttpDispatcher;
  /** Never throws. */
  readonly clock: () => number;
}

/** The settings as their rules make them. */
type Checked = Omit<HookSettings, 'texts' | 'channels' | 'ownChannels'> &
  Pick<OktaTelephonyHookOptions, 'texts'> & {
    readonly channels: NonNullable<OktaTelephonyHookOptions['channels']>;
  };

/**
 * Checks the options and fills in the defaults.
 * @throws ConfigurationError that names every problem and its remedy, and no value.
 */
export function readOptions(options: OktaTelephonyHookOptions): HookSettings {
  // `app.use(oktaTelephonyHook)` makes Express call it with each request.
  if (Object(options) instanceof IncomingMessage) {
    throw new ConfigurationError([
      'The options are a request. Call oktaTelephonyHook with your options, and mount what it returns: app.use(oktaTelephonyHook({ … }))',
    ]);
  }
  const { problems, value } = checkOptions<Checked>(optionRules(), options);
  const all = [...problems, ...combinationProblems(options)];
  if (all.length > 0) throw new ConfigurationError(all);

  const ownChannels = new Set(Object.keys(value.channels));
  return {
    ...value,
    // A user's own attribute may choose a channel that is mounted for nothing else.
    optInChannels: [
      ...value.optInChannels,
      ...[...ownChannels].filter((name) => !STANDARD_CHANNELS.has(name)),
    ],
    channels: channelsOf(value),
    ownChannels,
    texts: value.texts && new Texts(value.texts, value.clock),
  };
}

/** What Twilio's channels run on; `undefined` if Twilio is not used. */
export function twilioSettingsOf({
  credentials: { twilio },
  twilio: features,
  senders,
  sandboxNumber,
  publicUrl,
}: HookSettings): TwilioSettings | undefined {
  return (
    twilio && {
      ...twilio.login,
      ...features,
      senders: { sms: senders.sms, voice: senders.voice, whatsapp: senders.whatsapp ?? sandboxNumber },
      statusCallbackUrl: publicUrl === undefined ? undefined : publicUrl + STATUS_PATH,
    }
  );
}

/** Twilio for each channel that has a sender; the user's own beside them, or in their place. */
function channelsOf({ senders, sandboxNumber, channels: own }: Checked): HookSettings['channels'] {
  const channels = new Map<string, ChannelList | ChannelsByCountry>();
  if ((senders.whatsapp ?? sandboxNumber) !== undefined) channels.set('whatsapp', twilioMessages());
  if (senders.sms !== undefined) channels.set('sms', twilioMessages());
  if (senders.voice !== undefined) channels.set(VOICE, twilioCalls());
  for (const [name, entry] of Object.entries(own)) {
    if (entry !== undefined) channels.set(name, entry);
  }
  return new Map(Array.from(channels, ([name, entry]) => [name, readProviders(name, entry)]));
}
