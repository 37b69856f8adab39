import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { ConfigurationError, oktaTelephonyHook, type Channel } from '#lib/index.js';
import {
  oktaCredentialFrom,
  OPTION_VARIABLES,
  optionsFrom,
  variablesFrom,
  type Environment,
} from '#lib/options/environment.js';
import { WARNINGS } from '#lib/events/describe-warning.js';
import { VariableReader } from '#lib/options/variables.js';
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
  LINE_CHANNEL_ACCESS_TOKEN: 'line-token-of-the-environment',
  LINE_USER_ID_ATTRIBUTE: 'lineId',
  LINE_BASE_URL: 'http://127.0.0.1:4012',
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
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

const isList = (given: Channel | readonly Channel[]): given is readonly Channel[] => Array.isArray(given);

/** A connection with every sender, so that each Twilio channel connects. */
const TWILIO = createTwilioConnection({
  settings: {
    accountSid: SID('AC'),
    username: SID('AC'),
    password: AUTH_TOKEN,
    region: undefined,
    edge: undefined,
    baseUrl: undefined,
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
    Object.entries(optionsFrom(env).channels ?? {}).map(([channel, given = []]) => {
      const list = isList(given) ? given : [given];
      return [channel, list.map((made) => connectChannel(made, { channel, twilio: TWILIO }).provider)];
    }),
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

describe('optionsFrom', () => {
  beforeEach(() => {
    mustNotShow(API_TOKEN, HOOK_SECRET, PREVIOUS_SECRET, AUTH_TOKEN);
  });

  it('makes options that the hook accepts', async () => {
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    for (const env of [
      LEAST,
      WHOLE,
      { ...WHOLE, ...VERIFY },
      WITHOUT_TWILIO,
      { ...WITHOUT_TWILIO, ...BY_APP },
    ]) {
      await oktaTelephonyHook({ ...optionsFrom(env), logger: silent }).close();
    }
  });

  it('sets an option for each variable', () => {
    expect(optionsFrom(LEAST)).to.deep.equal({
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
    const { state, ...others } = optionsFrom(WHOLE);
    expect(state).to.be.an('object');
    expect(others).to.deep.equal({
      credentials: {
        hook: { scheme: 'header', secrets: [HOOK_SECRET] },
        okta: {
          orgUrl: 'https://acme.okta.com',
          clientId: '0oaservice',
          privateKey: WHOLE['OKTA_PRIVATE_KEY'],
          keyId: 'key-1',
        },
        twilio: {
          accountSid: SID('AC'),
          apiKeySid: SID('SK'),
          apiKeySecret: 'key-secret-of-the-environment',
          authToken: AUTH_TOKEN,
          baseUrl: 'http://127.0.0.1:4010',
        },
      },
      senders: {
        sms: 'ACME',
        voice: '+15005550008',
        whatsapp: { from: '+15005550007', templates: { default: SID('HX') } },
      },
      sandboxNumber: undefined,
      publicUrl: 'https://id.acme.com/okta/telephony',
      optInAttribute: 'codesBy',
      channels: undefined,
      guard: { countries: { allow: ['DE', 'AT'] } },
    });
    expect(optionsFrom({ ...LEAST, TWILIO_SANDBOX_NUMBER: '+14155238886', PUBLIC_URL: '' })).to.deep.include({
      sandboxNumber: '+14155238886',
      publicUrl: undefined,
    });
  });

  it('reads exactly the variables of OPTION_VARIABLES', () => {
    const every = { ...LEAST, ...WHOLE, ...VERIFY, ...WITHOUT_TWILIO, ...BY_APP };
    const names = new Set([
      ...Object.keys(every),
      ...['HOOK_SECRET_PREVIOUS', 'TWILIO_SANDBOX_NUMBER', 'TWILIO_VERIFY_CHANNELS'],
    ]);
    expect([...OPTION_VARIABLES].sort()).to.deep.equal([...names].sort());
    const readNames = new Set<string>();
    const watched = (env: Environment): Environment =>
      new Proxy(env, { get: (target, name) => (readNames.add(String(name)), target[String(name)]) });
    optionsFrom(watched(LEAST));
    optionsFrom(watched(WHOLE));
    optionsFrom(watched(WITHOUT_TWILIO));
    optionsFrom(watched({ ...WITHOUT_TWILIO, ...BY_APP }));
    expect([...readNames].sort()).to.deep.equal([...OPTION_VARIABLES].sort());
  });

  it('needs no Twilio if another provider sends, and then sets no publicUrl', () => {
    const { credentials, channels, publicUrl, senders } = optionsFrom(WITHOUT_TWILIO);
    expect(credentials.twilio).to.equal(undefined);
    expect([publicUrl, senders]).to.deep.equal([
      undefined,
      { sms: undefined, voice: undefined, whatsapp: undefined },
    ]);
    expect(Object.keys(channels ?? {})).to.have.members(['line', 'whatsapp', 'sms']);
    expect(providersOf(WITHOUT_TWILIO)).to.deep.equal({
      line: ['LINE'],
      whatsapp: ['VONAGE'],
      sms: ['VONAGE'],
    });
    expect(providersOf({ ...WITHOUT_TWILIO, ...BY_APP })).to.deep.equal(providersOf(WITHOUT_TWILIO));
  });

  it('orders the providers of a channel: the Twilio sender, then Verify, then Vonage', () => {
    expect(providersOf({ ...LEAST, ...VERIFY })).to.deep.equal({
      sms: ['TWILIO', 'TWILIO_VERIFY'],
      voice: ['TWILIO_VERIFY'],
    });
    const all = {
      ...WHOLE,
      ...VERIFY,
      TWILIO_VERIFY_CHANNELS: 'voice,whatsapp',
      ...WITHOUT_TWILIO,
      OKTA_API_TOKEN: undefined,
    };
    expect(providersOf(all)).to.deep.equal({
      line: ['LINE'],
      whatsapp: ['TWILIO', 'TWILIO_VERIFY', 'VONAGE'],
      sms: ['TWILIO', 'VONAGE'],
      voice: ['TWILIO', 'TWILIO_VERIFY'],
    });
  });

  it('accepts HOOK_SECRET_PREVIOUS as a second secret of both hooks', () => {
    const both = { HOOK_SECRET, HOOK_SECRET_PREVIOUS: PREVIOUS_SECRET };
    const accepted = { scheme: 'header', secrets: [HOOK_SECRET, PREVIOUS_SECRET] };
    expect(optionsFrom({ ...LEAST, ...both }).credentials.hook).to.deep.equal(accepted);
    expect(optionsFrom({ ...WITHOUT_TWILIO, ...both }).credentials.eventHook).to.deep.equal(accepted);
    expect(() => optionsFrom({ ...LEAST, HOOK_SECRET_PREVIOUS: 'two\nlines' })).to.throw(
      /HOOK_SECRET_PREVIOUS/,
    );
  });

  it('verifies Okta by access tokens, and the event hook by HOOK_SECRET if it is set', () => {
    const oauth2 = {
      scheme: 'oauth2',
      issuer: 'https://acme.okta.com/oauth2/default',
      audience: 'api://default',
      clientId: '0oahook',
      scope: 'telephony',
    };
    expect(optionsFrom(WITHOUT_TWILIO).credentials).to.deep.include({ hook: oauth2, eventHook: false });
    expect(optionsFrom({ ...WITHOUT_TWILIO, HOOK_SECRET }).credentials).to.deep.include({
      hook: oauth2,
      eventHook: { scheme: 'header', secrets: [HOOK_SECRET] },
    });
    // Variables of the command line do not select OAuth.
    const setup = { HOOK_OAUTH_CLIENT_ID: '0oahook', HOOK_OAUTH_SCOPE: 'telephony' };
    expect(optionsFrom({ ...LEAST, ...setup }).credentials.hook).to.have.property('scheme', 'header');
  });

  it('removes slashes at the end of publicUrl, also for the command line', () => {
    const env = { ...LEAST, PUBLIC_URL: 'https://id.acme.com/okta/telephony//' };
    const url = 'https://id.acme.com/okta/telephony';
    expect(optionsFrom(env).publicUrl).to.equal(url);
    const reader = new VariableReader(env);
    expect(reader.read('PUBLIC_URL')).to.equal(url);
    expect(reader.required('PUBLIC_URL', 'the URL')).to.equal(url);
  });

  it('allows every country if GUARD_COUNTRIES is *, as the warning suggests', () => {
    expect(optionsFrom({ ...LEAST, GUARD_COUNTRIES: '*' }).guard).to.deep.equal({ countries: false });
    expect(WARNINGS['guard.countries'].remedy).to.include('GUARD_COUNTRIES').and.include('*');
  });

  const wrong: readonly (readonly [env: Environment, ...problems: RegExp[]])[] = [
    [{ GUARD_COUNTRIES: 'DE, AT' }, /^GUARD_COUNTRIES must be ISO 3166 countries.*; use AT$/],
    [{ GUARD_COUNTRIES: 'de,UK,FR' }, /^GUARD_COUNTRIES must be.*; use DE and GB$/],
    [{ GUARD_COUNTRIES: 'Germany' }, /^GUARD_COUNTRIES must be.* for every country$/],
    [{ HOOK_OAUTH_AUDIENCE: '' }, /^HOOK_OAUTH_AUDIENCE is missing/],
    [
      { HOOK_OAUTH_ISSUER: '', HOOK_OAUTH_AUDIENCE: '' },
      /^HOOK_SECRET is missing.*in its place HOOK_OAUTH_ISSUER,.* will do$/,
    ],
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
    [{ VONAGE_WHATSAPP_FROM: '' }, /^VONAGE_WHATSAPP_FROM is missing/],
    [{ VONAGE_WHATSAPP_TEMPLATE: 'Okta Code' }, /^VONAGE_WHATSAPP_TEMPLATE must be the name/],
    [{ VONAGE_WHATSAPP_LANGUAGE: 'portuguese' }, /^VONAGE_WHATSAPP_LANGUAGE must be/],
    [{ VONAGE_BASE_URL: 'http://vonage.example' }, /^VONAGE_BASE_URL must be/],
    [
      { VONAGE_SMS_FROM: '', VONAGE_WHATSAPP_FROM: '', VONAGE_WHATSAPP_TEMPLATE: '' },
      /^VONAGE_SMS_FROM and VONAGE_WHATSAPP_FROM are missing/,
    ],
    [{ LINE_CHANNEL_ACCESS_TOKEN: '' }, /^LINE_CHANNEL_ACCESS_TOKEN is missing/],
    [{ LINE_USER_ID_ATTRIBUTE: 'line-id' }, /^LINE_USER_ID_ATTRIBUTE must be/],
    [
      { TWILIO_VERIFY_CHANNELS: 'sms' },
      /^TWILIO_VERIFY_SERVICE_SID is missing/,
      /^TWILIO_ACCOUNT_SID is missing/,
      /^TWILIO_API_KEY_SID and/,
      /^TWILIO_AUTH_TOKEN is missing/,
    ],
  ];
  for (const [env, ...patterns] of wrong) {
    it(`reports ${Object.keys(env).join(', ')} as ${patterns.map(({ source }) => source).join(', ')}`, () => {
      mustNotShow('kept-for-me', 'Twelve Letters', 'Okta Code', 'portuguese');
      const { problems } = errorOf(() => optionsFrom({ ...WITHOUT_TWILIO, ...env }));
      expect(problems).to.have.length(patterns.length);
      for (const [index, pattern] of patterns.entries()) {
        expect(
          problems.some((problem) => pattern.test(problem)),
          `${index}: ${problems.join()}`,
        ).to.equal(true);
      }
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
      'HOOK_SECRET',
      'TWILIO_API_KEY_SECRET',
      'TWILIO_SMS_FROM or another sender',
      'TWILIO_AUTH_TOKEN',
      'REDIS_URL',
      'STATE_ENCRYPTION_KEY',
      'OKTA_ORG_URL',
      'OKTA_API_TOKEN',
      'TWILIO_ACCOUNT_SID',
    ]);
    // Programs can switch on the name of the variable.
    for (const { option, message } of error.issues) {
      expect(option).to.match(/^[A-Z][A-Z_]+$/);
      expect(message.startsWith(option)).to.equal(true);
    }
  });

  it('throws an error that Node prints with each problem once if it ends the process', () => {
    const error = errorOf(() => optionsFrom({}));
    const printed = inspect(error, { maxStringLength: Infinity, breakLength: Infinity });
    expect(printed).to.include('CONFIGURATION').and.not.include('undefined');
    expect(error.problems).to.have.length.above(2);
    for (const problem of error.problems) {
      expect(printed.split(problem), problem).to.have.length(2);
    }
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
