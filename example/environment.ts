import { ConfigurationError, type OktaCredential, type OktaTelephonyHookOptions } from 'okta-telephony-hook';
import {
  OPTION_VARIABLES,
  oktaCredentialFrom,
  optionsFrom,
  variablesFrom,
} from 'okta-telephony-hook/environment';
import type { Account } from './login.js';

/** What the environment asks for. */
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
      /** By which the preference page writes to Okta. Without it there is no such page. */
      readonly preferences: OktaCredential | undefined;
      /** Who may log in to the gateway's own pages. */
      readonly accounts: readonly Account[];
      readonly port: number;
      readonly isProduction: boolean;
      /** What works, but perhaps not as meant. */
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
const ACCOUNT_VARIABLES = [
  'ACCOUNT_NAME',
  'ACCOUNT_PASSWORD',
  'ACCOUNT_OKTA_USER_ID',
  'ACCOUNT_IS_ADMINISTRATOR',
];
const OWN_VARIABLES = [...ACCOUNT_VARIABLES, 'OPT_IN_ATTRIBUTE', 'PORT', 'NODE_ENV', 'DEMO'];

/**
 * The variables that say which org and which account. One of them is enough to mean the real thing: a deployment that
 * lost a variable stops, and sends no code to an emulator.
 */
const PRODUCT_VARIABLES = [
  ...OPTION_VARIABLES.filter((name) => name !== 'OPT_IN_ATTRIBUTE'),
  ...PREFERENCES_VARIABLES,
  ...ACCOUNT_VARIABLES,
];

const hasAny = (env: Env, names: readonly string[]): boolean => names.some((name) => Boolean(env[name]));

/** Attempts to log in are not limited. */
const MIN_PASSWORD_LENGTH = 16;

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
  const preferences = hasAny(env, PREFERENCES_VARIABLES)
    ? attempt(() => oktaCredentialFrom(env, 'OKTA_PREFERENCES_'))
    : undefined;
  for (const problem of preferenceProblems(env)) problems.add(problem);
  const accounts = readAccounts(env, problems);
  if (options === undefined || problems.size > 0) return { kind: 'problems', problems: [...problems] };
  return { kind: 'real', port, isProduction, notes: notesOn(env), options, preferences, accounts };
}

function readPort(env: Env, problems: Set<string>): number {
  const text = env['PORT'] || '3000';
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) problems.add('PORT must be a number from 0 to 65535');
  return port;
}

/** The internet reaches the hook: its credential must not be able to write. */
function preferenceProblems(env: Env): readonly string[] {
  if (!hasAny(env, PREFERENCES_VARIABLES)) return [];
  const same = ['API_TOKEN', 'CLIENT_ID'].find((name) => {
    const own = env[`OKTA_PREFERENCES_${name}`];
    return Boolean(own) && own === env[`OKTA_${name}`];
  });
  return [
    ...(same === undefined
      ? []
      : [`OKTA_PREFERENCES_${same} is OKTA_${same}: the preference page needs a credential of its own`]),
    ...(hasAny(env, ['PUBLIC_URL'])
      ? []
      : ['PUBLIC_URL is missing: the words that users of the preference page send come to it']),
    ...(hasAny(env, ['TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM'])
      ? []
      : [
          'TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM is missing: users of the preference page write to it',
        ]),
  ];
}

/** One account, to try the pages with: a gateway of your own has a login of its own. */
function readAccounts(env: Env, problems: Set<string>): readonly Account[] {
  if (!hasAny(env, ACCOUNT_VARIABLES)) return [];
  const required = (name: string, what: string): string => {
    if (!env[name]) problems.add(`${name} is missing: ${what}`);
    return env[name] ?? '';
  };
  const username = required('ACCOUNT_NAME', 'who logs in to the pages');
  const password = required('ACCOUNT_PASSWORD', 'what they log in with: openssl rand -base64 18');
  const oktaUserId = required('ACCOUNT_OKTA_USER_ID', "whose account it is: the Okta user's id, 00u…");
  const administrator = env['ACCOUNT_IS_ADMINISTRATOR'] || '0';
  if (password !== '' && password.length < MIN_PASSWORD_LENGTH) {
    problems.add('ACCOUNT_PASSWORD is too short: make it by openssl rand -base64 18');
  }
  if (administrator !== '0' && administrator !== '1') {
    problems.add("ACCOUNT_IS_ADMINISTRATOR must be 1, for an account that may use the hook's console, or 0");
  }
  if (oktaUserId !== '' && !/^00u[A-Za-z0-9]{10,40}$/.test(oktaUserId)) {
    problems.add(
      "ACCOUNT_OKTA_USER_ID is no id: it begins with 00u, and is in the address of the user's page",
    );
  }
  return [{ username, password, oktaUserId, isAdministrator: administrator === '1' }];
}

function notesOn(env: Env): readonly string[] {
  const hasPreferences = hasAny(env, PREFERENCES_VARIABLES);
  const notes: readonly (readonly [isTold: boolean, note: string])[] = [
    [
      env['NODE_ENV'] !== 'production',
      'NODE_ENV is not production: the cookies of the pages go over plain http, too',
    ],
    [
      !hasAny(env, ['TWILIO_SANDBOX_NUMBER', 'TWILIO_WHATSAPP_FROM', 'VONAGE_WHATSAPP_FROM']),
      'No WhatsApp sender is set: who opted in gets an SMS',
    ],
    [
      hasPreferences && !hasAny(env, ACCOUNT_VARIABLES),
      'ACCOUNT_NAME is not set: nobody can log in to the preference page',
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
