import type Joi from 'joi';
import { isOrigin, textOf, urlRule } from '../core/option-rules.js';
import { E164, oddityOf } from '../numbers/phone-number.js';

/** Rules that the options of several channels share. The files that the package's types come from name no type of joi's. */

/** A secret that a header can carry: visible characters only. */
export const secretRule = (what: string): Joi.StringSchema =>
  textOf(`${what}, as text without spaces`).pattern(/^[\x21-\x7e]+$/);

/** The provider's origin by default, or another that is safe to send secrets to. */
export const originRule = (origin: string): Joi.AnySchema =>
  urlRule(`an origin without a path, such as ${origin}`, isOrigin, ', or be left out').default(origin);

/** Refuses a sender's number whose calling code no country has. A sender may also be a name or an id. */
export const withCallingCode = (sender: Joi.StringSchema): Joi.StringSchema =>
  sender
    .custom((value: string, helpers) => {
      const number = value.replace(/^\+?/, '+');
      const isWrong = E164.test(number) && oddityOf(number) === 'calling code';
      return isWrong ? helpers.error('number.callingCode') : value;
    })
    .messages({
      'number.callingCode':
        "{{#label}} is a number whose calling code no country has; compare it with the provider's console",
    });

/** A service of Twilio Verify. */
export const serviceSidRule = (): Joi.StringSchema =>
  textOf("the Verify service's SID: 'VA' and 32 hexadecimal digits").pattern(/^VA[0-9a-zA-Z]{1,64}$/);
