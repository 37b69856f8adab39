import type { Channel } from '../channels/channel.js';
import type { AwsSmsOptions } from '../channels/aws/options.js';
import { awsSms } from '../channels/aws/sms.js';
import { azureSms } from '../channels/azure/azure.js';
import type { AzureSmsOptions } from '../channels/azure/options.js';
import { lineChannel } from '../channels/line/line.js';
import type { WhatsAppCloudOptions } from '../channels/meta/options.js';
import { whatsAppCloud } from '../channels/meta/whatsapp-cloud.js';
import { MESSAGING_SERVICE_SID } from '../channels/twilio/settings.js';
import { twilioVerify } from '../channels/twilio/verify.js';
import type { VonageChannelOptions, VonageVoiceOptions } from '../channels/vonage/options.js';
import { vonageVoice } from '../channels/vonage/voice.js';
import { vonageChannel } from '../channels/vonage/vonage.js';
import { readRedisOptions } from '../state/redis/options.js';
import type { OktaCredential, TwilioCredential } from './credential-types.js';
import type { OktaTelephonyHookOptions } from './options.js';
import { attempt, type VariableReader } from './variable-reader.js';
import { listIn, readProviderLists, variablesWhere, type VariableName } from './variables.js';

/** Reads the variables that go together, for `optionsFrom` and the command line. */

/** Whether a variable names a sender of any provider. */
export const hasSender = (reader: VariableReader): boolean =>
  reader.hasAny(...variablesWhere(({ sends }) => sends !== undefined));

/** Whether a variable names a WhatsApp sender. Codes go by it only to users who have opted in. */
export const hasWhatsAppSender = (reader: VariableReader): boolean =>
  reader.hasAny(...variablesWhere(({ sends }) => sends === 'whatsapp')) ||
  reader.valueOf('TWILIO_VERIFY_CHANNELS')?.split(',').includes('whatsapp') === true;

/** Adds a problem if no variable names a sender of any provider. */
export function requireAnySender(reader: VariableReader): void {
  if (hasSender(reader)) return;
  reader.complain(
    'TWILIO_SMS_FROM or another sender is missing: set one or more of TWILIO_SMS_FROM, TWILIO_VOICE_FROM, and TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM with TWILIO_WHATSAPP_TEMPLATE, each with TWILIO_ACCOUNT_SID; TWILIO_VERIFY_SERVICE_SID; VONAGE_SMS_FROM, VONAGE_WHATSAPP_FROM, VONAGE_VOICE_FROM; AZURE_SMS_FROM; AWS_SMS_ORIGINATION_IDENTITY; META_PHONE_NUMBER_ID; LINE_CHANNEL_ACCESS_TOKEN',
  );
}

/** The credential for Okta's API: an API token, or a service app. */
export function readOktaCredential(reader: VariableReader): OktaCredential {
  const orgUrl = reader.required('OKTA_ORG_URL', "the org's origin, such as https://acme.okta.com");
  const apiToken = reader.read('OKTA_API_TOKEN');
  if (hasServiceApp(reader)) {
    if (apiToken === undefined) {
      return {
        orgUrl,
        clientId: reader.required('OKTA_CLIENT_ID', 'the client id of the service app'),
        privateKey: reader.required('OKTA_PRIVATE_KEY', 'the private key of the service app, a PEM or a JWK'),
        keyId: reader.read('OKTA_KEY_ID'),
      };
    }
    reader.complain(
      'OKTA_API_TOKEN does not go with OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID: unset it, or them',
    );
  } else if (apiToken === undefined) {
    reader.complain(
      'OKTA_API_TOKEN is missing: an API token of an administrator; in its place OKTA_CLIENT_ID and OKTA_PRIVATE_KEY of a service app will do',
    );
  }
  return { orgUrl, apiToken: apiToken ?? '' };
}

/** Whether any variable names a service app. */
export const hasServiceApp = (reader: VariableReader): boolean =>
  reader.hasAny('OKTA_CLIENT_ID', 'OKTA_PRIVATE_KEY', 'OKTA_KEY_ID');

/** The credential of Twilio, with one auth token at most. */
export type TwilioVariables = TwilioCredential & { readonly authToken?: string | undefined };

export function readTwilioLogin(reader: VariableReader): TwilioVariables {
  const accountSid = reader.required('TWILIO_ACCOUNT_SID', "the account's SID");
  const authToken = reader.read('TWILIO_AUTH_TOKEN');
  const baseUrl = reader.read('TWILIO_BASE_URL');
  if (hasApiKey(reader)) {
    const what = "the API key's; in place of a key TWILIO_AUTH_TOKEN will do";
    const apiKeySid = reader.required('TWILIO_API_KEY_SID', what);
    const apiKeySecret = reader.required('TWILIO_API_KEY_SECRET', what);
    return { accountSid, apiKeySid, apiKeySecret, authToken, baseUrl };
  }
  if (authToken === undefined) {
    reader.complain(
      'TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing; in their place TWILIO_AUTH_TOKEN will do',
    );
  }
  return { accountSid, authToken: authToken ?? '', baseUrl };
}

export const hasApiKey = (reader: VariableReader): boolean =>
  reader.hasAny('TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET');

/** Twilio's senders. */
export interface SenderVariables {
  readonly sms: string | undefined;
  /** Only beside a Messaging Service. */
  readonly smsFallbackFrom: string | undefined;
  readonly voice: string | undefined;
  readonly sandboxNumber: string | undefined;
  readonly whatsapp: { readonly from: string; readonly templates: { readonly default: string } } | undefined;
}

export function readSenders(reader: VariableReader): SenderVariables {
  const smsFallbackFrom = reader.read('TWILIO_SMS_FALLBACK_FROM');
  const sms = reader.read('TWILIO_SMS_FROM');
  if (smsFallbackFrom !== undefined && !MESSAGING_SERVICE_SID.test(sms ?? '')) {
    reader.complain(
      'TWILIO_SMS_FALLBACK_FROM needs a Messaging Service with an RCS sender in TWILIO_SMS_FROM',
    );
  }
  const voice = reader.read('TWILIO_VOICE_FROM');
  const sandboxNumber = reader.read('TWILIO_SANDBOX_NUMBER');
  const others = { sms, smsFallbackFrom, voice, sandboxNumber };
  if (!reader.hasAny('TWILIO_WHATSAPP_FROM', 'TWILIO_WHATSAPP_TEMPLATE')) {
    return { ...others, whatsapp: undefined };
  }
  if (sandboxNumber !== undefined) {
    reader.complain(
      'TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE: unset it, or them',
    );
  }
  const from = reader.required('TWILIO_WHATSAPP_FROM', 'the approved sender of TWILIO_WHATSAPP_TEMPLATE');
  const what = 'the Content SID of the authentication template';
  const template = reader.required('TWILIO_WHATSAPP_TEMPLATE', what);
  return { ...others, whatsapp: { from, templates: { default: template } } };
}

/** What Twilio keeps of messages and gets with them; `undefined` without a variable for it. */
export function readTwilioFeatures(reader: VariableReader): OktaTelephonyHookOptions['twilio'] {
  const only = <Value extends string>(name: VariableName, value: Value): Value | undefined =>
    reader.read(name) === value ? value : undefined;
  const contentRetention = only('TWILIO_CONTENT_RETENTION', 'discard');
  const addressRetention = only('TWILIO_ADDRESS_RETENTION', 'obfuscate');
  const smartEncoding = flagOf(reader.read('TWILIO_SMART_ENCODING'));
  const deviceIp = flagOf(reader.read('TWILIO_DEVICE_IP'));
  const features = { contentRetention, addressRetention, smartEncoding, deviceIp };
  return Object.values(features).every((value) => value === undefined) ? undefined : features;
}

const flagOf = (text: string | undefined): boolean | undefined =>
  text === undefined ? undefined : text === 'true';

/** Whether a variable with a prefix such as `TWILIO_` is set. */
export const usesProvider = (reader: VariableReader, prefix: string): boolean =>
  reader.hasAny(...variablesWhere(({ option }, name) => option !== undefined && name.startsWith(prefix)));

/** Channels of one provider by the hook's names for them. */
export type ChannelsByName = Readonly<Record<string, Channel>>;
/** `undefined` without its variables, or with problems. */
type MadeByName = Readonly<Record<string, Channel | undefined>>;

/**
 * The providers beyond Twilio's senders, with the beginning of their variables, in the order in which a channel tries them. A new
 * one is a row here, and its variables are rows in `variables.ts`.
 */
const PROVIDERS = {
  verify: { prefix: 'TWILIO_VERIFY_', read: readVerifyChannels },
  vonage: { prefix: 'VONAGE_', read: readVonage },
  azure: { prefix: 'AZURE_SMS_', read: readAzure },
  aws: { prefix: 'AWS_SMS_', read: readAws },
  meta: { prefix: 'META_', read: readMeta },
  line: { prefix: 'LINE_', read: readLine },
} as const;

type ProviderName = keyof typeof PROVIDERS;
const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

/** The channels of one provider; none without its variables, or with problems. */
export function readProvider(reader: VariableReader, name: ProviderName): ChannelsByName {
  const { prefix, read } = PROVIDERS[name];
  const made = Object.entries<Channel | undefined>(usesProvider(reader, prefix) ? read(reader) : {});
  return Object.fromEntries(
    made.flatMap(([kind, channel]) => (channel === undefined ? [] : [[kind, channel]])),
  );
}

/** The channels of each provider by its name, in their order. */
export const readProviders = (reader: VariableReader): readonly (readonly [string, ChannelsByName])[] =>
  PROVIDER_NAMES.map((name) => [name, readProvider(reader, name)]);

/** The variable with the providers of each channel that may have several. */
export const LISTS_OF = {
  sms: 'SMS_PROVIDERS',
  voice: 'VOICE_PROVIDERS',
  whatsapp: 'WHATSAPP_PROVIDERS',
} as const satisfies Readonly<Record<string, VariableName>>;

type ListedChannel = keyof typeof LISTS_OF;
export const LISTED_CHANNELS = Object.keys(LISTS_OF) as ListedChannel[];

/** The names of the providers that have a sender of a channel, in their order. */
export function sendingProviders(reader: VariableReader, channel: string): readonly string[] {
  const isVerified = readVerify(reader)?.channels.includes(channel) === true;
  return [
    ...(reader.hasAny(...sendersOf('twilio', channel)) ? ['twilio'] : []),
    ...PROVIDER_NAMES.filter((name) =>
      name === 'verify' ? isVerified : reader.hasAny(...sendersOf(name, channel)),
    ),
  ];
}

/** The variables with the senders that a provider has for a channel. */
function sendersOf(name: string, channel: string): readonly VariableName[] {
  const prefix = name === 'twilio' ? 'TWILIO_' : PROVIDERS[name as ProviderName].prefix;
  const isOther = (variable: string): boolean =>
    name === 'twilio' && variable.startsWith(PROVIDERS.verify.prefix);
  return variablesWhere(
    ({ sends }, variable) => sends === channel && variable.startsWith(prefix) && !isOther(variable),
  );
}

/** The names of the providers in each list of a channel, by country and `default`; `undefined` without the variable, or if it is wrong. */
export function readLists(
  reader: VariableReader,
  channel: ListedChannel,
): ReadonlyMap<string, readonly string[]> | undefined {
  const variable = LISTS_OF[channel];
  const lists = readProviderLists(reader.read(variable) ?? '');
  if (lists === undefined) return undefined;
  const sending = sendingProviders(reader, channel);
  const missing = new Set([...lists.values()].flat().filter((name) => !sending.includes(name)));
  for (const name of missing) {
    const first = name === 'verify' ? 'TWILIO_VERIFY_CHANNELS' : sendersOf(name, channel)[0];
    const remedy = first === undefined ? 'remove it' : `set ${first}, or remove it`;
    reader.complain(`${variable} names ${name}, which has no sender of ${channel}: ${remedy}`);
  }
  return missing.size === 0 ? lists : undefined;
}

/** A service of Twilio Verify, and the channels that it serves. */
export function readVerify(
  reader: VariableReader,
): { readonly serviceSid: string; readonly channels: readonly string[] } | undefined {
  const channels = reader.read('TWILIO_VERIFY_CHANNELS');
  if (!reader.hasAny('TWILIO_VERIFY_SERVICE_SID') && channels === undefined) return undefined;
  const serviceSid = reader.required('TWILIO_VERIFY_SERVICE_SID', 'TWILIO_VERIFY_CHANNELS needs it');
  return { serviceSid, channels: (channels ?? 'sms,voice').split(',') };
}

function readVerifyChannels(reader: VariableReader): MadeByName {
  const { serviceSid = '', channels = [] } = readVerify(reader) ?? {};
  // The rule of the variable reports a wrong SID.
  const { made } = attempt(() => twilioVerify({ serviceSid }));
  return Object.fromEntries(channels.map((name) => [name, made]));
}

function readVonage(reader: VariableReader): MadeByName {
  const name = reader.read('VONAGE_WHATSAPP_TEMPLATE');
  const language = reader.read('VONAGE_WHATSAPP_LANGUAGE') ?? 'en_US';
  if (name !== undefined) reader.required('VONAGE_WHATSAPP_FROM', 'the sender of VONAGE_WHATSAPP_TEMPLATE');
  else if (!reader.hasAny('VONAGE_SMS_FROM', 'VONAGE_WHATSAPP_FROM', 'VONAGE_VOICE_FROM')) {
    reader.complain(
      'VONAGE_SMS_FROM and VONAGE_WHATSAPP_FROM are missing: set one of them, or both; for calls VONAGE_VOICE_FROM',
    );
  }
  if (reader.hasAny('VONAGE_DLT_CONTENT_ID')) {
    reader.required('VONAGE_DLT_ENTITY_ID', 'the id of the organisation of VONAGE_DLT_CONTENT_ID');
  }
  requireVonageCredential(reader);
  const template = name === undefined ? undefined : { name, languages: { default: language } };
  const make = (
    kind: 'sms' | 'whatsapp',
    from: VariableName,
    ofKind: VonageChannelOptions['template'],
  ): Channel | undefined => {
    const makeOne = (options: VonageChannelOptions): Channel =>
      vonageChannel({ ...options, ...signatureOf(reader), kind, template: ofKind });
    return reader.hasAny(from) ? reader.make('vonageChannel', makeOne, { from }) : undefined;
  };
  return {
    sms: make('sms', 'VONAGE_SMS_FROM', undefined),
    whatsapp: make('whatsapp', 'VONAGE_WHATSAPP_FROM', template),
    voice: reader.hasAny('VONAGE_VOICE_FROM') ? readVonageVoice(reader) : undefined,
  };
}

function readVonageVoice(reader: VariableReader): Channel | undefined {
  const make = (options: VonageVoiceOptions): Channel => vonageVoice({ ...options, ...signatureOf(reader) });
  return reader.make('vonageVoice', make, {
    applicationId: 'VONAGE_APPLICATION_ID',
    privateKey: 'VONAGE_PRIVATE_KEY',
    signatureSecret: 'VONAGE_SIGNATURE_SECRET',
    baseUrl: 'VONAGE_BASE_URL',
  });
}

function signatureOf(reader: VariableReader): Pick<VonageVoiceOptions, 'signatureSecret'> {
  const secret = reader.read('VONAGE_SIGNATURE_SECRET');
  if (secret === undefined) return {};
  const [current, next, ...more] = listIn(secret);
  if (more.length > 0) reader.complain('VONAGE_SIGNATURE_SECRET must be one secret, or two with a comma');
  return { signatureSecret: current === undefined || next === undefined ? secret : [current, next] };
}

function requireVonageCredential(reader: VariableReader): void {
  const isByApp = reader.hasAny('VONAGE_APPLICATION_ID', 'VONAGE_PRIVATE_KEY');
  if (isByApp && reader.hasAny('VONAGE_API_KEY', 'VONAGE_API_SECRET')) {
    reader.complain(
      'VONAGE_API_KEY and VONAGE_API_SECRET do not go with VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY: unset one of the pairs',
    );
  }
  if (isByApp || reader.hasAny('VONAGE_VOICE_FROM')) {
    reader.required('VONAGE_APPLICATION_ID', 'the id of the application of VONAGE_PRIVATE_KEY');
    reader.required('VONAGE_PRIVATE_KEY', 'the private key of VONAGE_APPLICATION_ID');
    return;
  }
  const what = "the account's; in place of both VONAGE_APPLICATION_ID and VONAGE_PRIVATE_KEY will do";
  reader.required('VONAGE_API_KEY', what);
  reader.required('VONAGE_API_SECRET', what);
}

function readAzure(reader: VariableReader): MadeByName {
  reader.required('AZURE_SMS_ACCESS_KEY', 'an access key of the resource');
  const make = (options: AzureSmsOptions & { readonly reportSecret?: string }): Channel => {
    const { reportSecret } = options;
    return azureSms({
      ...options,
      reportSecret: reportSecret === undefined ? undefined : listIn(reportSecret),
    });
  };
  return { sms: reader.make('azureSms', make) };
}

function readAws(reader: VariableReader): MadeByName {
  const what = 'of a key that may call sms-voice:SendTextMessage';
  reader.required('AWS_ACCESS_KEY_ID', `the id ${what}`);
  reader.required('AWS_SECRET_ACCESS_KEY', `the secret ${what}`);
  if (reader.hasAny('AWS_SMS_DLT_CONTENT_ID')) {
    reader.required('AWS_SMS_DLT_ENTITY_ID', 'the id of the organisation of AWS_SMS_DLT_CONTENT_ID');
  }
  const make = ({
    feedback,
    ...options
  }: Omit<AwsSmsOptions, 'feedback'> & { readonly feedback?: string }): Channel =>
    awsSms({ ...options, feedback: flagOf(feedback) });
  return { sms: reader.make('awsSms', make) };
}

function readMeta(reader: VariableReader): MadeByName {
  return { whatsapp: makeByMeta(reader, whatsAppCloud) };
}

/** Makes something of the options of `whatsAppCloud`; `undefined` with problems. */
export function makeByMeta<Made>(
  reader: VariableReader,
  make: (options: WhatsAppCloudOptions) => Made,
): Made | undefined {
  reader.required('META_TEMPLATE', 'the name of the approved authentication template');
  return reader.make('whatsAppCloud', (options: MetaVariables) => make(metaOptionsOf(options)));
}

/** The options of `whatsAppCloud`, as variables can give them: all of them may be missing. */
type MetaVariables = Omit<WhatsAppCloudOptions, 'appSecret' | 'templates'> & {
  readonly appSecret?: string;
  readonly templates?: { readonly name?: string; readonly languages?: { readonly default: string } };
};

function metaOptionsOf({ appSecret = '', templates, ...options }: MetaVariables): WhatsAppCloudOptions {
  const { name = '', languages = { default: 'en_US' } } = templates ?? {};
  // The function itself counts them.
  const [current = '', ...others] = listIn(appSecret);
  const secrets = others.length === 0 ? current : ([current, ...others] as [string, string]);
  return { ...options, appSecret: secrets, templates: { name, languages } };
}

function readLine(reader: VariableReader): MadeByName {
  return { line: reader.make('lineChannel', lineChannel) };
}

/** The Redis that several gateways share, and its keys: the options of `redisState`. */
export interface RedisVariables {
  readonly connection: string;
  readonly encryptionKeys: readonly string[];
}

/** `undefined` if neither variable is set. */
export function readRedis(reader: VariableReader): RedisVariables | undefined {
  if (!reader.hasAny('REDIS_URL', 'STATE_ENCRYPTION_KEY')) return undefined;
  const connection = reader.required('REDIS_URL', 'the Redis that goes with STATE_ENCRYPTION_KEY');
  const what = 'what REDIS_URL keeps is sealed with it: openssl rand -base64 32';
  const keys = reader.required('STATE_ENCRYPTION_KEY', what);
  const redis = { connection, encryptionKeys: listIn(keys) };
  if (connection !== '' && keys !== '') reader.make('redisState', () => readRedisOptions(redis));
  return redis;
}
