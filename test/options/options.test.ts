import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import Joi from 'joi';
import { register as globalRegistry, Registry } from 'prom-client';
import sinon from 'sinon';
import { Agent } from 'undici';
import {
  ConfigurationError,
  memoryState,
  oktaTelephonyHook,
  TelephonyHookError,
  twilioCalls,
  twilioMessages,
  twilioVerify,
  type Channel,
  type OktaTelephonyHookOptions,
  type TelephonyHook,
} from '#lib/index.js';
import { objectOf } from '#lib/core/option-rules.js';
import { optionRules } from '#lib/options/schema.js';
import { readOptions } from '#lib/options/settings.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { rsaKeys } from '#harness/rsa-keys.js';

const SID = (letters: string): string => `${letters}${'0a1b'.repeat(8)}`;
const PHONE = '+15005550006';
const PUBLIC_URL = 'https://id.acme.com/okta/telephony';
const HEADER_SECRET = 'header-secret-91b2';
const API_TOKEN = '00api-token-7c31';
const KEY_SECRET = 'key-secret-55aa';
const AUTH_TOKEN = 'auth-token-e8d4';

type Plain = Record<string, unknown>;

/** A text without a problem. */
const TEXT = 'Your code is {code}';

/** Valid options. Each test changes one of them. */
const fine = (): Plain => ({
  credentials: {
    hook: { scheme: 'header', secrets: [HEADER_SECRET] },
    okta: { orgUrl: 'https://acme.okta.com', apiToken: API_TOKEN },
    twilio: { accountSid: SID('AC'), apiKeySid: SID('SK'), apiKeySecret: KEY_SECRET, authToken: AUTH_TOKEN },
  },
  senders: { sms: PHONE, voice: PHONE },
  guard: { countries: { allow: ['GB'] } },
  logger: { info: ignore, warn: ignore, error: ignore },
});
function ignore(): void {
  // This logger does nothing.
}

/** The options with one value at a dotted path; at `.` it is all of them. */
function withValue(path: string, value: unknown, options: Plain = fine()): Plain {
  if (path === '.') return value as Plain;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let place = options;
  for (const key of keys) place = place[key] = { ...(place[key] as Plain | undefined) };
  place[last] = value;
  return options;
}

const oauth2 = (over: Plain = {}): Plain => ({
  scheme: 'oauth2',
  issuer: 'https://corp.example/oauth2/default',
  audience: 'api://default',
  clientId: '0oaclient',
  scope: 'telephony',
  ...over,
});
const basic = (over: Plain = {}): Plain => ({
  scheme: 'basic',
  users: [{ username: 'hook-user', password: 'basic-password-0c1d', ...over }],
});
const SANDBOX = { number: PHONE, contentSid: SID('HX') };
const RCS = { service: SID('MG'), fallbackFrom: PHONE };
const whatsapp = (over: Plain = {}): Plain => ({ from: PHONE, templates: { default: SID('HX') }, ...over });
const channel: Channel = { send: () => Promise.resolve({ status: 'accepted', transactionId: 'T1' }) };

const rsa = rsaKeys();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const jwk = rsa.privateKey.export({ format: 'jwk' });
const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' });
/** Every form that a private key may have. */
const KEYS: readonly unknown[] = [
  pem,
  rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }),
  ec.privateKey.export({ type: 'sec1', format: 'pem' }),
  { ...jwk, kid: 'key-1' },
  JSON.stringify(jwk),
  ec.privateKey.export({ format: 'jwk' }),
];
const serviceApp = (privateKey: unknown, over: Plain = {}): Plain => ({
  orgUrl: 'https://acme.okta.com',
  clientId: '0oaservice',
  privateKey,
  ...over,
});

/** A whole object with one bad value inside. The object is set as the option, and the problem names the path inside. */
class Broken {
  readonly value: unknown;
  readonly #root: string | undefined;
  constructor(value: unknown, root?: string) {
    this.value = value;
    this.#root = root;
  }
  under(path: string): string {
    const root = this.#root ?? ROOTS.find((name) => path.startsWith(name));
    if (root === undefined) throw new Error('no root');
    return root;
  }
}
const ROOTS = [
  'credentials.hook',
  'credentials.okta',
  'sandboxNumber',
  'senders.sms',
  'senders.voice',
  'senders.whatsapp',
  'profile.cache',
  'channels',
  'guard',
  'rollout',
  'lateFailover',
  'texts',
];
const broken = (...values: readonly unknown[]): readonly Broken[] => values.map((value) => new Broken(value));
/** A whole object with each of these values for one of its options. */
const each = (object: Plain, name: string, ...values: readonly unknown[]): readonly Broken[] =>
  broken(...values.map((value) => ({ ...object, [name]: value })));
/** Maps by country with each of these lists for India. */
const by = (...lists: readonly unknown[]): readonly Plain[] =>
  lists.map((list) => ({ default: channel, IN: list }));
/** Options that exclude each other. */
const whole = (...options: readonly Plain[]): readonly Broken[] =>
  options.map((value) => new Broken(value, '.'));
/** Each value in a list of one. */
const listed = (...values: readonly unknown[]): readonly (readonly unknown[])[] =>
  values.map((value) => [value]);

describe('the options', () => {
  const hooks: TelephonyHook[] = [];
  const make = (options: unknown): TelephonyHook => {
    const hook = oktaTelephonyHook(options as OktaTelephonyHookOptions);
    hooks.push(hook);
    return hook;
  };
  const errorOf = (options: unknown): ConfigurationError => {
    try {
      make(options);
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigurationError).and.be.instanceOf(TelephonyHookError);
      witness(error);
      return error as ConfigurationError;
    }
    return expect.fail('the options were taken');
  };
  const problemsIn = (options: unknown): readonly string[] => {
    try {
      make(options);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
    return [];
  };
  beforeEach(() => {
    mustNotShow(HEADER_SECRET, API_TOKEN, KEY_SECRET, AUTH_TOKEN);
  });
  afterEach(async () => {
    await Promise.all(hooks.splice(0).map((hook) => hook.close()));
  });

  it('are accepted with the required ones only', () => {
    expect(make(fine())).to.be.a('function');
  });

  const good: readonly (readonly [path: string, ...values: unknown[]])[] = [
    ['credentials.hook', [{ scheme: 'header', secrets: [HEADER_SECRET] }]],
    [
      'credentials.hook',
      { scheme: 'header', name: 'x-okta-secret', secrets: [HEADER_SECRET, 'Bearer with space'] },
    ],
    ['credentials.hook', basic(), basic({ password: 'with:colons:and ümlaut' }), [basic(), oauth2()]],
    ['credentials.hook', oauth2(), oauth2({ issuer: 'http://127.0.0.1:8080/oauth2/default' })],
    ['credentials.hook', oauth2({ jwksUri: 'https://keys.acme.com/keys?v=1' })],
    ['credentials.eventHook', false, basic(), [basic(), { scheme: 'header', secrets: [HEADER_SECRET] }]],
    ['credentials.okta.orgUrl', 'https://acme.okta.com/', 'http://localhost:4000', 'http://[::1]:4000'],
    ['credentials.twilio', { accountSid: SID('AC'), authToken: AUTH_TOKEN }],
    ['credentials.twilio.authToken', [AUTH_TOKEN, 'auth-token-next']],
    ['credentials.twilio.region', 'ie1'],
    ['credentials.twilio.edge', 'dublin'],
    ['credentials.twilio.baseUrl', 'http://127.0.0.1:5000'],
    [
      'publicUrl',
      'https://id.acme.com/okta/telephony',
      'https://id.acme.com/okta/telephony/',
      'http://localhost:3000/x',
    ],
    ['sandboxNumber', '+14155238886', { number: '+14155238886', contentSid: SID('HX') }],
    ['twilio', {}, { contentRetention: 'discard', addressRetention: 'obfuscate' }],
    ['twilio.smartEncoding', true, false],
    ['twilio.deviceIp', true, false],
    ['senders.sms', PHONE, SID('MG'), 'ACME', 'Acme & Co', { default: PHONE, GB: 'ACME' }],
    [
      'senders.sms',
      RCS,
      { ...RCS, fallbackFrom: 'ACME' },
      { default: RCS, GB: 'ACME' },
      { default: 'ACME', GB: RCS },
    ],
    ['senders.voice', PHONE, { default: PHONE, BR: '+5511987654321' }],
    [
      'senders.whatsapp',
      whatsapp(),
      whatsapp({ templates: { default: SID('HX'), 'pt-BR': SID('HX'), zh_hant: SID('HX') } }),
    ],
    ['optInAttribute', 'channels', 'opt_in_2'],
    ['optInChannels', [], ['sms']],
    ['profile.timeoutMs', 50, 2000],
    ['profile.cache', false, {}, { ttlSeconds: 0, staleSeconds: 0, max: 1 }],
    ['profile.unverifiedPhoneAttribute', 'mobilePhone'],
    ['defaultCountry', 'GB', 'BR'],
    ['path', '/', '/hook', '/hook/', '/okta/telephony.v1/~x_y-z'],
    ['deadlineMs', 500, 2800],
    ['chooseChannels', () => ['sms']],
    ['composeText', () => 'text'],
    [
      'texts',
      {},
      { sms: {}, voice: {} },
      { sms: { default: TEXT, 'pt-BR': TEXT, zh_hant: TEXT }, voice: { de: TEXT } },
      {
        sms: { 'mfa-verification': { default: TEXT }, 'not.known.yet': { pt: TEXT }, default: { de: TEXT } },
      },
      { sms: { default: '{firstName}: {code}, {minutes} min, {code}' } },
      { sms: { default: `{code}${'x'.repeat(1568)}` } },
    ],
    ['texts.webOtpDomain', 'acme.com', 'login.Acme.com', 'xn--bcher-kva.example', 'a1.io'],
    [
      'channels',
      { line: channel },
      { sms: [channel, channel] },
      { sms: { default: channel } },
      {
        sms: { default: [channel], IN: [channel, channel], BR: channel, GB: undefined },
        voice: { default: channel },
      },
      { sms: { default: () => channel, IN: () => channel } },
    ],
    [
      'guard',
      {},
      { mode: 'record', answer: 'error' },
      {
        perUser: false,
        perNumber: { points: 1, seconds: 1 },
        perIp: { points: 1_000_000, seconds: 604_800 },
      },
      { countries: { allow: ['US', 'XK'] } },
      { countries: { deny: ['CA'] } },
    ],
    ['rollout', {}, { whatsapp: 0, sms: 100, voice: 0.5 }, () => ({ whatsapp: 25 })],
    ['lateFailover', false, {}, { afterSeconds: {} }, { afterSeconds: { sms: 1, line: undefined } }],
    ['lateFailover.afterSeconds.whatsapp', 20, 900],
    ['resend', {}, { nextRoute: false }, { nextRoute: true, withinSeconds: 1 }],
    ['resend.withinSeconds', 30, 3600],
    ['state', memoryState()],
    ['logger', console],
    ['metrics', new Registry(), globalRegistry],
    ['onEvent', ignore],
    ['dispatcher', new Agent()],
    ['clock', Date.now],
    ['credentials.okta', ...KEYS.map((key) => serviceApp(key, { keyId: 'key-1' }))],
    ['credentials.okta', serviceApp(jwk, { apiToken: undefined })],
    // No sender is needed if a custom channel sends.
    ['.', { ...fine(), senders: undefined, channels: { line: channel }, optInChannels: ['line'] }],
  ];

  it('are accepted in every form', () => {
    for (const [path, ...values] of good) {
      for (const [index, value] of values.entries()) {
        expect(problemsIn(withValue(path, value)), `${path} ${index}`).to.deep.equal([]);
      }
    }
  });

  it('use the default for undefined, everywhere', () => {
    const twilio = { accountSid: SID('AC'), authToken: AUTH_TOKEN };
    const options: Plain = {
      ...fine(),
      credentials: { ...(fine()['credentials'] as Plain), twilio },
      sandboxNumber: PHONE,
      channels: { line: undefined, sms: channel },
      rollout: { whatsapp: undefined, line: undefined },
      lateFailover: { afterSeconds: { sms: undefined } },
      texts: { sms: { default: undefined } },
      profile: { cache: {} },
    };
    const given = withUndefined(options, optionRules().describe() as Described) as Plain;
    expect(given).to.have.nested.property('credentials.okta.keyId', undefined);
    expect(given).to.have.nested.property('profile.cache.max', undefined);
    expect(given).to.have.nested.property('guard.countries.deny', undefined);
    expect(make(given)).to.be.a('function');
    for (const name of ['profile', 'guard', 'rollout', 'senders']) make({ ...given, [name]: undefined });
  });

  it('have the defaults of the reference', () => {
    const { guard, ...others } = readOptions(fine() as unknown as OktaTelephonyHookOptions);
    expect(others).to.deep.include({
      optInAttribute: 'whatsAppOptIn',
      optInChannels: ['whatsapp'],
      profile: { timeoutMs: 800, cache: { ttlSeconds: 60, staleSeconds: 3600, max: 10_000 } },
      path: '/okta/telephony',
      deadlineMs: 2200,
      lateFailover: { afterSeconds: {} },
      resend: { nextRoute: true, withinSeconds: 600 },
    });
    expect(guard).to.deep.include({ mode: 'enforce', answer: 'pending' });
    expect(guard.limits).to.deep.equal([
      { rule: 'perUser', points: 10, seconds: 600 },
      { rule: 'perNumber', points: 10, seconds: 600 },
    ]);
    const { learn } = readOptions(
      withValue('guard', { learn: {} }) as unknown as OktaTelephonyHookOptions,
    ).guard;
    expect(learn).to.include({ mode: 'record', ratio: 1, warmUpDays: 30 });
  });

  it('can be frozen, and stay unchanged', () => {
    const options = withValue('channels', { sms: Object.freeze([Object.freeze({ ...channel })]) });
    const before = JSON.stringify(options);
    expect(make(deepFreeze(options))).to.be.a('function');
    expect(JSON.stringify(options)).to.equal(before);
  });

  /** The hook refuses each value for this reason only, and the error contains no part of the value. */
  const bad: readonly (readonly [path: string, remedy: RegExp, ...values: unknown[]])[] = [
    ['credentials', /must be|missing/, undefined, null, 'kept-for-me', 4711],
    ['credentials.hook', /an object with a scheme \(how Okta proves itself\)/, undefined],
    ['credentials.hook', /array of at least one/, []],
    ['credentials.hook.scheme', /must be 'header', 'basic' or 'oauth2'/, 'digest-scheme', undefined, 4711],
    ['credentials.hook', /must be|a scheme/, null, false, 'kept-for-me', 4711],
    ['credentials.hook.secrets', /at least one secret|array of/, undefined, [], 'bare-secret-text', 4711],
    [
      'credentials.hook.secrets[0]',
      /text without spaces around it/,
      ...listed('', ' padded-secret ', 'line-secret\n', 4711, null),
    ],
    ['credentials.hook.name', /the name of an HTTP header/, '', 'with space', 'colon:name', 4711],
    ['credentials.eventHook', /array of at least one/, []],
    [
      'credentials.eventHook.scheme',
      /must be 'header' or 'basic': event hooks know no OAuth/,
      'digest-scheme',
      'oauth2',
      4711,
    ],
    ['credentials.eventHook', /must be|a scheme/, null, true, 'kept-for-me', 4711],
    ['credentials.okta', /missing|must be/, undefined, null, 'kept-for-me'],
    [
      'credentials.okta.orgUrl',
      /the org's origin.*https, or http on loopback/,
      undefined,
      '',
      'http://corp.example',
      'https://corp.example/oauth2',
      'https://user:org-password@corp.example',
      'https://corp.example?q=query-text',
      'https://corp.example\n',
      'ftp://corp.example',
      4711,
    ],
    ['credentials.okta.apiToken', /an API token of Okta/, '', ' padded-token ', 4711, null],
    ['credentials.twilio', /missing|must be/, undefined, null, 'kept-for-me'],
    [
      'credentials.twilio.accountSid',
      /'AC' and 32 hexadecimal/,
      undefined,
      '',
      'AC-too-short',
      SID('SK'),
      4711,
    ],
    ['credentials.twilio.apiKeySid', /'SK' and 32 hexadecimal/, '', 'SK-too-short', SID('AC'), 4711],
    ['credentials.twilio.apiKeySecret', /API key's secret/, '', ' padded-key-secret', 4711],
    [
      'credentials.twilio.authToken',
      /auth token/,
      '',
      ' padded-auth-token',
      4711,
      null,
      ['only-one-token'],
      ['token-one', 'token-two', 'token-three'],
    ],
    ['credentials.twilio.region', /a Twilio region/, '', 'ireland', 4711],
    ['credentials.twilio.edge', /a Twilio edge/, '', 'dublin.evil.example', 4711],
    [
      'credentials.twilio.baseUrl',
      /an origin for every Twilio product/,
      '',
      'http://twilio.example',
      'https://twilio.example/path',
      4711,
    ],
    [
      'publicUrl',
      /the hook's own public URL/,
      '',
      '/okta/telephony',
      'http://id.acme.com/x',
      'https://id.acme.com/x?token=query-secret',
      'https://id.acme.com/x\n',
      ' https://id.acme.com/x',
      4711,
    ],
    ['sandboxNumber', /E\.164/, '', '14155238886', 'whatsapp:+14155238886', '+0415523888', 4711, null],
    ['sandboxNumber.number', /E\.164/, ...each(SANDBOX, 'number', '14155238886', undefined)],
    ['sandboxNumber.contentSid', /a Content SID/, ...each(SANDBOX, 'contentSid', 'HX-too-short', undefined)],
    ['senders', /must be/, null, 'kept-for-me', 4711],
    [
      'senders.sms',
      /E\.164.*Messaging Service SID.*alphanumeric/,
      '',
      '15005550006',
      'MG-too-short-and-long',
      'TwelveLetters',
      '+0150055500',
      4711,
      null,
    ],
    [
      'senders.sms.default',
      /E\.164/,
      ...broken({ default: '123456789012' }, { GB: 'ACME' }, { default: 4711 }),
    ],
    ['senders.sms.GB', /E\.164/, ...broken({ default: PHONE, GB: 'TwelveLetters' })],
    [
      'senders.sms.service',
      /^senders\.sms\.service must be a Messaging Service SID/,
      ...each(RCS, 'service', PHONE, 'MG1', undefined),
    ],
    [
      'senders.sms.fallbackFrom',
      /E\.164 form, or an alphanumeric/,
      ...each(RCS, 'fallbackFrom', SID('MG'), 'rcs:acme', '15005550006', undefined),
    ],
    ['senders.sms.from', /is not an option; /, ...broken({ ...RCS, from: 'kept-for-me' })],
    ['senders.sms.GB.fallbackFrom', /E\.164/, ...broken({ default: PHONE, GB: { service: SID('MG') } })],
    ['twilio', /an object with contentRetention/, null, 'kept-for-me', 4711],
    ['twilio.contentRetention', /must be 'discard', or be left out/, 'retain', true, null],
    ['twilio.addressRetention', /must be 'obfuscate', or be left out/, 'discard', false],
    ['twilio.smartEncoding', /must be a boolean/, 'false', 0, null],
    ['twilio.deviceIp', /must be a boolean/, 'true', 1],
    ['senders.sms.gb', /is not a country: use GB$/, ...broken({ default: PHONE, gb: 'ACME' })],
    ['senders.sms.UK', /is not a country: use GB$/, ...broken({ default: PHONE, UK: 'kept-for-me' })],
    ['senders.sms.XX', /ISO 3166/, ...broken({ default: PHONE, XX: 'ACME' })],
    ['senders.voice', /E\.164/, '', 4711],
    ['senders.voice', /E\.164.*; the value has letters or other/, 'ACME-name', SID('MG')],
    ['senders.voice', /; the value does not begin with \+ and the country code$/, '15005550006', '0500 555'],
    ['senders.voice', /; the value has spaces or other characters/, '+1 500 555 0006', '+1-5005550006'],
    ['senders.voice', /; the value has a 0 after the \+/, '+01500555'],
    ['senders.voice', /; the value is too short$/, '+150055', '+'],
    ['senders.voice', /; the value has more than 15 digits$/, '+1500555000612345'],
    ['senders.sms', /alphanumeric sender of 1 to 11 characters with a letter$/, 'TwelveLetters'],
    ['senders.sms', /with a letter; the value does not begin with \+/, '15005550006'],
    ['sandboxNumber', /contentSid; the value has spaces/, '+1 500 555 0006'],
    ['senders.voice.default', /E\.164/, ...broken({ default: 'ACME-name' })],
    [
      'senders.sms',
      /^senders\.sms is a number whose calling code no country has; compare it with/,
      '+9991234567',
      '+2101234567',
    ],
    ['senders.sms.GB', /calling code no country has/, ...broken({ default: PHONE, GB: '+9991234567' })],
    ['senders.voice', /calling code no country has/, '+9991234567'],
    ['senders.whatsapp.from', /calling code no country has/, ...broken(whatsapp({ from: '+9991234567' }))],
    ['sandboxNumber', /calling code no country has/, '+9991234567'],
    ['senders.whatsapp', /must be/, null, PHONE],
    ['senders.whatsapp.from', /E\.164/, ...each(whatsapp(), 'from', 'whatsapp:+15005550006', undefined)],
    ['senders.whatsapp.templates', /must be|missing/, ...each(whatsapp(), 'templates', undefined, SID('HX'))],
    [
      'senders.whatsapp.templates.default',
      /a Content SID/,
      ...each(whatsapp(), 'templates', {}, { default: 'HX-too-short' }),
    ],
    [
      'senders.whatsapp.templates.english',
      /BCP-47/,
      ...each(whatsapp(), 'templates', { default: SID('HX'), english: SID('HX') }),
    ],
    ['optInAttribute', /profile attribute/, '', 'with space', 'profile.optIn', 4711],
    ['optInChannels', /array of channel names/, 'whatsapp-text', 4711, null],
    ['optInChannels[0]', /other than 'voice'/, ['voice'], [4711], ['']],
    ['optInChannels[0]', /no channel that is configured/, ['telegram'], ['acme']],
    ['profile', /must be/, null, 'kept-for-me'],
    ['profile.timeoutMs', /50 to 2000/, 49, 2001, 0.5, '800', -31, NaN, Infinity, null],
    ['profile.cache', /false, or an object/, true, 'kept-for-me', 4711, null],
    ['profile.cache.ttlSeconds', /whole number from 0/, -31, '60', 86_401],
    ['profile.cache.staleSeconds', /whole number from 0/, -31, 604_801],
    ['profile.cache.max', /whole number from 1/, 0, 1_000_001, 47.11],
    ['profile.unverifiedPhoneAttribute', /profile attribute/, '', 'with space', true],
    ['defaultCountry', /ISO 3166 country in capitals, such as GB$/, '', 'GBR', 'XX', 4711],
    ['defaultCountry', /ISO 3166 country in capitals, such as GB; use GB$/, 'gb', 'UK', 'uk', ' GB'],
    ['path', /a path such as/, '', 'no-slash', '/hook/:id', '/hook/*', '/a?b=query-text', 4711],
    ['deadlineMs', /500 to 2800/, 499, 2801, 1000.5, '2200', NaN, null],
    ['chooseChannels', /a function/, 'kept-for-me', ['whatsapp-list'], null],
    ['composeText', /a function/, 'kept-for-me', null],
    ['texts', /sms, voice and webOtpDomain/, null, 'kept-for-me', 4711],
    [
      'texts.sms',
      /texts by language tag, with 'default', or of such objects by request type/,
      ...['kept-for-me', null, 4711, ['kept-for-me {code}']],
    ],
    [
      'texts.sms.pt',
      /a text with \{code\} in it; either every entry is a text by language tag, or every one is an object/,
      ...['', ' \n', 4711, null, { de: TEXT }].flatMap((pt) => broken({ sms: { default: TEXT, pt } })),
    ],
    [
      'texts.sms.mfa-verification',
      /not a BCP-47 language tag such as pt-BR, nor 'default'; by request type, every entry is an object/,
      ...broken(
        { sms: { default: TEXT, 'mfa-verification': { de: TEXT } } },
        { sms: { 'mfa-verification': TEXT } },
      ),
    ],
    ...['und', 'english', 'x y', '__proto__x', 'password-reset.english'].map(
      (tag) => [`texts.voice.${tag}`, /not a BCP-47 language tag/, TEXT] as const,
    ),
    ['texts.sms.password reset', /not a request type such as mfa-verification/, { de: TEXT }],
    [
      'texts.sms.default',
      /a brace or a placeholder that is none of \{code\}, \{minutes\} and \{firstName\}/,
      ...[
        '{kode}',
        '{Code}',
        '{ code }',
        '{{code}}',
        '{code',
        'code}',
        '{}',
        '{lastName}',
        '{constructor}',
      ].map((part) => `kept-for-me {code} ${part}`),
    ],
    [
      'texts.sms.default.de',
      /a brace or a placeholder that is none of/,
      ...broken({ sms: { default: { de: 'kept-for-me {code} {kode}' }, 'pre-enrollment': { de: TEXT } } }),
    ],
    ['texts.sms.default', /a \$ before a placeholder/, 'kept-for-me ${code}'],
    ['texts.voice.de', /does not say the code; write \{code\}/, 'kept-for-me', 'kept-for-me {minutes}'],
    ['texts.voice.de', /look for a misspelling; it also does not say the code; write/, 'kept-for-me {cod}'],
    [
      'texts.sms.default',
      /at most 1600 characters when it is filled in/,
      ...[`{code}${'x'.repeat(1569)}`, `{code}{firstName}${'x'.repeat(1529)}`],
    ],
    [
      'texts.sms',
      /two entries of one meaning/,
      ...[
        { 'pt-BR': TEXT, pt_br: TEXT },
        { iw: TEXT, he: TEXT },
        { 'mfa-verification': { de: TEXT }, 'com.okta.user.telephony.mfa-verification': { de: TEXT } },
      ],
    ],
    [
      'texts.webOtpDomain',
      /the host of the page where codes are typed in/,
      '',
      'https://kept-for-me.example',
      'kept-for-me.example/path',
      'kept-for-me.example:8443',
      'keptforme',
      '-kept.example',
      'kept-.example',
      'kept for.example',
      'bücher.example',
      '10.0.0.1',
      'kept-for-me.example.',
      `${'a.'.repeat(130)}example`,
      4711,
      null,
    ],
    ['channels', /must be/, null, 'kept-for-me', [channel]],
    ['channels.line', /an object with a send function/, {}, 'kept-for-me', [], [channel, {}], null],
    ['channels.2nd', /a name for a channel/, channel],
    ['channels.line', /^channels\.line\[1\] must be a channel/, [channel, {}]],
    [
      'channels.line',
      /^channels\.line must be .*or a map of these by country$/,
      { provider: 'X' },
      { india: channel },
    ],
    [
      'channels.sms',
      /^channels\.sms\.default must be a channel/,
      { IN: channel },
      { default: {}, IN: channel },
    ],
    [
      'channels.sms',
      /^channels\.sms\.IN must be a channel .* an array of them$/,
      ...by({}, [], 'kept-for-me', { default: channel }),
    ],
    ['channels.sms', /^channels\.sms\.IN\[1\] must be a channel/, ...by([channel, {}], [channel, null])],
    ['channels.sms', /^channels\.sms\.UK is not a country: use GB$/, { default: channel, UK: channel }],
    ['channels.sms', /^channels\.sms\.in is not a country: use IN$/, { default: channel, in: channel }],
    [
      'channels.sms',
      /^channels\.sms\.XX is not a country: use ISO 3166 codes/,
      { default: channel, XX: channel },
    ],
    ['channels.sms', /^channels\.sms\.India is not a country/, { default: channel, India: channel }],
    ['channels.sms', /^channels\.sms\.IN\[1\]\.lookUp must be/, ...by([channel, { ...channel, lookUp: 1 }])],
    ['channels.sms', /^channels\.sms\.IN\.lookUp must be/, ...by({ ...channel, lookUp: 1 })],
    ['channels.line', /^channels\.line\.lookUp must be a function/, { ...channel, lookUp: 1 }],
    ['guard', /an object with mode, perUser/, null, false, 'kept-for-me', 4711],
    ['guard.mode', /'enforce' or 'record'/, 'kept-for-me', null, true],
    ['guard.answer', /'pending' or 'error'/, 'kept-for-me', 200],
    ['guard.perUser', /false, or an object with points and seconds/, true, 4711, null, 'kept-for-me'],
    [
      'guard.perNumber.points',
      /a number of codes: a whole number from 1 to 1000000/,
      ...[0, -31, 1.5, '4711', 1_000_001, NaN, undefined].flatMap((points) =>
        broken({ perNumber: { points, seconds: 60 } }),
      ),
    ],
    [
      'guard.perIp.seconds',
      /seconds: a whole number from 1 to 604800/,
      ...[0, -31, 0.5, '4711', 604_801, Infinity, undefined].flatMap((seconds) =>
        broken({ perIp: { points: 5, seconds } }),
      ),
    ],
    [
      'guard.countries',
      /needs allow or deny|takes allow or deny, not both|an object with allow or deny/,
      ...[{}, { allow: ['US'], deny: ['CA'] }, ['US'], true, null],
    ],
    ...[[], 'kept-for-me'].map(
      (allow) => ['guard.countries.allow', /an array of at least one/, allow] as const,
    ),
    [
      'guard.countries.deny[1]',
      /an ISO 3166 country in capitals/,
      ...['USA', '', 4711, null].flatMap((code) => broken({ countries: { deny: ['CA', code] } })),
    ],
    ['guard.countries.deny[1]', /; use GB$/, ...broken({ countries: { deny: ['CA', 'UK'] } })],
    ['guard.countries.deny[1]', /; use GR$/, ...broken({ countries: { deny: ['CA', 'EL'] } })],
    [
      'rollout',
      /an object of percentages by channel, or a function/,
      null,
      'kept-for-me',
      4711,
      true,
      ['sms'],
      // These would turn nothing off.
      new Map([['whatsapp', 0]]),
      Promise.resolve({ whatsapp: 0 }),
    ],
    [
      'rollout.whatsapp',
      /a percentage of users: a number from 0 to 100/,
      ...[-31, 100.5, '25', 'kept-for-me', NaN, Infinity, true, null],
    ],
    ['rollout.whatsap is no channel that is configured', /look for a misspelling/, ...broken({ whatsap: 0 })],
    [
      'lateFailover',
      /false, or an object with afterSeconds; it is on by default$/,
      true,
      'kept-for-me',
      null,
    ],
    ['lateFailover.afterSeconds', /seconds by channel/, 4711, null, new Map([['whatsapp', 20]])],
    ['lateFailover.afterSeconds.sms', /1 to 900/, 0, 901, '20', 47.11],
    ['lateFailover.afterSeconds.whatsap', /no channel that is configured/, 20],
    ['resend', /an object with nextRoute and withinSeconds$/, true, false, null, 'kept-for-me'],
    ['resend.nextRoute', /a boolean/, 'kept-for-me', 1, null],
    ['resend.withinSeconds', /1 to 3600/, 0, 3601, '20', 47.11],
    [
      'state',
      /memoryState\(\)/,
      {},
      { claim: ignore, check: ignore, close: ignore },
      'redis://user:redis-password@host',
      null,
    ],
    ['logger', /info, warn and error/, {}, 'kept-for-me', { info: ignore, warn: ignore }, null],
    ['metrics', /a Registry of prom-client/, {}, 'kept-for-me', { metrics: ignore }, null],
    ['onEvent', /a function/, {}, 'kept-for-me', null],
    ['dispatcher', /a Dispatcher of undici 7 or later/, {}, 'http://proxy-user:proxy-password@proxy', null],
    ['clock', /a function/, 4711, new Date(0), null],
    [
      'credentials.hook.users',
      /username and password/,
      ...each({ scheme: 'basic' }, 'users', undefined, [], 'kept-for-me'),
    ],
    ...['with:colon', '', undefined].map(
      (username) =>
        ['credentials.hook.users[0].username', /without a colon/, ...broken(basic({ username }))] as const,
    ),
    ...['', undefined, 4711].map(
      (password) =>
        ['credentials.hook.users[0].password', /not empty/, ...broken(basic({ password }))] as const,
    ),
    [
      'credentials.hook.issuer',
      /the issuer of the hook's access tokens/,
      ...each(oauth2(), 'issuer', undefined, 'http://corp.example/oauth2', 'issuer-text'),
      ...each(oauth2(), 'issuer', 'https://corp.example/oauth2/default '),
    ],
    ['credentials.hook.audience', /audience/, ...each(oauth2(), 'audience', '', undefined)],
    ['credentials.hook.clientId', /client that the hook uses/, ...each(oauth2(), 'clientId', '', undefined)],
    ['credentials.hook.scope', /the hook's scope/, ...each(oauth2(), 'scope', '', ['telephony-list'])],
    [
      'credentials.hook.jwksUri',
      /the URL of the issuer's keys/,
      ...each(oauth2(), 'jwksUri', 'http://keys.acme.com', ''),
    ],
    [
      'credentials.hook[1].secrets',
      /at least one secret/,
      ...broken([oauth2(), { scheme: 'header', secrets: [] }]),
    ],
    [
      'credentials.okta.privateKey',
      /must be .*a PEM, a JWK object or its JSON/,
      ...broken(
        ...[
          weak.privateKey.export({ type: 'pkcs8', format: 'pem' }),
          rsa.publicKey.export({ type: 'spki', format: 'pem' }),
          rsa.publicKey.export({ format: 'jwk' }),
          JSON.stringify(jwk).slice(0, -5),
          'not-a-key-at-all',
          4711,
          null,
        ].map((key) => serviceApp(key)),
      ),
    ],
    ['', /^senders: there is no sender at all; give/, ...whole(withValue('senders', undefined))],
    [
      '',
      /own\. senders\.sms is undefined: is the variable that it comes from set\?$/,
      ...whole(withValue('senders', { sms: undefined })),
    ],
    [
      '',
      /own\. sandboxNumber is undefined: is the variable that it comes from set\?$/,
      ...whole(withValue('sandboxNumber', undefined, withValue('senders', undefined))),
    ],
    [
      '',
      /^senders: there is no sender at all/,
      ...whole(withValue('channels', { line: undefined }, withValue('senders', {}))),
    ],
    [
      '',
      /^sandboxNumber and senders\.whatsapp.*leave out sandboxNumber/,
      ...whole(withValue('sandboxNumber', PHONE, withValue('senders.whatsapp', whatsapp()))),
    ],
    [
      '',
      /^publicUrl needs credentials\.twilio\.authToken/,
      ...whole(
        withValue('publicUrl', 'https://id.acme.com/x', withValue('credentials.twilio.authToken', undefined)),
      ),
    ],
    ['', /^inbound needs publicUrl/, ...whole(withValue('inbound', { onMessage: () => undefined }))],
    ...(
      [
        [
          /okta takes apiToken, or clientId and privateKey, not both$/,
          'okta',
          { ...serviceApp(pem), apiToken: API_TOKEN },
        ],
        [
          /okta needs apiToken, or clientId and privateKey\. apiToken is undefined: is the variable that it comes/,
          'okta.apiToken',
          undefined,
        ],
        [/okta needs clientId and privateKey together$/, 'okta', serviceApp(undefined)],
        [/twilio needs apiKeySid and apiKeySecret, or authToken$/, 'twilio', { accountSid: SID('AC') }],
        [/twilio needs apiKeySid and apiKeySecret together$/, 'twilio.apiKeySecret', undefined],
      ] as const
    ).map(
      ([remedy, path, value]) => ['', remedy, ...whole(withValue(`credentials.${path}`, value))] as const,
    ),
    ['channels', /^channels\.sms\[1\]\.reports/, ...broken({ sms: [channel, { ...channel, reports: 1 }] })],
    ...(
      [
        ['reports', /^channels\.line\.reports must be 'fail/, 'delivery', true],
        ['lookUp', /^channels\.line\.lookUp/, {}],
        [
          'receive',
          /^channels\.line\.receive must be an object with a function handle/,
          true,
          { handle: 1 },
          { handle() {}, methods: ['PUT'] },
        ],
        ['confirm', /^channels\.line\.confirm must be a function/, true],
        ['check', /^channels\.line\.check must be a function/, true],
        ['idNamespace', /^channels\.line\.idNamespace/, 'acme sms', 1],
      ] as const
    ).flatMap(([name, remedy, ...values]) =>
      values.flatMap((value) => {
        const wrong = { ...channel, [name]: value };
        return [
          ['channels', remedy, ...broken({ line: wrong })] as const,
          ['channels', remedy, ...broken({ line: { ...channel, connect: () => wrong } })] as const,
        ];
      }),
    ),
  ];
  it('are refused for each bad value, with its path and remedy, and without the value itself', () => {
    for (const [path, remedy, ...values] of bad) {
      expect(values, path).to.not.be.empty;
      for (const value of values) {
        // A path that ends in an index, or below a broken object, is set at the object.
        const [place, given] =
          value instanceof Broken ? [value.under(path), value.value] : [path.replace(/\[\d\]$/, ''), value];
        const error = errorOf(withValue(place, given));
        const shown = `${path} ${String(remedy)}: ${JSON.stringify(given)}`;
        expect(error.problems, shown).to.have.length(1);
        expect(error.problems[0], shown).to.match(remedy);
        expect(error.problems[0]?.startsWith(path), `${shown}: ${error.problems[0]}`).to.equal(true);
        const [issue] = error.issues;
        expect(issue?.message, shown).to.equal(error.problems[0]);
        // An index, or a field of a custom channel, can follow.
        expect(issue?.option, shown)
          .to.match(PATH_OF_OPTION)
          .and.satisfy((at: string) => at.startsWith(path.split(' ', 1)[0] ?? ''));
        expectNoValue(error, given);
      }
    }
  });

  it('name a variable that may not be set, and a URL without its scheme with it', () => {
    const isUnset = 'is undefined: is the variable that it comes from set?';
    for (const [path, value, end] of [
      ['credentials.okta.orgUrl', undefined, `It ${isUnset}`],
      ['credentials.hook.secrets', [undefined], `It ${isUnset}`],
      ['credentials.twilio.accountSid', undefined, `It ${isUnset}`],
      ['senders.whatsapp', { ...whatsapp(), from: undefined }, `It ${isUnset}`],
      ['credentials.okta.orgUrl', 'corp.example', 'It has no scheme: write https://corp.example'],
      ['credentials.okta.orgUrl', 'localhost:3001', 'It has no scheme: write http://localhost:3001'],
      [
        'publicUrl',
        'id.corp.example:8443/okta/telephony',
        'It has no scheme: write https://id.corp.example:8443/okta/telephony',
      ],
    ] as const) {
      const { problems } = errorOf(withValue(path, value));
      expect(problems).to.have.length(1);
      expect(problems[0]?.endsWith(`. ${end}`), problems[0]).to.equal(true);
    }
    // Neither may be a host name.
    for (const value of [
      '00kept-for-me',
      'eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl',
      'kept@corp.example',
      'corp.example?kept',
    ]) {
      const error = errorOf(withValue('credentials.okta.orgUrl', value));
      expect(error.problems).to.have.length(1);
      expectNoValue(error, value);
    }
  });

  const shortHook = { scheme: 'header', secrets: [HEADER_SECRET, 'fifteen-letters'] };
  const warned: readonly (readonly [
    what: string,
    path: string,
    value: unknown,
    /** The option. Then the places in it, unless it is the whole option. */
    ...warnings: (string | readonly [option: string, ...where: string[]])[],
  ])[] = [
    ['a hook secret of 16 characters', 'credentials.hook.secrets', ['sixteen-letters-']],
    [
      'a short hook secret',
      'credentials.hook',
      shortHook,
      ['credentials.hook', 'credentials.hook.secrets[1] (header)'],
    ],
    [
      'a short password',
      'credentials.hook',
      [oauth2(), basic({ password: 'short' })],
      ['credentials.hook', 'credentials.hook[1].users[0].password (basic)'],
    ],
    [
      'several short secrets',
      'credentials.hook',
      [shortHook, basic({ password: 'short' })],
      [
        'credentials.hook',
        'credentials.hook[0].secrets[1] (header)',
        'credentials.hook[1].users[0].password (basic)',
      ],
    ],
    ['a long password', 'credentials.hook', basic()],
    [
      'a short secret of the event hook',
      'credentials.eventHook',
      shortHook,
      ['credentials.eventHook', 'credentials.eventHook.secrets[1] (header)'],
    ],
    ['a publicUrl without the path', 'publicUrl', 'https://id.acme.example', ['publicUrl.path', 'publicUrl']],
    [
      'a publicUrl with another path',
      'publicUrl',
      'https://id.acme.example/telephony/',
      ['publicUrl.path', 'publicUrl'],
    ],
    ['a publicUrl with a prefix and a slash', 'publicUrl', 'https://id.acme.example/gw/Okta/telephony/'],
    ['WhatsApp without publicUrl', 'sandboxNumber', PHONE, 'publicUrl'],
    ['no countries', 'guard', { perUser: false }, 'guard.countries'],
    ['all countries, on purpose', 'guard.countries', false],
    ['no SMS', 'senders', { voice: PHONE }, 'senders.sms'],
    ['no calls', 'senders', { sms: PHONE }, 'senders.voice'],
    [
      'only WhatsApp',
      'senders',
      { whatsapp: { from: PHONE, templates: { default: SID('HX') } } },
      ...['publicUrl', 'senders.sms', 'senders.voice'],
    ],
    [
      'SMS by a channel in place of a sender',
      '.',
      withValue('channels', { sms: channel }, withValue('senders', { voice: PHONE })),
    ],
    [
      'no SMS and no calls, on purpose',
      '.',
      withValue('rollout', { sms: 0, voice: 0 }, withValue('sandboxNumber', PHONE, withValue('senders', {}))),
      'publicUrl',
    ],
    [
      'numbers of another length than those of their country',
      '.',
      withValue('senders', {
        sms: { default: '+12345678', GB: '+447700900123', US: 'ACME', DE: SID('MG') },
        voice: '+1415555010',
        whatsapp: { from: '+14155550100123', templates: { default: SID('HX') } },
      }),
      'publicUrl',
      ['senders.number', 'senders.sms.default', 'senders.voice', 'senders.whatsapp.from'],
    ],
    [
      'a sandbox number that is too short',
      'sandboxNumber',
      '+1415523888',
      'publicUrl',
      ['senders.number', 'sandboxNumber'],
    ],
    [
      'senders that channels override',
      '.',
      withValue(
        'channels',
        { sms: channel, voice: [channel], whatsapp: channel },
        withValue('sandboxNumber', PHONE),
      ),
      'publicUrl',
      ['senders', 'senders.sms', 'senders.voice', 'sandboxNumber'],
    ],
    [
      "a sender of a channel's second provider",
      'channels',
      { sms: [channel, twilioMessages()], voice: [twilioVerify({ serviceSid: SID('VA') }), twilioCalls()] },
    ],
    [
      'the opt-in options next to chooseChannels',
      '.',
      withValue('chooseChannels', () => ['sms'], {
        ...fine(),
        optInAttribute: 'codesBy',
        optInChannels: ['whatsapp'],
      }),
      ['chooseChannels', 'optInAttribute', 'optInChannels'],
    ],
    [
      'chooseChannels alone, which can send without SMS',
      '.',
      withValue('chooseChannels', () => ['line'], {
        ...withValue('channels', { line: channel }),
        senders: { voice: PHONE },
      }),
    ],
    ['a channel with a custom name', 'channels', { line: { send: () => undefined } }],
    [
      'an account SID that is too short',
      'credentials.twilio.accountSid',
      SID('AC').slice(0, -1),
      'credentials.twilio.accountSid',
    ],
    [
      'a key SID that is too long',
      'credentials.twilio.apiKeySid',
      `${SID('SK')}0`,
      'credentials.twilio.apiKeySid',
    ],
    [
      'a template of the sandbox that is too short',
      'sandboxNumber',
      { number: PHONE, contentSid: 'HX0a1b' },
      ...['publicUrl', 'sandboxNumber.contentSid'],
    ],
    [
      'one bad template of several',
      'senders.whatsapp',
      whatsapp({ templates: { default: SID('HX'), pt: `HX${'z'.repeat(32)}` } }),
      ...['publicUrl', ['senders.whatsapp.templates', 'senders.whatsapp.templates.pt'] as const],
    ],
    [
      'texts that fit one GSM-7 segment',
      'texts.sms',
      { default: `{code}${'x'.repeat(154)}`, de: 'Für Sie: {code} [€]' },
    ],
    [
      'texts that do not fit one GSM-7 segment',
      'texts.sms',
      { default: `{code}${'x'.repeat(155)}`, pt: 'Código de verificação: {code}', fr: TEXT },
      ['texts.sms', 'texts.sms.default', 'texts.sms.pt'],
    ],
    [
      'a text of a request type that does not fit one segment',
      'texts.sms',
      {
        'account-unlock': { es: `{firstName} {minutes} {code}${'x'.repeat(131)}` },
        default: { ja: '{code}です' },
      },
      ['texts.sms', 'texts.sms.account-unlock.es', 'texts.sms.default.ja'],
    ],
    [
      'a text that the WebOTP line makes too long',
      'texts',
      {
        sms: { default: `{code}${'x'.repeat(140)}` },
        webOtpDomain: 'acme.com',
      },
      ['texts.sms', 'texts.sms.default'],
    ],
    [
      'a language without a voice',
      'texts.voice',
      { default: TEXT, 'sv-SE': TEXT, fi: TEXT },
      ['texts.voice', 'texts.voice.fi'],
    ],
  ];
  it('are accepted with a warning that names the option if they look like a mistake', () => {
    mustNotShow('fifteen-letters');
    for (const [what, path, value, ...warnings] of warned) {
      const options = withValue(path, value);
      const lines: [message: string, fields: Plain][] = [];
      options['logger'] = {
        info: ignore,
        warn: (message: string, fields: Plain) => lines.push([message, fields]),
        error: ignore,
      };
      make(options);
      witness(lines);
      const expected = warnings.map((entry) => {
        const [option, ...where] = typeof entry === 'string' ? [entry, entry] : entry;
        return { event: 'configuration.warned', option, where };
      });
      expect(
        lines.map(([, { event, option, where }]) => ({ event, option, where })),
        what,
      ).to.deep.equal(expected);
      for (const [index, { where }] of expected.entries()) {
        for (const place of where) expect(lines[index]?.[0], what).to.include(place);
      }
    }
  });

  it('warn of a custom WhatsApp channel that no user can choose', () => {
    const own = { send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }) };
    const lines: Plain[] = [];
    make({
      ...fine(),
      sandboxNumber: undefined,
      channels: { whatsapp: own, line: own },
      optInChannels: ['line'],
      logger: { info: ignore, error: ignore, warn: (_: string, fields: Plain) => lines.push(fields) },
    });
    const warnings = lines.filter(({ option }) => option === 'channels');
    expect(warnings.map(({ where }) => where)).to.deep.equal([['channels.whatsapp']]);
  });

  it('need Twilio credentials only if an option uses Twilio, and the problem names that option', () => {
    const own = { channels: { sms: channel, voice: channel } };
    const without = (options: Plain): Plain =>
      withValue('credentials.twilio', undefined, { ...fine(), senders: undefined, ...options });
    const warn = sinon.fake();
    const logger = { info: ignore, warn, error: ignore };
    make(without({ ...own, logger }));
    // A channel of the user's own may receive callbacks.
    make(without({ ...own, publicUrl: PUBLIC_URL, inbound: {}, logger }));
    expect(warn.callCount).to.equal(0);
    for (const [options, needing] of [
      [{ senders: { sms: PHONE } }, 'senders.sms needs'],
      [{ ...own, sandboxNumber: PHONE }, 'sandboxNumber needs'],
      [{ senders: { sms: PHONE }, publicUrl: PUBLIC_URL }, 'senders.sms, publicUrl need'],
      [
        { senders: { sms: PHONE }, publicUrl: PUBLIC_URL, inbound: {} },
        'senders.sms, publicUrl, inbound need',
      ],
    ] as const) {
      const { problems } = errorOf(without(options));
      expect(problems).to.deep.equal([
        `credentials.twilio is missing: ${needing} it; give it, or leave out what needs it`,
      ]);
    }
    for (const [name, made] of Object.entries({
      twilioMessages: twilioMessages(),
      twilioCalls: twilioCalls(),
      twilioVerify: twilioVerify({ serviceSid: SID('VA') }),
    })) {
      const { problems } = errorOf(without({ channels: { sms: made } }));
      expect(problems).to.deep.equal([`channels.sms: ${name}() needs credentials.twilio, which is missing`]);
    }
  });

  it('need the sender for each Twilio channel', () => {
    const senders = { sms: undefined, voice: undefined };
    for (const [channels, problem] of [
      [{ line: channel, sms: twilioMessages() }, 'channels.sms: twilioMessages() needs senders.sms'],
      [{ line: channel, push: twilioMessages() }, 'channels.push: twilioMessages() needs senders.sms'],
      [
        { whatsapp: twilioMessages() },
        'channels.whatsapp: twilioMessages() needs senders.whatsapp or sandboxNumber',
      ],
      [{ line: channel, voice: [twilioCalls()] }, 'channels.voice: twilioCalls() needs senders.voice'],
    ] as const) {
      expect(errorOf({ ...fine(), senders, channels }).problems).to.deep.equal([
        `${problem}, which is missing`,
      ]);
    }
  });

  it('warn with the publicUrl that would match the path', () => {
    const warn = sinon.fake();
    make({
      ...withValue('publicUrl', 'https://id.acme.example:8443/okta'),
      path: '/hooks/okta/',
      logger: { info: ignore, warn, error: ignore },
    });
    expect(warn.lastCall.args[1]).to.deep.equal({
      event: 'configuration.warned',
      option: 'publicUrl.path',
      where: ['publicUrl'],
      remedy:
        'Unless a proxy rewrites paths, set publicUrl to https://id.acme.example:8443/hooks/okta, as it is entered in Okta.',
    });
  });

  it('warn with what makes a text longer than one SMS segment', () => {
    const warn = sinon.fake();
    make({
      ...withValue('texts', {
        sms: { default: `{code} ${'x'.repeat(160)}`, pt: 'Código: {code}', ja: '{code}'.padEnd(90, 'です') },
      }),
      logger: { info: ignore, warn, error: ignore },
    });
    expect(warn.lastCall.args[1]).to.include({
      remedy: [
        'texts.sms.default: it takes 167 of 160 characters, and 2 segments; make it 7 shorter',
        "texts.sms.pt: without 'ó', which GSM-7 does not have, a segment would hold 160 characters in place of 70 (it takes 1 segment)",
        "texts.sms.ja: without 'で', which GSM-7 does not have, a segment would hold 160 characters in place of 70 (it takes 2 segments)",
      ].join('; '),
    });
  });

  it('must be an object', () => {
    for (const options of [undefined, null, 'kept-for-me', 4711, [fine()], ignore]) {
      const { problems, issues } = errorOf(options);
      expect(problems).to.deep.equal(['The options must be an object']);
      expect(issues).to.deep.equal([{ option: '', message: 'The options must be an object' }]);
    }
  });

  const misspelled: readonly (readonly [path: string, value: unknown, meant: string | undefined])[] = [
    ['sender', { sms: PHONE }, 'senders'],
    ['optinAttribute', 'misspelt-attribute', 'optInAttribute'],
    ['credentials.Okta', { orgUrl: 'https://misspelt-org.example' }, 'okta'],
    ['credentials.hook.secret', 'misspelt-secret', 'secrets'],
    ['credentials.okta.apitoken', 'misspelt-token', 'apiToken'],
    ['credentials.twilio.authtoken', 'misspelt-auth-token', 'authToken'],
    ['senders.whatsApp', whatsapp(), 'whatsapp'],
    ['profile.timeout', 812, 'timeoutMs'],
    ['profile.cache.ttl', 4711, undefined],
    ['sandboxNumber.contentsid', SID('HX'), 'contentSid'],
    ['guard.perUsr', { points: 4711, seconds: 60 }, 'perUser'],
    ['guard.perUser.second', 4711, 'seconds'],
    ['guard.countries.Allow', ['US'], 'allow'],
    ['senders.whatsapp.template', SID('HX'), 'templates'],
    ['lateFailover.afterSecond', { whatsapp: 20 }, 'afterSeconds'],
    ['texts.SMS', { default: 'misspelt-text' }, 'sms'],
    ['metric', { register: 'misspelt-register' }, 'metrics'],
    // Basic credentials have no `secrets`. Only header credentials do.
    ['credentials.eventHook.secret', 'misspelt-secret', undefined],
    ['nothing', 'misspelt-by-far', undefined],
  ];
  it('refuse an unknown option at every level, and suggest the intended one', () => {
    for (const [path, value, meant] of misspelled) {
      const options = fine();
      withValue('credentials.eventHook', basic(), options);
      withValue('guard', { perUser: { points: 5, seconds: 60 }, countries: { allow: ['US'] } }, options);
      // The hook refuses these two together.
      if (path.startsWith('senders.whatsapp')) withValue('senders.whatsapp', whatsapp(), options);
      else withValue('sandboxNumber', { number: PHONE, contentSid: SID('HX') }, options);
      const error = errorOf(withValue(path, value, options));
      const hint = meant === undefined ? 'remove it, or look for a misspelling' : `did you mean ${meant}?`;
      expect(error.problems).to.deep.equal([`${path} is not an option; ${hint}`]);
      expectNoValue(error, value);
    }
  });

  it('name a misspelt option before the one that is missing because of it', () => {
    const { credentials, ...others } = fine();
    expect(errorOf({ ...others, credential: credentials }).problems).to.deep.equal([
      'credential is not an option; did you mean credentials?',
      'credentials must be an object with hook, okta and, for Twilio, twilio',
    ]);
  });

  it('report all their problems together, each once', () => {
    const options = withValue('deadlineMs', 99_999, withValue('path', 'padded-path'));
    withValue('credentials.hook.secrets', ['', 'good-secret-1', ''], options);
    withValue('credentials.okta.apiToken', '', options);
    withValue('guards', {}, options);
    withValue('senders', {}, options);
    const error = errorOf(options);
    expect(error.issues.map(({ message }) => message)).to.deep.equal(error.problems);
    expect(error.issues.map(({ option }) => option)).to.have.members([
      'credentials.hook.secrets[0]',
      'credentials.hook.secrets[2]',
      'credentials.okta.apiToken',
      'deadlineMs',
      'guards',
      'path',
      'senders',
    ]);
    expect(error.code).to.equal('CONFIGURATION');
    for (const problem of error.problems) expect(error.message).to.include(problem);
    expectNoValue(error, ['good-secret-1', 'padded-path', 99_999]);
  });
});

/** Names with dots between them, and indexes. */
const PATH_OF_OPTION = /^[A-Za-z][\w-]*(?:\[\d+\]|\.[\w-]+)*$/;

describe('the rules of the options', () => {
  it('are one for each name of their type: the compiler refuses a missing and a further one', () => {
    type Named = { readonly one: string } | { readonly other?: string } | string | false;
    objectOf<Named>('an object', { one: Joi.string(), other: Joi.string() });
    // @ts-expect-error: the rule of `other` is missing
    objectOf<Named>('an object', { one: Joi.string() });
    // @ts-expect-error: the type has no `third`
    objectOf<Named>('an object', { one: Joi.string(), other: Joi.string(), third: Joi.string() });
  });
});

/** Fails if the error contains a text or a number of the given value. */
function expectNoValue(error: ConfigurationError, given: unknown): void {
  const shown = `${error.message}\n${error.problems.join('\n')}\n${JSON.stringify(error)}\n${error.stack ?? ''}`;
  for (const leaf of leavesOf(given)) {
    if (leaf.length < 4 || /^(voice|header|basic|oauth2|https?:|0a1b)$/.test(leaf)) continue;
    expect(shown.includes(leaf), `${leaf.slice(0, 40)} is shown: ${error.problems.join()}`).to.equal(false);
  }
}
function leavesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value.trim()];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : [];
}

/** joi's description of a rule, as far as it names options. */
interface Described {
  readonly keys?: Readonly<Record<string, Described>>;
}

/** The options with every name that the rules of their objects know. What is not given is undefined. */
function withUndefined(options: unknown, { keys = {} }: Described): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options;
  const given = options as Plain;
  const inner = Object.entries(keys).map(([name, rule]) => [name, withUndefined(given[name], rule)] as const);
  return { ...given, ...Object.fromEntries(inner) };
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
