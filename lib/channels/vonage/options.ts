import { readPrivateKey } from '../../core/private-key.js';
import { asObject, isObject } from '../../core/json.js';
import {
  checkOptions,
  lazyRules,
  oneOf,
  optionsOf,
  refuseProblems,
  tested,
} from '../../core/option-rules.js';
import { numberRule, originRule, secretRule } from '../provider.js';
import { isWhatsAppTemplate, WHATSAPP_TEMPLATE, type WhatsAppTemplate } from '../whatsapp-template.js';

/** A WhatsApp authentication template, as Meta has approved it. */
export type VonageTemplate = WhatsAppTemplate;

/** How we prove to Vonage who we are. */
export type VonageCredential =
  | {
      /** The application that may use Messages. */
      readonly applicationId: string;
      /** Its private key (RSA): PEM, a JWK object, or its JSON. */
      readonly privateKey: string | Readonly<Record<string, unknown>>;
      readonly apiKey?: undefined;
      readonly apiSecret?: undefined;
    }
  | {
      readonly apiKey: string;
      readonly apiSecret: string;
      readonly applicationId?: undefined;
      readonly privateKey?: undefined;
    };

/** What `vonageChannel` takes. */
export type VonageChannelOptions = VonageCredential & {
  /** The sender: E.164, or for SMS a name of 1 to 11 characters. */
  readonly from: string;
  /** Default: `'whatsapp'` where the channel is mounted by that name, `'sms'` elsewhere. */
  readonly kind?: 'sms' | 'whatsapp' | undefined;
  /** What WhatsApp is sent by; without one as free text, which reaches only who wrote in the last 24 hours. */
  readonly template?: VonageTemplate | undefined;
  /** In place of `https://api.nexmo.com`: a region's, Vonage's sandbox, an emulator; https, or http on loopback. */
  readonly baseUrl?: string | undefined;
};

/** The options with their defaults. */
export type VonageSettings = VonageChannelOptions & { readonly baseUrl: string };

const ORIGIN = 'https://api.nexmo.com';

const PAIRS = [
  ['apiKey', 'apiSecret'],
  ['applicationId', 'privateKey'],
] as const;
const ONE_PAIR = 'give applicationId and privateKey, or apiKey and apiSecret: one of the two pairs';

const RULES = lazyRules(() =>
  optionsOf<VonageSettings>('an object', {
    applicationId: secretRule("the application's id"),
    privateKey: tested(
      "the application's private key: an RSA key of 2048 bits or more that is not encrypted, as PEM or JWK",
      isRsaKey,
    ),
    apiKey: secretRule("the account's API key"),
    apiSecret: secretRule("the account's API secret"),
    from: numberRule(
      'a phone number in E.164 form, or for SMS a name of 1 to 11 letters, digits and spaces with a letter',
      /^(?=.*[A-Za-z])(?! )[A-Za-z0-9 ]{1,11}(?<! )$/,
      (value) => value.replace(/^(?=[1-9])/, '+'),
    ).required(),
    kind: oneOf("'sms' or 'whatsapp', or be left out", 'sms', 'whatsapp'),
    template: tested(`${WHATSAPP_TEMPLATE}, or be left out`, isWhatsAppTemplate),
    baseUrl: originRule(ORIGIN),
  }),
);

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readVonageOptions(options: unknown, factory: string): VonageSettings {
  const given = asObject(options);
  const [pair, ...others] = PAIRS.filter((names) => names.some((name) => given[name] !== undefined));
  const isOnePair = pair !== undefined && others.length === 0;
  const rules = isOnePair ? RULES().fork([...pair], (rule) => rule.required()) : RULES();
  const { value, problems } = checkOptions<VonageChannelOptions & { readonly baseUrl: string }>(
    rules,
    options,
  );
  refuseProblems(isObject(options) && !isOnePair ? [ONE_PAIR, ...problems] : problems, factory);
  return value;
}

function isRsaKey(key: unknown): boolean {
  if (typeof key !== 'string' && !isObject(key)) return false;
  try {
    return readPrivateKey(key).algorithm === 'RS256';
  } catch {
    return false;
  }
}
