import { ACCOUNT_SID, API_KEY_SID } from '../options/credentials.js';
import { hasApiKey } from '../options/read-variables.js';
import type { VariableName } from '../options/variables.js';
import { SID } from '../options/warnings.js';
import type { Variables } from './environment.js';
import type { Question } from './init/questions.js';

/** A provider, as the command line knows it. */
export interface Provider {
  readonly title: string;
  /** The questions of `init` about its credential. */
  readonly credential: readonly Question[];
  /** Its channels, and the questions about their senders. */
  readonly channels: Readonly<Record<string, readonly Question[]>>;
  /** Where an administrator enters the URL of a channel's callbacks, if no message has it. */
  readonly webhook?: { readonly channel: string; readonly place: string };
  /** What doctor checks beside the variables and the channels. */
  readonly further?: readonly string[];
  /** Whether the variables are enough for its checks. */
  isWhole(variables: Variables): boolean;
  /** The variables that may be wrong if a check fails. */
  readonly doubtful: Readonly<Partial<Record<string, readonly VariableName[]>>>;
}

const VONAGE_KEY = ['VONAGE_API_KEY', 'VONAGE_API_SECRET'] as const;

/** The providers that `init` asks about and `doctor` checks. A new one is a row here. */
export const PROVIDERS = {
  twilio: {
    title: 'Twilio',
    credential: [
      { name: 'TWILIO_ACCOUNT_SID', what: ACCOUNT_SID, form: SID },
      { name: 'TWILIO_API_KEY_SID', what: API_KEY_SID, form: SID },
      { name: 'TWILIO_API_KEY_SECRET', what: "the API key's secret" },
      {
        name: 'TWILIO_AUTH_TOKEN',
        what: "the account's auth token, with which Twilio's callbacks to PUBLIC_URL are checked",
      },
    ],
    channels: {
      sms: [{ name: 'TWILIO_SMS_FROM', what: 'the sender of SMS: a number, or a Messaging Service MG…' }],
      voice: [{ name: 'TWILIO_VOICE_FROM', what: 'the number that calls' }],
      whatsapp: [
        {
          name: 'TWILIO_SANDBOX_NUMBER',
          what: 'the number of the WhatsApp sandbox; in its place TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE will do',
          inPlace: ['TWILIO_WHATSAPP_FROM'],
        },
      ],
    },
    isWhole(variables) {
      const isProven = hasApiKey(variables)
        ? variables.hasAny('TWILIO_API_KEY_SID') && variables.hasAny('TWILIO_API_KEY_SECRET')
        : variables.hasAny('TWILIO_AUTH_TOKEN');
      return isProven && variables.hasAny('TWILIO_ACCOUNT_SID');
    },
    doubtful: {
      'twilio.credential': ['TWILIO_ACCOUNT_SID', 'TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET'],
      'twilio.auth-token': ['TWILIO_AUTH_TOKEN'],
      'twilio.sms': ['TWILIO_SMS_FROM'],
      'twilio.sms-fallback': ['TWILIO_SMS_FALLBACK_FROM'],
      'twilio.voice': ['TWILIO_VOICE_FROM'],
    },
  },
  vonage: {
    title: 'Vonage',
    prefix: 'VONAGE_',
    credential: [
      { name: 'VONAGE_API_KEY', what: "the account's API key", inPlace: ['VONAGE_APPLICATION_ID'] },
      { name: 'VONAGE_API_SECRET', what: "the account's API secret", inPlace: ['VONAGE_APPLICATION_ID'] },
    ],
    channels: {
      sms: [{ name: 'VONAGE_SMS_FROM', what: 'the sender of SMS' }],
      whatsapp: [
        { name: 'VONAGE_WHATSAPP_FROM', what: 'the number of the WhatsApp sender' },
        { name: 'VONAGE_WHATSAPP_TEMPLATE', what: 'the name of the approved authentication template' },
      ],
      voice: [{ name: 'VONAGE_VOICE_FROM', what: 'the number of the application that calls' }],
    },
    further: ['registration'],
    isWhole: (variables) =>
      variables.hasAny('VONAGE_API_SECRET', 'VONAGE_PRIVATE_KEY') &&
      variables.hasAny('VONAGE_SMS_FROM', 'VONAGE_WHATSAPP_FROM', 'VONAGE_VOICE_FROM'),
    doubtful: {
      'vonage.sms': VONAGE_KEY,
      'vonage.whatsapp': [...VONAGE_KEY, 'VONAGE_WHATSAPP_FROM'],
      'vonage.voice': ['VONAGE_APPLICATION_ID', 'VONAGE_PRIVATE_KEY'],
    },
  },
  azure: {
    title: 'Azure',
    prefix: 'AZURE_SMS_',
    credential: [
      { name: 'AZURE_SMS_ENDPOINT', what: "the resource's endpoint, https://….communication.azure.com" },
      { name: 'AZURE_SMS_ACCESS_KEY', what: 'an access key of the resource' },
    ],
    channels: { sms: [{ name: 'AZURE_SMS_FROM', what: 'the sender of SMS' }] },
    further: ['registration'],
    isWhole: (variables) => variables.hasAny('AZURE_SMS_ACCESS_KEY') && variables.hasAny('AZURE_SMS_FROM'),
    doubtful: { 'azure.sms': ['AZURE_SMS_ENDPOINT', 'AZURE_SMS_ACCESS_KEY'] },
  },
  aws: {
    title: 'AWS',
    prefix: 'AWS_SMS_',
    credential: [
      { name: 'AWS_REGION', what: 'the AWS Region of the sender, such as eu-central-1' },
      { name: 'AWS_ACCESS_KEY_ID', what: 'the id of a key that may call sms-voice:SendTextMessage' },
      { name: 'AWS_SECRET_ACCESS_KEY', what: 'the secret of that key' },
    ],
    channels: {
      sms: [{ name: 'AWS_SMS_ORIGINATION_IDENTITY', what: 'the sender: a number, a sender id or a pool' }],
    },
    further: ['registration'],
    isWhole: (variables) =>
      variables.hasAny('AWS_SECRET_ACCESS_KEY') && variables.hasAny('AWS_SMS_ORIGINATION_IDENTITY'),
    doubtful: {
      'aws.sms': ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SMS_ORIGINATION_IDENTITY'],
    },
  },
  meta: {
    title: 'Meta',
    prefix: 'META_',
    credential: [
      { name: 'META_ACCESS_TOKEN', what: "a system user's access token" },
      { name: 'META_APP_SECRET', what: "the app's secret, with which Meta signs its webhooks" },
      { name: 'META_VERIFY_TOKEN', what: "a text of your choice, which you enter in the app's webhook" },
    ],
    channels: {
      whatsapp: [
        { name: 'META_PHONE_NUMBER_ID', what: 'the id of the number in WhatsApp Manager' },
        { name: 'META_TEMPLATE', what: 'the name of the approved authentication template' },
      ],
    },
    webhook: {
      channel: 'whatsapp',
      place: "In Meta's app, under WhatsApp > Configuration, enter META_VERIFY_TOKEN and the callback URL",
    },
    further: ['template'],
    isWhole: (variables) =>
      variables.hasAny('META_ACCESS_TOKEN') &&
      variables.hasAny('META_PHONE_NUMBER_ID') &&
      variables.hasAny('META_TEMPLATE'),
    doubtful: { 'meta.whatsapp': ['META_ACCESS_TOKEN', 'META_PHONE_NUMBER_ID', 'META_TEMPLATE'] },
  },
  line: {
    title: 'LINE',
    prefix: 'LINE_',
    credential: [{ name: 'LINE_CHANNEL_ACCESS_TOKEN', what: 'a channel access token' }],
    channels: { line: [] },
    isWhole: (variables) => variables.hasAny('LINE_CHANNEL_ACCESS_TOKEN'),
    doubtful: { 'line.line': ['LINE_CHANNEL_ACCESS_TOKEN'] },
  },
} as const satisfies Readonly<Record<string, Provider & { readonly prefix?: string }>>;

export type ProviderName = keyof typeof PROVIDERS;
export const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

/** A provider beyond Twilio: `prefix` begins the names of its variables. */
export type OtherProviderName = Exclude<ProviderName, 'twilio'>;
export const isOther = (name: ProviderName): name is OtherProviderName => name !== 'twilio';
