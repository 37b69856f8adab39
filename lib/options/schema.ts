import Joi from 'joi';
import {
  dispatcherRule,
  functionRule,
  hasMethods,
  integer,
  lazyRules,
  mapOf,
  mustBe,
  objectOf,
  oneOf,
  optionsOf,
  tested,
  textOf,
  urlRule,
} from '../core/option-rules.js';
import { adaptLogger, isLogger } from '../events/adapt-logger.js';
import { addressList, isAddressRange } from '../guard/addresses.js';
import type { LearnSettings } from '../guard/learning-guard.js';
import type { Guard } from '../guard/limits.js';
import { openMemoryState } from '../state/memory/memory-state.js';
import { isByCountry } from './channel-lists.js';
import { CHANNEL_NAME, isConnected } from './combinations.js';
import { credentials } from './credentials.js';
import { DEFAULT_OPT_IN_ATTRIBUTE, DEFAULT_PATH } from './options.js';
import type { GuardLearnOptions, GuardLimit, GuardOptions, OktaTelephonyHookOptions } from './options.js';
import { byCountryIn, country, sandboxNumber, senders } from './senders.js';
import { inbound, texts } from './texts.js';

/** The joi rules of the options: what each may be, its default, and its normal form. */

type Options = OktaTelephonyHookOptions;

export const publicUrl = (): Joi.AnySchema =>
  urlRule("the hook's own public URL as entered in Okta, without a query", (url) => url.search === '').custom(
    (url: string) => url.replace(/\/+$/, ''),
  );

export const attributeName = (): Joi.StringSchema =>
  textOf('the name of a profile attribute').pattern(/^\w+$/);

const profile = (): Joi.ObjectSchema =>
  objectOf<Options['profile']>('an object with timeoutMs, cache and unverifiedPhoneAttribute', {
    timeoutMs: integer('milliseconds', 50, 2000).default(800),
    cache: objectOf<NonNullable<Options['profile']>['cache']>(
      'false, or an object with ttlSeconds, staleSeconds and max',
      {
        ttlSeconds: integer('seconds', 0, 86_400).default(60),
        staleSeconds: integer('seconds', 0, 604_800).default(3600),
        max: integer('a number of users', 1, 1_000_000).default(10_000),
      },
    )
      .allow(false)
      .default(),
    unverifiedPhoneAttribute: attributeName(),
  }).default();

const isSwitch = (what: string): Joi.AnySchema => Joi.boolean().messages(mustBe(`a boolean: ${what}`));

const twilioFeatures = (): Joi.ObjectSchema =>
  objectOf<Options['twilio']>(
    'an object with contentRetention, addressRetention, smartEncoding and deviceIp',
    {
      contentRetention: oneOf("'discard', or be left out", 'discard'),
      addressRetention: oneOf("'obfuscate', or be left out", 'obfuscate'),
      smartEncoding: isSwitch('whether Twilio replaces characters that GSM-7 does not have').default(true),
      deviceIp: isSwitch("whether Verify gets the user's IP address").default(true),
    },
  ).default();

const CHANNEL =
  'a channel (an object with a send function and, if any, a provider as text, or a function that returns one)';

const channelRule = (what: string): Joi.AnySchema =>
  tested(what, (value) => typeof value === 'function' || isConnected(value));

const channelList = (what: string): Joi.AnySchema =>
  Joi.alternatives()
    .conditional(Joi.array(), {
      then: Joi.array().items(channelRule(CHANNEL)).min(1).messages(mustBe(what)),
      otherwise: channelRule(what),
    })
    .messages(mustBe(what));

const channels = (): Joi.ObjectSchema => {
  const list = channelList(`${CHANNEL}, or an array of them`);
  return mapOf(
    'an object of channels by name',
    CHANNEL_NAME,
    Joi.alternatives().conditional(tested('a map by country', isByCountry), {
      then: byCountryIn(Joi.object({ default: list.required() }), list),
      otherwise: channelList(`${CHANNEL}, an array of them, or a map of these by country`),
    }),
    'is not a name for a channel: a letter, then letters, digits, - and _',
  );
};

const limit = (): Joi.ObjectSchema =>
  objectOf<GuardLimit>('false, or an object with points and seconds', {
    points: integer('a number of codes', 1, 1_000_000).required(),
    seconds: integer('seconds', 1, 604_800).required(),
  }).allow(false);

const countryList = (): Joi.ArraySchema =>
  Joi.array().items(country()).min(1).messages(mustBe('an array of at least one ISO 3166 country'));

const learn = (): Joi.ObjectSchema =>
  objectOf<GuardLearnOptions>('an object with mode, ratio, allow and warmUpDays', {
    mode: oneOf("'record' or 'enforce'", 'record', 'enforce').default('record'),
    ratio: Joi.number()
      .min(0.1)
      .max(10)
      .messages(mustBe('unused codes per used code: a number from 0.1 to 10'))
      .default(1),
    allow: objectOf<GuardLearnOptions['allow']>('an object with countries and ips', {
      countries: countryList().default([]),
      ips: Joi.array()
        .items(tested('an IP address, or a range such as 198.51.100.0/24', isAddressRange))
        .min(1)
        .messages(mustBe('an array of at least one IP address or range'))
        .default([]),
    }).default(),
    warmUpDays: integer('days', 0, 365).default(30),
  });

const guard = (): Joi.ObjectSchema =>
  objectOf<GuardOptions>(
    'an object with mode, perUser, perNumber, perIp, countries, learn, answer and assess',
    {
      mode: oneOf("'enforce' or 'record'", 'enforce', 'record').default('enforce'),
      perUser: limit().default({ points: 10, seconds: 600 }),
      perNumber: limit().default({ points: 10, seconds: 600 }),
      perIp: limit().default(false),
      countries: objectOf<GuardOptions['countries']>('false, or an object with allow or deny', {
        allow: countryList(),
        deny: countryList(),
      })
        .allow(false)
        .xor('allow', 'deny')
        .messages({
          'object.missing': '{{#label}} needs allow or deny; false is for no rule',
          'object.xor': '{{#label}} takes allow or deny, not both',
        }),
      learn: learn(),
      answer: oneOf("'pending' or 'error'", 'pending', 'error').default('pending'),
      assess: functionRule('a function (request, { signal }) => { block, reason } or undefined'),
    },
  )
    .custom(readGuard)
    .default();

const LIMITS = ['perUser', 'perNumber', 'perIp'] as const;

function readGuard(
  options: Pick<Guard, 'mode' | 'answer' | 'assess'> &
    Readonly<Record<(typeof LIMITS)[number], GuardLimit | false>> & {
      readonly countries?: { readonly allow?: readonly string[]; readonly deny?: readonly string[] } | false;
      readonly learn?: Pick<LearnSettings, 'mode' | 'ratio' | 'warmUpDays'> & {
        readonly allow: { readonly countries: readonly string[]; readonly ips: readonly string[] };
      };
    },
): Guard {
  const { mode, answer, countries, learn, assess } = options;
  return {
    mode,
    answer,
    assess,
    limits: LIMITS.flatMap((rule) => {
      const { [rule]: limit } = options;
      return limit === false ? [] : [{ rule, ...limit }];
    }),
    countries: countries
      ? {
          kind: countries.allow === undefined ? 'deny' : 'allow',
          of: new Set(countries.allow ?? countries.deny),
        }
      : undefined,
    learn: learn && {
      ...learn,
      // `record` of the whole guard blocks nothing.
      mode: mode === 'record' ? mode : learn.mode,
      allow: { countries: new Set(learn.allow.countries), ips: addressList(learn.allow.ips) },
    },
  };
}

const rollout = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.function(), {
    then: functionRule('a function that returns percentages by channel'),
    otherwise: mapOf(
      'an object of percentages by channel, or a function that returns one',
      Joi.string(),
      Joi.number().min(0).max(100).messages(mustBe('a percentage of users: a number from 0 to 100')),
    ),
  });

const lateFailover = (): Joi.ObjectSchema =>
  objectOf<Options['lateFailover']>('false, or an object with afterSeconds; it is on by default', {
    afterSeconds: mapOf(
      'an object of seconds by channel',
      Joi.string(),
      integer('seconds', 1, 900),
    ).default(),
  })
    .allow(false)
    .default();

const resend = (): Joi.ObjectSchema =>
  objectOf<Options['resend']>('an object with nextRoute and withinSeconds', {
    nextRoute: isSwitch('whether a code that a user requests again goes by the next route').default(true),
    withinSeconds: integer('seconds', 1, 3600).default(600),
  }).default();

/** A clock of the user's own that fails must not turn a code that was sent into an error. */
const safeClock = (clock: () => number) => (): number => {
  try {
    const now = clock();
    return Number.isFinite(now) ? now : Date.now();
  } catch {
    return Date.now();
  }
};

/** Every option, as `OktaTelephonyHookOptions` types it. */
export const optionRules = lazyRules(() =>
  optionsOf<Options>('an object', {
    credentials: credentials(),
    twilio: twilioFeatures(),
    publicUrl: publicUrl(),
    sandboxNumber: sandboxNumber(),
    senders: senders().default(),
    optInAttribute: attributeName().default(DEFAULT_OPT_IN_ATTRIBUTE),
    optInChannels: Joi.array()
      .items(textOf("the name of a channel other than 'voice'").invalid('voice'))
      .messages(mustBe('an array of channel names'))
      .default(['whatsapp']),
    profile: profile(),
    defaultCountry: country(),
    path: textOf("a path such as /okta/telephony: letters, digits and '-._~/'")
      .pattern(/^(?:\/|(?:\/[\w.~-]+)+\/?)$/)
      .custom((path: string) => path.replace(/\/$/, ''))
      .default(DEFAULT_PATH),
    deadlineMs: integer('milliseconds', 500, 2800).default(2200),
    chooseChannels: functionRule('a function (request, profile) => channel names'),
    composeText: functionRule('a function (request, profile, channel) => text'),
    texts: texts(),
    channels: channels().default(),
    guard: guard(),
    rollout: rollout(),
    lateFailover: lateFailover(),
    resend: resend(),
    inbound: inbound(),
    state: tested('what memoryState() or redisState() returns', (value) =>
      hasMethods(value, ['claim', 'isCurrent', 'useCode', 'update', 'read', 'recall', 'check', 'close']),
    ).default(openMemoryState),
    logger: tested(
      'an object with info, warn and error (winston, console, pino), a function (level, message, fields) => …, or false',
      isLogger,
    ).custom(adaptLogger),
    metrics: tested('a Registry of prom-client', (value) =>
      hasMethods(value, ['registerMetric', 'getSingleMetric', 'metrics']),
    ),
    onEvent: functionRule('a function (event) => void'),
    dispatcher: dispatcherRule(),
    clock: functionRule('a function that returns milliseconds')
      .custom(safeClock)
      .default(() => Date.now),
  }),
);
