import { numberOfSender, readNumber } from '../../numbers/phone-number.js';
import { DEFAULT_PATH } from '../../options/options.js';
import { ACCOUNT_SID, API_KEY_SID } from '../../options/credentials.js';
import { SID } from '../../options/warnings.js';
import type { VariableName } from '../../options/variables.js';
import type { Variables } from '../environment.js';

/** The questions of `init`. Each is about one variable of the gateway. */

export interface Question {
  readonly name: VariableName;
  readonly what: string;
  /** The form of the answer, if the rule of the option allows more: emulators have other ids than Twilio's. */
  readonly form?: RegExp;
  /** More about the form, for an answer that does not have it. */
  readonly hint?: string;
  /** Completes a short answer. */
  readonly complete?: (answer: string) => string;
  /** The answer that Enter gives. `undefined`: Enter skips the question. */
  readonly preset?: string | undefined;
}

/**
 * A URL, or a domain name, which gets `https://`. `localhost:8080` and `ftp://acme.com` get none: they are something else. A
 * host that is only a number, such as a port, would be read as an IP address.
 */
const WITH_HOST = {
  form: /^(?:https?:\/\/(?!\d+(?:[:/]|$))|(?:[^\s.:/?#]+\.)+[^\s\d.:/?#][^\s.:/?#]*(?:[:/]|$))/i,
  hint: 'Without https:// it must begin with a domain name, such as acme.com',
};

const withScheme = (text: string): string => (/^https?:\/\//i.test(text) ? text : `https://${text}`);

/** An address without a path gets the default path of the hook. */
function withPath(text: string): string {
  const url = withScheme(text);
  return URL.canParse(url) && new URL(url).pathname === '/' ? new URL(DEFAULT_PATH, url).href : url;
}

export const PROVIDERS = ['twilio', 'vonage', 'line'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export const OKTA_QUESTIONS: readonly Question[] = [
  {
    name: 'OKTA_ORG_URL',
    what: "the org's origin, such as https://acme.okta.com",
    ...WITH_HOST,
    complete: withScheme,
  },
  {
    name: 'OKTA_API_TOKEN',
    what: "an API token of an administrator who may only read users: the gateway's own",
  },
];

export const URL_QUESTION: Question = {
  name: 'PUBLIC_URL',
  what: 'the public URL of the hook with its host name, such as https://id.acme.com/okta/telephony',
  ...WITH_HOST,
  complete: withPath,
};

/** What is asked about the guard, after the senders. Enter takes the country of a sender's number. */
export function guardQuestion(variables: Pick<Variables, 'valueOf'>): Question {
  const senders = ['TWILIO_SMS_FROM', 'TWILIO_VOICE_FROM', 'VONAGE_SMS_FROM'] as const;
  return {
    name: 'GUARD_COUNTRIES',
    what: 'the only countries that codes may go to, such as DE,AT, or * for every country',
    complete: (answer) => answer.replaceAll(/\s/g, '').toUpperCase(),
    preset: senders.flatMap((name) => countriesOf(variables.valueOf(name)))[0],
  };
}

/** The countries that a sender is meant for; none if it is no number. */
function countriesOf(sender = ''): readonly string[] {
  const number = numberOfSender(sender);
  const country = number === undefined ? undefined : readNumber(number).country;
  if (country === undefined) return [];
  // One sender serves both, and many organizations have users in both.
  return country === 'US' || country === 'CA' ? ['US,CA'] : [country];
}

/** What is asked about a provider: its credential, then the sender of each channel. */
export interface ProviderQuestions {
  /** The channels, and the questions about their senders. */
  readonly channels: Readonly<Record<string, readonly Question[]>>;
  readonly credential: readonly Question[];
}

export const PROVIDER_QUESTIONS: Readonly<Record<ProviderName, ProviderQuestions>> = {
  twilio: {
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
        },
      ],
    },
  },
  vonage: {
    credential: [
      { name: 'VONAGE_API_KEY', what: "the account's API key" },
      { name: 'VONAGE_API_SECRET', what: "the account's API secret" },
    ],
    channels: {
      sms: [{ name: 'VONAGE_SMS_FROM', what: 'the sender of SMS' }],
      whatsapp: [
        { name: 'VONAGE_WHATSAPP_FROM', what: 'the number of the WhatsApp sender' },
        { name: 'VONAGE_WHATSAPP_TEMPLATE', what: 'the name of the approved authentication template' },
      ],
    },
  },
  line: {
    credential: [{ name: 'LINE_CHANNEL_ACCESS_TOKEN', what: 'a channel access token' }],
    channels: { line: [] },
  },
};

/** The questions about the provider's credential, and about the senders of these channels. */
export function providerQuestions(provider: ProviderName, names: readonly string[]): readonly Question[] {
  const { channels, credential } = PROVIDER_QUESTIONS[provider];
  return [...credential, ...names.flatMap((name) => channels[name] ?? [])];
}

/** Variables that stand in the place of others, so that these are not asked for. */
const IN_PLACE: Readonly<Partial<Record<VariableName, readonly VariableName[]>>> = {
  OKTA_API_TOKEN: ['OKTA_CLIENT_ID', 'OKTA_PRIVATE_KEY', 'OKTA_KEY_ID'],
  TWILIO_SANDBOX_NUMBER: ['TWILIO_WHATSAPP_FROM'],
  VONAGE_API_KEY: ['VONAGE_APPLICATION_ID'],
  VONAGE_API_SECRET: ['VONAGE_APPLICATION_ID'],
};

export function openQuestions(
  questions: readonly Question[],
  variables: Pick<Variables, 'hasAny'>,
): readonly Question[] {
  return questions.filter(({ name }) => !variables.hasAny(name, ...(IN_PLACE[name] ?? [])));
}
