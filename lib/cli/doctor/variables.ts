import { ConfigurationError } from '../../core/errors.js';
import type { OktaCredential } from '../../options/options.js';
import type { HookProof } from '../../okta/admin/hook-resource.js';
import { readRedisOptions } from '../../state/redis/options.js';
import type { WhatsAppSender } from '../../channels/twilio/settings.js';
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

export interface TwilioVariables {
  readonly accountSid: string;
  readonly apiKey: { readonly sid: string; readonly secret: string } | undefined;
  readonly authToken: string | undefined;
  readonly baseUrl: string | undefined;
  readonly sms: string | undefined;
  readonly voice: string | undefined;
  readonly whatsapp: WhatsAppSender | undefined;
  readonly verifyServiceSid: string | undefined;
}

export interface RedisVariables {
  readonly url: string;
  readonly encryptionKeys: readonly string[];
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
  if (variables.read('OKTA_ORG_URL') === undefined) {
    const what = "Set it to the org's origin, such as https://acme.okta.com, to have Okta's side looked at.";
    variables.takeProblems();
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
    variables.takeProblems();
    const what = 'Set it to the URL that is typed into Okta, to have the hook and the way to it looked at.';
    return { finding: UNSET('PUBLIC_URL', what), value: undefined };
  }
  const secret = variables.read('HOOK_SECRET');
  const proof = await readGivenProof(call);
  const how =
    proof === undefined ? 'without a secret' : proof.kind === 'header' ? 'by a header' : 'by OAuth 2.0';
  return section(variables, `Set, ${how}.`, { url, proof, secret, headerName });
}

export async function readTwilioVariables(variables: Variables): Promise<Section<TwilioVariables>> {
  const accountSid = variables.read('TWILIO_ACCOUNT_SID');
  if (accountSid === undefined) {
    const what = "Set it to the account's SID, to have Twilio's side looked at.";
    return { finding: UNSET('TWILIO_ACCOUNT_SID', what), value: undefined };
  }
  const sid = variables.read('TWILIO_API_KEY_SID');
  const hasKey = sid !== undefined || variables.read('TWILIO_API_KEY_SECRET') !== undefined;
  const what = "the API key's; in place of a key TWILIO_AUTH_TOKEN will do";
  const apiKey = hasKey
    ? {
        sid: variables.required('TWILIO_API_KEY_SID', what),
        secret: await variables.secret('TWILIO_API_KEY_SECRET', what),
      }
    : undefined;
  const authToken = hasKey
    ? variables.read('TWILIO_AUTH_TOKEN')
    : await variables.secret(
        'TWILIO_AUTH_TOKEN',
        "the account's; TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET are better",
      );
  const sms = variables.read('TWILIO_SMS_FROM');
  const voice = variables.read('TWILIO_VOICE_FROM');
  const whatsapp = readWhatsApp(variables);
  if ([sms, voice, whatsapp].every((sender) => sender === undefined)) {
    variables.complain(
      'A sender is missing: set one or more of TWILIO_SMS_FROM, TWILIO_VOICE_FROM, and TWILIO_SANDBOX_NUMBER or TWILIO_WHATSAPP_FROM with TWILIO_WHATSAPP_TEMPLATE',
    );
  }
  return section(variables, `Set, by ${hasKey ? 'an API key' : 'the auth token'}.`, {
    accountSid,
    apiKey,
    authToken,
    baseUrl: variables.read('TWILIO_BASE_URL'),
    sms,
    voice,
    whatsapp,
    verifyServiceSid: variables.read('TWILIO_VERIFY_SERVICE_SID'),
  });
}

function readWhatsApp(variables: Variables): WhatsAppSender | undefined {
  const sandbox = variables.read('TWILIO_SANDBOX_NUMBER');
  const from = variables.read('TWILIO_WHATSAPP_FROM');
  const template = variables.read('TWILIO_WHATSAPP_TEMPLATE');
  if (sandbox !== undefined && (from !== undefined || template !== undefined)) {
    variables.complain(
      'TWILIO_SANDBOX_NUMBER does not go with TWILIO_WHATSAPP_FROM and TWILIO_WHATSAPP_TEMPLATE: unset it, or them',
    );
  }
  if (sandbox !== undefined) return { kind: 'sandbox', from: sandbox, contentSid: undefined };
  if (from === undefined && template === undefined) return undefined;
  return {
    kind: 'templates',
    from: variables.required('TWILIO_WHATSAPP_FROM', 'the approved sender of TWILIO_WHATSAPP_TEMPLATE'),
    templates: {
      default: variables.required(
        'TWILIO_WHATSAPP_TEMPLATE',
        'the Content SID of the authentication template',
      ),
    },
  };
}

export function readRedisVariables(variables: Variables): Section<RedisVariables> {
  const url = variables.read('REDIS_URL');
  const keys = variables.read('STATE_ENCRYPTION_KEY');
  if (url === undefined && keys === undefined) {
    const finding = ok(
      'Not set: what was sent is remembered by one process, which is enough for one gateway.',
    );
    return { finding, value: undefined };
  }
  const value = {
    url: variables.required('REDIS_URL', 'the Redis that goes with STATE_ENCRYPTION_KEY'),
    encryptionKeys: variables
      .required('STATE_ENCRYPTION_KEY', 'what REDIS_URL keeps is sealed with it: openssl rand -base64 32')
      .split(',')
      .map((key) => key.trim()),
  };
  if (url !== undefined && keys !== undefined) {
    for (const problem of redisProblems(value)) variables.complain(problem);
  }
  return section(variables, 'Set.', value);
}

/** In the names of the variables. */
function redisProblems({ url, encryptionKeys }: RedisVariables): readonly string[] {
  try {
    readRedisOptions({ connection: url, encryptionKeys });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map((problem) =>
      problem
        .replace(/^connection\b/, 'REDIS_URL')
        .replace(/^encryptionKeys(?:\[\d+\])?/, 'STATE_ENCRYPTION_KEY')
        .replace(/, or an ioredis client or cluster/, ''),
    );
  }
}
