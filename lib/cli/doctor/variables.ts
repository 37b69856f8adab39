import { DEFAULT_USER_ID_ATTRIBUTE } from '../../channels/line/line.js';
import { VOICE } from '../../core/channel.js';
import { DEFAULT_LIST } from '../../options/channel-lists.js';
import type { OktaCredential } from '../../options/credential-types.js';
import { DEFAULT_OPT_IN_ATTRIBUTE } from '../../options/options.js';
import type { HookProof } from '../admin/hook-resource.js';
import {
  hasApiKey,
  hasSender,
  hasWhatsAppSender,
  readProvider,
  readRedis,
  readSenders,
  readTwilioFeatures,
  readTwilioLogin,
  readVerify,
  requireAnySender,
  usesProvider,
  type ChannelsByName,
  type RedisVariables,
  type SenderVariables,
  type TwilioVariables,
} from '../../options/read-variables.js';
import { readProviderLists, variablesWhere } from '../../options/variables.js';
import { isShortSecret, MIN_SECRET_LENGTH } from '../../okta/probe-mark.js';
import { headerOption, type CommandCall } from '../command.js';
import type { Variables } from '../environment.js';
import { fail, ok, warn, type Finding } from './finding.js';
import { readGivenProof } from '../hook-proof.js';
import { isOther, PROVIDER_NAMES, PROVIDERS, type OtherProviderName } from '../providers.js';

/** The variables of one side, with the finding about them. Without a value the other checks of the side are left out. */
export interface Section<Value> {
  readonly finding: Finding;
  readonly value: Value | undefined;
}

export interface OktaVariables {
  readonly credential: OktaCredential;
  /** `undefined` if no channel that users opt in to has a sender. */
  readonly optIn: OptIn | undefined;
  /** The attributes that decide to whom a code goes, by their checks. */
  readonly recipients: Readonly<Partial<Record<'unverified-phone' | 'line-user-id', string | undefined>>>;
}

/** The attribute by which users opt in. A boolean is for WhatsApp alone: users opt in to LINE by the name of the channel. */
export interface OptIn {
  readonly attribute: string;
  /** LINE only if no WhatsApp sender is set. */
  readonly channel: 'whatsapp' | 'line';
}

export interface HookVariables {
  /** PUBLIC_URL without a slash at its end. */
  readonly url: string;
  /** How Okta authenticates; `undefined` without a secret. */
  readonly proof: HookProof | undefined;
  /** HOOK_SECRET, the whole header value. The event hook uses it even if the telephony hook uses OAuth. */
  readonly secret: string | undefined;
  /** The value of `--header`. If doctor can read the header from Okta's hook, it uses that. */
  readonly headerName: string | undefined;
  /** Whether the guard learns, which needs the event hook. */
  readonly isLearning?: boolean | undefined;
}

export type TwilioSide = TwilioVariables &
  SenderVariables & {
    /** Whether Twilio must discard texts or obfuscate numbers. */
    readonly hasRedaction: boolean;
    readonly verifyServiceSid: string | undefined;
    /** As `countriesOf` reads them. */
    readonly countries: readonly string[];
    /** The channels that Verify or another provider serves. */
    readonly otherChannels: ReadonlySet<string>;
  };

const without = (finding: Finding): Section<never> => ({ finding, value: undefined });
const skip = (name: string, remedy: string): Section<never> =>
  without(warn(`Skipped: ${name} is not set.`, remedy));

/**
 * A failed finding if a variable that was read is wrong.
 * @param fine - the message if all are right.
 */
function section<Value>(variables: Variables, fine: string, value: Value): Section<Value> {
  const problems = variables.takeProblems();
  if (problems.length === 0) return { finding: ok(fine), value };
  const remedy = 'Set it in the environment, or in a file that --env names, as the gateway has it.';
  return without(fail(`${problems.join('; ')}.`, remedy));
}

export async function readOktaVariables(variables: Variables): Promise<Section<OktaVariables>> {
  if (!variables.hasAny('OKTA_ORG_URL')) {
    const remedy = "Set it to the org's origin, such as https://acme.okta.com, to check Okta's side.";
    return skip('OKTA_ORG_URL', remedy);
  }
  const credential = await variables.okta();
  // Without any sender here, the gateway has its senders elsewhere.
  const hasLine = variables.hasAny('LINE_CHANNEL_ACCESS_TOKEN');
  const hasWhatsApp = !hasSender(variables) || hasWhatsAppSender(variables);
  const attribute =
    variables.read('OPT_IN_ATTRIBUTE') ?? (hasWhatsApp || hasLine ? DEFAULT_OPT_IN_ATTRIBUTE : undefined);
  const by = credential.apiToken === undefined ? 'a service app' : 'an API token';
  return section(variables, `Set, by ${by}.`, {
    credential,
    optIn:
      attribute === undefined
        ? undefined
        : { attribute, channel: hasLine && !hasWhatsApp ? 'line' : 'whatsapp' },
    recipients: {
      'unverified-phone': variables.read('UNVERIFIED_PHONE_ATTRIBUTE'),
      // line.variables reports a name that is wrong.
      'line-user-id': hasLine
        ? (variables.valueOf('LINE_USER_ID_ATTRIBUTE') ?? DEFAULT_USER_ID_ATTRIBUTE)
        : undefined,
    },
  });
}

const UNMARKED = ` Without a HOOK_SECRET of ${MIN_SECRET_LENGTH} characters or more (with Basic: in its password), the gateway logs doctor's calls as those of a stranger.`;

/** @throws CommandError if `--header` is not the name of a header. */
export async function readHookVariables(call: CommandCall): Promise<Section<HookVariables>> {
  const { options, variables } = call;
  const headerName = headerOption(options);
  const url = variables.read('PUBLIC_URL');
  if (url === undefined) {
    const remedy = "Set it to the hook's URL in Okta, to check the hook and its reachability.";
    return skip('PUBLIC_URL', remedy);
  }
  const secret = variables.read('HOOK_SECRET');
  // A gateway's variables, which check Okta's tokens and cannot get any: no call can be proven.
  const isTokenReader =
    variables.hasAny('HOOK_OAUTH_AUDIENCE') &&
    !variables.hasAny('HOOK_OAUTH_CLIENT_SECRET', 'HOOK_OAUTH_KEY_ID');
  const proof = isTokenReader ? undefined : await readGivenProof(call);
  const how =
    proof === undefined ? 'without a secret' : proof.kind === 'header' ? 'by a header' : 'by OAuth 2.0';
  const isMarked = secret !== undefined && !isShortSecret(secret);
  const isLearning = variables.read('GUARD_LEARN') !== undefined;
  const hook = { url, proof, secret, headerName, isLearning };
  return section(variables, `Set, ${how}.${isMarked ? '' : UNMARKED}`, hook);
}

export async function readTwilioVariables(variables: Variables): Promise<Section<TwilioSide>> {
  if (!usesProvider(variables, 'TWILIO_') && otherProviders(variables).length > 0) {
    if (isSentByOther('sms', variables)) return without(ok('Not set: another provider sends the codes.'));
    const lack = 'Not set, and no other provider sends SMS or makes calls';
    const remedy =
      'Set TWILIO_SMS_FROM and TWILIO_VOICE_FROM with the credential of Twilio, or VONAGE_SMS_FROM, AZURE_SMS_FROM or AWS_SMS_ORIGINATION_IDENTITY.';
    return without(warn(`${lack}: users who have not opted in get no code by the gateway.`, remedy));
  }
  if (!variables.hasAny('TWILIO_ACCOUNT_SID')) {
    const remedy = "Set it to the account's SID, to check Twilio's side.";
    return skip('TWILIO_ACCOUNT_SID', remedy);
  }
  const isByKey = hasApiKey(variables);
  await (isByKey
    ? variables.ask('TWILIO_API_KEY_SECRET', "the API key's; in place of a key TWILIO_AUTH_TOKEN will do")
    : variables.ask(
        'TWILIO_AUTH_TOKEN',
        "the account's; TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are better",
      ));
  requireAnySender(variables);
  const verify = readVerify(variables);
  const { contentRetention, addressRetention } = readTwilioFeatures(variables) ?? {};
  const byOthers = ['sms', VOICE].filter((channel) => isSentByOther(channel, variables));
  return section(variables, `Set, by ${isByKey ? 'an API key' : 'the auth token'}.`, {
    ...readTwilioLogin(variables),
    ...readSenders(variables),
    hasRedaction: contentRetention !== undefined || addressRetention !== undefined,
    verifyServiceSid: verify?.serviceSid,
    countries: countriesOf('twilio', variables),
    otherChannels: new Set([...(verify?.channels ?? []), ...byOthers]),
  });
}

/**
 * The countries of `GUARD_COUNTRIES` whose SMS a provider sends; none if it is not set, or has every country. The gateway itself reports
 * a wrong value.
 */
export function countriesOf(provider: string, variables: Variables): readonly string[] {
  const allowed = (variables.valueOf('GUARD_COUNTRIES') ?? '')
    .split(',')
    .filter((country) => /^[A-Z]{2}$/.test(country));
  const lists = readProviderLists(variables.valueOf('SMS_PROVIDERS') ?? '');
  if (lists === undefined) return allowed;
  return allowed.filter((country) => (lists.get(country) ?? lists.get(DEFAULT_LIST))?.includes(provider));
}

/** Whether a provider beyond Twilio sends by a channel. */
const isSentByOther = (channel: string, variables: Variables): boolean =>
  variables.hasAny(...variablesWhere(({ sends }, name) => sends === channel && !name.startsWith('TWILIO_')));

/** A provider beyond Twilio that the gateway sends by. */
export interface OtherProvider {
  readonly name: OtherProviderName;
  readonly section: Section<ChannelsByName>;
}

/** The providers beyond Twilio of which a variable is set. */
export function readOtherProviders(variables: Variables): readonly OtherProvider[] {
  return otherProviders(variables).map((name) => ({
    name,
    section: section(variables, 'Set.', readProvider(variables, name)),
  }));
}

const otherProviders = (variables: Variables): readonly OtherProviderName[] =>
  PROVIDER_NAMES.filter(isOther).filter((name) => usesProvider(variables, PROVIDERS[name].prefix));

export function readRedisVariables(variables: Variables): Section<RedisVariables> {
  const redis = readRedis(variables);
  if (redis !== undefined) return section(variables, 'Set.', redis);
  return without(ok('Not set: each process keeps its own state, which is enough for one gateway.'));
}
