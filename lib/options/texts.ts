import Joi from 'joi';
import { shortRequestType } from '../core/request-types.js';
import { readLocale } from '../texts/locale.js';
import { problemOfText } from '../texts/text-template.js';
import { objectOf, textOf } from '../core/option-rules.js';

/** The rules of `texts`. */

const WHAT = "an object of texts by language tag, with 'default', or of such objects by request type";

const text = (): Joi.AnySchema =>
  Joi.any()
    .custom((value: unknown, helpers) => {
      const problem = problemOfText(value);
      return problem === undefined ? value : helpers.error('texts.text', { problem });
    })
    .messages({ 'texts.text': '{{#label}} {{#problem}}' });

/** An object without two keys of the same meaning, since only one of them could count. */
const unlikeKeys =
  (meaningOf: (key: string) => string | undefined): Joi.CustomValidator<object> =>
  (table, helpers) => {
    const meanings = Object.keys(table).map((key) => meaningOf(key) ?? key);
    return new Set(meanings).size === meanings.length ? table : helpers.error('texts.twice');
  };

const TWICE = { 'texts.twice': '{{#label}} has two entries of one meaning; leave out one of them' };

const byTag = (): Joi.ObjectSchema =>
  objectOf(WHAT, {})
    .pattern(
      Joi.string().custom((key: string, helpers) =>
        key === 'default' || readLocale(key) !== undefined ? key : helpers.error('any.invalid'),
      ),
      text(),
    )
    .custom(unlikeKeys(readLocale))
    .messages({
      'object.unknown':
        "{{#label}} is not a BCP-47 language tag such as pt-BR, nor 'default'; by request type, every entry is an object",
      ...TWICE,
    });

const byRequestType = (): Joi.ObjectSchema =>
  objectOf(WHAT, {})
    .pattern(/^(?:[\w-]+\.)*[\w-]+$/, byTag())
    .custom(unlikeKeys(shortRequestType))
    .messages({
      'object.unknown':
        "{{#label}} is not a request type such as mfa-verification, nor 'default': letters, digits, '-', '_' and '.'",
      ...TWICE,
    });

/** Any other shape gets the problem of a table by tag. */
const table = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.object().pattern(Joi.string(), Joi.object()).min(1), {
    then: byRequestType(),
    otherwise: byTag(),
  });

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

export const texts = (): Joi.ObjectSchema =>
  objectOf('an object with sms, voice and webOtpDomain', {
    sms: table(),
    voice: table(),
    webOtpDomain: textOf(
      "the host of the page where codes are typed in, such as login.acme.com: no scheme, port or path, and in ASCII ('xn--…')",
    ).pattern(new RegExp(`^(?=.{4,253}$)(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$`, 'i')),
  });
