import type { Dispatcher } from 'undici';
import { problemsOf } from './combinations.js';
import { warningsOf } from './warnings.js';
import {
  DEFAULT_PATH,
  type Channel,
  type GuardOptions,
  type HookCredential,
  type InboundOptions,
  type OktaCredential,
  type OktaTelephonyHookOptions,
  type SenderOption,
} from './options.js';
import { ConfigurationError } from '../core/errors.js';
import { VOICE, type Logger } from '../core/channel.js';
import type { HookEventListener, OptionWarning } from '../core/events.js';
import type { Guard } from '../guard/limits.js';
import { readKeywords, type Keywords } from '../texts/keywords.js';
import type { ChooseChannels } from '../delivery/plan.js';
import type { StatePort } from '../delivery/state.js';
import type { ComposeText } from '../texts/text.js';
import { Texts } from '../texts/texts.js';
import type { MetricsRegistry } from '../events/metrics.js';
import type { OktaCredentials } from '../okta/api-client.js';
import { readPrivateKey } from '../core/private-key.js';
import type { ProfileOptions } from '../okta/user-profile.js';
import type { HookScheme } from '../okta/verify-caller.js';
import { openMemoryState } from '../state/memory/memory-state.js';
import type { SenderByCountry, TwilioSettings, WhatsAppSender } from '../channels/twilio/client.js';
import { twilioCalls } from '../channels/twilio/calls.js';
import { twilioMessages } from '../channels/twilio/messages.js';

/** Where Twilio's callbacks come, behind `publicUrl` and `path`. */
export const STATUS_PATH = '/twilio/status';

/** What the code runs on: every option checked, with its default, in one shape. */
export interface HookSettings {
  readonly hookSchemes: readonly HookScheme[];
  /** Empty where the event hook's route is not mounted. */
  readonly eventHookSchemes: readonly HookScheme[];
  readonly okta: OktaCredentials;
  readonly twilio: TwilioSettings;
  /** Without a slash at its end. */
  readonly publicUrl: string | undefined;
  /** Check the signatures of Twilio's callbacks; empty where no callback is mounted. */
  readonly twilioAuthTokens: readonly string[];
  /** What is answered to those who write. */
  readonly inbound: {
    readonly keywords: Keywords;
    readonly replies: Readonly<Record<ReplyKind, string | undefined>>;
    readonly onMessage: InboundOptions['onMessage'];
  };
  /** By name, in the order they are tried. */
  readonly channels: ReadonlyMap<string, readonly Channel[]>;
  /** Those of the user's own: what they read of a message, they know alone. */
  readonly ownChannels: ReadonlySet<string>;
  readonly optInAttribute: string;
  readonly optInChannels: readonly string[];
  readonly profile: ProfileOptions;
  readonly unverifiedPhoneAttribute: string | undefined;
  readonly defaultCountry: string | undefined;
  readonly path: string;
  readonly deadlineMs: number;
  readonly chooseChannels: ChooseChannels | undefined;
  readonly composeText: ComposeText | undefined;
  readonly texts: Texts | undefined;
  readonly guard: Guard;
  readonly rollout: OktaTelephonyHookOptions['rollout'];
  /** `undefined`: off. */
  readonly lateFailover: { readonly afterSeconds: Readonly<Record<string, number | undefined>> } | undefined;
  readonly state: StatePort;
  readonly logger: Logger | undefined;
  readonly metrics: MetricsRegistry | undefined;
  readonly onEvent: HookEventListener | undefined;
  readonly dispatcher: Dispatcher | undefined;
  /** Never fails. */
  readonly clock: () => number;
  /** What is told once, when the hook is made. */
  readonly warnings: readonly OptionWarning[];
}

/**
 * Checks the options and fills in the defaults.
 * @throws ConfigurationError that names every problem and its remedy, and no value.
 */
export function readOptions(options: OktaTelephonyHookOptions): HookSettings {
  const problems = problemsOf(options);
  if (problems.length > 0) throw new ConfigurationError(problems);

  const { credentials, senders = {}, profile = {} } = options;
  const { hook, okta, twilio } = credentials;
  const hookSchemes = listOf<HookCredential>(hook);
  // Event hooks know no OAuth.
  const { eventHook = hookSchemes.filter(({ scheme }) => scheme !== 'oauth2') } = credentials;
  const eventHookSchemes = eventHook === false ? [] : listOf<HookCredential>(eventHook);
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const hasApiKey = twilio.apiKeySid !== undefined;
  const authTokens =
    twilio.authToken === undefined
      ? []
      : typeof twilio.authToken === 'string'
        ? [twilio.authToken]
        : twilio.authToken;
  const clock = options.clock === undefined ? Date.now : unfailing(options.clock);
  const texts = options.texts === undefined ? undefined : new Texts(options.texts, clock);
  return {
    hookSchemes: hookSchemes.map(readScheme),
    eventHookSchemes: eventHookSchemes.map(readScheme),
    okta: readOkta(okta),
    twilio: {
      accountSid: twilio.accountSid,
      username: hasApiKey ? twilio.apiKeySid : twilio.accountSid,
      password: hasApiKey ? twilio.apiKeySecret : authTokens[0],
      region: twilio.region,
      edge: twilio.edge,
      baseUrl: twilio.baseUrl === undefined ? undefined : new URL(twilio.baseUrl).origin,
      senders: {
        sms: readSender(senders.sms),
        voice: readSender(senders.voice),
        whatsapp: readWhatsApp(options),
      },
      voiceTexts: texts,
      statusCallbackUrl: publicUrl === undefined ? undefined : publicUrl + STATUS_PATH,
    },
    publicUrl,
    inbound: {
      keywords: readKeywords(options.inbound?.keywords ?? {}),
      replies: readReplies(options.inbound?.replies),
      onMessage: options.inbound?.onMessage,
    },
    twilioAuthTokens: publicUrl === undefined ? [] : authTokens,
    channels: readChannels(options),
    ownChannels: new Set(Object.keys(options.channels ?? {})),
    optInAttribute: options.optInAttribute ?? 'whatsAppOptIn',
    optInChannels: options.optInChannels ?? ['whatsapp'],
    profile: { timeoutMs: profile.timeoutMs ?? 800, cache: readCache(profile.cache) },
    unverifiedPhoneAttribute: profile.unverifiedPhoneAttribute,
    defaultCountry: options.defaultCountry,
    path: (options.path ?? DEFAULT_PATH).replace(/\/$/, ''),
    deadlineMs: options.deadlineMs ?? 2200,
    chooseChannels: options.chooseChannels,
    composeText: options.composeText,
    texts,
    guard: readGuard(options.guard),
    rollout: options.rollout,
    lateFailover:
      options.lateFailover === false ? undefined : { afterSeconds: options.lateFailover?.afterSeconds ?? {} },
    // Its rule has looked for the methods of the port.
    state: (options.state as StatePort | undefined) ?? openMemoryState(),
    logger: options.logger,
    metrics: options.metrics,
    onEvent: options.onEvent,
    dispatcher: options.dispatcher,
    clock,
    warnings: warningsOf(options),
  };
}

/** In the words of nobody in particular: who wants others, or another language, says so. */
const USUAL_REPLIES = {
  stop: 'You will get no more codes by WhatsApp. Send START to get them here again.',
  start: 'You will get your codes by WhatsApp again.',
  hiddenNumber: 'Your number is hidden from us. Send this word once more as a reply to one of our messages.',
  help: 'This number sends sign-in codes. Send STOP to get no more of them here. For anything else, ask your help desk.',
  other: 'This number only sends sign-in codes, and nobody reads what is sent to it.',
} as const;

export type ReplyKind = keyof typeof USUAL_REPLIES;

function readReplies(replies: InboundOptions['replies'] = {}): HookSettings['inbound']['replies'] {
  const replyOf = (name: ReplyKind): string | undefined => {
    const { [name]: reply = USUAL_REPLIES[name] } = replies;
    return reply === false ? undefined : reply;
  };
  return {
    stop: replyOf('stop'),
    start: replyOf('start'),
    help: replyOf('help'),
    hiddenNumber: replyOf('hiddenNumber'),
    other: replyOf('other'),
  };
}

function listOf<Scheme extends HookCredential>(schemes: Scheme | readonly Scheme[]): readonly Scheme[] {
  return 'scheme' in schemes ? [schemes] : schemes;
}

/** A clock of the user's own that fails must not turn a code that was sent into an error. */
function unfailing(clock: () => number): () => number {
  return () => {
    try {
      const now = clock();
      return Number.isFinite(now) ? now : Date.now();
    } catch {
      return Date.now();
    }
  };
}

function readCache(
  cache: NonNullable<OktaTelephonyHookOptions['profile']>['cache'],
): ProfileOptions['cache'] {
  if (cache === false) return false;
  const { ttlSeconds = 60, staleSeconds = 3600, max = 10_000 } = cache ?? {};
  return { ttlSeconds, staleSeconds, max };
}

function readGuard(guard: GuardOptions = {}): Guard {
  const { perUser = { points: 10, seconds: 600 }, perNumber = false, perIp = false, countries } = guard;
  const limits = [
    { rule: 'perUser', limit: perUser },
    { rule: 'perNumber', limit: perNumber },
    { rule: 'perIp', limit: perIp },
  ] as const;
  return {
    mode: guard.mode ?? 'enforce',
    limits: limits.flatMap(({ rule, limit }) => (limit === false ? [] : [{ rule, ...limit }])),
    countries:
      countries === undefined
        ? undefined
        : countries.allow !== undefined
          ? { kind: 'allow', of: new Set(countries.allow) }
          : { kind: 'deny', of: new Set(countries.deny) },
    answer: guard.answer ?? 'pending',
  };
}

function readScheme(credential: HookCredential): HookScheme {
  switch (credential.scheme) {
    case 'header':
      return { scheme: 'header', name: credential.name ?? 'Authorization', secrets: credential.secrets };
    case 'basic':
      return { scheme: 'basic', users: credential.users };
    case 'oauth2': {
      const { scheme, issuer, audience, clientId, scope } = credential;
      const jwksUri = new URL(credential.jwksUri ?? `${issuer.replace(/\/$/, '')}/v1/keys`);
      return { scheme, issuer, audience, clientId, scope, jwksUri };
    }
  }
}

/** A credential for Okta's API that is right by the rules, with its key read. */
export function readOkta(okta: OktaCredential): OktaCredentials {
  if (okta.apiToken !== undefined) return { orgUrl: new URL(okta.orgUrl).origin, apiToken: okta.apiToken };
  const key = readPrivateKey(okta.privateKey);
  return {
    orgUrl: new URL(okta.orgUrl).origin,
    clientId: okta.clientId,
    privateKey: key.privateKey,
    algorithm: key.algorithm,
    keyId: okta.keyId ?? key.keyId,
  };
}

function readSender(sender: SenderOption | undefined): SenderByCountry | undefined {
  return typeof sender === 'string' ? { default: sender } : sender;
}

function readWhatsApp({ sandboxNumber, senders }: OktaTelephonyHookOptions): WhatsAppSender | undefined {
  if (senders?.whatsapp !== undefined) return { kind: 'templates', ...senders.whatsapp };
  if (sandboxNumber === undefined) return undefined;
  return typeof sandboxNumber === 'string'
    ? { kind: 'sandbox', from: sandboxNumber, contentSid: undefined }
    : { kind: 'sandbox', from: sandboxNumber.number, contentSid: sandboxNumber.contentSid };
}

/** Twilio for each channel that has a sender; the user's own beside them, or in their place. */
function readChannels(options: OktaTelephonyHookOptions): ReadonlyMap<string, readonly Channel[]> {
  const channels = new Map<string, readonly Channel[]>();
  if (readWhatsApp(options) !== undefined) channels.set('whatsapp', [twilioMessages()]);
  if (options.senders?.sms !== undefined) channels.set('sms', [twilioMessages()]);
  if (options.senders?.voice !== undefined) channels.set(VOICE, [twilioCalls()]);
  for (const [name, channel] of Object.entries(options.channels ?? {})) {
    if (channel !== undefined) channels.set(name, 'send' in channel ? [channel] : channel);
  }
  return channels;
}
