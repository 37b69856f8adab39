import { IncomingMessage } from 'node:http';
import type { Channel } from '../channels/channel.js';
import { twilioCalls } from '../channels/twilio/calls.js';
import type { TwilioSettings } from '../channels/twilio/settings.js';
import { twilioMessages } from '../channels/twilio/messages.js';
import { STANDARD_CHANNELS, VOICE } from '../core/channel.js';
import { ConfigurationError } from '../core/errors.js';
import type { OptionWarning } from '../core/events.js';
import { checkOptions } from '../core/option-rules.js';
import type { StatePort } from '../delivery/state.js';
import type { OktaCredentials } from '../okta/api-client.js';
import type { HookScheme } from '../okta/verify-caller.js';
import { openMemoryState } from '../state/memory/memory-state.js';
import { Texts } from '../texts/texts.js';
import { combinationProblems } from './combinations.js';
import type { OktaTelephonyHookOptions } from './options.js';
import { optionRules, type NormalOptions } from './schema.js';
import { warningsOf } from './warnings.js';

/** Where Twilio's callbacks arrive, below `publicUrl` and `path`. */
export const STATUS_PATH = '/twilio/status';

/** What the code runs on: every option checked, with its default, in one shape. */
export interface HookSettings extends Omit<
  NormalOptions,
  'credentials' | 'sandboxNumber' | 'senders' | 'channels' | 'texts' | 'lateFailover' | 'state'
> {
  readonly hookSchemes: readonly HookScheme[];
  /** Empty if the route of the event hook is not mounted. */
  readonly eventHookSchemes: readonly HookScheme[];
  readonly okta: OktaCredentials;
  /** `undefined`: Twilio is not used. */
  readonly twilio: TwilioSettings | undefined;
  /** Check the signatures of Twilio's callbacks. Empty if no callback is mounted. */
  readonly twilioAuthTokens: readonly string[];
  /** The providers of each channel, in the order in which they are tried. */
  readonly channels: ReadonlyMap<string, readonly Channel[]>;
  /** The channels of the user's own. What they read of a message is unknown. */
  readonly ownChannels: ReadonlySet<string>;
  readonly texts: Texts | undefined;
  /** `undefined`: off. */
  readonly lateFailover: { readonly afterSeconds: Readonly<Record<string, number | undefined>> } | undefined;
  readonly state: StatePort;
  /** Logged once, when the hook is made. */
  readonly warnings: readonly OptionWarning[];
}

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
  const { problems, value } = checkOptions(optionRules(), options);
  const all = [...problems, ...combinationProblems(options)];
  if (all.length > 0) throw new ConfigurationError(all);

  const { credentials, senders = {}, sandboxNumber, channels, texts, lateFailover, state, ...others } = value;
  const { clock, publicUrl } = others;
  const { hook, okta, twilio } = credentials;
  // Event hooks know no OAuth.
  const { eventHook = hook.filter(({ scheme }) => scheme !== 'oauth2') } = credentials;
  const allTexts = texts && new Texts(texts, clock);
  const twilioSenders: TwilioSettings['senders'] = {
    sms: senders.sms,
    voice: senders.voice,
    whatsapp: senders.whatsapp ?? sandboxNumber,
  };
  return {
    ...others,
    hookSchemes: hook,
    eventHookSchemes: eventHook === false ? [] : eventHook,
    okta,
    twilio: twilio && {
      ...twilio.login,
      senders: twilioSenders,
      voiceTexts: allTexts,
      statusCallbackUrl: publicUrl === undefined ? undefined : publicUrl + STATUS_PATH,
    },
    twilioAuthTokens: publicUrl === undefined || twilio === undefined ? [] : twilio.authTokens,
    // A user's own attribute may choose a channel that is mounted for nothing else.
    optInChannels: [...others.optInChannels, ...Object.keys(channels).filter(isOptIn)],
    channels: channelsOf(twilioSenders, channels),
    ownChannels: new Set(Object.keys(channels)),
    texts: allTexts,
    lateFailover: lateFailover === false ? undefined : lateFailover,
    state: state ?? openMemoryState(),
    warnings: warningsOf(options),
  };
}

/** Whether a name in `channels` is that of a new channel, and not of another provider of one that is always there. */
const isOptIn = (channel: string): boolean => !STANDARD_CHANNELS.has(channel);

/** Twilio for each channel that has a sender; the user's own beside them, or in their place. */
function channelsOf(
  senders: TwilioSettings['senders'],
  own: NormalOptions['channels'],
): ReadonlyMap<string, readonly Channel[]> {
  const channels = new Map<string, readonly Channel[]>();
  if (senders.whatsapp !== undefined) channels.set('whatsapp', [twilioMessages()]);
  if (senders.sms !== undefined) channels.set('sms', [twilioMessages()]);
  if (senders.voice !== undefined) channels.set(VOICE, [twilioCalls()]);
  for (const [name, channel] of Object.entries(own)) {
    if (channel !== undefined) channels.set(name, [channel].flat());
  }
  return channels;
}
