import Joi from 'joi';
import { numberRule } from '../channels/provider.js';
import type { RcsService, SenderByCountry, SmsSender, WhatsAppSender } from '../channels/twilio/settings.js';
import { readLocale } from '../texts/locale.js';
import { keyThat, mapOf, mustBe, objectOf, textOf } from '../core/option-rules.js';
import { isCountry } from '../numbers/phone-number.js';
import type { OktaTelephonyHookOptions, RcsSenderOption } from './options.js';

/** The rules of countries and of senders. */

type Options = OktaTelephonyHookOptions;

/** Codes that people write, which ISO 3166 has for no country. */
const ISO_OF: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

/** The country that a wrong code stands for: `GB` for `UK`, `DE` for `de`. */
function meantCountry(code: string): string | undefined {
  const capitals = code.trim().toUpperCase();
  const meant = Object.hasOwn(ISO_OF, capitals) ? ISO_OF[capitals] : capitals;
  return meant !== undefined && meant !== code && isCountry(meant) ? meant : undefined;
}

/** A value that names countries. @param read - the codes in it; `undefined` if it is of another shape. */
export const countriesRule = (
  what: string,
  read: (value: unknown) => readonly string[] | undefined,
): Joi.AnySchema =>
  Joi.any()
    .custom((value: unknown, helpers) => {
      const wrong = read(value)?.filter((code) => !isCountry(code));
      if (wrong?.length === 0) return value;
      const meant = wrong?.flatMap((code) => meantCountry(code) ?? []) ?? [];
      return meant.length === 0
        ? helpers.error('any.invalid')
        : helpers.error('country.meant', { meant: meant.join(' and ') });
    })
    .messages({ ...mustBe(what), 'country.meant': `{{#label}} must be ${what}; use {{#meant}}` });

/** One country. */
export const country = (): Joi.AnySchema =>
  countriesRule('an ISO 3166 country in capitals, such as GB', (value) =>
    typeof value === 'string' ? [value] : undefined,
  );

/** Countries with commas between them. `*` stands for every country. */
export const countriesOrAll = (): Joi.AnySchema =>
  countriesRule(
    'ISO 3166 countries in capitals with commas between them, such as DE,AT, or * for every country',
    (value) => {
      if (value === '*') return [];
      return typeof value === 'string' ? value.split(',') : undefined;
    },
  );

/** Adds an entry for each country to the rule of an object. */
export const byCountryIn = (map: Joi.ObjectSchema, value: Joi.Schema): Joi.ObjectSchema =>
  map
    .pattern(keyThat(isCountry), value)
    .pattern(
      keyThat((key) => meantCountry(key) !== undefined),
      Joi.any().custom((_value, helpers) =>
        helpers.error('country.meant', { meant: meantCountry(String(helpers.state.path?.at(-1))) }),
      ),
    )
    .messages({
      'object.unknown': '{{#label}} is not a country: use ISO 3166 codes in capitals such as GB, and default',
      'country.meant': '{{#label}} is not a country: use {{#meant}}',
    });

const E164_RULE = 'a phone number in E.164 form, such as +14155550100';
export const phone = (): Joi.StringSchema => numberRule(E164_RULE);

export const contentSid = (): Joi.StringSchema =>
  textOf("a Content SID: 'HX' and 32 hexadecimal digits").pattern(/^HX[0-9a-zA-Z]{1,64}$/);

const SERVICE_RULE = "a Messaging Service SID ('MG' and 32 hexadecimal digits)";
const SMS_SENDER_RULE = `a phone number in E.164 form, ${SERVICE_RULE}, or an alphanumeric sender of 1 to 11 characters with a letter`;
export const smsSender = (): Joi.StringSchema =>
  numberRule(SMS_SENDER_RULE, /^(?:MG[0-9a-zA-Z]{32}|(?=.*[A-Za-z])(?! )[A-Za-z0-9 _+&-]{1,11}(?<! ))$/);

/** A sender of SMS that is no Messaging Service. */
export const fallbackSender = (): Joi.StringSchema =>
  numberRule(
    'a phone number in E.164 form, or an alphanumeric sender of 1 to 11 characters with a letter',
    /^(?=.*[A-Za-z])(?! )[A-Za-z0-9 _+&-]{1,11}(?<! )$/,
  );

const rcsSender = (): Joi.ObjectSchema =>
  objectOf<RcsSenderOption>('an object with service and fallbackFrom', {
    service: textOf(SERVICE_RULE)
      .pattern(/^MG[0-9a-zA-Z]{32}$/)
      .required(),
    fallbackFrom: fallbackSender().required(),
  });

/** One sender, or a map by country with a default. */
const byCountry = (sender: Joi.StringSchema | Joi.AlternativesSchema, what: string): Joi.AnySchema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: byCountryIn(Joi.object({ default: sender.required() }), sender).messages({
      'object.base': `{{#label}} must be ${what}`,
    }),
    otherwise: sender.custom((given: string): SenderByCountry => ({ default: given })),
  });

const ANY_SMS_SENDER = `${SMS_SENDER_RULE}, or an object with service and fallbackFrom`;
const anySmsSender = (): Joi.AlternativesSchema =>
  Joi.alternatives()
    .conditional(Joi.object(), { then: rcsSender(), otherwise: smsSender() })
    .messages(mustBe(ANY_SMS_SENDER));

/** As `byCountry`. Each sender may be a Messaging Service with the sender of its SMS. */
const smsSenders = (): Joi.AnySchema =>
  Joi.alternatives().conditional(Joi.object().or('service', 'fallbackFrom').unknown(), {
    then: rcsSender().custom((given: RcsService): SenderByCountry<SmsSender> => ({ default: given })),
    otherwise: byCountry(anySmsSender(), `${ANY_SMS_SENDER}, or a map of them by country`),
  });

/** WhatsApp from Twilio's sandbox. */
export const sandboxNumber = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: objectOf<Options['sandboxNumber']>('an object with number and contentSid', {
      number: phone().required(),
      contentSid: contentSid().required(),
    }).custom(({ number, contentSid }: { readonly number: string; readonly contentSid: string }) =>
      sandbox(number, contentSid),
    ),
    otherwise: numberRule(`${E164_RULE}, or an object with number and contentSid`).custom((number: string) =>
      sandbox(number),
    ),
  });

const sandbox = (from: string, contentSid?: string): WhatsAppSender => ({
  kind: 'sandbox',
  from,
  contentSid,
});

/** The senders of Twilio's channels. */
export const senders = (): Joi.ObjectSchema =>
  objectOf<Options['senders']>('an object with sms, voice and whatsapp', {
    sms: smsSenders(),
    voice: byCountry(phone(), `${E164_RULE}, or a map of them by country`),
    whatsapp: objectOf<NonNullable<Options['senders']>['whatsapp']>('an object with from and templates', {
      from: phone().required(),
      templates: mapOf(
        "an object of Content SIDs by language tag, with 'default'",
        keyThat((tag) => readLocale(tag) !== undefined),
        contentSid(),
        'is not a BCP-47 language tag such as pt-BR',
      )
        .keys({ default: contentSid().required() })
        .required(),
    }).custom((whatsapp: Omit<TemplateSender, 'kind'>): TemplateSender => ({
      kind: 'templates',
      ...whatsapp,
    })),
  });

type TemplateSender = Extract<WhatsAppSender, { kind: 'templates' }>;
