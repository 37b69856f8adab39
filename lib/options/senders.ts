import Joi from 'joi';
import { numberRule } from '../channels/provider.js';
import type { SenderByCountry, WhatsAppSender } from '../channels/twilio/settings.js';
import { readLocale } from '../texts/locale.js';
import { keyThat, objectOf, textOf } from '../core/option-rules.js';
import { byCountryIn } from './countries.js';

/** The rules of senders. */

const E164_RULE = 'a phone number in E.164 form, such as +14155550100';
export const phone = (): Joi.StringSchema => numberRule(E164_RULE);

export const contentSid = (): Joi.StringSchema =>
  textOf("a Content SID: 'HX' and 32 hexadecimal digits").pattern(/^HX[0-9a-zA-Z]{1,64}$/);

const SMS_SENDER_RULE =
  "a phone number in E.164 form, a Messaging Service SID ('MG' and 32 hexadecimal digits), or an alphanumeric sender of 1 to 11 characters with a letter";
export const smsSender = (): Joi.StringSchema =>
  numberRule(SMS_SENDER_RULE, /^(?:MG[0-9a-zA-Z]{32}|(?=.*[A-Za-z])(?! )[A-Za-z0-9 _+&-]{1,11}(?<! ))$/);

/** One sender, or a map by country with a default. */
const byCountry = (sender: Joi.StringSchema, what: string): Joi.AnySchema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: byCountryIn(Joi.object({ default: sender.required() }), sender).messages({
      'object.base': `{{#label}} must be ${what}`,
    }),
    otherwise: sender.custom((given: string): SenderByCountry => ({ default: given })),
  });

/** WhatsApp from Twilio's sandbox. */
export const sandboxNumber = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: objectOf('an object with number and contentSid', {
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
  objectOf('an object with sms, voice and whatsapp', {
    sms: byCountry(smsSender(), `${SMS_SENDER_RULE}, or a map of them by country`),
    voice: byCountry(phone(), `${E164_RULE}, or a map of them by country`),
    whatsapp: objectOf('an object with from and templates', {
      from: phone().required(),
      templates: objectOf("an object of Content SIDs by language tag, with 'default'", {
        default: contentSid().required(),
      })
        .pattern(
          keyThat((tag) => readLocale(tag) !== undefined),
          contentSid(),
        )
        .required()
        .messages({ 'object.unknown': '{{#label}} is not a BCP-47 language tag such as pt-BR' }),
    }).custom((whatsapp: Omit<TemplateSender, 'kind'>): TemplateSender => ({
      kind: 'templates',
      ...whatsapp,
    })),
  });

type TemplateSender = Extract<WhatsAppSender, { kind: 'templates' }>;
