import type Joi from 'joi';
import { readPrivateKey } from '../../core/private-key.js';
import { asObject, isObject } from '../../core/json.js';
import {
  checkOptions,
  lazyRules,
  oneOf,
  optionsOf,
  readOptionsBy,
  refuseProblems,
  tested,
} from '../../core/option-rules.js';
import { dltRule } from '../dlt-rule.js';
import type { Dlt } from '../dlt.js';
import { numberOfSender } from '../../numbers/phone-number.js';
import { numberRule, originRule, rotatedRule, secretRule } from '../provider.js';
import { isWhatsAppTemplate, WHATSAPP_TEMPLATE, type WhatsAppTemplate } from '../whatsapp-template.js';

/** A WhatsApp authentication template, as Meta has approved it. */
export type VonageTemplate = WhatsAppTemplate;

/** An application of Vonage. */
export interface VonageApplication {
  /** The application's id. It may use Messages for `vonageChannel`, Voice for `vonageVoice`. */
  readonly applicationId: string;
  /** Its private key (RSA): PEM, a JWK object, or its JSON. */
  readonly privateKey: string | Readonly<Record<string, unknown>>;
}

/** The signature secret of the account, or the current and the next one while you rotate it. */
export type VonageSignatureSecret = string | readonly [current: string, next: string];

/** How we prove to Vonage who we are. */
export type VonageCredential =
  | (VonageApplication & {
      readonly apiKey?: undefined;
      readonly apiSecret?: undefined;
    })
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
  /**
   * Proves Vonage's status webhooks and inbound messages. With it and `publicUrl` of the hook, each message asks for its status
   * webhooks. Default: none are asked for, and none are received.
   */
  readonly signatureSecret?: VonageSignatureSecret | undefined;
  /** The ids that SMS to India (+91) need. Default: none. */
  readonly dlt?: Dlt | undefined;
  /** In place of `https://api.nexmo.com`: a region's, Vonage's sandbox, an emulator; https, or http on loopback. */
  readonly baseUrl?: string | undefined;
};

/** What `vonageVoice` takes. */
export type VonageVoiceOptions = VonageApplication & {
  /** The number that calls, E.164: one of the application's. */
  readonly from: string;
  /** Proves Vonage's events. With it and `publicUrl` of the hook, each call asks for its events. Default: none. */
  readonly signatureSecret?: VonageSignatureSecret | undefined;
  /** In place of `https://api.nexmo.com`: a region's, an emulator; https, or http on loopback. */
  readonly baseUrl?: string | undefined;
};

/** The options with their defaults. */
export type VonageSettings = VonageChannelOptions & { readonly baseUrl: string };
export type VonageVoiceSettings = VonageVoiceOptions & { readonly baseUrl: string };

const ORIGIN = 'https://api.nexmo.com';

const PAIRS = [
  ['apiKey', 'apiSecret'],
  ['applicationId', 'privateKey'],
] as const;
const ONE_PAIR = 'give applicationId and privateKey, or apiKey and apiSecret: one of the two pairs';

const applicationIdRule = (): Joi.StringSchema => secretRule("the application's id");
const privateKeyRule = (): Joi.AnySchema =>
  tested(
    "the application's private key: an RSA key of 2048 bits or more that is not encrypted, as PEM or JWK",
    isRsaKey,
  );

const signatureSecretRule = (): Joi.Schema =>
  rotatedRule(secretRule("the account's signature secret"), 'signature secret');

const RULES = lazyRules(() =>
  optionsOf<VonageSettings>('an object', {
    applicationId: applicationIdRule(),
    privateKey: privateKeyRule(),
    apiKey: secretRule("the account's API key"),
    apiSecret: secretRule("the account's API secret"),
    from: numberRule(
      'a phone number in E.164 form, or for SMS a name of 1 to 11 letters, digits and spaces with a letter',
      /^(?=.*[A-Za-z])(?! )[A-Za-z0-9 ]{1,11}(?<! )$/,
      withPlus,
    ).required(),
    kind: oneOf("'sms' or 'whatsapp', or be left out", 'sms', 'whatsapp'),
    template: tested(`${WHATSAPP_TEMPLATE}, or be left out`, isWhatsAppTemplate),
    signatureSecret: signatureSecretRule(),
    dlt: dltRule(),
    baseUrl: originRule(ORIGIN),
  }),
);

const VOICE_RULES = lazyRules(() =>
  optionsOf<VonageVoiceSettings>('an object', {
    applicationId: applicationIdRule().required(),
    privateKey: privateKeyRule().required(),
    from: numberRule('a phone number in E.164 form', undefined, withPlus).required(),
    signatureSecret: signatureSecretRule(),
    baseUrl: originRule(ORIGIN),
  }),
);

/** Vonage writes numbers without a plus. */
const withPlus = (value: string): string => value.replace(/^(?=[1-9])/, '+');

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readVonageOptions(options: unknown, factory: string): VonageSettings {
  const given = asObject(options);
  const [pair, ...others] = PAIRS.filter((names) => names.some((name) => given[name] !== undefined));
  const isOnePair = pair !== undefined && others.length === 0;
  const rules = isOnePair ? RULES().fork([...pair], (rule) => rule.required()) : RULES();
  const { value, problems } = checkOptions<VonageSettings>(rules, options);
  refuseProblems(isObject(options) && !isOnePair ? [ONE_PAIR, ...problems] : problems, factory);
  return value;
}

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readVoiceOptions(options: unknown, factory: string): VonageVoiceSettings {
  return readOptionsBy(VOICE_RULES(), options, factory);
}

/** Vonage refuses numbers with a plus. */
export function withoutPlus(number: string): string {
  return numberOfSender(number)?.slice(1) ?? number;
}

function isRsaKey(key: unknown): boolean {
  if (typeof key !== 'string' && !isObject(key)) return false;
  try {
    return readPrivateKey(key).algorithm === 'RS256';
  } catch {
    return false;
  }
}
