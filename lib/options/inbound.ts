import Joi from 'joi';
import { fieldOf } from '../core/json.js';
import { functionRule, mustBe, objectOf, textOf } from '../core/option-rules.js';
import { readKeywords } from '../texts/keywords.js';

/** The rules of `inbound`. */

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
  objectOf('an object with keywords, replies and onMessage', {
    keywords: objectOf('an object with stop, start and help', {
      stop: words(),
      start: words(),
      help: words(),
    })
      .custom(readKeywords)
      .default(),
    replies: objectOf('an object with stop, start, help, hiddenNumber and other', {
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
