import { ConfigurationError, type OktaTelephonyHookOptions } from 'okta-telephony-hook';
import {
  OPTION_VARIABLES,
  oktaCredentialFrom,
  optionsFrom,
  variablesFrom,
} from 'okta-telephony-hook/environment';
import { CALLBACK_PATH, type LoginOptions } from './login.js';
import type { PreferencesOptions } from './preferences/preferences.js';

/** Where metrics and the state of the hook are served. */
export interface MonitoringAddress {
  readonly port: number;
  readonly host: string;
}

/** What the environment describes: the demo or a real gateway. */
export type Environment =
  | {
      /** No account is set: everything runs on the emulators. */
      readonly kind: 'emulators';
      readonly isProduction: boolean;
      readonly port: number;
      /** Whether the next free port may be taken. Not if the user has set the port, nor in a container, which publishes it. */
      readonly mayTakeNextPort: boolean;
      readonly monitoring: MonitoringAddress | undefined;
      readonly optInAttribute: string | undefined;
    }
  | {
      readonly kind: 'real';
      readonly port: number;
      readonly monitoring: MonitoringAddress | undefined;
      readonly options: OktaTelephonyHookOptions;
      readonly login: LoginOptions | undefined;
      readonly preferences: PreferencesOptions | undefined;
    };

type Env = Readonly<Record<string, string | undefined>>;

const LOGIN_VARIABLES = {
  OIDC_CLIENT_ID: 'the client id of the web app at Okta',
  OIDC_CLIENT_SECRET: 'the client secret of the web app at Okta',
  OIDC_REDIRECT_URI: `the origin of the gateway, then ${CALLBACK_PATH}`,
  SESSION_SECRET: 'the same for all gateways: openssl rand -hex 32',
};
const LOGIN_NAMES = [...Object.keys(LOGIN_VARIABLES), 'OIDC_ISSUER', 'OIDC_ADMIN_GROUP'];
const SERVER_NAMES = ['PORT', 'METRICS_PORT', 'METRICS_HOST', 'NODE_ENV', 'DEMO'];
const PREFERENCES_NAMES = ['API_TOKEN', 'CLIENT_ID', 'PRIVATE_KEY', 'KEY_ID'].map(
  (name) => `OKTA_PREFERENCES_${name}`,
);
/** One of these means a real gateway: a deployment that lost the others must stop, and not send codes to an emulator. */
const ACCOUNT_NAMES = [
  ...OPTION_VARIABLES.filter((name) => name !== 'OPT_IN_ATTRIBUTE'),
  ...PREFERENCES_NAMES,
  ...LOGIN_NAMES,
];

const hasAny = (env: Env, names: readonly string[]): boolean => names.some((name) => Boolean(env[name]));

/**
 * Reads the variables of the example.
 *
 * @throws ConfigurationError that names every variable which is missing or wrong, and no value.
 */
export function readEnvironment(env: Env, defaultPort = 3000): Environment {
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
  const refuseProblems = (): void => {
    if (problems.size > 0) throw new ConfigurationError([...problems], { subject: 'The environment' });
  };

  attempt(() => variablesFrom(env, [...LOGIN_NAMES, ...SERVER_NAMES, 'OPT_IN_ATTRIBUTE']));
  const readPort = (name: string, preset: number): number => {
    const port = Number(env[name] || preset);
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
      problems.add(`${name} must be a number from 0 to 65535`);
    return port;
  };
  const port = readPort('PORT', defaultPort);
  // Loopback by default: metrics show countries and volumes, and the state names hosts.
  const monitoring = env['METRICS_PORT']
    ? { port: readPort('METRICS_PORT', 0), host: env['METRICS_HOST'] || '127.0.0.1' }
    : undefined;
  const isProduction = env['NODE_ENV'] === 'production';

  if (!hasAny(env, ACCOUNT_NAMES)) {
    if (!isProduction || env['DEMO'] === '1') {
      refuseProblems();
      const optInAttribute = env['OPT_IN_ATTRIBUTE'] || undefined;
      const mayTakeNextPort = !env['PORT'] && !isProduction;
      return { kind: 'emulators', isProduction, port, mayTakeNextPort, monitoring, optInAttribute };
    }
    problems.add('Nothing is configured; with NODE_ENV=production the emulators start only with DEMO=1');
  }
  const options = attempt(() => optionsFrom(env));
  const hasPreferences = hasAny(env, PREFERENCES_NAMES);
  const preferences = hasPreferences ? attempt(() => readPreferences(env, problems)) : undefined;
  // Users sign in before they see the preference page.
  const login = hasPreferences || hasAny(env, LOGIN_NAMES) ? readLogin(env, problems) : undefined;
  refuseProblems();
  // `attempt` returns `undefined` only together with a problem.
  return { kind: 'real', port, monitoring, options: options as OktaTelephonyHookOptions, preferences, login };
}

function readPreferences(env: Env, problems: Set<string>): PreferencesOptions {
  // The hook is on the internet: its credential must not be able to write.
  for (const name of ['API_TOKEN', 'CLIENT_ID']) {
    const own = `OKTA_PREFERENCES_${name}`;
    if (env[own] && env[own] === env[`OKTA_${name}`])
      problems.add(`${own} is OKTA_${name}: the preference page needs a credential of its own`);
  }
  if (!env['PUBLIC_URL'])
    problems.add("PUBLIC_URL is missing: Twilio sends the preference page's messages there");
  const whatsAppNumber = env['TWILIO_SANDBOX_NUMBER'] || env['TWILIO_WHATSAPP_FROM'];
  if (!whatsAppNumber)
    problems.add(
      'TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM is missing: users of the preference page write to it',
    );
  return {
    credential: oktaCredentialFrom(env, 'OKTA_PREFERENCES_'),
    whatsAppNumber: whatsAppNumber ?? '',
    sandboxWords: env['TWILIO_SANDBOX_NUMBER'] ? 'join …' : undefined,
  };
}

function readLogin(env: Env, problems: Set<string>): LoginOptions {
  for (const [name, meaning] of Object.entries(LOGIN_VARIABLES))
    if (!env[name]) problems.add(`${name} is missing: ${meaning}`);
  const { OIDC_ISSUER, OIDC_REDIRECT_URI: redirectUri = '', SESSION_SECRET: sessionSecret = '' } = env;
  if (sessionSecret && sessionSecret.length < 32)
    problems.add('SESSION_SECRET is too short: make it by openssl rand -hex 32');
  if (OIDC_ISSUER && !isSafeUrl(OIDC_ISSUER))
    problems.add('OIDC_ISSUER must be an https URL, such as https://example.okta.com/oauth2/default');
  if (redirectUri && !(isSafeUrl(redirectUri) && redirectUri.endsWith(CALLBACK_PATH)))
    problems.add(`OIDC_REDIRECT_URI must be an https URL that ends in ${CALLBACK_PATH}`);
  return {
    issuer: OIDC_ISSUER || (env['OKTA_ORG_URL'] ?? ''),
    clientId: env['OIDC_CLIENT_ID'] ?? '',
    clientSecret: env['OIDC_CLIENT_SECRET'] ?? '',
    redirectUri,
    adminGroup: env['OIDC_ADMIN_GROUP'] || undefined,
    sessionSecret,
  };
}

/** Plain http is safe on this machine only. */
function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}
