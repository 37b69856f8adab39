import Joi from 'joi';
import { serviceSidRule } from '../channels/provider.js';
import { TEMPLATE_LANGUAGE, TEMPLATE_NAME } from '../channels/vonage/options.js';
import { ConfigurationError } from '../core/errors.js';
import { checkOptions, textOf, urlRule } from '../core/option-rules.js';
import { readRedisOptions } from '../state/redis/options.js';
import { countriesOrAll } from './countries.js';
import {
  accountSid,
  apiKeySecret,
  apiKeySid,
  apiToken,
  headerSecret,
  oneAuthToken,
  orgUrl,
  servicePrivateKey,
  twilioBaseUrl,
} from './credentials.js';
import type { Environment } from './options.js';
import type { OktaCredential } from './credential-types.js';
import { attributeName, publicUrl } from './schema.js';
import { contentSid, phone, smsSender } from './senders.js';

/** Environment variables and their rules, for `optionsFrom` and the command line. */

const VERIFY_CHANNELS = /^(?:sms|voice|whatsapp)(?:,(?:sms|voice|whatsapp))*$/;

/** Any value will do: an empty one counts as absent. */
const anyText = (): Joi.StringSchema => Joi.string();

/** The variables that options come from. */
const OPTION_RULES = {
  /** The org's origin, such as `https://acme.okta.com`: `orgUrl` of `credentials.okta`. */
  OKTA_ORG_URL: orgUrl,
  /** An API token of an administrator who may read users: `apiToken` of `credentials.okta`. */
  OKTA_API_TOKEN: apiToken,
  /** The client id of a service app, instead of an API token. It needs `OKTA_PRIVATE_KEY`. */
  OKTA_CLIENT_ID: anyText,
  /** The private key of the service app, a PEM or a JWK. */
  OKTA_PRIVATE_KEY: servicePrivateKey,
  /** The id of that key at Okta, if it has one. */
  OKTA_KEY_ID: anyText,
  /** The whole value of the header `Authorization`: `credentials.hook`. With `HOOK_OAUTH_ISSUER`, it is for the event hook only. */
  HOOK_SECRET: headerSecret,
  /** A second secret that the gateway accepts while you rotate it. */
  HOOK_SECRET_PREVIOUS: headerSecret,
  /** The issuer of Okta's access tokens, instead of a secret: `credentials.hook` with the scheme `oauth2`. */
  HOOK_OAUTH_ISSUER: () => urlRule("the issuer of the hook's access tokens", (url) => url.search === ''),
  /** The audience of those tokens. */
  HOOK_OAUTH_AUDIENCE: anyText,
  /** The client id that Okta uses to get those tokens. */
  HOOK_OAUTH_CLIENT_ID: anyText,
  /** The scope of those tokens. */
  HOOK_OAUTH_SCOPE: anyText,
  /** The account, `AC…`: `accountSid` of `credentials.twilio`. */
  TWILIO_ACCOUNT_SID: accountSid,
  /** An API key, `SK…`. It needs `TWILIO_API_KEY_SECRET`. */
  TWILIO_API_KEY_SID: apiKeySid,
  /** The secret of that API key. */
  TWILIO_API_KEY_SECRET: apiKeySecret,
  /** The account's auth token. Beside an API key, it only checks callbacks, and only `PUBLIC_URL` needs it. */
  TWILIO_AUTH_TOKEN: oneAuthToken,
  /** One origin for every Twilio product, such as an emulator: `baseUrl` of `credentials.twilio`. */
  TWILIO_BASE_URL: twilioBaseUrl,
  /** The number of Twilio's WhatsApp sandbox: `sandboxNumber`. */
  TWILIO_SANDBOX_NUMBER: phone,
  /** An approved WhatsApp sender: `from` of `senders.whatsapp`. It needs `TWILIO_WHATSAPP_TEMPLATE`. */
  TWILIO_WHATSAPP_FROM: phone,
  /** Its authentication template, `HX…`: `templates.default` of `senders.whatsapp`. */
  TWILIO_WHATSAPP_TEMPLATE: contentSid,
  /** A number, a Messaging Service or an alphanumeric sender: `senders.sms`. */
  TWILIO_SMS_FROM: smsSender,
  /** A number that calls: `senders.voice`. */
  TWILIO_VOICE_FROM: phone,
  /** A Verify service, `VA…`: `serviceSid` of `twilioVerify`. */
  TWILIO_VERIFY_SERVICE_SID: serviceSidRule,
  /** The channels that Verify sends, such as `sms,voice`, which is the default. */
  TWILIO_VERIFY_CHANNELS: () =>
    textOf('sms, voice or whatsapp, or several with commas between them').pattern(VERIFY_CHANNELS),
  // `vonageChannel` and `lineChannel` apply their own rules, except to the template.
  /** The key of a Vonage account: `apiKey` of `vonageChannel`. It needs `VONAGE_API_SECRET`. */
  VONAGE_API_KEY: anyText,
  /** The secret of that account. */
  VONAGE_API_SECRET: anyText,
  /** A Vonage application, instead of the account's key. It needs `VONAGE_PRIVATE_KEY`. */
  VONAGE_APPLICATION_ID: anyText,
  /** The private key of that application. */
  VONAGE_PRIVATE_KEY: anyText,
  /** A sender of SMS: `channels.sms` is then a `vonageChannel`. */
  VONAGE_SMS_FROM: anyText,
  /** A sender of WhatsApp: `channels.whatsapp` is then a `vonageChannel`. */
  VONAGE_WHATSAPP_FROM: anyText,
  /** The name of the approved WhatsApp template. */
  VONAGE_WHATSAPP_TEMPLATE: () =>
    textOf('the name of an approved authentication template').pattern(TEMPLATE_NAME),
  /** The language of that template. The default is `en_US`. */
  VONAGE_WHATSAPP_LANGUAGE: () =>
    textOf("the template's language as WhatsApp writes it, such as en_US").pattern(TEMPLATE_LANGUAGE),
  /** Another host of Vonage's API: `baseUrl` of `vonageChannel`. */
  VONAGE_BASE_URL: anyText,
  /** A long-lived token of a LINE Official Account: `channels.line` is then a `lineChannel`. */
  LINE_CHANNEL_ACCESS_TOKEN: anyText,
  /** The profile attribute with the LINE user id: `userIdAttribute` of `lineChannel`. The default is `lineUserId`. */
  LINE_USER_ID_ATTRIBUTE: anyText,
  /** Another origin of LINE's API: `baseUrl` of `lineChannel`. */
  LINE_BASE_URL: anyText,
  /** The countries that get codes, such as `DE,AT`: `guard.countries.allow`. `*` means every country. */
  GUARD_COUNTRIES: countriesOrAll,
  /** The profile attribute with the user's choice: `optInAttribute`. */
  OPT_IN_ATTRIBUTE: attributeName,
  /** The middleware's public URL, as entered in Okta: `publicUrl`. Without Twilio it makes no option. */
  PUBLIC_URL: publicUrl,
  // `readRedis` applies the rules of `redisState` to both.
  /** The Redis that several gateways share: `connection` of `redisState`. It needs `STATE_ENCRYPTION_KEY`. */
  REDIS_URL: anyText,
  /** 32 bytes in Base64: `encryptionKeys` of `redisState`. While you rotate the key: `new,old`. */
  STATE_ENCRYPTION_KEY: anyText,
} satisfies Record<string, () => Joi.AnySchema>;

/** Those, and the variables that only the command line reads. */
const RULES = {
  ...OPTION_RULES,
  /** The secret of the client at the authorization server, for `setup hook`, `doctor` and `preview`. */
  HOOK_OAUTH_CLIENT_SECRET: headerSecret,
  /** The id of a hook key, `HKY…`, instead of that secret, for `setup hook`. */
  HOOK_OAUTH_KEY_ID: () => textOf("the id of a hook key of Okta's: 'HKY' and 17 characters").pattern(/^HKY/),
  /** The URL at which Okta gets the tokens. The default is the issuer + `/v1/token`. */
  HOOK_OAUTH_TOKEN_URL: () => urlRule('where Okta gets the tokens for the hook', () => true),
  /** `profile.unverifiedPhoneAttribute` of the gateway, which `doctor` then checks. */
  UNVERIFIED_PHONE_ATTRIBUTE: attributeName,
} satisfies Record<string, () => Joi.AnySchema>;

/** A variable that has a rule. */
export type VariableName = keyof typeof RULES;

export const OPTION_NAMES: readonly string[] = Object.keys(OPTION_RULES);
export const VARIABLES: readonly string[] = Object.keys(RULES);

/** Reads variables one by one and collects their problems: one sentence each, with the name and without the value. */
export class VariableReader {
  readonly #environment: Environment;
  readonly #given = new Map<string, string>();
  /** Variables that are missing, or that exclude each other. */
  #complaints: string[] = [];
  /** Values that break a rule. */
  #broken = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** The value as it is. An empty variable counts as absent: Compose files and CI systems pass unset variables so. */
  valueOf(name: string): string | undefined {
    return (this.#given.get(name) ?? this.#environment[name]) || undefined;
  }

  /** Whether one of the variables is set. */
  hasAny(...names: readonly string[]): boolean {
    return names.some((name) => this.valueOf(name) !== undefined);
  }

  /** Gives a variable another value. */
  set(name: VariableName, value: string): void {
    this.#given.set(name, value);
  }

  /** The value, checked by the rule of its name and in its normal form: PUBLIC_URL without a slash at its end. */
  read(name: VariableName): string | undefined {
    return this.readAs(name, name);
  }

  /** The value, checked by the rule of another name, or only for what an env file leaves around it. */
  readAs(name: string, rule?: VariableName): string | undefined {
    const value = this.valueOf(name);
    if (value === undefined) return undefined;
    const isPem = rule === 'OKTA_PRIVATE_KEY' || rule === 'VONAGE_PRIVATE_KEY';
    if (isWrapped(isPem ? value.trim() : value)) {
      this.#broken.add(
        `${name} has quotes or spaces around its value, or an invisible character such as a carriage return: remove them, since docker's --env-file and kubectl's --from-env-file keep them`,
      );
      return value;
    }
    if (rule === undefined) return value;
    const checked = checkOptions<unknown>(RULES[rule]().label(name), value);
    for (const problem of checked.problems) this.#broken.add(problem);
    return typeof checked.value === 'string' ? checked.value : value;
  }

  /** The empty text if the variable is missing, which is a problem then. */
  required(name: VariableName, what: string): string {
    return this.requiredAs(name, what, name);
  }

  requiredAs(name: string, what: string, rule?: VariableName): string {
    const value = this.readAs(name, rule);
    if (value === undefined) this.complain(`${name} is missing: ${what}`);
    return value ?? '';
  }

  /** Adds a problem that no variable has alone. */
  complain(problem: string): void {
    this.#complaints.push(problem);
  }

  /** Whether a variable that was read since the last `takeProblems` is missing or wrong. */
  hasProblems(): boolean {
    return this.#complaints.length + this.#broken.size > 0;
  }

  /** The problems since the last call. */
  takeProblems(): readonly string[] {
    const problems = [...new Set([...this.#complaints, ...this.#broken])];
    this.#complaints = [];
    this.#broken.clear();
    return problems;
  }
}

/** Whether an env file has left quotes, spaces or invisible characters around a value. */
function isWrapped(value: string): boolean {
  return /^[\s\p{Quotation_Mark}]|[\s\p{Quotation_Mark}]$|\p{Cf}/u.test(value);
}

/** The credential for Okta's API: an API token, or a service app. @param prefix - of the variables' names. */
export function readOktaCredential(reader: VariableReader, prefix = 'OKTA_'): OktaCredential {
  const orgUrl = reader.required('OKTA_ORG_URL', "the org's origin, such as https://acme.okta.com");
  const apiToken = reader.readAs(`${prefix}API_TOKEN`, 'OKTA_API_TOKEN');
  const hasApp = hasServiceApp(reader, prefix);
  if (apiToken !== undefined) {
    if (hasApp) {
      reader.complain(
        `${prefix}API_TOKEN does not go with ${prefix}CLIENT_ID, ${prefix}PRIVATE_KEY and ${prefix}KEY_ID: unset it, or them`,
      );
    }
    return { orgUrl, apiToken };
  }
  if (!hasApp) {
    reader.complain(
      `${prefix}API_TOKEN is missing: an API token of an administrator; in its place ${prefix}CLIENT_ID and ${prefix}PRIVATE_KEY of a service app will do`,
    );
    return { orgUrl, apiToken: '' };
  }
  return {
    orgUrl,
    clientId: reader.requiredAs(`${prefix}CLIENT_ID`, 'the client id of the service app', 'OKTA_CLIENT_ID'),
    privateKey: reader.requiredAs(
      `${prefix}PRIVATE_KEY`,
      'the private key of the service app, a PEM or a JWK',
      'OKTA_PRIVATE_KEY',
    ),
    keyId: reader.readAs(`${prefix}KEY_ID`, 'OKTA_KEY_ID'),
  };
}

/** Whether any variable names a service app. */
export function hasServiceApp(reader: VariableReader, prefix = 'OKTA_'): boolean {
  return reader.hasAny(`${prefix}CLIENT_ID`, `${prefix}PRIVATE_KEY`, `${prefix}KEY_ID`);
}

/** The Redis that several gateways share, and its keys: the options of `redisState`. */
export interface RedisVariables {
  readonly connection: string;
  readonly encryptionKeys: readonly string[];
}

/** `undefined` if neither variable is set. */
export function readRedis(reader: VariableReader): RedisVariables | undefined {
  if (!reader.hasAny('REDIS_URL', 'STATE_ENCRYPTION_KEY')) return undefined;
  const connection = reader.required('REDIS_URL', 'the Redis that goes with STATE_ENCRYPTION_KEY');
  const what = 'what REDIS_URL keeps is sealed with it: openssl rand -base64 32';
  const keys = reader.required('STATE_ENCRYPTION_KEY', what);
  // Several keys have commas between them.
  const redis = { connection, encryptionKeys: keys.split(',').map((key) => key.trim()) };
  if (connection !== '' && keys !== '') {
    const names = { connection: 'REDIS_URL', encryptionKeys: 'STATE_ENCRYPTION_KEY' };
    attemptBy(reader, names, () => readRedisOptions(redis));
  }
  return redis;
}

/**
 * Makes something of variables. Its problems go to the reader by the variables' names, except those of a variable that is not
 * set: the reader knows already what is missing.
 *
 * @param names - the variables by the names of the options.
 */
export function attemptBy<Made>(
  reader: VariableReader,
  names: Readonly<Record<string, string>>,
  make: () => Made,
): Made | undefined {
  const { made, problems } = attempt(make);
  for (const problem of problems) {
    const [place = '', option = ''] = /^(\w+)(?:\[\d+\])?/.exec(problem) ?? [];
    const name = Object.hasOwn(names, option) ? names[option] : undefined;
    if (name !== undefined && reader.hasAny(name)) {
      const rest = problem.slice(place.length);
      reader.complain(name + rest.replace(/, or (?:be left out$|an ioredis client or cluster)/, ''));
    }
  }
  return made;
}

/** Makes something of options, or says which problems they have. */
export function attempt<Made>(make: () => Made): {
  readonly made: Made | undefined;
  readonly problems: readonly string[];
} {
  try {
    return { made: make(), problems: [] };
  } catch (error) {
    if (error instanceof ConfigurationError) return { made: undefined, problems: error.problems };
    throw error;
  }
}
