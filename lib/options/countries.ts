import Joi from 'joi';
import { keyThat, mustBe } from '../core/option-rules.js';
import { isCountry } from '../numbers/phone-number.js';

/** The rules of options that name countries. */

/** Codes that people write, which ISO 3166 has for no country. */
const ISO_OF: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

/** The country that a wrong code stands for: `GB` for `UK`, `DE` for `de`. */
function meantCountry(code: string): string | undefined {
  const capitals = code.trim().toUpperCase();
  const meant = Object.hasOwn(ISO_OF, capitals) ? ISO_OF[capitals] : capitals;
  return meant !== undefined && meant !== code && isCountry(meant) ? meant : undefined;
}

/** A value that names countries. @param read - the codes in it; `undefined` if it is of another shape. */
const countriesRule = (
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
