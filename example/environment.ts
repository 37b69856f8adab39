import { ConfigurationError, type OktaCredential, type OktaTelephonyHookOptions } from 'okta-telephony-hook';
import {
  OPTION_VARIABLES,
  oktaCredentialFrom,
  optionsFrom,
  variablesFrom,
} from 'okta-telephony-hook/environment';
import { CALLBACK_PATH, type LoginOptions } from './login.js';

/** What the environment describes: the demo, a real gateway, or what is wrong. */
export type Environment =
  | {
      /** Nothing is set: everything runs on the emulators. */
      readonly kind: 'emulators';
      readonly isProduction: boolean;
      readonly port: number;
      readonly optInAttribute: string | undefined;
    }
  | {
      readonly kind: 'real';
      readonly options: OktaTelephonyHookOptions;
      /** The preference page's credential for Okta. Without it there is no such page. */
      readonly preferences: OktaCredential | undefined;
      /** How users sign in to the gateway's own pages. Without it there are none. */
      readonly login: LoginOptions | undefined;
      readonly port: number;
      /** Settings that work, but perhaps not as intended. */
      readonly notes: readonly string[];
    }
  | {
      readonly kind: 'problems';
      /** One sentence each, with the variable's name and never its value. */
      readonly problems: readonly string[];
    };

type Env = Readonly<Record<string, string | undefined>>;

const PREFERENCES_VARIABLES = [
  'OKTA_PREFERENCES_API_TOKEN',
  'OKTA_PREFERENCES_CLIENT_ID',
  'OKTA_PREFERENCES_PRIVATE_KEY',
  'OKTA_PREFERENCES_KEY_ID',
];
const LOGIN_VARIABLES = [
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_REDIRECT_URI',
  'OIDC_ISSUER',
  'OIDC_ADMIN_GROUP',
  'SESSION_SECRET',
];
const OWN_VARIABLES = [...LOGIN_VARIABLES, 'OPT_IN_ATTRIBUTE', 'PORT', 'NODE_ENV', 'DEMO'];

/**
 * The variables that say which org and which account. One of them is enough to mean the real thing: a deployment that
 * lost a variable stops, and sends no code to an emulator.
 */
const PRODUCT_VARIABLES = [
  ...OPTION_VARIABLES.filter((name) => name !== 'OPT_IN_ATTRIBUTE'),
  ...PREFERENCES_VARIABLES,
  ...LOGIN_VARIABLES,
];

const hasAny = (env: Env, names: readonly string[]): boolean => names.some((name) => Boolean(env[name]));

/** As iron-session has it. */
const MIN_SECRET_LENGTH = 32;

/** Reads the variables of the example; knows nothing of any other source. */
export function readEnvironment(env: Env): Environment {
  const problems = new Set<string>();
  const attempt = <Value>(read: () => Value): Value | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return undefined;
    }
  };
  attempt(() => variablesFrom(env, OWN_VARIABLES));
  const isProduction = env['NODE_ENV'] === 'production';
  const isConfigured = hasAny(env, PRODUCT_VARIABLES);
  const port = readPort(env, problems);

  if (!isConfigured && (!isProduction || env['DEMO'] === '1')) {
    if (problems.size > 0) return { kind: 'problems', problems: [...problems] };
    return { kind: 'emulators', isProduction, port, optInAttribute: env['OPT_IN_ATTRIBUTE'] || undefined };
  }

  if (!isConfigured) {
    problems.add('Nothing is configured; with NODE_ENV=production the emulators start only with DEMO=1');
  }
  const options = attempt(() => optionsFrom(env));
  const hasPreferences = hasAny(env, PREFERENCES_VARIABLES);
  if (hasPreferences) checkPreferences(env, problems);
  const preferences = hasPreferences
    ? attempt(() => oktaCredentialFrom(env, 'OKTA_PREFERENCES_'))
    : undefined;
  const login = readLogin(env, problems);
  if (options === undefined || problems.size > 0) return { kind: 'problems', problems: [...problems] };
  return { kind: 'real', port, notes: notesOn(env), options, preferences, login };
}

function readPort(env: Env, problems: Set<string>): number {
  const text = env['PORT'] || '3000';
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) problems.add('PORT must be a number from 0 to 65535');
  return port;
}

function checkPreferences(env: Env, problems: Set<string>): void {
  // The internet reaches the hook: its credential must not be able to write.
  for (const name of ['API_TOKEN', 'CLIENT_ID']) {
    const own = `OKTA_PREFERENCES_${name}`;
    const isSame = Boolean(env[own]) && env[own] === env[`OKTA_${name}`];
    if (isSame) problems.add(`${own} is OKTA_${name}: the preference page needs a credential of its own`);
  }
  const needed: readonly (readonly [names: readonly string[], problem: string])[] = [
    [LOGIN_VARIABLES, 'OIDC_CLIENT_ID is missing: users sign in at Okta before they see the preference page'],
    [['PUBLIC_URL'], 'PUBLIC_URL is missing: the words that users of the preference page send come to it'],
    [
      ['TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM'],
      'TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM is missing: users of the preference page write to it',
    ],
  ];
  for (const [names, problem] of needed) if (!hasAny(env, names)) problems.add(problem);
}

function readLogin(env: Env, problems: Set<string>): LoginOptions | undefined {
  if (!hasAny(env, LOGIN_VARIABLES)) return undefined;
  const required = (name: string, what: string): string => {
    if (!env[name]) problems.add(`${name} is missing: ${what}`);
    return env[name] ?? '';
  };
  const login = {
    issuer: env['OIDC_ISSUER'] || (env['OKTA_ORG_URL'] ?? ''),
    clientId: required('OIDC_CLIENT_ID', 'the client id of the web app at Okta'),
    clientSecret: required('OIDC_CLIENT_SECRET', 'the client secret of the web app at Okta'),
    redirectUri: required('OIDC_REDIRECT_URI', `the origin of the gateway, then ${CALLBACK_PATH}`),
    adminGroup: env['OIDC_ADMIN_GROUP'] || undefined,
    sessionSecret: required('SESSION_SECRET', 'the same for all gateways: openssl rand -hex 32'),
  };
  if (login.sessionSecret !== '' && login.sessionSecret.length < MIN_SECRET_LENGTH) {
    problems.add('SESSION_SECRET is too short: make it by openssl rand -hex 32');
  }
  if (env['OIDC_ISSUER'] && !isSafeUrl(login.issuer)) {
    problems.add('OIDC_ISSUER must be an https URL, such as https://example.okta.com/oauth2/default');
  }
  const { redirectUri } = login;
  if (redirectUri !== '' && !(isSafeUrl(redirectUri) && new URL(redirectUri).pathname === CALLBACK_PATH)) {
    problems.add(`OIDC_REDIRECT_URI must be an https URL that ends in ${CALLBACK_PATH}`);
  }
  return login;
}

/** https, or http on this machine. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname))
  );
}

function notesOn(env: Env): readonly string[] {
  const hasPreferences = hasAny(env, PREFERENCES_VARIABLES);
  const notes: readonly (readonly [isTold: boolean, note: string])[] = [
    [
      !hasAny(env, LOGIN_VARIABLES),
      'OIDC_CLIENT_ID is not set: nobody can sign in, and there are no pages for users and administrators',
    ],
    [
      !hasAny(env, ['TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM', 'VONAGE_WHATSAPP_FROM']),
      'No WhatsApp sender is set: who opted in gets an SMS',
    ],
    [
      !hasPreferences,
      'OKTA_PREFERENCES_API_TOKEN is not set: there is no page on which users choose how codes come',
    ],
    [
      !hasAny(env, ['REDIS_URL']),
      'REDIS_URL is not set: a second gateway would know nothing of what this one has sent',
    ],
  ];
  return notes.flatMap(([isTold, note]) => (isTold ? [note] : []));
}
