import { readPrivateKey } from '../../core/private-key.js';
import { isObject } from '../../core/json.js';
import { originRule, problemsOf, secretRule, type OptionRule } from '../channel-options.js';

/** A WhatsApp authentication template, as Meta has approved it. */
export interface VonageTemplate {
  readonly name: string;
  /** WhatsApp's language codes by BCP-47 tag, with `default`: `{ default: 'en_US', pt: 'pt_BR' }`. */
  readonly languages: { readonly default: string } & Readonly<Record<string, string>>;
}

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

const SENDER = /^(?:\+?[1-9]\d{6,14}|(?=.*[A-Za-z])(?! )[A-Za-z0-9 ]{1,11}(?<! ))$/;

/** What is wrong with them, each with its remedy and without a value. Takes anything. */
export function vonageProblems(options: unknown, origin: string): readonly string[] {
  const others = otherRules(origin);
  const has = (name: string): boolean => isObject(options) && options[name] !== undefined;
  const byKey = has('apiKey') || has('apiSecret');
  const byApplication = has('applicationId') || has('privateKey');
  if (isObject(options) && byKey === byApplication) {
    const optional = Object.entries(CREDENTIALS).map(
      ([name, rule]) => [name, { ...rule, isOptional: true }] as const,
    );
    return [
      'give applicationId and privateKey, or apiKey and apiSecret: one of the two pairs',
      ...problemsOf(options, { ...Object.fromEntries(optional), ...others }),
    ];
  }
  const { applicationId, privateKey, apiKey, apiSecret } = CREDENTIALS;
  return problemsOf(options, {
    ...(byKey ? { apiKey, apiSecret } : { applicationId, privateKey }),
    ...others,
  });
}

const CREDENTIALS = {
  applicationId: secretRule("the application's id"),
  privateKey: {
    what: "the application's private key: an RSA key of 2048 bits or more that is not encrypted, as PEM or JWK",
    test: (value: unknown) => {
      if (typeof value !== 'string' && !isObject(value)) return false;
      try {
        return readPrivateKey(value).algorithm === 'RS256';
      } catch {
        return false;
      }
    },
  },
  apiKey: secretRule("the account's API key"),
  apiSecret: secretRule("the account's API secret"),
} satisfies Record<string, OptionRule>;

const otherRules = (origin: string): Readonly<Record<string, OptionRule>> => ({
  from: {
    what: 'a phone number in E.164 form, or for SMS a name of 1 to 11 letters, digits and spaces with a letter',
    test: (value) => typeof value === 'string' && SENDER.test(value),
  },
  kind: {
    what: "'sms' or 'whatsapp'",
    test: (value) => value === 'sms' || value === 'whatsapp',
    isOptional: true,
  },
  template: {
    what: "{ name, languages } of an approved authentication template, with a default such as 'en_US' in languages",
    test: isTemplate,
    isOptional: true,
  },
  baseUrl: originRule(origin),
});

function isTemplate(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).some((name) => name !== 'name' && name !== 'languages')) {
    return false;
  }
  const { name, languages } = value;
  if (typeof name !== 'string' || !/^[a-z0-9_]{1,512}$/.test(name) || !isObject(languages)) return false;
  const codes = Object.values(languages);
  const areCodes = codes.every((code) => typeof code === 'string' && /^[a-z]{2,3}(_[A-Z]{2,4})?$/.test(code));
  return areCodes && languages['default'] !== undefined;
}
