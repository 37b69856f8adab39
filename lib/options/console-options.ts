import Joi from 'joi';
import { functionRule, mustBe, objectOf, tested, textOf } from '../core/option-rules.js';

/** The rules of what `hook.console()` takes. */

let schema: Joi.ObjectSchema | undefined;

/** All that is wrong with a console's options: a sentence each, with its remedy and without a value. */
export function consoleProblems(options: unknown): readonly string[] {
  schema ??= makeSchema();
  const { error } = schema.validate(options, {
    abortEarly: false,
    convert: false,
    errors: { wrap: { label: false } },
    messages: { 'object.unknown': '{{#label}} is not an option; remove it, or look for a misspelling' },
  });
  return [...new Set((error?.details ?? []).map(({ message }) => message))];
}

const makeSchema = (): Joi.ObjectSchema =>
  objectOf('an object with authorize', {
    authorize: functionRule(
      'a function (req) => true for administrators and false for everybody else; there is no default, for the console shows who signs in, and sends codes',
    ).required(),
    links: Joi.array()
      .items(
        objectOf('an object with title and href', {
          title: textOf('a text of at most 100 characters').max(100).required(),
          href: tested(
            'a path of this gateway that begins with one slash, or a URL of http or https',
            isLink,
          ).required(),
        }),
      )
      .messages(mustBe('an array of objects with title and href')),
  })
    .required()
    .label('The options');

const GATEWAY = 'https://gateway.invalid';

/**
 * A browser opens it: nothing that would run as a script, and no path that leads to another host. To browsers `//host`, `/\\host` and
 * `/<tab>/host` are one.
 */
function isLink(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (/^https?:\/\/[^/\\]/i.test(value)) return URL.canParse(value);
  return value.startsWith('/') && URL.canParse(value, GATEWAY) && new URL(value, GATEWAY).origin === GATEWAY;
}
