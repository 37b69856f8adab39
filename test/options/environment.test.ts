import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { ConfigurationError, oktaTelephonyHook } from '#lib/index.js';
import {
  oktaCredentialFrom,
  OPTION_VARIABLES,
  optionsFrom,
  variablesFrom,
  type Environment,
} from '#lib/options/environment.js';
import { readProviders } from '#lib/options/channel-lists.js';
import { WARNINGS } from '#lib/events/describe-warning.js';
import { VariableReader } from '#lib/options/variable-reader.js';
import { VARIABLES, variablesWhere, type VariableName } from '#lib/options/variables.js';
import { isTwilioLookup } from '#lib/channels/twilio/lookup.js';
import { createTwilioConnection } from '#lib/channels/twilio/client.js';
import { connectChannel, NO_CLIENT } from '#harness/channels.js';
import { mustNotShow, witness } from '#harness/witness.js';

const API_TOKEN = '00api-token-of-the-environment';
const HOOK_SECRET = 'hook-secret-of-the-environment';
const PREVIOUS_SECRET = 'previous-secret-of-the-environment';
const AUTH_TOKEN = 'auth-token-of-the-environment';
const SID = (letters: string): string => letters + '0a1b'.repeat(8);

/** The minimum for a gateway. */
const LEAST: Environment = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: API_TOKEN,
  HOOK_SECRET,
  TWILIO_ACCOUNT_SID: SID('AC'),
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  TWILIO_SMS_FROM: '+15005550006',
};
/** The variables that go together. Some replace variables of the minimum. */
const WHOLE: Environment = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_CLIENT_ID: '0oaservice',
  OKTA_PRIVATE_KEY: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string,
  OKTA_KEY_ID: 'key-1',
  HOOK_SECRET,
  TWILIO_ACCOUNT_SID: SID('AC'),
  TWILIO_API_KEY_SID: SID('SK'),
  TWILIO_API_KEY_SECRET: 'key-secret-of-the-environment',
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  TWILIO_BASE_URL: 'http://127.0.0.1:4010',
  TWILIO_WHATSAPP_FROM: '+15005550007',
  TWILIO_WHATSAPP_TEMPLATE: SID('HX'),
  TWILIO_SMS_FROM: 'ACME',
  TWILIO_VOICE_FROM: '+15005550008',
  OPT_IN_ATTRIBUTE: 'codesBy',
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
  REDIS_URL: 'redis://127.0.0.1:1',
  STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  GUARD_COUNTRIES: 'DE,AT',
  RESEND_NEXT_ROUTE: 'false',
};
/** Without Twilio, and with OAuth access tokens from Okta. */
const WITHOUT_TWILIO: Environment = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: API_TOKEN,
  HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default',
  HOOK_OAUTH_AUDIENCE: 'api://default',
  HOOK_OAUTH_CLIENT_ID: '0oahook',
  HOOK_OAUTH_SCOPE: 'telephony',
  VONAGE_API_KEY: 'a1b2c3d4',
  VONAGE_API_SECRET: 'vonage-secret-of-the-environment',
  VONAGE_SMS_FROM: 'ACME',
  VONAGE_WHATSAPP_FROM: '+447700900444',
  VONAGE_WHATSAPP_TEMPLATE: 'okta_code',
  VONAGE_WHATSAPP_LANGUAGE: 'pt_BR',
  VONAGE_BASE_URL: 'http://127.0.0.1:4011',
  AZURE_SMS_ENDPOINT: 'https://acme.communication.azure.com',
  AZURE_SMS_ACCESS_KEY: Buffer.alloc(48, 7).toString('base64'),
  AZURE_SMS_FROM: '+18335550100',
  AZURE_SMS_REPORT_SECRET: 'event-grid-secret-of-the-environment, the-next-secret-of-event-grid',
  AZURE_SMS_BASE_URL: 'http://127.0.0.1:4013',
  AWS_SMS_ORIGINATION_IDENTITY: 'pool-of-the-environment',
  AWS_SMS_CONFIGURATION_SET: 'codes',
  AWS_SMS_TOPIC_ARN: 'arn:aws:sns:eu-central-1:111122223333:otp-events',
  AWS_SMS_MAX_PRICE: '0.05',
  AWS_SMS_DLT_ENTITY_ID: '1101456780000012346',
  AWS_SMS_DLT_CONTENT_ID: '1107161234567890124',
  AWS_SMS_FEEDBACK: 'false',
  AWS_SMS_BASE_URL: 'http://127.0.0.1:4014',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'aws-key-id-of-the-environment',
  AWS_SECRET_ACCESS_KEY: 'aws-secret-of-the-environment',
  AWS_SESSION_TOKEN: 'aws-session-token-of-the-environment',
  LINE_CHANNEL_ACCESS_TOKEN: 'line-token-of-the-environment',
  LINE_USER_ID_ATTRIBUTE: 'lineId',
  LINE_BASE_URL: 'http://127.0.0.1:4012',
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
};
/** RCS with another sender of SMS, and every option of Twilio. */
const RCS: Environment = {
  TWILIO_SMS_FROM: SID('MG'),
  TWILIO_SMS_FALLBACK_FROM: '+15005550006',
  TWILIO_CONTENT_RETENTION: 'discard',
  TWILIO_ADDRESS_RETENTION: 'obfuscate',
  TWILIO_SMART_ENCODING: 'false',
  TWILIO_DEVICE_IP: 'true',
};
const VERIFY: Environment = { TWILIO_VERIFY_SERVICE_SID: SID('VA') };
const BY_APP: Environment = {
  VONAGE_API_KEY: undefined,
  VONAGE_API_SECRET: undefined,
  VONAGE_APPLICATION_ID: '7c5a0d0e-app',
  VONAGE_PRIVATE_KEY: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string,
};

/** An application of Vonage with calls, webhooks and DLT. */
const WITH_WEBHOOKS: Environment = {
  ...BY_APP,
  VONAGE_VOICE_FROM: '+447700900444',
  VONAGE_SIGNATURE_SECRET: 'signature-secret-of-the-environment,next-secret-of-the-environment',
  VONAGE_DLT_ENTITY_ID: '1101456780000012345',
  VONAGE_DLT_CONTENT_ID: '1107161234567890123',
};

/** WhatsApp from Meta, which reports to `PUBLIC_URL`. */
const META: Environment = {
  META_PHONE_NUMBER_ID: '106540352242922',
  META_ACCESS_TOKEN: 'meta-token-of-the-environment',
  META_APP_SECRET: 'meta-secret-one,meta-secret-two',
  META_VERIFY_TOKEN: 'meta-verify-token',
  META_TEMPLATE: 'okta_code',
  META_TEMPLATE_LANGUAGE: 'pt_BR',
  META_API_VERSION: 'v26.0',
  META_BASE_URL: 'http://127.0.0.1:4013',
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
};

/** A connection with every sender, so that each Twilio channel connects. */
const TWILIO = createTwilioConnection({
  settings: {
    accountSid: SID('AC'),
    username: SID('AC'),
    password: AUTH_TOKEN,
    region: undefined,
    edge: undefined,
    baseUrl: undefined,
    smartEncoding: true,
    deviceIp: true,
    senders: {
      sms: { default: '+15005550006' },
      voice: { default: '+15005550006' },
      whatsapp: { kind: 'sandbox', from: '+14155238886', contentSid: undefined },
    },
    statusCallbackUrl: undefined,
  },
  dispatcher: NO_CLIENT.dispatcher,
});

/** The providers of each channel, in order. */
function providersOf(env: Environment): Readonly<Record<string, readonly (string | undefined)[]>> {
  return Object.fromEntries(
    Object.entries(optionsFrom(env).channels ?? {}).map(([channel, given = []]) => [
      channel,
      readProviders(channel, given).providers.map(
        (made) => connectChannel(made.channel, { channel, twilio: TWILIO }).provider,
      ),
    ]),
  );
}

function errorOf(read: () => unknown): ConfigurationError {
  try {
    read();
  } catch (error) {
    witness(error);
    expect(error).to.be.instanceOf(ConfigurationError);
    return error as ConfigurationError;
  }
  return expect.fail('it was taken');
}

/** An environment without some of its variables. */
const without = (env: Environment, ...names: readonly string[]): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

describe('the table of the variables', () => {
  it('has the place of each option that optionsFrom sets', () => {
    const ofFunctions =
      /^(?:twilioVerify|vonageChannel|vonageVoice|azureSms|awsSms|whatsAppCloud|lineChannel|redisState)\./;
    const previous = { HOOK_SECRET_PREVIOUS: PREVIOUS_SECRET };
    const sandbox = { ...LEAST, TWILIO_SANDBOX_NUMBER: '+14155238886' };
    const rcs = { ...LEAST, ...RCS };
    const environments: readonly Environment[] = [
      { ...LEAST, ...previous },
      WHOLE,
      WITHOUT_TWILIO,
      sandbox,
      rcs,
    ];
    const values = new Map<string, unknown>([
      ['TWILIO_SMART_ENCODING', false],
      ['TWILIO_DEVICE_IP', true],
      ['RESEND_NEXT_ROUTE', false],
    ]);
    for (const env of environments) {
      const options = optionsFrom(env);
      for (const name of Object.keys(env) as VariableName[]) {
        const isService = name === 'TWILIO_SMS_FROM' && env === rcs;
        const option = isService ? 'senders.sms.service' : (VARIABLES[name].option ?? '');
        if (ofFunctions.test(option)) continue;
        const value = name === 'GUARD_COUNTRIES' ? env[name]?.split(',') : (values.get(name) ?? env[name]);
        expect(options, name).to.have.deep.nested.property(option, value);
      }
    }
  });

  it('has every variable that optionsFrom reads, and no other', () => {
    const readNames = new Set<string>();
    for (const env of [LEAST, WHOLE, WITHOUT_TWILIO, { ...WITHOUT_TWILIO, ...WITH_WEBHOOKS }]) {
      const get = (target: Environment, name: string | symbol): string | undefined => {
        readNames.add(String(name));
        return target[String(name)];
      };
      optionsFrom(new Proxy(env, { get }));
    }
    expect([...readNames].sort()).to.deep.equal([...OPTION_VARIABLES].sort());
  });

  it('marks each secret', () => {
    const named = variablesWhere((_row, name) =>
      /(?:TOKEN|SECRET|SECRET_PREVIOUS|ACCESS_KEY|PRIVATE_KEY|ENCRYPTION_KEY|REDIS_URL)$/.test(name),
    );
    expect(variablesWhere(({ secretsIn }) => secretsIn !== undefined)).to.deep.equal(named);
  });
});

describe('optionsFrom', () => {
  beforeEach(() => {
    mustNotShow(API_TOKEN, HOOK_SECRET, PREVIOUS_SECRET, AUTH_TOKEN);
  });

  const good: Readonly<Record<string, Environment>> = {
    'the least': LEAST,
    'an API key, a service app, callbacks, WhatsApp and a Redis': WHOLE,
    'Verify beside the senders of Twilio': { ...WHOLE, ...VERIFY },
    'other providers, and OAuth': WITHOUT_TWILIO,
    'an application of Vonage': { ...WITHOUT_TWILIO, ...BY_APP },
    'calls, webhooks and DLT of Vonage': { ...WITHOUT_TWILIO, ...WITH_WEBHOOKS },
    'WhatsApp from Meta beside Twilio': { ...LEAST, ...META },
    'WhatsApp from Meta without Twilio': { ...WITHOUT_TWILIO, ...META, META_APP_SECRET: 'meta-secret' },
    'RCS with another sender of SMS, and every option of Twilio': { ...LEAST, ...RCS },
    'the sandbox': { ...LEAST, TWILIO_SANDBOX_NUMBER: '+14155238886' },
    'calls only': { ...without(LEAST, 'TWILIO_SMS_FROM'), TWILIO_VOICE_FROM: '+15005550008' },
    'two keys for Redis': {
      ...WHOLE,
      STATE_ENCRYPTION_KEY: [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64')).join(', '),
    },
    'a key on one line': { ...WHOLE, OKTA_PRIVATE_KEY: WHOLE['OKTA_PRIVATE_KEY']?.replaceAll('\n', '\\n') },
    'a key with a line break at its end': {
      ...WHOLE,
      OKTA_PRIVATE_KEY: `${String(WHOLE['OKTA_PRIVATE_KEY'])}\r\n`,
    },
  };
  for (const [what, env] of Object.entries(good)) {
    it(`makes options that the hook accepts from ${what}`, async () => {
      const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
      const options = optionsFrom(Object.freeze({ ...env }));
      expect(options.state === undefined).to.equal(env['REDIS_URL'] === undefined);
      await oktaTelephonyHook({ ...options, logger: silent }).close();
    });
  }

  it('leaves the options of absent and empty variables to their defaults', () => {
    const empty = Object.fromEntries(OPTION_VARIABLES.map((name) => [name, '']));
    expect(optionsFrom({ ...empty, ...LEAST })).to.deep.equal({
      credentials: {
        hook: { scheme: 'header', secrets: [HOOK_SECRET] },
        okta: { orgUrl: 'https://acme.okta.com', apiToken: API_TOKEN },
        twilio: { accountSid: SID('AC'), authToken: AUTH_TOKEN, baseUrl: undefined },
      },
      senders: { sms: '+15005550006', voice: undefined, whatsapp: undefined },
      sandboxNumber: undefined,
      publicUrl: undefined,
      optInAttribute: undefined,
      channels: undefined,
      guard: undefined,
      state: undefined,
    });
  });

  it('needs no Twilio if another provider sends, and then sets publicUrl only for its reports', () => {
    const { credentials, publicUrl, senders } = optionsFrom(WITHOUT_TWILIO);
    expect([credentials.twilio, publicUrl]).to.deep.equal([undefined, WITHOUT_TWILIO['PUBLIC_URL']]);
    const silent = without(WITHOUT_TWILIO, 'AZURE_SMS_REPORT_SECRET', 'AWS_SMS_TOPIC_ARN');
    expect(optionsFrom(silent).publicUrl).to.equal(undefined);
    expect(senders).to.deep.equal({ sms: undefined, voice: undefined, whatsapp: undefined });
    const providers = { line: ['LINE'], whatsapp: ['VONAGE'], sms: ['VONAGE', 'AZURE', 'AWS'] };
    expect(providersOf(WITHOUT_TWILIO)).to.deep.equal(providers);
    expect(providersOf({ ...WITHOUT_TWILIO, ...BY_APP })).to.deep.equal(providers);
  });

  it("sets publicUrl for Vonage's webhooks, which then come to each of its channels", () => {
    const env = { ...WITHOUT_TWILIO, ...WITH_WEBHOOKS };
    const { publicUrl, channels = {} } = optionsFrom(env);
    expect(publicUrl).to.equal('https://id.acme.com/okta/telephony');
    for (const channel of ['sms', 'whatsapp', 'voice']) {
      const [made] = readProviders(channel, channels[channel] ?? []).providers;
      expect(made && connectChannel(made.channel, { channel }), channel).to.have.property('receive');
    }
    expect(providersOf(env)).to.deep.include({ whatsapp: ['VONAGE'], voice: ['VONAGE'] });
  });

  it('sets publicUrl without Twilio if a provider reports to it', () => {
    expect(optionsFrom({ ...WITHOUT_TWILIO, ...META }).publicUrl).to.equal(META['PUBLIC_URL']);
  });

  it('sends WhatsApp by Meta behind Twilio and Vonage', () => {
    const env = { ...WHOLE, ...without(WITHOUT_TWILIO, 'OKTA_API_TOKEN'), ...META };
    expect(providersOf(env)['whatsapp']).to.deep.equal(['TWILIO', 'VONAGE', 'META']);
    expect(providersOf({ ...LEAST, ...META, META_TEMPLATE_LANGUAGE: '' })['whatsapp']).to.deep.equal([
      'META',
    ]);
  });

  describe('with lists of providers', () => {
    const { VONAGE_SMS_FROM, VONAGE_API_KEY, VONAGE_API_SECRET } = WITHOUT_TWILIO;
    const two = { ...LEAST, VONAGE_SMS_FROM, VONAGE_API_KEY, VONAGE_API_SECRET };
    /** The providers of each list of SMS. */
    const listsOf = (env: Environment): Readonly<Record<string, readonly (string | undefined)[]>> => {
      const { providers, lists } = readProviders('sms', optionsFrom(env).channels?.['sms'] ?? []);
      const names = providers.map(
        ({ channel: made }) => connectChannel(made, { channel: 'sms', twilio: TWILIO }).provider,
      );
      return Object.fromEntries(
        Array.from(lists, ([of, indexes]) => [of, indexes.map((index) => names[index])]),
      );
    };

    it('gives each country its own, in their order', () => {
      expect(listsOf({ ...two, SMS_PROVIDERS: 'twilio/IN:vonage,twilio/BR:vonage' })).to.deep.equal({
        default: ['TWILIO'],
        IN: ['VONAGE', 'TWILIO'],
        BR: ['VONAGE'],
      });
    });

    it('orders the providers of all countries', () => {
      expect(listsOf({ ...two, SMS_PROVIDERS: 'vonage,twilio' })).to.deep.equal({
        default: ['VONAGE', 'TWILIO'],
      });
    });

    it('makes a gateway, also if a sender is in no list', () => {
      const options = optionsFrom({ ...two, ...VERIFY, SMS_PROVIDERS: 'verify', VOICE_PROVIDERS: 'verify' });
      expect(Object.keys(options.channels ?? {})).to.deep.equal(['sms', 'voice']);
      expect(oktaTelephonyHook({ ...options, logger: false })).to.be.a('function');
    });

    for (const [given, problem] of [
      [{ SMS_PROVIDERS: 'twilio/IN:aws' }, /^SMS_PROVIDERS names aws, .* no sender of sms: set AWS_SMS_ORIG/],
      [{ VOICE_PROVIDERS: 'vonage' }, /^VOICE_PROVIDERS names vonage, .* voice: set VONAGE_VOICE_FROM, or/],
      [
        { WHATSAPP_PROVIDERS: 'azure' },
        /^WHATSAPP_PROVIDERS names azure, .* no sender of whatsapp: remove it$/,
      ],
      [{ SMS_PROVIDERS: 'verify' }, /^SMS_PROVIDERS names verify, .* set TWILIO_VERIFY_CHANNELS, or/],
      [{ SMS_PROVIDERS: 'twilio/UK:vonage' }, /^SMS_PROVIDERS must be .*; use GB$/],
      [{ SMS_PROVIDERS: 'twilio/in:vonage' }, /^SMS_PROVIDERS must be .*; use IN$/],
      ...[
        'kept-for-me',
        'IN:vonage',
        'twilio,',
        'twilio/IN:',
        'twilio/IN:vonage/IN:twilio',
        'twilio,IN:vonage',
      ].map(
        (text) => [{ SMS_PROVIDERS: text }, /^SMS_PROVIDERS must be names of twilio, .*aws,twilio$/] as const,
      ),
    ] as const) {
      it(`reports ${JSON.stringify(given)}`, () => {
        const { problems } = errorOf(() => optionsFrom({ ...two, ...given }));
        expect(problems).to.have.length(1);
        expect(problems[0]).to.match(problem);
      });
    }
  });

  it('orders the providers of a channel: the Twilio sender, then Verify, then Vonage, then Azure, then AWS', () => {
    expect(providersOf({ ...LEAST, ...VERIFY })).to.deep.equal({
      sms: ['TWILIO', 'TWILIO_VERIFY'],
      voice: ['TWILIO_VERIFY'],
    });
    const channels = { TWILIO_VERIFY_CHANNELS: 'voice,whatsapp' };
    const all = { ...WHOLE, ...VERIFY, ...channels, ...without(WITHOUT_TWILIO, 'OKTA_API_TOKEN') };
    expect(providersOf(all)).to.deep.equal({
      line: ['LINE'],
      whatsapp: ['TWILIO', 'TWILIO_VERIFY', 'VONAGE'],
      sms: ['TWILIO', 'VONAGE', 'AZURE', 'AWS'],
      voice: ['TWILIO', 'TWILIO_VERIFY'],
    });
  });

  it('verifies Okta by access tokens, and the event hook by HOOK_SECRET and HOOK_SECRET_PREVIOUS', () => {
    const oauth2 = {
      scheme: 'oauth2',
      issuer: 'https://acme.okta.com/oauth2/default',
      audience: 'api://default',
      clientId: '0oahook',
      scope: 'telephony',
    };
    const both = { HOOK_SECRET, HOOK_SECRET_PREVIOUS: PREVIOUS_SECRET };
    expect(optionsFrom(WITHOUT_TWILIO).credentials).to.deep.include({ hook: oauth2, eventHook: false });
    expect(optionsFrom({ ...WITHOUT_TWILIO, ...both }).credentials).to.deep.include({
      hook: oauth2,
      eventHook: { scheme: 'header', secrets: [HOOK_SECRET, PREVIOUS_SECRET] },
    });
    // Variables of the command line do not select OAuth.
    const setup = { HOOK_OAUTH_CLIENT_ID: '0oahook', HOOK_OAUTH_SCOPE: 'telephony' };
    expect(optionsFrom({ ...LEAST, ...setup }).credentials.hook).to.have.property('scheme', 'header');
  });

  it('removes slashes at the end of publicUrl, also for the command line', () => {
    const url = 'https://id.acme.com/okta/telephony';
    const env = { ...LEAST, PUBLIC_URL: `${url}//` };
    expect(optionsFrom(env).publicUrl).to.equal(url);
    expect(new VariableReader(env).required('PUBLIC_URL', 'the URL')).to.equal(url);
  });

  it('looks up the numbers that are enrolled with TWILIO_LOOKUP_MAX_SCORE', () => {
    const { guard } = optionsFrom({ ...LEAST, TWILIO_LOOKUP_MAX_SCORE: '75' });
    expect(guard).to.have.all.keys('assess');
    expect(guard?.assess).to.satisfy(isTwilioLookup);
  });

  it('learns from used codes with GUARD_LEARN, which needs an event hook', () => {
    expect(optionsFrom({ ...LEAST, GUARD_LEARN: 'enforce' }).guard).to.deep.equal({
      learn: { mode: 'enforce' },
    });
    const oauth = {
      HOOK_SECRET: '',
      HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default',
      HOOK_OAUTH_AUDIENCE: 'hook',
      HOOK_OAUTH_CLIENT_ID: '0oa1',
      HOOK_OAUTH_SCOPE: 'send',
    };
    expect(() => optionsFrom({ ...LEAST, ...oauth, GUARD_LEARN: 'record' })).to.throw(
      'HOOK_SECRET is missing: GUARD_LEARN needs it',
    );
  });

  it('allows every country if GUARD_COUNTRIES is *, as the warning suggests', () => {
    expect(optionsFrom({ ...LEAST, GUARD_COUNTRIES: '*' }).guard).to.deep.equal({ countries: false });
    expect(WARNINGS['guard.countries'].remedy).to.include('GUARD_COUNTRIES').and.include('*');
  });

  const APP = { OKTA_API_TOKEN: '', OKTA_CLIENT_ID: '0oa1' };
  const ORDER = { TWILIO_WHATSAPP_FROM: '+12025550111', TWILIO_WHATSAPP_TEMPLATE: SID('HX') };
  /** Problems beside the least, and beside the environment without Twilio. */
  const wrong: readonly (readonly [base: Environment, env: Environment, ...problems: RegExp[]])[] = [
    ...(
      [
        [{ OKTA_ORG_URL: '' }, /^OKTA_ORG_URL is missing: the org's origin/],
        [{ OKTA_ORG_URL: 'http://corp.example' }, /^OKTA_ORG_URL must be the org's origin/],
        [{ OKTA_API_TOKEN: '' }, /^OKTA_API_TOKEN is missing.*OKTA_CLIENT_ID.*OKTA_PRIVATE_KEY/],
        [APP, /^OKTA_PRIVATE_KEY is missing/],
        [
          { ...APP, OKTA_PRIVATE_KEY: '{"kty":"EC"}' },
          /^OKTA_PRIVATE_KEY must be the service app's private key/,
        ],
        [
          { OKTA_API_TOKEN: '', OKTA_KEY_ID: 'key-1' },
          /^OKTA_CLIENT_ID is missing/,
          /^OKTA_PRIVATE_KEY is missing/,
        ],
        [
          { OKTA_KEY_ID: 'key-1' },
          /^OKTA_API_TOKEN does not go with OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID: unset it, or them$/,
        ],
        [{ HOOK_SECRET: '' }, /^HOOK_SECRET is missing.*in its place HOOK_OAUTH_ISSUER,.* will do$/],
        [{ HOOK_SECRET_PREVIOUS: 'two\nlines' }, /^HOOK_SECRET_PREVIOUS must be/],
        [{ TWILIO_ACCOUNT_SID: '' }, /^TWILIO_ACCOUNT_SID is missing/],
        [{ TWILIO_API_KEY_SID: SID('SK') }, /^TWILIO_API_KEY_SECRET is missing/],
        [{ TWILIO_API_KEY_SECRET: 'secret-of-key' }, /^TWILIO_API_KEY_SID is missing/],
        [
          { TWILIO_AUTH_TOKEN: '' },
          /^TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing.*TWILIO_AUTH_TOKEN/,
        ],
        [{ TWILIO_SMS_FROM: 'no sender at all' }, /^TWILIO_SMS_FROM must be a phone number/],
        [
          { TWILIO_SMS_FROM: '' },
          /TWILIO_SMS_FROM.*TWILIO_VOICE_FROM.*TWILIO_SANDBOX_NUMBER.*TWILIO_WHATSAPP_FROM.*TWILIO_WHATSAPP_TEMPLATE.*VONAGE.*AZURE.*AWS.*LINE/,
        ],
        [{ ...ORDER, TWILIO_WHATSAPP_TEMPLATE: '' }, /^TWILIO_WHATSAPP_TEMPLATE is missing/],
        [{ ...ORDER, TWILIO_WHATSAPP_FROM: '' }, /^TWILIO_WHATSAPP_FROM is missing/],
        [
          { ...ORDER, TWILIO_SANDBOX_NUMBER: '+14155238886' },
          /^TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM/,
        ],
        [{ REDIS_URL: 'redis://127.0.0.1' }, /^STATE_ENCRYPTION_KEY is missing.*openssl rand/],
        [{ STATE_ENCRYPTION_KEY: 'key-of-nothing' }, /^REDIS_URL is missing/],
        [
          { REDIS_URL: 'http://redis.example', STATE_ENCRYPTION_KEY: 'key-that-is-none' },
          /^REDIS_URL must be a URL such as rediss.*without a query$/,
          /^STATE_ENCRYPTION_KEY must be 32 bytes/,
        ],
        [{ TWILIO_SMS_FALLBACK_FROM: 'ACME' }, /^TWILIO_SMS_FALLBACK_FROM needs a Messaging Service/],
        [
          { TWILIO_SMS_FROM: SID('MG'), TWILIO_SMS_FALLBACK_FROM: SID('MG') },
          /^TWILIO_SMS_FALLBACK_FROM must be a phone number in E\.164 form, or an alphanumeric/,
        ],
        [
          { TWILIO_CONTENT_RETENTION: 'retain' },
          /^TWILIO_CONTENT_RETENTION must be discard, or be left out$/,
        ],
        [
          { TWILIO_ADDRESS_RETENTION: 'discard' },
          /^TWILIO_ADDRESS_RETENTION must be obfuscate, or be left out$/,
        ],
        [{ TWILIO_SMART_ENCODING: 'no' }, /^TWILIO_SMART_ENCODING must be true or false$/],
        [{ TWILIO_DEVICE_IP: 'TRUE' }, /^TWILIO_DEVICE_IP must be true or false$/],
        [
          { TWILIO_LOOKUP_MAX_SCORE: '101' },
          /^TWILIO_LOOKUP_MAX_SCORE must be a whole number from 0 to 100$/,
        ],
        [{ GUARD_LEARN: 'on' }, /^GUARD_LEARN must be record or enforce$/],
        [{ GUARD_COUNTRIES: 'DE, AT' }, /^GUARD_COUNTRIES must be ISO 3166 countries.*; use AT$/],
        [{ GUARD_COUNTRIES: 'de,UK,FR' }, /^GUARD_COUNTRIES must be.*; use DE and GB$/],
        [{ GUARD_COUNTRIES: 'Germany' }, /^GUARD_COUNTRIES must be.* for every country$/],
        ...[
          `"${API_TOKEN}"`,
          `"${API_TOKEN}`,
          `${API_TOKEN}\u2019`,
          `\u200B${API_TOKEN}`,
          `${API_TOKEN}\r`,
        ].map(
          (token) => [{ OKTA_API_TOKEN: token }, /^OKTA_API_TOKEN has quotes or spaces around its/] as const,
        ),
        [{ ...APP, OKTA_PRIVATE_KEY: '"-----BEGIN"' }, /^OKTA_PRIVATE_KEY has quotes/],
        [{ OPT_IN_ATTRIBUTE: '""' }, /^OPT_IN_ATTRIBUTE has/],
      ] as const
    ).map(([env, ...problems]) => [LEAST, env, ...problems] as const),
    [
      without(WHOLE, 'TWILIO_AUTH_TOKEN'),
      {},
      /^TWILIO_AUTH_TOKEN is missing.*PUBLIC_URL only where you run okta-telephony-hook setup/,
    ],
    ...(
      [
        [{ HOOK_OAUTH_AUDIENCE: '' }, /^HOOK_OAUTH_AUDIENCE is missing/],
        [{ HOOK_OAUTH_ISSUER: 'http://acme.okta.com' }, /^HOOK_OAUTH_ISSUER must be/],
        [{ VONAGE_API_SECRET: '' }, /^VONAGE_API_SECRET is missing/],
        [
          { VONAGE_API_KEY: '', VONAGE_API_SECRET: '' },
          /^VONAGE_API_KEY is missing/,
          /^VONAGE_API_SECRET is missing/,
        ],
        [
          { VONAGE_APPLICATION_ID: 'app' },
          /do not go with VONAGE_APPLICATION_ID/,
          /^VONAGE_PRIVATE_KEY is missing/,
        ],
        [{ ...BY_APP, VONAGE_PRIVATE_KEY: 'kept-for-me' }, /^VONAGE_PRIVATE_KEY must be/],
        [{ VONAGE_SMS_FROM: 'Twelve Letters' }, /^VONAGE_SMS_FROM must be/],
        [{ ...BY_APP, VONAGE_VOICE_FROM: 'ACME' }, /^VONAGE_VOICE_FROM must be a phone number/],
        [
          { VONAGE_API_KEY: '', VONAGE_API_SECRET: '', VONAGE_VOICE_FROM: '+447700900444' },
          /^VONAGE_APPLICATION_ID is missing/,
          /^VONAGE_PRIVATE_KEY is missing/,
        ],
        [{ VONAGE_SIGNATURE_SECRET: 'a b' }, /^VONAGE_SIGNATURE_SECRET must be the account's signature/],
        [{ VONAGE_SIGNATURE_SECRET: 'a,b,c' }, /^VONAGE_SIGNATURE_SECRET must be one secret, or two/],
        [{ VONAGE_SIGNATURE_SECRET: 'a', PUBLIC_URL: '' }, /^PUBLIC_URL is missing: a provider/],
        [{ VONAGE_DLT_CONTENT_ID: '1107' }, /^VONAGE_DLT_ENTITY_ID is missing/],
        [{ VONAGE_DLT_ENTITY_ID: '1101 1' }, /^VONAGE_DLT_ENTITY_ID must be an id of DLT/],
        [{ VONAGE_WHATSAPP_FROM: '' }, /^VONAGE_WHATSAPP_FROM is missing/],
        [{ VONAGE_WHATSAPP_TEMPLATE: 'Okta Code' }, /^VONAGE_WHATSAPP_TEMPLATE must be the name/],
        [{ VONAGE_WHATSAPP_LANGUAGE: 'portuguese' }, /^VONAGE_WHATSAPP_LANGUAGE must be/],
        [
          { VONAGE_BASE_URL: 'http://vonage.example' },
          /^VONAGE_BASE_URL must be.*api\.nexmo\.com; https, or http on loopback$/,
        ],
        [
          { VONAGE_SMS_FROM: '', VONAGE_WHATSAPP_FROM: '', VONAGE_WHATSAPP_TEMPLATE: '' },
          /^VONAGE_SMS_FROM and VONAGE_WHATSAPP_FROM are missing/,
        ],
        [{ AWS_SMS_ORIGINATION_IDENTITY: '' }, /^AWS_SMS_ORIGINATION_IDENTITY is missing: the sender/],
        [{ AWS_REGION: 'Frankfurt' }, /^AWS_REGION must be an AWS Region/],
        [{ AWS_REGION: '' }, /^AWS_REGION is missing: an AWS Region/],
        [{ AWS_ACCESS_KEY_ID: '' }, /^AWS_ACCESS_KEY_ID is missing: the id of a key/],
        [{ AWS_SECRET_ACCESS_KEY: '' }, /^AWS_SECRET_ACCESS_KEY is missing: the secret/],
        [{ AWS_SECRET_ACCESS_KEY: 'two words' }, /^AWS_SECRET_ACCESS_KEY must be a part of AWS's keys/],
        [{ AWS_SMS_TOPIC_ARN: 'otp-events' }, /^AWS_SMS_TOPIC_ARN must be the ARN/],
        [{ AWS_SMS_MAX_PRICE: '5 cents' }, /^AWS_SMS_MAX_PRICE must be a price/],
        [{ AWS_SMS_DLT_ENTITY_ID: '' }, /^AWS_SMS_DLT_ENTITY_ID is missing/],
        [{ AWS_SMS_FEEDBACK: 'no' }, /^AWS_SMS_FEEDBACK must be/],
        [{ AWS_SMS_BASE_URL: 'http://aws.example' }, /^AWS_SMS_BASE_URL must be an origin/],
        [{ AZURE_SMS_ENDPOINT: '' }, /^AZURE_SMS_ENDPOINT is missing: the resource's endpoint/],
        [{ AZURE_SMS_ACCESS_KEY: '' }, /^AZURE_SMS_ACCESS_KEY is missing: an access key/],
        [{ AZURE_SMS_ACCESS_KEY: 'kept-for-me' }, /^AZURE_SMS_ACCESS_KEY must be an access key.*base64/],
        [{ AZURE_SMS_FROM: '' }, /^AZURE_SMS_FROM is missing/],
        [{ AZURE_SMS_FROM: 'Twelve Letters' }, /^AZURE_SMS_FROM must be/],
        [{ AZURE_SMS_REPORT_SECRET: 'short' }, /^AZURE_SMS_REPORT_SECRET must be a secret of at least 16/],
        [{ PUBLIC_URL: '' }, /^PUBLIC_URL is missing: a provider sends its reports to it/],
        [{ AZURE_SMS_BASE_URL: 'http://azure.example' }, /^AZURE_SMS_BASE_URL must be an origin/],
        [
          { LINE_CHANNEL_ACCESS_TOKEN: '' },
          /^LINE_CHANNEL_ACCESS_TOKEN is missing: the channel access token/,
        ],
        [{ LINE_USER_ID_ATTRIBUTE: 'line-id' }, /^LINE_USER_ID_ATTRIBUTE must be.*'lineUserId'$/],
        [
          { TWILIO_VERIFY_CHANNELS: 'sms' },
          /^TWILIO_VERIFY_SERVICE_SID is missing/,
          /^TWILIO_ACCOUNT_SID is missing/,
          /^TWILIO_API_KEY_SID and/,
          /^TWILIO_AUTH_TOKEN is missing/,
        ],
      ] as const
    ).map(([env, ...problems]) => [WITHOUT_TWILIO, env, ...problems] as const),
    ...(
      [
        [{ META_PHONE_NUMBER_ID: '' }, /^META_PHONE_NUMBER_ID is missing: the id of the number/],
        [{ META_PHONE_NUMBER_ID: '+14155550199' }, /^META_PHONE_NUMBER_ID must be.*not the number itself$/],
        [{ META_ACCESS_TOKEN: '' }, /^META_ACCESS_TOKEN is missing/],
        [{ META_APP_SECRET: '' }, /^META_APP_SECRET is missing: the app's secret/],
        [{ META_APP_SECRET: 'one-is,two-are,three-too-many' }, /^META_APP_SECRET must be/],
        [{ META_VERIFY_TOKEN: '' }, /^META_VERIFY_TOKEN is missing/],
        [{ META_TEMPLATE: '' }, /^META_TEMPLATE is missing: the name of the approved/],
        [{ META_TEMPLATE: '', META_TEMPLATE_LANGUAGE: '' }, /^META_TEMPLATE is missing/],
        [{ META_TEMPLATE: 'Okta Code' }, /^META_TEMPLATE must be the name/],
        [{ META_TEMPLATE_LANGUAGE: 'portuguese' }, /^META_TEMPLATE_LANGUAGE must be/],
        [{ META_API_VERSION: '25' }, /^META_API_VERSION must be a version of the Graph API, such as v25\.0$/],
        [{ META_BASE_URL: 'http://graph.example' }, /^META_BASE_URL must be.*graph\.facebook\.com; https/],
        [{ PUBLIC_URL: '' }, /^PUBLIC_URL is missing: a provider sends its reports to it$/],
      ] as const
    ).map(([env, ...problems]) => [{ ...LEAST, ...META }, env, ...problems] as const),
  ];
  for (const [base, env, ...patterns] of wrong) {
    it(`reports ${JSON.stringify(env)} as ${patterns.map(({ source }) => source).join(', ')}`, () => {
      const { problems } = errorOf(() => optionsFrom({ ...base, ...env }));
      expect(problems, problems.join()).to.have.length(patterns.length);
      for (const pattern of patterns)
        expect(problems.some((problem) => pattern.test(problem))).to.equal(true);
      for (const value of Object.values(env).filter((text = '') => text.length > 4))
        expect(problems.join('\n')).not.to.include(value);
    });
  }

  it('names every missing or wrong variable at once, without its value', () => {
    const error = errorOf(() =>
      optionsFrom({
        OKTA_ORG_URL: 'http://acme.okta.com',
        OKTA_API_TOKEN: ` ${API_TOKEN}`,
        TWILIO_ACCOUNT_SID: AUTH_TOKEN,
        TWILIO_API_KEY_SID: SID('SK'),
        PUBLIC_URL: 'https://id.acme.com/okta/telephony',
        REDIS_URL: `http://user:${AUTH_TOKEN}@redis.example`,
        STATE_ENCRYPTION_KEY: API_TOKEN,
      }),
    );
    expect(error.code).to.equal('CONFIGURATION');
    expect(error.message).to.match(/^The environment cannot work:\n- HOOK_SECRET is missing/);
    expect(error.problems.map((problem) => problem.split(/ (?:is|must|has)/)[0])).to.have.members([
      ...['HOOK_SECRET', 'TWILIO_API_KEY_SECRET', 'TWILIO_SMS_FROM or another sender', 'TWILIO_AUTH_TOKEN'],
      ...['REDIS_URL', 'STATE_ENCRYPTION_KEY', 'OKTA_ORG_URL', 'OKTA_API_TOKEN', 'TWILIO_ACCOUNT_SID'],
    ]);
    // Programs can switch on the name of the variable.
    for (const { option, message } of error.issues) {
      expect(option).to.match(/^[A-Z][A-Z_]+$/);
      expect(message.startsWith(option)).to.equal(true);
    }
    // Node prints each problem once if the error ends the process.
    const printed = inspect(error, { maxStringLength: Infinity, breakLength: Infinity });
    expect(printed).to.include('CONFIGURATION').and.not.include('undefined');
    for (const problem of error.problems) expect(printed.split(problem), problem).to.have.length(2);
  });
});

describe('oktaCredentialFrom', () => {
  it('reads variables with a custom prefix by the same rules', () => {
    const env = { OKTA_ORG_URL: 'https://acme.okta.com', OKTA_PAGE_API_TOKEN: API_TOKEN };
    expect(oktaCredentialFrom(env, 'OKTA_PAGE_')).to.deep.equal({
      orgUrl: 'https://acme.okta.com',
      apiToken: API_TOKEN,
    });
    expect(errorOf(() => oktaCredentialFrom(env)).problems).to.have.length(1);
    const wrong = {
      ...env,
      OKTA_PAGE_API_TOKEN: '',
      OKTA_PAGE_CLIENT_ID: '0oa1',
      OKTA_PAGE_PRIVATE_KEY: 'x',
    };
    expect(errorOf(() => oktaCredentialFrom(wrong, 'OKTA_PAGE_')).problems).to.deep.equal([
      "OKTA_PAGE_PRIVATE_KEY must be the service app's private key (RSA of 2048 bits or more, or EC): a PEM, a JWK object or its JSON",
    ]);
  });
});

describe('variablesFrom', () => {
  it('treats an empty variable as missing, and refuses quotes and carriage returns around a value', () => {
    expect(variablesFrom({ PORT: '3000', MODE: '', MORE: 'x' }, ['PORT', 'MODE', 'NONE'])).to.deep.equal({
      PORT: '3000',
      MODE: undefined,
      NONE: undefined,
    });
    const { problems } = errorOf(() => variablesFrom({ A: '"x"', B: 'x\r', C: 'x' }, ['A', 'B', 'C']));
    expect(problems.map((problem) => problem.slice(0, 5))).to.deep.equal(['A has', 'B has']);
  });
});
