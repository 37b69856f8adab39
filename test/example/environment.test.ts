import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { readEnvironment } from '../../example/environment.js';
import { ConfigurationError, oktaTelephonyHook } from '#lib/index.js';

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
/** With what the preference page needs: a login, and what brings its words. */
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
const TEMPLATE = `HX${'0'.repeat(32)}`;

type Env = Readonly<Record<string, string | undefined>>;

/** The problems that keep the gateway from starting. */
function problemsOf(env: Env): readonly string[] {
  try {
    readEnvironment(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return expect.fail('no problem was found');
}

function without(...names: readonly (keyof typeof WHOLE)[]): Env {
  return Object.fromEntries(
    Object.entries(WHOLE).filter(([name]) => !names.some((dropped) => dropped === name)),
  );
}

describe('the environment of the example', () => {
  const onEmulators: readonly [string, Env, number][] = [
    ['without any variable', {}, 3000],
    ['with a port only', { PORT: '0' }, 0],
    ['with empty variables, as compose files set them', { OKTA_ORG_URL: '', HOOK_SECRET: '' }, 3000],
    ['in production when told to', { NODE_ENV: 'production', DEMO: '1' }, 3000],
    ['with variables of others', { HOME: '/root', PATH: '/bin', NODE_ENV: 'test' }, 3000],
  ];
  for (const [when, env, port] of onEmulators) {
    it(`means the emulators ${when}`, () => {
      expect(readEnvironment(env)).to.deep.equal({
        kind: 'emulators',
        isProduction: env['NODE_ENV'] === 'production',
        port,
        optInAttribute: undefined,
      });
    });
  }

  it('hands another opt-in attribute to the emulators', () => {
    expect(readEnvironment({ OPT_IN_ATTRIBUTE: 'prefersWhatsApp' })).to.deep.include({
      kind: 'emulators',
      optInAttribute: 'prefersWhatsApp',
    });
  });

  const withProblems: readonly [string, Env, readonly RegExp[]][] = [
    [
      'production that lost its whole environment',
      { NODE_ENV: 'production' },
      [/DEMO=1/, /OKTA_ORG_URL/, /OKTA_API_TOKEN/, /HOOK_SECRET/, /sender.*TWILIO_ACCOUNT_SID/],
    ],
    ['production with another DEMO', { NODE_ENV: 'production', DEMO: '0' }, [/DEMO=1/]],
    [
      'one variable of many',
      { HOOK_SECRET: 'x1' },
      [/OKTA_ORG_URL/, /OKTA_API_TOKEN/, /TWILIO_SMS_FROM.*TWILIO_ACCOUNT_SID/],
    ],
    ['a part beside DEMO', { HOOK_SECRET: 'x1', DEMO: '1' }, [/OKTA_ORG_URL/]],
    ['only a public URL', { PUBLIC_URL: 'https://id.acme.com/okta/telephony' }, [/OKTA_ORG_URL/, /sender/]],
    ['no org', without('OKTA_ORG_URL'), [/^OKTA_ORG_URL is missing/]],
    ['no hook secret', without('HOOK_SECRET'), [/^HOOK_SECRET is missing/]],
    ['an empty hook secret', { ...WHOLE, HOOK_SECRET: '' }, [/^HOOK_SECRET is missing/]],
    ['no account', without('TWILIO_ACCOUNT_SID'), [/^TWILIO_ACCOUNT_SID is missing/]],
    ['half an API key', without('TWILIO_API_KEY_SECRET'), [/^TWILIO_API_KEY_SECRET is missing/]],
    ['the other half', without('TWILIO_API_KEY_SID'), [/^TWILIO_API_KEY_SID is missing/]],
    [
      'no proof for Twilio',
      without('TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET'),
      [/TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing.*TWILIO_AUTH_TOKEN/],
    ],
    [
      'no proof for Okta',
      without('OKTA_API_TOKEN'),
      [/^OKTA_API_TOKEN is missing.*OKTA_CLIENT_ID.*OKTA_PRIVATE_KEY/],
    ],
    [
      'a service app without its key',
      { ...without('OKTA_API_TOKEN'), OKTA_CLIENT_ID: '0oa1' },
      [/^OKTA_PRIVATE_KEY is missing/],
    ],
    [
      'a key without its service app',
      { ...without('OKTA_API_TOKEN'), OKTA_PRIVATE_KEY: privateKey },
      [/^OKTA_CLIENT_ID is missing/],
    ],
    [
      'only the id of a key',
      { ...without('OKTA_API_TOKEN'), OKTA_KEY_ID: 'kid1' },
      [/^OKTA_CLIENT_ID is missing/, /^OKTA_PRIVATE_KEY is missing/],
    ],
    [
      'both proofs for Okta',
      { ...WHOLE, OKTA_CLIENT_ID: '0oa1' },
      [/^OKTA_API_TOKEN does not go with OKTA_CLIENT_ID/],
    ],
    [
      'callbacks that nothing checks',
      { ...WHOLE, PUBLIC_URL: 'https://id.acme.com/okta/telephony' },
      [/^TWILIO_AUTH_TOKEN is missing.*PUBLIC_URL only where you run okta-telephony-hook setup/],
    ],
    [
      'no sender',
      without('TWILIO_SMS_FROM'),
      [
        /TWILIO_SMS_FROM.*TWILIO_VOICE_FROM.*TWILIO_SANDBOX_NUMBER.*TWILIO_WHATSAPP_FROM.*TWILIO_WHATSAPP_TEMPLATE/,
      ],
    ],
    [
      'WhatsApp without a template',
      { ...WHOLE, TWILIO_WHATSAPP_FROM: '+12025550111' },
      [/^TWILIO_WHATSAPP_TEMPLATE is missing/],
    ],
    [
      'a template without a sender',
      { ...WHOLE, TWILIO_WHATSAPP_TEMPLATE: TEMPLATE },
      [/^TWILIO_WHATSAPP_FROM is missing/],
    ],
    [
      'two WhatsApp senders',
      {
        ...WHOLE,
        TWILIO_SANDBOX_NUMBER: '+14155238886',
        TWILIO_WHATSAPP_FROM: '+12025550111',
        TWILIO_WHATSAPP_TEMPLATE: TEMPLATE,
      },
      [/^TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM/],
    ],
    [
      'a Redis without a key',
      { ...WHOLE, REDIS_URL: 'redis://127.0.0.1' },
      [/^STATE_ENCRYPTION_KEY is missing.*openssl rand/],
    ],
    [
      'a Redis and a key that are none',
      { ...WHOLE, REDIS_URL: 'http://redis.example', STATE_ENCRYPTION_KEY: 'key-that-is-none' },
      [/^REDIS_URL must be a URL such as rediss/, /^STATE_ENCRYPTION_KEY must be 32 bytes/],
    ],
    [
      'values that no option takes',
      { ...WHOLE, OKTA_ORG_URL: 'corp.example', TWILIO_SMS_FROM: 'no sender at all' },
      [/^OKTA_ORG_URL must be the org's origin/, /^TWILIO_SMS_FROM must be a phone number/],
    ],
    [
      'a key without a Redis',
      { ...WHOLE, STATE_ENCRYPTION_KEY: 'key-of-nothing' },
      [/^REDIS_URL is missing/],
    ],
    [
      'two proofs of the preference page, and nothing that its words could come by',
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
      'a preference page whose key is none',
      { ...WITH_WORDS, OKTA_PREFERENCES_CLIENT_ID: '0oa2', OKTA_PREFERENCES_PRIVATE_KEY: '{"kty":"EC"}' },
      [/^OKTA_PREFERENCES_PRIVATE_KEY must be the service app's private key/],
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
    ['half a login', { ...WHOLE, OIDC_ADMIN_GROUP: 'Telephony administrators' }, [...LOGIN_MISSING]],
    [
      'a login over plain http, to another page, with a secret that can be guessed',
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
      'what an env file leaves around values',
      {
        ...WHOLE,
        HOOK_SECRET: '"secret-in-quotes"',
        OKTA_API_TOKEN: "'token-in-quotes'",
        TWILIO_ACCOUNT_SID: `${WHOLE.TWILIO_ACCOUNT_SID} `,
        TWILIO_API_KEY_SECRET: `${WHOLE.TWILIO_API_KEY_SECRET}\r`,
        OPT_IN_ATTRIBUTE: ' ',
        PORT: '3000\r',
      },
      [
        /^HOOK_SECRET has quotes or spaces around its value, or an invisible character/,
        /^OKTA_API_TOKEN has/,
        /^TWILIO_ACCOUNT_SID has/,
        /^TWILIO_API_KEY_SECRET has/,
        /^OPT_IN_ATTRIBUTE has/,
        /^PORT has/,
      ],
    ],
    [
      'a key in quotes',
      { ...without('OKTA_API_TOKEN'), OKTA_CLIENT_ID: '0oa1', OKTA_PRIVATE_KEY: `"${privateKey}"` },
      [/^OKTA_PRIVATE_KEY has/],
    ],
    ...[`"${WHOLE.OKTA_API_TOKEN}`, `${WHOLE.OKTA_API_TOKEN}\u2019`, `\u200B${WHOLE.OKTA_API_TOKEN}`].map(
      (token): [string, Env, readonly RegExp[]] => [
        `a token with ${JSON.stringify(token)} around it`,
        { ...WHOLE, OKTA_API_TOKEN: token },
        [/^OKTA_API_TOKEN has/],
      ],
    ),
    ['an empty value in quotes', { ...WHOLE, OPT_IN_ATTRIBUTE: '""' }, [/^OPT_IN_ATTRIBUTE has/]],
    ['a DEMO of a file with Windows line ends', { DEMO: '1\r', PORT: '0' }, [/^DEMO has/]],
    ...[
      'production\r',
      '"production"',
      'production ',
      ' ',
      '"production',
      'production\u200B',
      '\u201Cproduction\u201D',
    ].map((mode): [string, Env, readonly RegExp[]] => [
      `NODE_ENV ${JSON.stringify(mode)}`,
      { ...WHOLE, NODE_ENV: mode },
      [/^NODE_ENV has quotes or spaces/],
    ]),
    ['a port that is none', { ...WHOLE, PORT: '70000' }, [/^PORT must be a number/]],
    ['a port on the emulators that is none', { PORT: 'http' }, [/^PORT must be a number/]],
  ];
  for (const [what, env, expected] of withProblems) {
    it(`names what is wrong with ${what}`, () => {
      const problems = problemsOf(env);
      for (const pattern of expected)
        expect(
          problems.some((problem) => pattern.test(problem)),
          String(pattern),
        ).to.equal(true);
      if (env['NODE_ENV'] !== 'production' && expected.every((pattern) => pattern.source.startsWith('^'))) {
        expect(problems).to.have.length(expected.length);
      }
      // The name of the sandbox's variable is in no value; a value is in no problem.
      for (const value of Object.values(env).filter((text) => text !== undefined && text.length > 4)) {
        if (value !== 'production') expect(problems.join('\n')).not.to.include(value);
      }
    });
  }

  const real: readonly [string, Env][] = [
    ['an API token and an API key', WHOLE],
    [
      'an auth token alone',
      { ...without('TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET'), TWILIO_AUTH_TOKEN: 'at' },
    ],
    [
      'a service app whose key came on one line',
      {
        ...without('OKTA_API_TOKEN'),
        OKTA_CLIENT_ID: '0oa1',
        OKTA_PRIVATE_KEY: privateKey.replaceAll('\n', '\\n'),
        OKTA_KEY_ID: 'kid1',
      },
    ],
    [
      'a service app whose key ends with a line end',
      { ...without('OKTA_API_TOKEN'), OKTA_CLIENT_ID: '0oa1', OKTA_PRIVATE_KEY: `${privateKey}\r\n` },
    ],
    [
      'callbacks, an attribute and an emulated Twilio',
      {
        ...WHOLE,
        TWILIO_AUTH_TOKEN: 'at',
        TWILIO_BASE_URL: 'http://127.0.0.1:4010',
        PUBLIC_URL: 'https://id.acme.com/okta/telephony',
        OPT_IN_ATTRIBUTE: 'prefersWhatsApp',
      },
    ],
    [
      'an approved WhatsApp sender only',
      {
        ...without('TWILIO_SMS_FROM'),
        TWILIO_WHATSAPP_FROM: '+12025550111',
        TWILIO_WHATSAPP_TEMPLATE: TEMPLATE,
      },
    ],
    ['the sandbox', { ...WHOLE, TWILIO_SANDBOX_NUMBER: '+14155238886' }],
    ['a voice only', { ...without('TWILIO_SMS_FROM'), TWILIO_VOICE_FROM: '+12025550101' }],
  ];
  for (const [what, env] of real) {
    it(`makes options that the hook takes of ${what}`, async () => {
      const environment = readEnvironment(env);
      if (environment.kind !== 'real') expect.fail(JSON.stringify(environment));
      const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
      await oktaTelephonyHook({ ...environment.options, logger: silent }).close();
    });
  }

  it('hands on what the preference page writes by, and how users sign in', () => {
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

  it('does not start the emulators because of what is around production', () => {
    expect(problemsOf({ NODE_ENV: 'production\r' })[0]).to.match(/^NODE_ENV has/);
  });

  it('has the state that gateways share, if a Redis is named', () => {
    const stateOf = (env: Env): unknown => {
      const environment = readEnvironment(env);
      if (environment.kind !== 'real') expect.fail(JSON.stringify(environment));
      return environment.options.state;
    };
    const keys = [1, 2].map((fill) => Buffer.alloc(32, fill).toString('base64'));
    const redis = { REDIS_URL: 'rediss://redis.example:6380', STATE_ENCRYPTION_KEY: keys.join(', ') };
    expect(stateOf({ ...WHOLE, ...redis })).not.to.equal(undefined);
    expect(stateOf(WHOLE)).to.equal(undefined);
  });

  it('reads nothing but what it is given', () => {
    expect(readEnvironment({}).kind).to.equal('emulators');
    expect(readEnvironment(Object.freeze({ ...WHOLE, NODE_ENV: 'production' })).kind).to.equal('real');
  });
});
