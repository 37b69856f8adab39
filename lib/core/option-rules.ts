import Joi from 'joi';
import { readSafeUrl } from './safe-url.js';

/** What every rule is made of. What a rule says when broken is one sentence with the remedy, and never a value. */

/**
 * One sentence for whatever is wrong with a value. joi hands an object's messages down to what is in it, where one by
 * code goes before one for all: those that objects and arrays have are said again here.
 */
export const mustBe = (what: string): Joi.LanguageMessages =>
  Object.fromEntries(
    ['*', 'any.required', 'object.base', 'array.base', 'array.min'].map((code) => [
      code,
      `{{#label}} must be ${what}`,
    ]),
  );

/** An object of these keys and no others, but for what the caller adds. */
export const objectOf = (what: string, keys: Joi.PartialSchemaMap): Joi.ObjectSchema =>
  Joi.object(keys).messages(mustBe(what));

/** A text that is not empty. */
export const textOf = (what: string): Joi.StringSchema => Joi.string().min(1).messages(mustBe(what));

/** What one field must be, tested by a function. */
export function tested(what: string, test: (value: unknown) => boolean): Joi.AnySchema {
  return Joi.any()
    .custom((value: unknown, helpers) => (test(value) ? value : helpers.error('any.invalid')))
    .messages(mustBe(what));
}

/** A function; what it takes and gives cannot be looked at. */
export const functionRule = (what: string): Joi.AnySchema =>
  tested(what, (value) => typeof value === 'function');

/** Whether a value has functions of these names, as an object of the user's own class may inherit them. */
export const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** A URL that is safe to send secrets to. */
export const urlRule = (what: string, isFine: (url: URL) => boolean): Joi.AnySchema =>
  tested(`${what}; https, or http on loopback`, (value) => {
    const url = readSafeUrl(value);
    return url !== undefined && isFine(url);
  });

/** A whole number between both bounds, or one of them. */
export const integer = (what: string, min: number, max: number): Joi.NumberSchema =>
  Joi.number()
    .integer()
    .min(min)
    .max(max)
    .messages(mustBe(`${what}: a whole number from ${min} to ${max}`));
