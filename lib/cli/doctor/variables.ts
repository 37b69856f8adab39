import type { OktaCredential } from '../../options/options.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';
import {
  hasApiKey,
  readRedis,
  readSenders,
  readTwilioLogin,
  type RedisVariables,
  type SenderVariables,
  type TwilioLoginVariables,
} from '../../options/variables.js';
import { headerOption, type CommandCall } from '../command.js';
import type { Variables } from '../environment.js';
import { fail, ok, warn, type Finding } from './finding.js';
import { readGivenProof } from '../hook-proof.js';

/** The variables of one side, with the finding about them. Without a value the other checks of the side are left out. */
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
  /** PUBLIC_URL without a slash at its end. */
  readonly url: string;
  /** How Okta authenticates; `undefined` without a secret. */
  readonly proof: HookProof | undefined;
  /** HOOK_SECRET, the whole header value. The event hook uses it even if the telephony hook uses OAuth. */
  readonly secret: string | undefined;
  /** The value of `--header`. If doctor can read the header from Okta's hook, it uses that. */
  readonly headerName: string | undefined;
}

export interface TwilioVariables extends TwilioLoginVariables, SenderVariables {
  readonly verifyServiceSid: string | undefined;
}

const skip = (name: string, remedy: string): Finding => warn(`Skipped: ${name} is not set.`, remedy);

/**
 * A failed finding if a variable that was read is wrong.
 * @param fine - the message if all are right.
 */
function section<Value>(variables: Variables, fine: string, value: Value): Section<Value> {
  const problems = variables.takeProblems();
  if (problems.length === 0) return { finding: ok(fine), value };
  const message = `${problems.join('; ')}.`;
  const remedy = 'Set it in the environment, or in a file that --env names, as the gateway has it.';
  return { finding: fail(message, remedy), value: undefined };
}

const DEFAULT_ATTRIBUTE = 'whatsAppOptIn';

export async function readOktaVariables(variables: Variables): Promise<Section<OktaVariables>> {
  if (variables.valueOf('OKTA_ORG_URL') === undefined) {
    const remedy = "Set it to the org's origin, such as https://acme.okta.com, to check Okta's side.";
    return { finding: skip('OKTA_ORG_URL', remedy), value: undefined };
  }
  const credential = await variables.okta();
  const by = credential.apiToken === undefined ? 'a service app' : 'an API token';
  return section(variables, `Set, by ${by}.`, {
    credential,
    optInAttribute: variables.read('OPT_IN_ATTRIBUTE') ?? DEFAULT_ATTRIBUTE,
    unverifiedPhoneAttribute: variables.read('UNVERIFIED_PHONE_ATTRIBUTE'),
  });
}

/** @throws CommandError if `--header` is not the name of a header. */
export async function readHookVariables(call: CommandCall): Promise<Section<HookVariables>> {
  const { options, variables } = call;
  const headerName = headerOption(options);
  const url = variables.read('PUBLIC_URL')?.replace(/\/+$/, '');
  if (url === undefined) {
    const remedy = "Set it to the hook's URL in Okta, to check the hook and its reachability.";
    return { finding: skip('PUBLIC_URL', remedy), value: undefined };
  }
  const secret = variables.read('HOOK_SECRET');
  const proof = await readGivenProof(call);
  const how =
    proof === undefined ? 'without a secret' : proof.kind === 'header' ? 'by a header' : 'by OAuth 2.0';
  return section(variables, `Set, ${how}.`, { url, proof, secret, headerName });
}

export async function readTwilioVariables(variables: Variables): Promise<Section<TwilioVariables>> {
  if (variables.valueOf('TWILIO_ACCOUNT_SID') === undefined) {
    const remedy = "Set it to the account's SID, to check Twilio's side.";
    return { finding: skip('TWILIO_ACCOUNT_SID', remedy), value: undefined };
  }
  const isByKey = hasApiKey(variables);
  await (isByKey
    ? variables.ask('TWILIO_API_KEY_SECRET', "the API key's; in place of a key TWILIO_AUTH_TOKEN will do")
    : variables.ask(
        'TWILIO_AUTH_TOKEN',
        "the account's; TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are better",
      ));
  return section(variables, `Set, by ${isByKey ? 'an API key' : 'the auth token'}.`, {
    ...readTwilioLogin(variables),
    ...readSenders(variables),
    verifyServiceSid: variables.read('TWILIO_VERIFY_SERVICE_SID'),
  });
}

export function readRedisVariables(variables: Variables): Section<RedisVariables> {
  const redis = readRedis(variables);
  if (redis !== undefined) return section(variables, 'Set.', redis);
  const finding = ok('Not set: each process keeps its own state, which is enough for one gateway.');
  return { finding, value: undefined };
}
