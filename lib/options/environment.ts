/**
 * Options from environment variables, published as `okta-telephony-hook/environment`.
 *
 * @module okta-telephony-hook/environment
 */
import { ConfigurationError } from '../core/errors.js';
import { redisState } from '../state/redis/index.js';
import type { Environment, OktaCredential, OktaTelephonyHookOptions, TwilioCredential } from './options.js';
import {
  OPTION_NAMES,
  readOktaCredential,
  readRedis,
  readSenders,
  readTwilioLogin,
  VariableReader,
  type SenderVariables,
  type TwilioLoginVariables,
} from './variables.js';

export type { Environment } from './options.js';

/** The names of the variables that `optionsFrom` reads. */
export const OPTION_VARIABLES: readonly string[] = OPTION_NAMES;

/**
 * The options of `oktaTelephonyHook`, from the variables of `OPTION_VARIABLES`. It reads
 * nothing but the object that it is given. An empty variable counts as absent.
 *
 * @throws ConfigurationError that names every variable which is missing or wrong, and no value.
 */
export function optionsFrom(env: Environment): OktaTelephonyHookOptions {
  const reader = new VariableReader(env);
  const okta = readOktaCredential(reader);
  const secret = reader.required('HOOK_SECRET', "the whole header value that Okta's inline hook sends");
  const twilio = twilioCredentialOf(readTwilioLogin(reader));
  const senders = readSenders(reader);
  const publicUrl = reader.read('PUBLIC_URL');
  if (publicUrl !== undefined && reader.valueOf('TWILIO_AUTH_TOKEN') === undefined) {
    reader.complain("TWILIO_AUTH_TOKEN is missing: Twilio's callbacks to PUBLIC_URL are checked with it");
  }
  const optInAttribute = reader.read('OPT_IN_ATTRIBUTE');
  const redis = readRedis(reader);
  refuse(reader.takeProblems());
  return {
    credentials: { hook: { scheme: 'header', secrets: [secret] }, okta, twilio },
    ...sendersOf(senders),
    publicUrl,
    optInAttribute,
    state: redis && redisState({ connection: redis.url, encryptionKeys: redis.encryptionKeys }),
  };
}

/**
 * A credential for Okta's API, from `OKTA_ORG_URL` and the variables with a prefix of your own, e.g. `OKTA_PREFERENCES_API_TOKEN`.
 *
 * @param prefix - stands in the place of `OKTA_` before `API_TOKEN`, `CLIENT_ID`, `PRIVATE_KEY` and `KEY_ID`.
 * @throws ConfigurationError that names every variable which is missing or wrong, and no value.
 */
export function oktaCredentialFrom(env: Environment, prefix = 'OKTA_'): OktaCredential {
  const reader = new VariableReader(env);
  const credential = readOktaCredential(reader, prefix);
  refuse(reader.takeProblems());
  return credential;
}

/**
 * Variables of your own, read as those of `optionsFrom` are: an empty one counts as absent, and quotes, spaces and invisible
 * characters around a value are refused.
 *
 * @throws ConfigurationError that names every variable which is wrong, and no value.
 */
export function variablesFrom<Name extends string>(
  env: Environment,
  names: readonly Name[],
): Readonly<Record<Name, string | undefined>> {
  const reader = new VariableReader(env);
  const entries = names.map((name) => [name, reader.readAs(name)] as const);
  refuse(reader.takeProblems());
  return Object.fromEntries(entries) as Record<Name, string | undefined>;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems, { subject: 'The environment' });
}

function twilioCredentialOf({
  accountSid,
  apiKey,
  authToken,
  baseUrl,
}: TwilioLoginVariables): TwilioCredential {
  return apiKey === undefined
    ? { accountSid, authToken: authToken ?? '', baseUrl }
    : { accountSid, apiKeySid: apiKey.sid, apiKeySecret: apiKey.secret, authToken, baseUrl };
}

function sendersOf({
  sms,
  voice,
  whatsapp,
}: SenderVariables): Pick<OktaTelephonyHookOptions, 'senders' | 'sandboxNumber'> {
  return whatsapp?.kind === 'templates'
    ? { senders: { sms, voice, whatsapp: { from: whatsapp.from, templates: whatsapp.templates } } }
    : { senders: { sms, voice }, sandboxNumber: whatsapp?.from };
}
