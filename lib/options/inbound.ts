import Joi from 'joi';
import { functionRule, mustBe, objectOf, textOf } from '../core/option-rules.js';

/** The rules of `inbound`: what users send to the senders, and what they are answered. */

const words = (): Joi.ArraySchema =>
  Joi.array()
    .items(
      textOf('a word of at most 40 characters')
        .max(40)
        .pattern(/[\p{L}\p{N}]/u),
    )
    .messages(mustBe('an array of words, each a whole message'));

const reply = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.string(), {
    then: textOf('a text of at most 1600 characters').max(1600),
    otherwise: Joi.valid(false).messages(mustBe('false, or a text of at most 1600 characters')),
  });

export const inbound = (): Joi.ObjectSchema =>
  objectOf('an object with keywords, replies and onMessage', {
    keywords: objectOf('an object with stop, start and help', {
      stop: words(),
      start: words(),
      help: words(),
    }),
    replies: objectOf('an object with stop, start, help, hiddenNumber and other', {
      stop: reply(),
      start: reply(),
      help: reply(),
      hiddenNumber: reply(),
      other: reply(),
    }),
    onMessage: functionRule('a function (message) => a text, or nothing'),
  });
