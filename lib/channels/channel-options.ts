import type Joi from 'joi';
import { isOrigin, textOf, urlRule } from '../core/option-rules.js';

/** Rules that the options of several channels share. The files that the package's types come from name no type of joi's. */

/** A secret that a header can carry: visible characters only. */
export const secretRule = (what: string): Joi.StringSchema =>
  textOf(`${what}, as text without spaces`).pattern(/^[\x21-\x7e]+$/);

/** The provider's origin by default, or another that is safe to send secrets to. */
export const originRule = (origin: string): Joi.AnySchema =>
  urlRule(`an origin without a path, such as ${origin}`, isOrigin, ', or be left out').default(origin);

/** A service of Twilio Verify. */
export const serviceSidRule = (): Joi.StringSchema =>
  textOf("the Verify service's SID: 'VA' and 32 hexadecimal digits").pattern(/^VA[0-9a-zA-Z]{1,64}$/);
