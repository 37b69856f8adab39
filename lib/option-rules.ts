import Joi from 'joi';
import { isCountry } from './delivery/phone-number.js';
import { readLocale } from './delivery/locale.js';
import { readPrivateKey } from './okta/private-key.js';

/** The joi rules of the options. What they say when broken names the remedy and never a value. */

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * One sentence for whatever is wrong with a value. joi hands an object's messages down to what is in it, where one by
 * code goes before one for all: those that objects and arrays have are said again here.
 */
const mustBe = (what: string): Joi.LanguageMessages =>
  Object.fromEntries(
    ['*', 'any.required', 'object.base', 'array.base', 'array.min'].map((code) => [
      code,
      `{{#label}} must be ${what}`,
    ]),
  );

const objectOf = (what: string, keys: Joi.PartialSchemaMap): Joi.ObjectSchema =>
  Joi.object(keys).messages(mustBe(what));

const textOf = (what: string): Joi.StringSchema => Joi.string().min(1).messages(mustBe(what));

/** What one field must be, tested by a function. */
function tested(what: string, test: (value: unknown) => boolean): Joi.AnySchema {
  return Joi.any()
    .custom((value: unknown, helpers) => (test(value) ? value : helpers.error('any.invalid')))
    .messages(mustBe(what));
}

const functionRule = (what: string): Joi.AnySchema => tested(what, (value) => typeof value === 'function');

const hasMethods = (value: unknown, names: readonly string[]): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** A secret that a header can carry: with spaces around it or a line break in it, it would never match. */
const secret = (what: string, isFine: (text: string) => boolean = () => true): Joi.AnySchema =>
  tested(
    `${what}, as text without spaces around it or control characters in it`,
    // Control characters are just what it looks for.
    // eslint-disable-next-line no-control-regex
    (value) => typeof value === 'string' && /^(?!\s)[^\x00-\x1f\x7f]+(?<!\s)$/.test(value) && isFine(value),
  );

const urlRule = (what: string, isFine: (url: URL) => boolean): Joi.AnySchema =>
  tested(`${what}; https, or http on loopback`, (value) => {
    // A URL with spaces parses, and is then another text than the one that is compared.
    if (typeof value !== 'string' || /\s/.test(value) || !URL.canParse(value)) return false;
    const url = new URL(value);
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname));
    return isSafe && url.username === '' && url.password === '' && url.hash === '' && isFine(url);
  });

const isOrigin = (url: URL): boolean => url.pathname === '/' && url.search === '';

const E164_RULE = 'a phone number in E.164 form, such as +14155550100';
const phone = (): Joi.StringSchema => textOf(E164_RULE).pattern(/^\+[1-9]\d{6,14}$/);
const contentSid = (): Joi.StringSchema =>
  textOf("a Content SID: 'HX' and 32 hexadecimal digits").pattern(/^HX[0-9a-zA-Z]{1,64}$/);

const SMS_SENDER_RULE =
  "a phone number in E.164 form, a Messaging Service SID ('MG' and 32 hexadecimal digits), or an alphanumeric sender of 1 to 11 characters with a letter";
const smsSender = (): Joi.StringSchema =>
  textOf(SMS_SENDER_RULE).pattern(
    /^(?:\+[1-9]\d{6,14}|MG[0-9a-zA-Z]{32}|(?!MG[0-9a-zA-Z]{32}$)(?=.*[A-Za-z])(?! )[A-Za-z0-9 _+&-]{1,11}(?<! ))$/,
  );

/** One sender, or a map by country with a default. */
const byCountry = (sender: Joi.StringSchema, what: string): Joi.AnySchema =>
  Joi.alternatives().conditional(Joi.object(), {
    then: Joi.object({ default: sender.required() })
      .pattern(
        Joi.string().custom((value: string, helpers) =>
          isCountry(value) ? value : helpers.error('any.invalid'),
        ),
        sender,
      )
      .messages({
        'object.unknown':
          '{{#label}} is not a country: use ISO 3166 codes in capitals such as GB, and default',
        'object.base': `{{#label}} must be ${what}`,
      }),
    otherwise: sender,
  });

const hookScheme = (): Joi.Schema =>
  Joi.alternatives().conditional('.scheme', {
    switch: [
      {
        is: 'header',
        then: Joi.object({
          scheme: Joi.string(),
          name: textOf('the name of an HTTP header').pattern(/^[\w!#$%&'*+.^`|~-]+$/),
          secrets: Joi.array()
            .items(secret("the header's whole value as typed into Okta"))
            .min(1)
            .required()
            .messages({
              ...mustBe('an array of at least one secret'),
              'array.sparse': '{{#label}} is missing; is what it comes from set?',
            }),
        }),
      },
      {
        is: 'basic',
        then: Joi.object({
          scheme: Joi.string(),
          users: Joi.array()
            .items(
              objectOf('an object with username and password', {
                username: textOf('a user name without a colon')
                  .pattern(/^[^:]+$/)
                  .required(),
                password: textOf('a password that is not empty').required(),
              }),
            )
            .min(1)
            .required()
            .messages(mustBe('an array of at least one object with username and password')),
        }),
      },
      {
        is: 'oauth2',
        then: Joi.object({
          scheme: Joi.string(),
          issuer: urlRule(
            "the issuer of the hook's access tokens, such as https://acme.okta.com/oauth2/default",
            (url) => url.search === '',
          ).required(),
          audience: textOf("the authorization server's audience, such as api://default").required(),
          clientId: textOf('the id of the client that the hook uses').required(),
          scope: textOf("the hook's scope").required(),
          jwksUri: urlRule("the URL of the issuer's keys", () => true),
        }),
      },
    ],
    otherwise: objectOf("an object with a scheme: 'header', 'basic' or 'oauth2'", {
      scheme: Joi.valid('header', 'basic', 'oauth2')
        .required()
        .messages(mustBe("'header', 'basic' or 'oauth2'")),
    }).unknown(),
  });

const okta = (): Joi.ObjectSchema =>
  objectOf('an object with orgUrl and apiToken, or orgUrl, clientId and privateKey', {
    orgUrl: urlRule(
      "the org's origin, such as https://acme.okta.com, without -admin and without a path",
      (url) => isOrigin(url) && !/-admin\.okta[\w-]*\.com$/.test(url.hostname),
    ).required(),
    apiToken: secret('an API token of Okta, without SSWS before it', (text) => !/^SSWS\s/i.test(text)),
    clientId: textOf('the client id of the service app'),
    privateKey: tested(
      "the service app's private key (RSA of 2048 bits or more, or EC): a PEM, a JWK object or its JSON",
      (value) => {
        try {
          readPrivateKey(value as string | object);
          return true;
        } catch {
          return false;
        }
      },
    ),
    keyId: textOf("the key's id at Okta"),
  })
    .xor('apiToken', 'clientId')
    .and('clientId', 'privateKey')
    .with('keyId', 'privateKey')
    .required()
    .messages({
      'object.missing': '{{#label}} needs apiToken, or clientId and privateKey',
      'object.xor': '{{#label}} takes apiToken, or clientId and privateKey, not both',
      'object.and': '{{#label}} needs clientId and privateKey together',
      'object.with': '{{#label}}.keyId goes with privateKey',
    });

const authToken = (): Joi.Schema =>
  Joi.alternatives().conditional(Joi.array(), {
    then: Joi.array()
      .items(secret("the account's auth token"))
      .length(2)
      .messages(mustBe('a text, or an array of the current and the next auth token')),
    otherwise: secret("the account's auth token"),
  });

const twilio = (): Joi.ObjectSchema =>
  objectOf('an object with accountSid, apiKeySid and apiKeySecret', {
    accountSid: textOf("the account's SID: 'AC' and 32 hexadecimal digits")
      .pattern(/^AC[0-9a-zA-Z]{1,64}$/)
      .required(),
    apiKeySid: textOf("the API key's SID: 'SK' and 32 hexadecimal digits").pattern(/^SK[0-9a-zA-Z]{1,64}$/),
    apiKeySecret: secret("the API key's secret"),
    authToken: authToken(),
    region: textOf('a Twilio region, such as ie1').pattern(/^[a-z]{2}\d{1,2}$/),
    edge: textOf('a Twilio edge, such as dublin').pattern(/^[a-z][a-z0-9-]*$/),
    baseUrl: urlRule("an origin for every Twilio product, such as an emulator's, without a path", isOrigin),
  })
    .or('apiKeySid', 'authToken')
    .and('apiKeySid', 'apiKeySecret')
    .required()
    .messages({
      'object.missing': '{{#label}} needs apiKeySid and apiKeySecret, or authToken',
      'object.and': '{{#label}} needs apiKeySid and apiKeySecret together',
    });

const integer = (what: string, min: number, max: number): Joi.NumberSchema =>
  Joi.number()
    .integer()
    .min(min)
    .max(max)
    .messages(mustBe(`${what}: a whole number from ${min} to ${max}`));

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
    credentials: objectOf('an object with hook, okta and twilio', {
      hook: Joi.array()
        .items(hookScheme())
        .min(1)
        .required()
        .messages(mustBe('an object with a scheme (how Okta proves itself), or an array of at least one')),
      okta: okta(),
      twilio: twilio(),
    }).required(),
    publicUrl: urlRule(
      "the hook's own public URL as entered in Okta, without a query",
      (url) => url.search === '',
    ),
    sandboxNumber: Joi.alternatives().conditional(Joi.object(), {
      then: objectOf('an object with number and contentSid', {
        number: phone().required(),
        contentSid: contentSid().required(),
      }),
      otherwise: textOf(`${E164_RULE}, or an object with number and contentSid`).pattern(/^\+[1-9]\d{6,14}$/),
    }),
    senders: objectOf('an object with sms, voice and whatsapp', {
      sms: byCountry(smsSender(), `${SMS_SENDER_RULE}, or a map of them by country`),
      voice: byCountry(phone(), `${E164_RULE}, or a map of them by country`),
      whatsapp: objectOf('an object with from and templates', {
        from: phone().required(),
        templates: objectOf("an object of Content SIDs by language tag, with 'default'", {
          default: contentSid().required(),
        })
          .pattern(
            Joi.string().custom((value: string, helpers) =>
              readLocale(value) === undefined ? helpers.error('any.invalid') : value,
            ),
            contentSid(),
          )
          .required()
          .messages({ 'object.unknown': '{{#label}} is not a BCP-47 language tag such as pt-BR' }),
      }),
    }),
    optInAttribute: textOf('the name of a profile attribute').pattern(/^\w+$/),
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
      unverifiedPhoneAttribute: textOf('the name of a profile attribute').pattern(/^\w+$/),
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
    channels: objectOf('an object of channels by name', {})
      .pattern(/^[a-z][\w-]{0,31}$/i, channelRule())
      .messages({
        'object.unknown': '{{#label}} is not a name for a channel: a letter, then letters, digits, - and _',
      }),
    state: tested('what memoryState() returns', (value) => hasMethods(value, ['claim', 'check', 'close'])),
    logger: tested('an object with info, warn and error', (value) =>
      hasMethods(value, ['info', 'warn', 'error']),
    ),
    onEvent: functionRule('a function (event) => void'),
    dispatcher: tested('a Dispatcher of undici 7 or later', (value) => hasMethods(value, ['dispatch'])),
    clock: functionRule('a function that returns milliseconds'),
  })
    .required()
    .label('The options');
