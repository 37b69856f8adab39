import { lazyRules, optionsOf, readOptionsBy, tested, textOf } from '../../core/option-rules.js';
import { originRule, secretRule } from '../provider.js';
import { isWhatsAppTemplate, WHATSAPP_TEMPLATE, type WhatsAppTemplate } from '../whatsapp-template.js';

/** What `whatsAppCloud` takes. */
export interface WhatsAppCloudOptions {
  /** The id of the sending number, as WhatsApp Manager shows it: digits, but not the number itself. */
  readonly phoneNumberId: string;
  /** A token of a system user with the permission `whatsapp_business_messaging`, and `whatsapp_business_management` for `check`. */
  readonly accessToken: string;
  /** The approved authentication template: one name, in each language. */
  readonly templates: WhatsAppTemplate;
  /** The version of Meta's Graph API. Default `v25.0`. */
  readonly apiVersion?: string | undefined;
  /** The app's secret, by which Meta signs its webhooks. While it is rotated: the current and the next one. */
  readonly appSecret: string | readonly [current: string, next: string];
  /** A text of your choice, which you also enter in the app's webhook settings. Meta sends it once, to verify the URL. */
  readonly verifyToken: string;
  /** In place of `https://graph.facebook.com`, e.g. an emulator. `https`, or `http` on loopback. */
  readonly baseUrl?: string | undefined;
}

/** The options with their defaults. */
export type WhatsAppCloudSettings = WhatsAppCloudOptions & {
  readonly apiVersion: string;
  readonly baseUrl: string;
};

/** The first version that takes all fields. Meta serves a version for two years. */
const DEFAULT_VERSION = 'v25.0';
const ORIGIN = 'https://graph.facebook.com';

const SECRET = /^[\x21-\x7e]+$/;

const RULES = lazyRules(() =>
  optionsOf<WhatsAppCloudSettings>('an object', {
    phoneNumberId: textOf(
      "the id of the number in WhatsApp Manager, digits without '+', not the number itself",
    )
      .pattern(/^\d{5,25}$/)
      .required(),
    accessToken: secretRule("a system user's access token").required(),
    templates: tested(WHATSAPP_TEMPLATE, isWhatsAppTemplate).required(),
    apiVersion: textOf(`a version of the Graph API, such as ${DEFAULT_VERSION}, or be left out`)
      .pattern(/^v\d{1,3}\.\d{1,2}$/)
      .default(DEFAULT_VERSION),
    appSecret: tested(
      "the app's secret, as text without spaces, or a list of the current and the next one",
      (value) => [value].flat().every(isSecret) && (!Array.isArray(value) || value.length === 2),
    ).required(),
    verifyToken: secretRule("the verify token of the app's webhook").required(),
    baseUrl: originRule(ORIGIN),
  }),
);

const isSecret = (value: unknown): boolean => typeof value === 'string' && SECRET.test(value);

/** @throws ConfigurationError that names every problem of the options and its remedy, and no value. */
export function readWhatsAppCloudOptions(options: unknown, factory: string): WhatsAppCloudSettings {
  return readOptionsBy(RULES(), options, factory);
}
