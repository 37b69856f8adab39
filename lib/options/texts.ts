import Joi from 'joi';
import { fieldOf } from '../core/json.js';
import { functionRule, keyThat, mapOf, mustBe, objectOf, textOf } from '../core/option-rules.js';
import type { TextsOptions } from '../core/option-types.js';
import { shortRequestType } from '../core/request-types.js';
import { readKeywords } from '../texts/keywords.js';
import { readLocale } from '../texts/locale.js';
import { problemOfText } from '../texts/text-template.js';
import type { InboundOptions } from './options.js';

/** The rules of `texts` and of `inbound`. */

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
  mapOf(
    WHAT,
    keyThat((key) => key === 'default' || readLocale(key) !== undefined),
    text(),
    "is not a BCP-47 language tag such as pt-BR, nor 'default'; by request type, every entry is an object",
  )
    .custom(unlikeKeys(readLocale))
    .messages(TWICE);

const byRequestType = (): Joi.ObjectSchema =>
  mapOf(
    WHAT,
    /^(?:[\w-]+\.)*[\w-]+$/,
    byTag(),
    "is not a request type such as mfa-verification, nor 'default': letters, digits, '-', '_' and '.'",
  )
    .custom(unlikeKeys(shortRequestType))
    .messages(TWICE);

/** Any other shape gets the problem of a table by tag. */
const table = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.object().pattern(Joi.string(), Joi.object()).min(1), {
    then: byRequestType(),
    otherwise: byTag(),
  });

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

export const texts = (): Joi.ObjectSchema =>
  objectOf<TextsOptions>('an object with sms, voice and webOtpDomain', {
    sms: table(),
    voice: table(),
    webOtpDomain: textOf(
      "the host of the page where codes are typed in, such as login.acme.com: no scheme, port or path, and in ASCII ('xn--…')",
    ).pattern(new RegExp(`^(?=.{4,253}$)(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$`, 'i')),
  });

const words = (): Joi.ArraySchema =>
  Joi.array()
    .items(
      textOf('a word of at most 40 characters')
        .max(40)
        .pattern(/[\p{L}\p{N}]/u),
    )
    .messages(mustBe('an array of words, each a whole message'));

const reply = (): Joi.AlternativesSchema =>
  Joi.alternatives().conditional(Joi.string(), {
    then: textOf('a text of at most 1600 characters').max(1600),
    otherwise: Joi.valid(false).messages(mustBe('false, or a text of at most 1600 characters')),
  });

const STOP_REPLY = 'You will get no more codes by WhatsApp. Send START to get them here again.';
/** STOP also leaves Twilio's sandbox, which passes no START on until the phone has joined again. */
const SANDBOX_STOP_REPLY =
  'You will get no more codes by WhatsApp. To get them here again, send the “join …” words of the sandbox, then START.';

/** Messages from users: the keywords, and the replies. */
export const inbound = (): Joi.ObjectSchema =>
  objectOf<InboundOptions>('an object with keywords, replies and onMessage', {
    keywords: objectOf<InboundOptions['keywords']>('an object with stop, start and help', {
      stop: words(),
      start: words(),
      help: words(),
    })
      .custom(readKeywords)
      .default(),
    replies: objectOf<InboundOptions['replies']>('an object with stop, start, help, hiddenNumber and other', {
      stop: reply().default((_replies: unknown, { state }: Joi.CustomHelpers) => {
        // The replies, `inbound`, then all options.
        const options: unknown = (state as { readonly ancestors: readonly unknown[] }).ancestors[2];
        return fieldOf(options, 'sandboxNumber') === undefined ? STOP_REPLY : SANDBOX_STOP_REPLY;
      }),
      start: reply().default('You will get your codes by WhatsApp again.'),
      help: reply().default(
        'This number sends sign-in codes. Send STOP to get no more of them here. For anything else, ask your help desk.',
      ),
      hiddenNumber: reply().default(
        'Your number is hidden from us. Send this word once more as a reply to one of our messages.',
      ),
      other: reply().default('This number only sends sign-in codes, and nobody reads what is sent to it.'),
    }).default(),
    onMessage: functionRule('a function (message) => a text, or nothing'),
  }).default();
