import type { OktaCredential, OktaTelephonyHookOptions, TwilioCredential } from 'okta-telephony-hook';
import type { RedisStateOptions } from 'okta-telephony-hook/redis';
import type { Account } from './login.js';
import { readAccounts, readOkta, readPreferences } from './okta-variables.js';
import {
  ACCOUNT_VARIABLES,
  hasAny,
  PREFERENCES_VARIABLES,
  PRODUCT_VARIABLES,
  required,
  wrappingProblems,
  type Read,
  type Reading,
} from './variables.js';

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
      /** What several gateways share; `undefined` where each remembers by itself. */
      readonly redis: RedisStateOptions | undefined;
      /** What the preference page writes to Okta by; without it there is no such page. */
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

const DEFAULT_PORT = 3000;

/** Reads the variables of the example; knows nothing of any other source. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  // Compose files and CI systems hand over unset variables as empty ones.
  const read: Read = (name) => env[name] || undefined;
  const wrapping = wrappingProblems(env);
  const isProduction = read('NODE_ENV') === 'production';
  const isConfigured = hasAny(read, PRODUCT_VARIABLES);
  const portText = read('PORT') ?? String(DEFAULT_PORT);
  const port = Number(portText);
  const portProblems =
    /^\d{1,5}$/.test(portText) && port <= 65_535 ? [] : ['PORT must be a number from 0 to 65535'];

  if (!isConfigured && (!isProduction || read('DEMO') === '1')) {
    const problems = [...wrapping, ...portProblems];
    if (problems.length > 0) return { kind: 'problems', problems };
    return { kind: 'emulators', isProduction, port, optInAttribute: read('OPT_IN_ATTRIBUTE') };
  }

  const okta = readOkta(read, 'OKTA_');
  const preferences = readPreferences(read);
  const accounts = readAccounts(read);
  const twilio = readTwilio(read);
  const redis = readRedis(read);
  const hookSecret = required(read, 'HOOK_SECRET', "the whole header value that Okta's inline hook sends");
  const problems = [
    ...(isConfigured
      ? []
      : ['Nothing is configured; with NODE_ENV=production the emulators start only with DEMO=1']),
    ...okta.problems,
    ...preferences.problems,
    ...accounts.problems,
    ...hookSecret.problems,
    ...twilio.problems,
    ...senderProblems(read),
    ...publicUrlProblems(read),
    ...redis.problems,
    ...portProblems,
    ...wrapping,
  ];
  if (problems.length > 0) return { kind: 'problems', problems };
  return {
    kind: 'real',
    port,
    isProduction,
    notes: notesOn(read),
    redis: redis.value,
    preferences: preferences.value,
    accounts: accounts.value,
    options: {
      credentials: {
        hook: { scheme: 'header', secrets: [hookSecret.value] },
        okta: okta.value,
        twilio: twilio.value,
      },
      publicUrl: read('PUBLIC_URL'),
      sandboxNumber: read('TWILIO_SANDBOX_NUMBER'),
      senders: readSenders(read),
      optInAttribute: read('OPT_IN_ATTRIBUTE'),
    },
  };
}

function readTwilio(read: Read): Reading<TwilioCredential> {
  const account = required(read, 'TWILIO_ACCOUNT_SID', "the account's SID");
  const place = { accountSid: account.value, baseUrl: read('TWILIO_BASE_URL') };
  const authToken = read('TWILIO_AUTH_TOKEN');
  if (read('TWILIO_API_KEY_SID') !== undefined || read('TWILIO_API_KEY_SECRET') !== undefined) {
    const sid = required(read, 'TWILIO_API_KEY_SID', 'it goes with TWILIO_API_KEY_SECRET');
    const secret = required(read, 'TWILIO_API_KEY_SECRET', 'it goes with TWILIO_API_KEY_SID');
    return {
      value: { ...place, apiKeySid: sid.value, apiKeySecret: secret.value, authToken },
      problems: [...account.problems, ...sid.problems, ...secret.problems],
    };
  }
  const neither =
    'TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are missing; in their place TWILIO_AUTH_TOKEN will do';
  return {
    value: { ...place, authToken: authToken ?? '' },
    problems: [...account.problems, ...(authToken === undefined ? [neither] : [])],
  };
}

function readSenders(read: Read): OktaTelephonyHookOptions['senders'] {
  const from = read('TWILIO_WHATSAPP_FROM');
  const template = read('TWILIO_WHATSAPP_TEMPLATE');
  return {
    sms: read('TWILIO_SMS_FROM'),
    voice: read('TWILIO_VOICE_FROM'),
    whatsapp:
      from === undefined || template === undefined ? undefined : { from, templates: { default: template } },
  };
}

function senderProblems(read: Read): readonly string[] {
  const hasSandbox = read('TWILIO_SANDBOX_NUMBER') !== undefined;
  const hasFrom = read('TWILIO_WHATSAPP_FROM') !== undefined;
  const hasTemplate = read('TWILIO_WHATSAPP_TEMPLATE') !== undefined;
  const problems: string[] = [];
  if (hasFrom && !hasTemplate) {
    problems.push('TWILIO_WHATSAPP_TEMPLATE is missing: the Content SID of the authentication template');
  }
  if (hasTemplate && !hasFrom) {
    problems.push('TWILIO_WHATSAPP_FROM is missing: the approved sender of TWILIO_WHATSAPP_TEMPLATE');
  }
  if (hasSandbox && (hasFrom || hasTemplate)) {
    problems.push(
      'TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE: unset it, or them',
    );
  }
  const hasOther = read('TWILIO_SMS_FROM') !== undefined || read('TWILIO_VOICE_FROM') !== undefined;
  if (!hasSandbox && !hasFrom && !hasTemplate && !hasOther) {
    problems.push(
      'A sender is missing: set one or more of TWILIO_SMS_FROM, TWILIO_VOICE_FROM, and TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM with TWILIO_WHATSAPP_TEMPLATE',
    );
  }
  return problems;
}

function publicUrlProblems(read: Read): readonly string[] {
  return read('PUBLIC_URL') !== undefined && read('TWILIO_AUTH_TOKEN') === undefined
    ? ["TWILIO_AUTH_TOKEN is missing: Twilio's callbacks to PUBLIC_URL are checked with it"]
    : [];
}

/** The key, or several with a comma between them: the current one first. */
function readRedis(read: Read): Reading<RedisStateOptions | undefined> {
  const url = read('REDIS_URL');
  const keys = read('STATE_ENCRYPTION_KEY');
  if (url === undefined && keys === undefined) return { value: undefined, problems: [] };
  const connection = required(read, 'REDIS_URL', 'the Redis that goes with STATE_ENCRYPTION_KEY');
  const key = required(
    read,
    'STATE_ENCRYPTION_KEY',
    'what REDIS_URL keeps is sealed with it, the same one at every gateway: openssl rand -base64 32',
  );
  const encryptionKeys = key.value.split(',').map((text) => text.trim());
  return {
    value: { connection: connection.value, encryptionKeys },
    problems: [...connection.problems, ...key.problems],
  };
}

function notesOn(read: Read): readonly string[] {
  const hasWhatsApp =
    read('TWILIO_SANDBOX_NUMBER') !== undefined || read('TWILIO_WHATSAPP_FROM') !== undefined;
  return [
    ...(read('NODE_ENV') === 'production'
      ? []
      : ['NODE_ENV is not production: the cookies of the pages go over plain http, too']),
    ...(hasWhatsApp ? [] : ['No WhatsApp sender is set: who opted in gets an SMS']),
    ...(read('TWILIO_SMS_FROM') === undefined
      ? ['TWILIO_SMS_FROM is not set: who did not opt in gets no SMS from here']
      : []),
    ...(read('TWILIO_VOICE_FROM') === undefined
      ? ['TWILIO_VOICE_FROM is not set: no calls are made from here']
      : []),
    ...(hasAny(read, PREFERENCES_VARIABLES)
      ? hasAny(read, ACCOUNT_VARIABLES)
        ? []
        : ['ACCOUNT_NAME is not set: nobody can log in to the preference page']
      : ['OKTA_PREFERENCES_API_TOKEN is not set: there is no page on which users choose how codes come']),
    ...(read('REDIS_URL') === undefined
      ? ['REDIS_URL is not set: a second gateway would know nothing of what this one has sent']
      : []),
  ];
}
