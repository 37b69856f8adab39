import Joi from 'joi';
import { isCountry } from '../numbers/phone-number.js';
import { credentials } from './credentials.js';
import { guard, rollout } from './guard.js';
import { inbound } from './inbound.js';
import { sandboxNumber, senders } from './senders.js';
import { texts } from './texts.js';
import { functionRule, hasMethods, integer, mustBe, objectOf, tested, textOf, urlRule } from '../core/option-rules.js';

/** The joi rules of the options. */

export const publicUrl = (): Joi.AnySchema =>
  urlRule("the hook's own public URL as entered in Okta, without a query", (url) => url.search === '');

export const attributeName = (): Joi.StringSchema =>
  textOf('the name of a profile attribute').pattern(/^\w+$/);

const isChannel = (value: unknown): boolean => {
  const provider = hasMethods(value, ['send']) ? (value as Record<string, unknown>)['provider'] : null;
  return provider === undefined || typeof provider === 'string';
};

const channelRule = (): Joi.AnySchema =>
  tested(
    'a channel (an object with a send function and, if any, a provider as text), or an array of them',
    (value) => {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      return list.length > 0 && list.every(isChannel);
    },
  );

let schema: Joi.ObjectSchema | undefined;

/** Every option, as `OktaTelephonyHookOptions` types it; made with the first hook, not when the package is imported. */
export const optionsSchema = (): Joi.ObjectSchema => (schema ??= makeOptionsSchema());

const makeOptionsSchema = (): Joi.ObjectSchema =>
  objectOf('an object', {
    credentials: credentials(),
    publicUrl: publicUrl(),
    sandboxNumber: sandboxNumber(),
    senders: senders(),
    optInAttribute: attributeName(),
    optInChannels: Joi.array()
      .items(textOf("the name of a channel other than 'voice'").invalid('voice'))
      .messages(mustBe('an array of channel names')),
    profile: objectOf('an object with timeoutMs, cache and unverifiedPhoneAttribute', {
      timeoutMs: integer('milliseconds', 50, 2000),
      cache: Joi.alternatives().conditional(Joi.object(), {
        then: Joi.object({
          ttlSeconds: integer('seconds', 0, 86_400),
          staleSeconds: integer('seconds', 0, 604_800),
          max: integer('a number of users', 1, 1_000_000),
        }),
        otherwise: Joi.valid(false).messages(
          mustBe('false, or an object with ttlSeconds, staleSeconds and max'),
        ),
      }),
      unverifiedPhoneAttribute: attributeName(),
    }),
    defaultCountry: tested(
      'an ISO 3166 country in capitals, such as GB',
      (value) => typeof value === 'string' && isCountry(value),
    ),
    path: textOf("a path such as /okta/telephony: letters, digits and '-._~/'").pattern(
      /^(?:\/|(?:\/[\w.~-]+)+\/?)$/,
    ),
    deadlineMs: integer('milliseconds', 500, 2800),
    chooseChannels: functionRule('a function (request, profile) => channel names'),
    composeText: functionRule('a function (request, profile, channel) => text'),
    texts: texts(),
    channels: objectOf('an object of channels by name', {})
      .pattern(/^[a-z][\w-]{0,31}$/i, channelRule())
      .messages({
        'object.unknown': '{{#label}} is not a name for a channel: a letter, then letters, digits, - and _',
      }),
    lateFailover: Joi.alternatives().conditional(Joi.object(), {
      then: Joi.object({
        afterSeconds: objectOf('an object of seconds by channel', {}).pattern(
          Joi.string(),
          integer('seconds', 1, 900),
        ),
      }),
      otherwise: Joi.valid(false).messages(
        mustBe('false, or an object with afterSeconds; it is on by default'),
      ),
    }),
    guard: guard(),
    inbound: inbound(),
    rollout: rollout(),
    state: tested('what memoryState() or redisState() returns', (value) =>
      hasMethods(value, [
        'claim',
        'overtake',
        'isNewest',
        'keepReceipt',
        'takeReceipt',
        'isDelivered',
        'check',
        'close',
      ]),
    ),
    logger: tested('an object with info, warn and error', (value) =>
      hasMethods(value, ['info', 'warn', 'error']),
    ),
    metrics: tested('a Registry of prom-client', (value) =>
      hasMethods(value, ['registerMetric', 'getSingleMetric', 'metrics']),
    ),
    onEvent: functionRule('a function (event) => void'),
    dispatcher: tested('a Dispatcher of undici 7 or later', (value) => hasMethods(value, ['dispatch'])),
    clock: functionRule('a function that returns milliseconds'),
  })
    .required()
    .label('The options');
