import type { Dispatcher } from 'undici';
import { optionsSchema } from './option-rules.js';
import type {
  Channel,
  HookCredential,
  OktaCredential,
  OktaTelephonyHookOptions,
  SenderOption,
} from './options.js';
import { ConfigurationError } from './errors.js';
import type { Logger } from './delivery/channel.js';
import type { State } from './delivery/duplicates.js';
import type { HookEventListener } from './delivery/events.js';
import { VOICE, type ChooseChannels } from './delivery/plan.js';
import type { ComposeText } from './delivery/text.js';
import type { OktaCredentials } from './okta/api-client.js';
import { readPrivateKey } from './okta/private-key.js';
import type { ProfileOptions } from './okta/user-profile.js';
import type { HookScheme } from './okta/verify-caller.js';
import { memoryState } from './state/memory.js';
import type { SenderByCountry, TwilioSettings, WhatsAppSender } from './twilio/client.js';
import { twilioCalls } from './twilio/calls.js';
import { twilioMessages } from './twilio/messages.js';

/** What the code runs on: every option checked, with its default, in one shape. */
export interface HookSettings {
  readonly hookSchemes: readonly HookScheme[];
  readonly okta: OktaCredentials;
  readonly twilio: TwilioSettings;
  /** Check the signatures of Twilio's callbacks; empty where no callback is mounted. */
  readonly twilioAuthTokens: readonly string[];
  /** By name, in the order they are tried. */
  readonly channels: ReadonlyMap<string, readonly Channel[]>;
  readonly optInAttribute: string;
  readonly optInChannels: readonly string[];
  readonly profile: ProfileOptions;
  readonly unverifiedPhoneAttribute: string | undefined;
  readonly defaultCountry: string | undefined;
  readonly path: string;
  readonly deadlineMs: number;
  readonly chooseChannels: ChooseChannels | undefined;
  readonly composeText: ComposeText | undefined;
  readonly state: State;
  readonly logger: Logger | undefined;
  readonly onEvent: HookEventListener | undefined;
  readonly dispatcher: Dispatcher | undefined;
  /** Never fails. */
  readonly clock: () => number;
}

/**
 * Checks the options and fills in the defaults.
 * @throws ConfigurationError that names every problem and its remedy, and no value.
 */
export function readOptions(options: OktaTelephonyHookOptions): HookSettings {
  const problems = [...shapeProblems(options), ...combinationProblems(options)];
  if (problems.length > 0) throw new ConfigurationError(problems);

  const { credentials, senders = {}, profile = {} } = options;
  const { hook, okta, twilio } = credentials;
  const hookSchemes: readonly HookCredential[] = isList(hook) ? hook : [hook];
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const hasApiKey = twilio.apiKeySid !== undefined;
  const authTokens =
    twilio.authToken === undefined
      ? []
      : typeof twilio.authToken === 'string'
        ? [twilio.authToken]
        : twilio.authToken;
  return {
    hookSchemes: hookSchemes.map(readScheme),
    okta:
      okta.apiToken !== undefined
        ? { orgUrl: new URL(okta.orgUrl).origin, apiToken: okta.apiToken }
        : readServiceApp(okta),
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
      statusCallbackUrl: publicUrl === undefined ? undefined : `${publicUrl}/twilio/status`,
    },
    twilioAuthTokens: publicUrl === undefined ? [] : authTokens,
    channels: readChannels(options),
    optInAttribute: options.optInAttribute ?? 'whatsAppOptIn',
    optInChannels: options.optInChannels ?? ['whatsapp'],
    profile: {
      timeoutMs: profile.timeoutMs ?? 800,
      cache:
        profile.cache === false ? false : { ...CACHE_DEFAULTS, ...withoutUndefined(profile.cache ?? {}) },
    },
    unverifiedPhoneAttribute: profile.unverifiedPhoneAttribute,
    defaultCountry: options.defaultCountry,
    path: (options.path ?? '/okta/telephony').replace(/\/$/, ''),
    deadlineMs: options.deadlineMs ?? 2200,
    chooseChannels: options.chooseChannels,
    composeText: options.composeText,
    state: options.state ?? memoryState(),
    logger: options.logger,
    onEvent: options.onEvent,
    dispatcher: options.dispatcher,
    clock: unfailing(options.clock ?? Date.now),
  };
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

const CACHE_DEFAULTS = { ttlSeconds: 60, staleSeconds: 3600, max: 10_000 } as const;

/** What the joi rules say. */
function shapeProblems(options: unknown): readonly string[] {
  const { error } = optionsSchema().validate(withHookList(options), {
    abortEarly: false,
    convert: false,
    errors: { wrap: { label: false } },
    messages: {
      'object.unknown': '{{#label}} is not an option; remove it, or look for a misspelling',
    },
  });
  const isSingleScheme = !isList(at(options, 'credentials', 'hook'));
  const details = error?.details ?? [];
  return [...new Set(details.map(({ message }) => message))].map((message) =>
    isSingleScheme ? message.replaceAll('credentials.hook[0]', 'credentials.hook') : message,
  );
}

/** What is `undefined` is not there, and one scheme is a list of one, so that the rules need only know the list. */
function withHookList(options: unknown): unknown {
  if (typeof options !== 'object' || options === null || isList(options)) return options;
  const given = withoutUndefined(options);
  const hook = at(given, 'credentials', 'hook');
  if (hook === undefined || isList(hook)) return given;
  const credentials = at(given, 'credentials') as object;
  return { ...given, credentials: { ...credentials, hook: [hook] } };
}

/** What no single option tells. Looks at options that may still have any shape. */
function combinationProblems(options: unknown): readonly string[] {
  if (typeof options !== 'object' || options === null || isList(options)) return [];
  const problems: string[] = [];
  const has = (...path: string[]): boolean => at(options, ...path) !== undefined;
  const senders = ['sms', 'voice', 'whatsapp'].filter((channel) => has('senders', channel));
  const channels = at(options, 'channels');
  const custom = isObject(channels) ? Object.keys(withoutUndefined(channels)) : [];
  // Of another shape they are told by their own rule.
  const isReadable = ['senders', 'channels'].every((name) => !has(name) || isObject(at(options, name)));
  if (isReadable && senders.length === 0 && custom.length === 0 && !has('sandboxNumber')) {
    problems.push(
      'senders: there is no sender at all; give senders.sms, sandboxNumber, or channels of your own',
    );
  }
  if (has('sandboxNumber') && has('senders', 'whatsapp')) {
    problems.push(
      'sandboxNumber and senders.whatsapp are two senders of WhatsApp; leave out sandboxNumber in production',
    );
  }
  if (has('publicUrl') && has('credentials', 'twilio') && !has('credentials', 'twilio', 'authToken')) {
    problems.push(
      "publicUrl needs credentials.twilio.authToken: Twilio signs its callbacks with the account's auth token",
    );
  }
  const optInChannels = at(options, 'optInChannels');
  if (isList(optInChannels)) {
    const known = new Set([...senders, ...custom, 'whatsapp', 'sms']);
    for (const [index, channel] of optInChannels.entries()) {
      if (typeof channel === 'string' && !['', VOICE].includes(channel) && !known.has(channel)) {
        problems.push(
          `optInChannels[${index}] is no channel that is configured; add it to channels or senders`,
        );
      }
    }
  }
  return problems;
}

function at(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Array.isArray` that keeps readonly arrays readonly. */
function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function withoutUndefined<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const kept = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(kept) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
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

function readServiceApp(okta: Extract<OktaCredential, { clientId: string }>): OktaCredentials {
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
    if (channel !== undefined) channels.set(name, isList(channel) ? channel : [channel]);
  }
  return channels;
}
