import type { OktaCredential, OktaTelephonyHookOptions, TwilioCredential } from 'okta-telephony-hook';
import type { RedisStateOptions } from 'okta-telephony-hook/redis';

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

/**
 * The variables that say which org and which account. One of them is enough to mean the real thing, so that a
 * deployment that lost a variable stops instead of sending codes to an emulator.
 */
const PRODUCT_VARIABLES = [
  'OKTA_ORG_URL',
  'OKTA_API_TOKEN',
  'OKTA_CLIENT_ID',
  'OKTA_PRIVATE_KEY',
  'OKTA_KEY_ID',
  'HOOK_SECRET',
  'TWILIO_ACCOUNT_SID',
  'TWILIO_API_KEY_SID',
  'TWILIO_API_KEY_SECRET',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_BASE_URL',
  'TWILIO_SANDBOX_NUMBER',
  'TWILIO_WHATSAPP_FROM',
  'TWILIO_WHATSAPP_TEMPLATE',
  'TWILIO_SMS_FROM',
  'TWILIO_VOICE_FROM',
  'PUBLIC_URL',
  'REDIS_URL',
  'STATE_ENCRYPTION_KEY',
] as const;

type Name = (typeof PRODUCT_VARIABLES)[number] | 'OPT_IN_ATTRIBUTE' | 'PORT' | 'NODE_ENV' | 'DEMO';
type Read = (name: Name) => string | undefined;

const DEFAULT_PORT = 3000;

/** Reads the variables of the example; knows nothing of any other source. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  // Compose files and CI systems hand over unset variables as empty ones.
  const read: Read = (name) => env[name] || undefined;
  const isProduction = read('NODE_ENV') === 'production';
  const isConfigured = PRODUCT_VARIABLES.some((name) => read(name) !== undefined);
  const portText = read('PORT') ?? String(DEFAULT_PORT);
  const port = Number(portText);
  const portProblems =
    /^\d{1,5}$/.test(portText) && port <= 65_535 ? [] : ['PORT must be a number from 0 to 65535'];

  if (!isConfigured && (!isProduction || read('DEMO') === '1')) {
    if (portProblems.length > 0) return { kind: 'problems', problems: portProblems };
    return { kind: 'emulators', isProduction, port, optInAttribute: read('OPT_IN_ATTRIBUTE') };
  }

  const okta = readOkta(read);
  const twilio = readTwilio(read);
  const redis = readRedis(read);
  const hookSecret = required(read, 'HOOK_SECRET', "the whole header value that Okta's inline hook sends");
  const problems = [
    ...(isConfigured
      ? []
      : ['Nothing is configured; with NODE_ENV=production the emulators start only with DEMO=1']),
    ...okta.problems,
    ...hookSecret.problems,
    ...twilio.problems,
    ...senderProblems(read),
    ...publicUrlProblems(read),
    ...redis.problems,
    ...portProblems,
  ];
  if (problems.length > 0) return { kind: 'problems', problems };
  return {
    kind: 'real',
    port,
    isProduction,
    notes: notesOn(read),
    redis: redis.value,
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

/** A value, which is only used where there are no problems. */
interface Reading<Value> {
  readonly value: Value;
  readonly problems: readonly string[];
}

function required(read: Read, name: Name, what: string): Reading<string> {
  const value = read(name);
  return { value: value ?? '', problems: value === undefined ? [`${name} is missing: ${what}`] : [] };
}

function readOkta(read: Read): Reading<OktaCredential> {
  const org = required(read, 'OKTA_ORG_URL', "the org's origin, such as https://acme.okta.com");
  const apiToken = read('OKTA_API_TOKEN');
  const hasServiceApp =
    read('OKTA_CLIENT_ID') !== undefined ||
    read('OKTA_PRIVATE_KEY') !== undefined ||
    read('OKTA_KEY_ID') !== undefined;
  if (apiToken !== undefined) {
    const both =
      'OKTA_API_TOKEN does not go with OKTA_CLIENT_ID, OKTA_PRIVATE_KEY and OKTA_KEY_ID: unset it, or them';
    return {
      value: { orgUrl: org.value, apiToken },
      problems: [...org.problems, ...(hasServiceApp ? [both] : [])],
    };
  }
  if (!hasServiceApp) {
    const neither =
      'OKTA_API_TOKEN is missing; in its place OKTA_CLIENT_ID and OKTA_PRIVATE_KEY of a service app will do';
    return { value: { orgUrl: org.value, apiToken: '' }, problems: [...org.problems, neither] };
  }
  const clientId = required(read, 'OKTA_CLIENT_ID', 'the client id of the service app');
  const privateKey = required(read, 'OKTA_PRIVATE_KEY', 'the private key of the service app, a PEM or a JWK');
  return {
    value: {
      orgUrl: org.value,
      clientId: clientId.value,
      // A PEM has lines, and many ways of setting a variable have none.
      privateKey: privateKey.value,
      keyId: read('OKTA_KEY_ID'),
    },
    problems: [...org.problems, ...clientId.problems, ...privateKey.problems],
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
    ...(hasWhatsApp ? [] : ['No WhatsApp sender is set: who opted in gets an SMS']),
    ...(read('TWILIO_SMS_FROM') === undefined
      ? ['TWILIO_SMS_FROM is not set: who did not opt in gets no SMS from here']
      : []),
    ...(read('TWILIO_VOICE_FROM') === undefined
      ? ['TWILIO_VOICE_FROM is not set: no calls are made from here']
      : []),
    ...(read('REDIS_URL') === undefined
      ? ['REDIS_URL is not set: a second gateway would know nothing of what this one has sent']
      : []),
  ];
}
