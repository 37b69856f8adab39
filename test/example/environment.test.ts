import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { readEnvironment } from '../../example/environment.js';
import { ConfigurationError } from '#lib/index.js';

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const WHOLE = {
  OKTA_ORG_URL: 'https://acme.okta.com',
  OKTA_API_TOKEN: 'token-of-the-org',
  HOOK_SECRET: 'secret-of-the-hook',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_API_KEY_SID: `SK${'0'.repeat(32)}`,
  TWILIO_API_KEY_SECRET: 'secret-of-the-key',
  TWILIO_SMS_FROM: '+12025550100',
} as const;
const LOGIN = {
  OIDC_CLIENT_ID: '0oagateway',
  OIDC_CLIENT_SECRET: 'client-secret',
  OIDC_REDIRECT_URI: 'https://id.acme.com/login/callback',
  SESSION_SECRET: 's'.repeat(32),
} as const;
/** With all that the preference page needs: a login, and a number that receives its words. */
const WITH_WORDS = {
  ...WHOLE,
  ...LOGIN,
  PUBLIC_URL: 'https://id.acme.com/okta/telephony',
  TWILIO_AUTH_TOKEN: 'auth-token-of-twilio',
  TWILIO_SANDBOX_NUMBER: '+14155238886',
} as const;
const LOGIN_MISSING = [
  /^OIDC_CLIENT_ID is missing/,
  /^OIDC_CLIENT_SECRET is missing/,
  /^OIDC_REDIRECT_URI is missing: the origin of the gateway, then \/login\/callback/,
  /^SESSION_SECRET is missing/,
];
type Env = Readonly<Record<string, string | undefined>>;

/** The problems that stop the gateway from starting. */
function problemsOf(env: Env): readonly string[] {
  try {
    readEnvironment(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return expect.fail('no problem was found');
}

describe('the environment of the example', () => {
  const onEmulators: readonly [string, Env, number][] = [
    ['without any variable', {}, 3000],
    ['with only a port', { PORT: '0' }, 0],
    ['with empty variables, as compose files set them', { OKTA_ORG_URL: '', HOOK_SECRET: '' }, 3000],
    ['in production with DEMO=1', { NODE_ENV: 'production', DEMO: '1' }, 3000],
    ['with variables of other programs', { HOME: '/root', PATH: '/bin', NODE_ENV: 'test' }, 3000],
  ];
  for (const [when, env, port] of onEmulators) {
    it(`selects the emulators ${when}`, () => {
      expect(readEnvironment(env)).to.deep.equal({
        kind: 'emulators',
        isProduction: env['NODE_ENV'] === 'production',
        port,
        mayTakeNextPort: env['PORT'] === undefined && env['NODE_ENV'] !== 'production',
        monitoring: undefined,
        optInAttribute: undefined,
      });
    });
  }

  it('serves metrics on the port METRICS_PORT, on loopback or on METRICS_HOST', () => {
    const monitoringOf = (env: Env): unknown => readEnvironment({ ...WHOLE, ...env }).monitoring;
    expect(monitoringOf({ METRICS_HOST: '0.0.0.0' })).to.equal(undefined);
    expect(monitoringOf({ METRICS_PORT: '9464', METRICS_HOST: '' })).to.deep.equal({
      port: 9464,
      host: '127.0.0.1',
    });
    expect(monitoringOf({ METRICS_PORT: '0', METRICS_HOST: '0.0.0.0' })).to.deep.equal({
      port: 0,
      host: '0.0.0.0',
    });
    expect(problemsOf({ ...WHOLE, METRICS_PORT: '94640' })).to.deep.equal([
      'METRICS_PORT must be a number from 0 to 65535',
    ]);
  });

  it('passes the name of the opt-in attribute to the emulators', () => {
    expect(readEnvironment({ OPT_IN_ATTRIBUTE: 'prefersWhatsApp' })).to.deep.include({
      kind: 'emulators',
      optInAttribute: 'prefersWhatsApp',
    });
  });

  const withProblems: readonly [string, Env, readonly RegExp[]][] = [
    [
      'only NODE_ENV=production',
      { NODE_ENV: 'production' },
      [/DEMO=1/, /OKTA_ORG_URL/, /OKTA_API_TOKEN/, /HOOK_SECRET/, /sender.*TWILIO_ACCOUNT_SID/],
    ],
    ['DEMO=0 in production', { NODE_ENV: 'production', DEMO: '0' }, [/DEMO=1/]],
    ['a hook secret beside DEMO=1', { HOOK_SECRET: 'x1', DEMO: '1' }, [/OKTA_ORG_URL/]],
    ['only a public URL', { PUBLIC_URL: 'https://id.acme.com/okta/telephony' }, [/OKTA_ORG_URL/, /sender/]],
    [
      'a preference page with two credentials and no WhatsApp number',
      { ...WHOLE, OKTA_PREFERENCES_API_TOKEN: 'own-token', OKTA_PREFERENCES_CLIENT_ID: '0oa2' },
      [
        /^OKTA_PREFERENCES_API_TOKEN does not go with OKTA_PREFERENCES_CLIENT_ID/,
        ...LOGIN_MISSING,
        /^PUBLIC_URL is missing/,
        /^TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM is missing/,
      ],
    ],
    [
      "a preference page with the hook's token",
      { ...WITH_WORDS, OKTA_PREFERENCES_API_TOKEN: WHOLE.OKTA_API_TOKEN },
      [/^OKTA_PREFERENCES_API_TOKEN is OKTA_API_TOKEN.*of its own/],
    ],
    [
      "a preference page with the hook's service app",
      {
        ...WITH_WORDS,
        OKTA_API_TOKEN: '',
        OKTA_CLIENT_ID: '0oa1',
        OKTA_PRIVATE_KEY: privateKey,
        OKTA_PREFERENCES_CLIENT_ID: '0oa1',
        OKTA_PREFERENCES_PRIVATE_KEY: privateKey,
      },
      [/^OKTA_PREFERENCES_CLIENT_ID is OKTA_CLIENT_ID/],
    ],
    [
      'a preference page without its org',
      { OKTA_PREFERENCES_KEY_ID: 'kid2' },
      [
        /^OKTA_ORG_URL is missing/,
        /^OKTA_API_TOKEN is missing/,
        /^OKTA_PREFERENCES_CLIENT_ID is missing/,
        /^OKTA_PREFERENCES_PRIVATE_KEY is missing/,
        ...LOGIN_MISSING,
        /^PUBLIC_URL is missing/,
        /^TWILIO_SANDBOX_NUMBER or/,
        /^HOOK_SECRET is missing/,
        /^TWILIO_SMS_FROM or another sender is missing/,
      ],
    ],
    [
      'an administrator group but no login',
      { ...WHOLE, OIDC_ADMIN_GROUP: 'Telephony administrators' },
      [...LOGIN_MISSING],
    ],
    [
      'a login with a wrong issuer, redirect URI and secret',
      {
        ...WHOLE,
        ...LOGIN,
        OIDC_ISSUER: 'http://acme.okta.com',
        OIDC_REDIRECT_URI: 'https://id.acme.com/callback',
        SESSION_SECRET: 'secret-of-31-characters-and-no-',
      },
      [/^SESSION_SECRET is too short/, /^OIDC_ISSUER must be an https URL/, /^OIDC_REDIRECT_URI must be/],
    ],
    [
      'a redirect URI over plain http',
      { ...WHOLE, ...LOGIN, OIDC_REDIRECT_URI: 'http://id.acme.com/login/callback' },
      [/^OIDC_REDIRECT_URI must be an https URL/],
    ],
    [
      'a preference page without a login',
      {
        ...WITH_WORDS,
        ...Object.fromEntries(Object.keys(LOGIN).map((name) => [name, ''])),
        OKTA_PREFERENCES_API_TOKEN: 'own-token',
      },
      LOGIN_MISSING,
    ],
    [
      'quotes, spaces and line ends around values of its own and of the hook',
      { ...WHOLE, HOOK_SECRET: '"secret-in-quotes"', OPT_IN_ATTRIBUTE: ' ', PORT: '3000\r' },
      [
        /^HOOK_SECRET has quotes or spaces around its value, or an invisible character/,
        /^OPT_IN_ATTRIBUTE has/,
        /^PORT has/,
      ],
    ],
    ['DEMO and a Windows line end', { DEMO: '1\r', PORT: '0' }, [/^DEMO has/]],
    ...['production\r', '"production', 'production\u200B'].map((mode): [string, Env, readonly RegExp[]] => [
      `NODE_ENV ${JSON.stringify(mode)}`,
      { ...WHOLE, NODE_ENV: mode },
      [/^NODE_ENV has quotes or spaces/],
    ]),
    ['a port that is not valid', { ...WHOLE, PORT: '70000' }, [/^PORT must be a number/]],
    ['a port for the emulators that is not valid', { PORT: 'http' }, [/^PORT must be a number/]],
  ];
  for (const [what, env, expected] of withProblems) {
    it(`names each problem, but no value, of an environment with ${what}`, () => {
      const problems = problemsOf(env);
      for (const pattern of expected)
        expect(
          problems.some((problem) => pattern.test(problem)),
          String(pattern),
        ).to.equal(true);
      if (env['NODE_ENV'] !== 'production' && expected.every((pattern) => pattern.source.startsWith('^'))) {
        expect(problems).to.have.length(expected.length);
      }
      // No problem may contain a value.
      for (const value of Object.values(env).filter((text) => text !== undefined && text.length > 4)) {
        if (value !== 'production') expect(problems.join('\n')).not.to.include(value);
      }
    });
  }

  it('reads the credential of the preference page and the settings of the login', () => {
    const own = { ...WITH_WORDS, OKTA_PREFERENCES_API_TOKEN: 'own-token' };
    const login = {
      issuer: WHOLE.OKTA_ORG_URL,
      clientId: '0oagateway',
      clientSecret: 'client-secret',
      redirectUri: 'https://id.acme.com/login/callback',
      adminGroup: undefined,
      sessionSecret: 's'.repeat(32),
    };
    expect(readEnvironment(own)).to.deep.include({
      kind: 'real',
      preferences: {
        credential: { orgUrl: WHOLE.OKTA_ORG_URL, apiToken: 'own-token' },
        whatsAppNumber: WITH_WORDS.TWILIO_SANDBOX_NUMBER,
        sandboxWords: 'join …',
      },
      login,
    });
    const more = {
      OIDC_ISSUER: 'https://acme.okta.com/oauth2/default',
      OIDC_ADMIN_GROUP: 'Telephony',
      OIDC_REDIRECT_URI: 'http://localhost:3000/login/callback',
    };
    expect(readEnvironment({ ...own, ...more })).to.deep.include({
      login: {
        ...login,
        issuer: more.OIDC_ISSUER,
        adminGroup: 'Telephony',
        redirectUri: more.OIDC_REDIRECT_URI,
      },
    });
    expect(
      readEnvironment({
        ...WITH_WORDS,
        OKTA_PREFERENCES_CLIENT_ID: '0oa2',
        OKTA_PREFERENCES_PRIVATE_KEY: privateKey.replaceAll('\n', '\\n'),
      }),
    )
      .to.have.nested.property('preferences.credential')
      .that.deep.includes({ orgUrl: WHOLE.OKTA_ORG_URL, clientId: '0oa2' });
    expect(readEnvironment(WHOLE)).to.deep.include({ preferences: undefined, login: undefined });
  });

  it('does not select the emulators if NODE_ENV is "production" with a line end', () => {
    expect(problemsOf({ NODE_ENV: 'production\r' })[0]).to.match(/^NODE_ENV has/);
  });

  it('accepts an empty and a frozen environment', () => {
    expect(readEnvironment({}).kind).to.equal('emulators');
    expect(readEnvironment(Object.freeze({ ...WHOLE, NODE_ENV: 'production' })).kind).to.equal('real');
  });
});
