import Joi from 'joi';
import { rotatedRule } from '../channels/provider.js';
import type { TwilioLogin } from '../channels/twilio/settings.js';
import { asList, fieldOf } from '../core/json.js';
import { readPrivateKey } from '../core/private-key.js';
import { isOrigin, mustBe, objectOf, tested, textOf, urlRule } from '../core/option-rules.js';
import type { OktaCredentials } from '../okta/api-client.js';
import type { HookScheme } from '../okta/verify-caller.js';
import type { HookCredential, OktaCredential, TwilioCredential } from './credential-types.js';
import type { OktaTelephonyHookOptions } from './options.js';

/** The rules of `credentials`. */

/** A secret that a header can carry. With spaces around it or a line break in it, it would never match. */
const secret = (what: string, isFine: (text: string) => boolean = () => true): Joi.AnySchema =>
  tested(
    `${what}, as text without spaces around it or control characters in it`,
    // The pattern looks for control characters.
    // eslint-disable-next-line no-control-regex
    (value) => typeof value === 'string' && /^(?!\s)[^\x00-\x1f\x7f]+(?<!\s)$/.test(value) && isFine(value),
  );

export const headerSecret = (): Joi.AnySchema => secret("the header's whole value as typed into Okta");

type Scheme<Name> = Extract<HookCredential, { readonly scheme: Name }>;

const headerScheme = (): Joi.ObjectSchema =>
  objectOf<Scheme<'header'>>('an object with scheme and secrets', {
    scheme: Joi.string(),
    name: textOf('the name of an HTTP header')
      .pattern(/^[\w!#$%&'*+.^`|~-]+$/)
      .default('Authorization'),
    secrets: Joi.array()
      .items(headerSecret())
      .min(1)
      .required()
      .messages({
        ...mustBe('an array of at least one secret'),
        'array.sparse': '{{#label}} is missing',
      }),
  });

const basicScheme = (): Joi.ObjectSchema =>
  objectOf<Scheme<'basic'>>('an object with scheme and users', {
    scheme: Joi.string(),
    users: Joi.array()
      .items(
        objectOf<Scheme<'basic'>['users'][number]>('an object with username and password', {
          username: textOf('a user name without a colon')
            .pattern(/^[^:]+$/)
            .required(),
          password: textOf('a password that is not empty').required(),
        }),
      )
      .min(1)
      .required()
      .messages(mustBe('an array of at least one object with username and password')),
  });

const oauth2Scheme = (): Joi.ObjectSchema =>
  objectOf<Scheme<'oauth2'>>('an object with scheme, issuer, audience, clientId and scope', {
    scheme: Joi.string(),
    issuer: urlRule(
      "the issuer of the hook's access tokens, such as https://acme.okta.com/oauth2/default",
      (url) => url.search === '',
    ).required(),
    audience: textOf("the authorization server's audience, such as api://default").required(),
    clientId: textOf('the id of the client that the hook uses').required(),
    scope: textOf("the hook's scope").required(),
    jwksUri: urlRule("the URL of the issuer's keys", () => true),
  }).custom(readOAuth2);

function readOAuth2(scheme: Scheme<'oauth2'>): HookScheme {
  return { ...scheme, jwksUri: new URL(scheme.jwksUri ?? `${scheme.issuer.replace(/\/$/, '')}/v1/keys`) };
}

/** One of several schemes. `names` are their names in words. */
const schemeOf = (schemes: Readonly<Record<string, Joi.ObjectSchema>>, names: string): Joi.Schema =>
  Joi.alternatives().conditional('.scheme', {
    switch: Object.entries(schemes).map(([is, then]) => ({ is, then })),
    otherwise: objectOf<Pick<HookCredential, 'scheme'>>(`an object with a scheme: ${names}`, {
      scheme: Joi.valid(...Object.keys(schemes))
        .required()
        .messages(mustBe(names)),
    }).unknown(),
  });

const hookScheme = (): Joi.Schema =>
  schemeOf(
    { header: headerScheme(), basic: basicScheme(), oauth2: oauth2Scheme() },
    "'header', 'basic' or 'oauth2'",
  );

const eventHookScheme = (): Joi.Schema =>
  schemeOf(
    { header: headerScheme(), basic: basicScheme() },
    "'header' or 'basic': event hooks know no OAuth",
  );

export const orgUrl = (): Joi.AnySchema =>
  urlRule(
    "the org's origin, such as https://acme.okta.com, without -admin and without a path",
    (url) => isOrigin(url) && !/-admin\.okta[\w-]*\.com$/.test(url.hostname),
  );

export const apiToken = (): Joi.AnySchema =>
  secret('an API token of Okta, without SSWS before it', (text) => !/^SSWS\s/i.test(text));

export const servicePrivateKey = (): Joi.AnySchema =>
  tested(
    "the service app's private key (RSA of 2048 bits or more, or EC): a PEM, a JWK object or its JSON",
    (value) => {
      try {
        readPrivateKey(value as string | object);
        return true;
      } catch {
        return false;
      }
    },
  );

/** A credential for Okta's API. */
export const oktaCredentialRule = (): Joi.ObjectSchema =>
  objectOf<OktaCredential>('an object with orgUrl and apiToken, or orgUrl, clientId and privateKey', {
    orgUrl: orgUrl().required(),
    apiToken: apiToken(),
    clientId: textOf('the client id of the service app'),
    privateKey: servicePrivateKey(),
    keyId: textOf("the key's id at Okta"),
  })
    .xor('apiToken', 'clientId')
    .and('clientId', 'privateKey')
    .with('keyId', 'privateKey')
    .messages({
      'object.missing': '{{#label}} needs apiToken, or clientId and privateKey',
      'object.xor': '{{#label}} takes apiToken, or clientId and privateKey, not both',
      'object.and': '{{#label}} needs clientId and privateKey together',
      'object.with': '{{#label}}.keyId goes with privateKey',
    })
    .custom(readOkta);

/** A checked credential for Okta's API, with its key read. */
export function readOkta(okta: OktaCredential): OktaCredentials {
  const { origin } = new URL(okta.orgUrl);
  if (okta.apiToken !== undefined) return { orgUrl: origin, apiToken: okta.apiToken };
  const { privateKey, algorithm, keyId } = readPrivateKey(okta.privateKey);
  return { orgUrl: origin, clientId: okta.clientId, privateKey, algorithm, keyId: okta.keyId ?? keyId };
}

/** What the variable must be, in words. The rules accept ids of emulators, which may have another length. */
export const ACCOUNT_SID = "the account's SID: 'AC' and 32 hexadecimal digits";
export const API_KEY_SID = "the API key's SID: 'SK' and 32 hexadecimal digits";

export const accountSid = (): Joi.StringSchema => textOf(ACCOUNT_SID).pattern(/^AC[0-9a-zA-Z]{1,64}$/);
export const apiKeySid = (): Joi.StringSchema => textOf(API_KEY_SID).pattern(/^SK[0-9a-zA-Z]{1,64}$/);

export const apiKeySecret = (): Joi.AnySchema => secret("the API key's secret");

export const oneAuthToken = (): Joi.AnySchema => secret("the account's auth token");

export const twilioBaseUrl = (): Joi.AnySchema =>
  urlRule("an origin for every Twilio product, such as an emulator's, without a path", isOrigin);

const twilio = (): Joi.ObjectSchema =>
  objectOf<TwilioCredential>('an object with accountSid, apiKeySid and apiKeySecret', {
    accountSid: accountSid().required(),
    apiKeySid: apiKeySid(),
    apiKeySecret: apiKeySecret(),
    authToken: rotatedRule(oneAuthToken(), 'auth token'),
    region: textOf('a Twilio region, such as ie1').pattern(/^[a-z]{2}\d{1,2}$/),
    edge: textOf('a Twilio edge, such as dublin').pattern(/^[a-z][a-z0-9-]*$/),
    baseUrl: twilioBaseUrl(),
  })
    .or('apiKeySid', 'authToken')
    .and('apiKeySid', 'apiKeySecret')
    .messages({
      'object.missing': '{{#label}} needs apiKeySid and apiKeySecret, or authToken',
      'object.and': '{{#label}} needs apiKeySid and apiKeySecret together',
    })
    .custom(readTwilio);

/** A credential of Twilio, with the auth tokens that check its callbacks. */
export interface TwilioAccount {
  readonly login: TwilioLogin;
  readonly authTokens: readonly string[];
}

function readTwilio(twilio: TwilioCredential): TwilioAccount {
  const { accountSid, region, edge, baseUrl, authToken = [] } = twilio;
  const authTokens = typeof authToken === 'string' ? [authToken] : authToken;
  const [password = ''] = authTokens;
  const credential =
    twilio.apiKeySid === undefined
      ? { username: accountSid, password }
      : { username: twilio.apiKeySid, password: twilio.apiKeySecret };
  return { login: { ...credential, accountSid, region, edge, baseUrl }, authTokens };
}

/** One scheme, or a list of them. The normal form is a list. */
const schemes = (scheme: Joi.Schema): Joi.AlternativesSchema =>
  Joi.alternatives()
    .conditional(Joi.array(), {
      then: Joi.array().items(scheme).min(1),
      otherwise: scheme.custom((one: HookScheme) => [one]),
    })
    .messages(mustBe('an object with a scheme (how Okta proves itself), or an array of at least one'));

/** `hook` and `okta` are required. */
export const credentials = (): Joi.ObjectSchema =>
  objectOf<OktaTelephonyHookOptions['credentials']>('an object with hook, okta and, for Twilio, twilio', {
    hook: schemes(hookScheme()).required(),
    eventHook: Joi.alternatives()
      .conditional(Joi.valid(false), {
        then: Joi.any().custom(() => []),
        otherwise: schemes(eventHookScheme()),
      })
      // Event hooks know no OAuth.
      .default(({ hook }: { readonly hook: unknown }) =>
        asList(hook).filter((scheme) => fieldOf(scheme, 'scheme') !== 'oauth2'),
      ),
    okta: oktaCredentialRule().required(),
    twilio: twilio(),
  }).required();
