import type { Channel, OktaCredential } from '../../options/options.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';
import {
  hasApiKey,
  readLine,
  readSenders,
  readTwilioLogin,
  readVerify,
  readVonage,
  requireAnySender,
  usesProvider,
  type SenderVariables,
  type TwilioLoginVariables,
} from '../../options/provider-variables.js';
import { readRedis, type RedisVariables } from '../../options/variables.js';
import type { CommandCall } from '../command.js';
import type { Variables } from '../environment.js';
import { fail, ok, warn, type Finding } from './finding.js';
import { readGivenProof } from './hook-proof.js';
import { headerOption } from '../setup/setup.js';

/** The variables of one side, and what the check of them says; without a value nothing else of it is looked at. */
export interface Section<Value> {
  readonly finding: Finding;
  readonly value: Value | undefined;
}

export interface OktaVariables {
  readonly credential: OktaCredential;
  readonly optInAttribute: string;
  readonly unverifiedPhoneAttribute: string | undefined;
}

export interface HookVariables {
  /** Without a slash at its end. */
  readonly url: string;
  /** How Okta proves itself; `undefined` where no secret is named. */
  readonly proof: HookProof | undefined;
  /** The header's whole value, which the event hook has in either case. */
  readonly secret: string | undefined;
  /** The header that has it, where one was named; Okta's own is better, where it can be seen. */
  readonly headerName: string | undefined;
}

export interface TwilioVariables extends TwilioLoginVariables, SenderVariables {
  readonly verifyServiceSid: string | undefined;
  /** The channels that Verify or another provider serves. */
  readonly otherChannels: ReadonlySet<string>;
}

const UNSET = (name: string, what: string): Finding => warn(`Skipped: ${name} is not set.`, what);

/** @param used - the names, for the line that says that they are fine. */
function section<Value>(variables: Variables, used: string, value: Value): Section<Value> {
  const problems = variables.takeProblems();
  if (problems.length === 0) return { finding: ok(used), value };
  const message = `${problems.join('; ')}.`;
  const remedy = 'Set it in the environment, or in a file that --env names, as the gateway has it.';
  return { finding: fail(message, remedy), value: undefined };
}

const DEFAULT_ATTRIBUTE = 'whatsAppOptIn';

export async function readOktaVariables(variables: Variables): Promise<Section<OktaVariables>> {
  if (variables.valueOf('OKTA_ORG_URL') === undefined) {
    const what = "Set it to the org's origin, such as https://acme.okta.com, to have Okta's side looked at.";
    return { finding: UNSET('OKTA_ORG_URL', what), value: undefined };
  }
  const credential = await variables.okta();
  const by = credential.apiToken === undefined ? 'a service app' : 'an API token';
  return section(variables, `Set, by ${by}.`, {
    credential,
    optInAttribute: variables.read('OPT_IN_ATTRIBUTE') ?? DEFAULT_ATTRIBUTE,
    unverifiedPhoneAttribute: variables.read('UNVERIFIED_PHONE_ATTRIBUTE'),
  });
}

/** @throws CommandError for what is no name of a header. */
export async function readHookVariables(call: CommandCall): Promise<Section<HookVariables>> {
  const { options, variables } = call;
  const headerName = headerOption(options);
  const url = variables.read('PUBLIC_URL')?.replace(/\/+$/, '');
  if (url === undefined) {
    const what = 'Set it to the URL that is typed into Okta, to have the hook and the way to it looked at.';
    return { finding: UNSET('PUBLIC_URL', what), value: undefined };
  }
  const secret = variables.read('HOOK_SECRET');
  const proof = isTokenReader(variables) ? undefined : await readGivenProof(call);
  const how =
    proof === undefined ? 'without a secret' : proof.kind === 'header' ? 'by a header' : 'by OAuth 2.0';
  return section(variables, `Set, ${how}.`, { url, proof, secret, headerName });
}

/** Whether the variables are a gateway's, which checks Okta's tokens and cannot get any. Then no call can be proven. */
function isTokenReader(variables: Variables): boolean {
  const isSet = (name: string): boolean => variables.valueOf(name) !== undefined;
  return isSet('HOOK_OAUTH_AUDIENCE') && !isSet('HOOK_OAUTH_CLIENT_SECRET') && !isSet('HOOK_OAUTH_KEY_ID');
}

export async function readTwilioVariables(variables: Variables): Promise<Section<TwilioVariables>> {
  if (!usesProvider(variables, 'TWILIO_') && otherProviders(variables).length > 0) {
    return { finding: ok('Not set: another provider sends the codes.'), value: undefined };
  }
  if (variables.valueOf('TWILIO_ACCOUNT_SID') === undefined) {
    const what = "Set it to the account's SID, to have Twilio's side looked at.";
    return { finding: UNSET('TWILIO_ACCOUNT_SID', what), value: undefined };
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
  const isSet = (name: string): boolean => variables.valueOf(name) !== undefined;
  const byVonage = isSet('VONAGE_SMS_FROM') ? ['sms'] : [];
  return section(variables, `Set, by ${isByKey ? 'an API key' : 'the auth token'}.`, {
    ...readTwilioLogin(variables),
    ...readSenders(variables),
    verifyServiceSid: verify?.serviceSid,
    otherChannels: new Set([...(verify?.channels ?? []), ...byVonage]),
  });
}

/** A provider beyond Twilio that the gateway sends by, with its channels by the hook's names for them. */
export interface OtherProvider {
  /** Begins the names of its checks. */
  readonly name: 'vonage' | 'line';
  readonly section: Section<Readonly<Record<string, Channel | undefined>>>;
}

/** The providers beyond Twilio of which a variable is set. */
export function readOtherProviders(variables: Variables): readonly OtherProvider[] {
  return otherProviders(variables).map((name) => ({
    name,
    section: section(
      variables,
      'Set.',
      name === 'vonage' ? { ...readVonage(variables) } : { line: readLine(variables) },
    ),
  }));
}

const otherProviders = (variables: Variables): readonly OtherProvider['name'][] => [
  ...(usesProvider(variables, 'VONAGE_') ? (['vonage'] as const) : []),
  ...(usesProvider(variables, 'LINE_') ? (['line'] as const) : []),
];

export function readRedisVariables(variables: Variables): Section<RedisVariables> {
  const redis = readRedis(variables);
  if (redis !== undefined) return section(variables, 'Set.', redis);
  const finding = ok('Not set: what was sent is remembered by one process, which is enough for one gateway.');
  return { finding, value: undefined };
}
