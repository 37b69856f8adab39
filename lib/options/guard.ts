import Joi from 'joi';
import { isCountry } from '../numbers/phone-number.js';
import { functionRule, integer, mustBe, objectOf, tested } from '../core/option-rules.js';

/** The rules of what holds codes back: `guard` and `rollout`. */

/** `false`, or a limit. */
const limit = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: Joi.object({
      points: integer('a number of codes', 1, 1_000_000).required(),
      seconds: integer('seconds', 1, 604_800).required(),
    }),
    otherwise: Joi.valid(false).messages(mustBe('false, or an object with points and seconds')),
  });

const countryList = (): Joi.ArraySchema =>
  Joi.array()
    .items(
      tested(
        'an ISO 3166 country in capitals, such as GB',
        (value) => typeof value === 'string' && isCountry(value),
      ),
    )
    .min(1)
    .messages(mustBe('an array of at least one ISO 3166 country'));

export const guard = (): Joi.ObjectSchema =>
  objectOf('an object with mode, perUser, perNumber, perIp, countries and answer', {
    mode: Joi.valid('enforce', 'record').messages(mustBe("'enforce' or 'record'")),
    perUser: limit(),
    perNumber: limit(),
    perIp: limit(),
    countries: objectOf('an object with allow or deny', { allow: countryList(), deny: countryList() })
      .xor('allow', 'deny')
      .messages({
        'object.missing': '{{#label}} needs allow or deny; leave it out for no rule',
        'object.xor': '{{#label}} takes allow or deny, not both',
      }),
    answer: Joi.valid('pending', 'error').messages(mustBe("'pending' or 'error'")),
  });

export const rollout = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.function(), {
    then: functionRule('a function that returns percentages by channel'),
    otherwise: objectOf('an object of percentages by channel, or a function that returns one', {}).pattern(
      Joi.string(),
      Joi.number().min(0).max(100).messages(mustBe('a percentage of users: a number from 0 to 100')),
    ),
  });
