import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { ConfigurationError, oktaTelephonyHook } from '#lib/index.js';
import {
  oktaCredentialFrom,
  OPTION_VARIABLES,
  optionsFrom,
  variablesFrom,
  type Environment,
} from '#lib/options/environment.js';
import { mustNotShow, witness } from '#harness/witness.js';

const API_TOKEN = '00api-token-of-the-environment';
const HOOK_SECRET = 'hook-secret-of-the-environment';
const AUTH_TOKEN = 'auth-token-of-the-environment';
const SID = (letters: string): string => letters + '0a1b'.repeat(8);

/** The least that a gateway needs. */
const LEAST: Environment = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: API_TOKEN,
  HOOK_SECRET,
  TWILIO_ACCOUNT_SID: SID('AC'),
  TWILIO_AUTH_TOKEN: AUTH_TOKEN,
  TWILIO_SMS_FROM: '+15005550006',
};
/** Every variable, in place of some of the least. */
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
};

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
    mustNotShow(API_TOKEN, HOOK_SECRET, AUTH_TOKEN);
  });

  it('makes options that the hook takes', async () => {
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    for (const env of [LEAST, WHOLE]) {
      await oktaTelephonyHook({ ...optionsFrom(env), logger: silent }).close();
    }
  });

  it('has an option for each variable', () => {
    expect(optionsFrom(LEAST)).to.deep.equal({
      credentials: {
        hook: { scheme: 'header', secrets: [HOOK_SECRET] },
        okta: { orgUrl: 'https://acme.okta.com', apiToken: API_TOKEN },
        twilio: { accountSid: SID('AC'), authToken: AUTH_TOKEN, baseUrl: undefined },
      },
      senders: { sms: '+15005550006', voice: undefined },
      sandboxNumber: undefined,
      publicUrl: undefined,
      optInAttribute: undefined,
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
      publicUrl: 'https://id.acme.com/okta/telephony',
      optInAttribute: 'codesBy',
    });
    expect(optionsFrom({ ...LEAST, TWILIO_SANDBOX_NUMBER: '+14155238886', PUBLIC_URL: '' })).to.deep.include({
      sandboxNumber: '+14155238886',
      publicUrl: undefined,
    });
  });

  it('reads the variables that it names, and no others', () => {
    const names = new Set([...Object.keys(LEAST), ...Object.keys(WHOLE), 'TWILIO_SANDBOX_NUMBER']);
    expect([...OPTION_VARIABLES].sort()).to.deep.equal([...names].sort());
    const asked = new Set<string>();
    const watched = (env: Environment): Environment =>
      new Proxy(env, { get: (target, name) => (asked.add(String(name)), target[String(name)]) });
    optionsFrom(watched(LEAST));
    optionsFrom(watched(WHOLE));
    expect([...asked].sort()).to.deep.equal([...OPTION_VARIABLES].sort());
  });

  it('names every variable that is missing or wrong at once, and no value', () => {
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
    // Programs switch on the name of the variable.
    for (const { option, message } of error.issues) {
      expect(option).to.match(/^[A-Z][A-Z_]+$/);
      expect(message.startsWith(option)).to.equal(true);
    }
  });
});

describe('oktaCredentialFrom', () => {
  it('reads the variables with a prefix of your own, by the same rules', () => {
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
  it('takes an empty variable for one that is not set, and refuses what an env file leaves around a value', () => {
    expect(variablesFrom({ PORT: '3000', MODE: '', MORE: 'x' }, ['PORT', 'MODE', 'NONE'])).to.deep.equal({
      PORT: '3000',
      MODE: undefined,
      NONE: undefined,
    });
    const { problems } = errorOf(() => variablesFrom({ A: '"x"', B: 'x\r', C: 'x' }, ['A', 'B', 'C']));
    expect(problems.map((problem) => problem.slice(0, 5))).to.deep.equal(['A has', 'B has']);
  });
});
