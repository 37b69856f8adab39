/**
 * Options from environment variables, published as `okta-telephony-hook/environment`.
 *
 * @module okta-telephony-hook/environment
 */
import { twilioCalls } from '../channels/twilio/calls.js';
import { twilioLookup } from '../channels/twilio/lookup.js';
import { twilioMessages } from '../channels/twilio/messages.js';
import { VOICE } from '../core/channel.js';
import { ConfigurationError } from '../core/errors.js';
import { redisState } from '../state/redis/index.js';
import type { Channel } from '../channels/channel.js';
import type { ChannelList, ChannelsByCountry, Environment, OktaTelephonyHookOptions } from './options.js';
import type { EventHookCredential, OktaCredential } from './credential-types.js';
import {
  LISTED_CHANNELS,
  readLists,
  readOktaCredential,
  readProviders,
  readRedis,
  readSenders,
  readTwilioFeatures,
  readTwilioLogin,
  requireAnySender,
  usesProvider,
} from './read-variables.js';
import { attempt, VariableReader } from './variable-reader.js';
import { OPTION_NAMES, variablesWhere } from './variables.js';

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
  const hook = readHookCredentials(reader);
  const hasTwilio = usesProvider(reader, 'TWILIO_');
  const twilio = hasTwilio ? readTwilioLogin(reader) : undefined;
  const features = readTwilioFeatures(reader);
  const { sandboxNumber, sms: smsFrom, smsFallbackFrom, ...others } = readSenders(reader);
  const sms =
    smsFrom === undefined || smsFallbackFrom === undefined
      ? smsFrom
      : { service: smsFrom, fallbackFrom: smsFallbackFrom };
  const senders = { sms, ...others };
  const channels = channelsOf(reader, { ...senders, whatsapp: senders.whatsapp ?? sandboxNumber });
  requireAnySender(reader);
  const publicUrl = reader.read('PUBLIC_URL');
  if (hasTwilio && publicUrl !== undefined && !reader.hasAny('TWILIO_AUTH_TOKEN')) {
    reader.complain(
      'TWILIO_AUTH_TOKEN is missing: with it, the gateway checks that a delivery report or a STOP comes from Twilio. Set it, or set PUBLIC_URL only where you run okta-telephony-hook setup, which needs no auth token',
    );
  }
  const receives = reader.hasAny(...variablesWhere((row) => row.receives === true));
  if (receives && publicUrl === undefined) {
    reader.complain('PUBLIC_URL is missing: a provider sends its reports to it');
  }
  const optInAttribute = reader.read('OPT_IN_ATTRIBUTE');
  const guard = guardOf(reader, hook.eventHook !== false);
  const nextRoute = reader.read('RESEND_NEXT_ROUTE');
  const redis = readRedis(reader);
  refuse(reader.takeProblems());
  return {
    credentials: { ...hook, okta, twilio },
    ...(features === undefined ? {} : { twilio: features }),
    senders,
    sandboxNumber,
    channels,
    guard,
    ...(nextRoute === undefined ? {} : { resend: { nextRoute: nextRoute === 'true' } }),
    // The command line needs it in any case; the hook needs it for callbacks.
    publicUrl: hasTwilio || receives ? publicUrl : undefined,
    optInAttribute,
    state: redis && redisState(redis),
  };
}

/**
 * A credential for Okta's API, from `OKTA_ORG_URL` and the variables with a prefix of your own, e.g. `OKTA_PREFERENCES_API_TOKEN`.
 *
 * @param prefix - stands in the place of `OKTA_` before `API_TOKEN`, `CLIENT_ID`, `PRIVATE_KEY` and `KEY_ID`.
 * @throws ConfigurationError that names every variable which is missing or wrong, and no value.
 */
export function oktaCredentialFrom(env: Environment, prefix = 'OKTA_'): OktaCredential {
  const own = (text: string): string =>
    text.replaceAll(/\bOKTA_(?=API_TOKEN|CLIENT_ID|PRIVATE_KEY|KEY_ID)/g, prefix);
  const reader = new VariableReader(Object.fromEntries(OPTION_NAMES.map((name) => [name, env[own(name)]])));
  const credential = readOktaCredential(reader);
  refuse(reader.takeProblems().map(own));
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
  const entries = names.map((name) => [name, reader.readOwn(name)] as const);
  refuse(reader.takeProblems());
  return Object.fromEntries(entries) as Record<Name, string | undefined>;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems, { subject: 'The environment' });
}

/** OAuth 2.0 for the inline hook, with `HOOK_SECRET` for the event hook, which knows no OAuth; else `HOOK_SECRET` for both. */
function readHookCredentials(
  reader: VariableReader,
): Pick<OktaTelephonyHookOptions['credentials'], 'hook' | 'eventHook'> {
  const what =
    "the whole header value that Okta's inline hook sends; in its place HOOK_OAUTH_ISSUER, HOOK_OAUTH_AUDIENCE, HOOK_OAUTH_CLIENT_ID and HOOK_OAUTH_SCOPE will do";
  if (!reader.hasAny('HOOK_OAUTH_ISSUER', 'HOOK_OAUTH_AUDIENCE')) {
    return { hook: headerCredential(reader.required('HOOK_SECRET', what), reader) };
  }
  const secret = reader.read('HOOK_SECRET');
  return {
    hook: {
      scheme: 'oauth2',
      issuer: reader.required('HOOK_OAUTH_ISSUER', 'the issuer of the access tokens for the hook'),
      audience: reader.required('HOOK_OAUTH_AUDIENCE', "the authorization server's audience"),
      clientId: reader.required('HOOK_OAUTH_CLIENT_ID', 'the client that Okta is, to call the hook'),
      scope: reader.required('HOOK_OAUTH_SCOPE', 'the scope of the access tokens for the hook'),
    },
    eventHook: secret === undefined ? false : headerCredential(secret, reader),
  };
}

/** With the previous secret, which Okta sends until it has the new one. */
function headerCredential(secret: string, reader: VariableReader): EventHookCredential {
  const previous = reader.read('HOOK_SECRET_PREVIOUS');
  return { scheme: 'header', secrets: previous === undefined ? [secret] : [secret, previous] };
}

/** The providers of each channel that has more than Twilio's sender, or lists: in a channel of several, Twilio's sender comes first. */
function channelsOf(
  reader: VariableReader,
  senders: Readonly<Record<string, unknown>>,
): OktaTelephonyHookOptions['channels'] {
  const providers: Record<string, Record<string, Channel>> = {};
  for (const [name, sender] of Object.entries(senders)) {
    if (sender !== undefined) providers[name] = { twilio: name === VOICE ? twilioCalls() : twilioMessages() };
  }
  for (const [provider, made] of readProviders(reader)) {
    for (const [name, channel] of Object.entries(made)) (providers[name] ??= {})[provider] = channel;
  }
  const channels: Record<string, ChannelList | ChannelsByCountry> = {};
  for (const [name, made] of Object.entries(providers)) {
    // Without an entry, Twilio's sender makes the channel.
    const isByTwilio = Object.keys(made).every((provider) => provider === 'twilio');
    if (!isByTwilio) channels[name] = Object.values(made);
  }
  for (const name of LISTED_CHANNELS) {
    const lists = readLists(reader, name);
    if (lists !== undefined) channels[name] = listsOf(lists, providers[name] ?? {});
  }
  return Object.keys(channels).length === 0 ? undefined : channels;
}

/** A provider that could not be made is a problem of its own. */
function listsOf(
  lists: ReadonlyMap<string, readonly string[]>,
  made: Readonly<Record<string, Channel>>,
): ChannelList | ChannelsByCountry {
  const listOf = (names: readonly string[]): readonly Channel[] => names.flatMap((name) => made[name] ?? []);
  const { default: all = [], ...byCountry } = Object.fromEntries(
    Array.from(lists, ([country, names]) => [country, listOf(names)]),
  );
  return lists.size === 1 ? all : { default: all, ...byCountry };
}

function guardOf(reader: VariableReader, hasEventHook: boolean): OktaTelephonyHookOptions['guard'] {
  const countries = reader.read('GUARD_COUNTRIES');
  const maxScore = reader.read('TWILIO_LOOKUP_MAX_SCORE');
  const learn = reader.read('GUARD_LEARN');
  if (countries === undefined && maxScore === undefined && learn === undefined) return undefined;
  if (learn !== undefined && !hasEventHook) {
    reader.complain(
      "HOOK_SECRET is missing: GUARD_LEARN needs it for Okta's event hook, which reports used codes",
    );
  }
  return {
    // The rule of the variable reports any other word.
    ...(learn === 'record' || learn === 'enforce' ? { learn: { mode: learn } } : {}),
    ...(countries === undefined
      ? {}
      : { countries: countries === '*' ? false : { allow: countries.split(',') } }),
    // The rule of the variable reports a wrong score.
    ...(maxScore === undefined
      ? {}
      : { assess: attempt(() => twilioLookup({ maxScore: Number(maxScore) })).made }),
  };
}
