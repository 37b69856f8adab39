import Joi from 'joi';
import {
  checkOptions,
  functionRule,
  lazyRules,
  mustBe,
  objectOf,
  optionsOf,
  tested,
  textOf,
} from '../core/option-rules.js';
import type { ConsoleOptions } from '../options/options.js';

const consoleRules = lazyRules(() =>
  optionsOf<ConsoleOptions>('an object with authorize', {
    authorize: functionRule(
      'a function (req) => true or { administrator } for administrators and false for everybody else; there is no default, for the console shows who signs in, and sends codes',
    ).required(),
    links: Joi.array()
      .items(
        objectOf<NonNullable<ConsoleOptions['links']>[number]>('an object with title and href', {
          title: textOf('a text of at most 100 characters').max(100).required(),
          href: tested(
            'a path of this gateway that begins with one slash, or a URL of http or https',
            isLink,
          ).required(),
        }),
      )
      .messages(mustBe('an array of objects with title and href')),
  }),
);

/** The problems of a console's options: one sentence each, with its remedy and without a value. */
export const consoleProblems = (options: unknown): readonly string[] =>
  checkOptions(consoleRules(), options).problems;

const GATEWAY = 'https://gateway.invalid';

/**
 * A browser opens the link: it must not run a script, and a path must not lead to another host. To browsers `//host`,
 * `/\\host` and `/<tab>/host` are the same.
 */
function isLink(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (/^https?:\/\/[^/\\]/i.test(value)) return URL.canParse(value);
  return value.startsWith('/') && URL.canParse(value, GATEWAY) && new URL(value, GATEWAY).origin === GATEWAY;
}
