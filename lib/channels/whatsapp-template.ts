import { isObject } from '../core/json.js';
import { pickByLocale } from '../texts/locale.js';

/** Meta's form of a WhatsApp authentication template, which every provider of WhatsApp but Twilio takes as it is. */

/** An approved authentication template. */
export interface WhatsAppTemplate {
  /** One name for all languages. */
  readonly name: string;
  /** WhatsApp's language codes by BCP-47 tag, with `default`: `{ default: 'en_US', pt: 'pt_BR' }`. */
  readonly languages: { readonly default: string } & Readonly<Record<string, string>>;
}

/** The name of a template, and its language as WhatsApp writes it. */
export const TEMPLATE_NAME = /^[a-z0-9_]{1,512}$/;
export const TEMPLATE_LANGUAGE = /^[a-z]{2,3}(_[A-Z]{2,4})?$/;

/** What a template must be, for the problem of an option. */
export const WHATSAPP_TEMPLATE =
  "{ name, languages } of an approved authentication template, with a default such as 'en_US' in languages";

export function isWhatsAppTemplate(value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).some((name) => name !== 'name' && name !== 'languages')) {
    return false;
  }
  const { name, languages } = value;
  if (typeof name !== 'string' || !TEMPLATE_NAME.test(name) || !isObject(languages)) return false;
  const codes = Object.values(languages);
  const areCodes = codes.every((code) => typeof code === 'string' && TEMPLATE_LANGUAGE.test(code));
  return areCodes && languages['default'] !== undefined;
}

/** WhatsApp's code of the language that suits a locale best. */
export function templateLanguageOf({ languages }: WhatsAppTemplate, locale: string): string {
  return pickByLocale(languages, locale) ?? languages.default;
}

/** The components with the code: in the body, and in the button that copies it. */
export function templateComponentsOf(code: string): readonly object[] {
  const parameters = [{ type: 'text', text: code }];
  return [
    { type: 'body', parameters },
    { type: 'button', sub_type: 'url', index: '0', parameters },
  ];
}
