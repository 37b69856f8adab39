import { examineLists } from './checks/channel-lists.js';
import { examineHook } from './checks/hook.js';
import { examineMachine } from './checks/machine.js';
import { examineOkta } from './checks/okta.js';
import { metaTemplateFinding } from './checks/meta-template.js';
import { examineProvider } from './checks/provider.js';
import { examineRedis } from './checks/redis.js';
import { examineTwilio } from './checks/twilio.js';
import { examineReachability } from './checks/reachability.js';
import { textOptions, type Command, type CommandCall } from '../command.js';
import { runCheckup, type Checkup, type CheckResult } from './checkup.js';
import { CommandError } from '../failure.js';
import { isOther, PROVIDER_NAMES, PROVIDERS, type Provider } from '../providers.js';
import {
  countriesOf,
  readHookVariables,
  readOktaVariables,
  readOtherProviders,
  readRedisVariables,
  readTwilioVariables,
} from './variables.js';
import type { CheckGroup } from './finding.js';

const DEFAULT_LIMIT_S = 10;
const MAX_LIMIT_S = 120;
/** The part of a check's time that one call may take, so that the check can still report a timeout itself. */
const CALL_SHARE = 0.8;

/** The lines of the help about the checks of the providers beyond Twilio. */
function linesOfProviders(): string {
  const lines = PROVIDER_NAMES.filter(isOther).map((name) => {
    const { channels, further = [] }: Provider = PROVIDERS[name];
    return `  ${`${name}.`.padEnd(9)}variables, ${[...Object.keys(channels), ...further].join(', ')} (where it is set)`;
  });
  return lines.join('\n');
}

export const doctor: Command = {
  name: 'doctor',
  summary: 'checks both sides and the network between them: what is wrong, and what to do about it',
  help: `Checks Okta, the gateway, its reachability, Twilio, Redis and this machine at the same time, and prints one line for each
check, with a remedy. It changes nothing and sends nothing to a phone. A line names each part that is not configured.
Run it where the gateway runs, with the gateway's environment.

  --timeout <s>    the time that one check may take, in seconds (${DEFAULT_LIMIT_S})
  --header <name>  the header with HOOK_SECRET, if the credential may not read the hooks (Authorization)

Checks:
  okta.    variables, org, engine, credential, privileges, rate-limit, attribute, opted-in, unverified-phone,
           line-user-id, phone-authenticator, hook, native-telephony, event-hook
  hook.    variables, answers, secret, time, events, event-secret, callbacks
  way.     url, name, tls, redirect
  twilio.  variables, credential, auth-token, account, balance, sms, registration, voice, whatsapp, template, verify
${linesOfProviders()}
  channels. sms, voice, whatsapp (where SMS_PROVIDERS, VOICE_PROVIDERS or WHATSAPP_PROVIDERS is set)
  redis.   variables, libraries, reached, writes, version, eviction, memory, persistence, keys
  machine. node, clock, proxy, tls, file (of --env)

Environment: the gateway's own: OPT_IN_ATTRIBUTE, PUBLIC_URL, HOOK_SECRET (or HOOK_OAUTH_…), TWILIO_…, VONAGE_…, META_…,
AZURE_SMS_…, AWS_…, LINE_…, REDIS_URL and STATE_ENCRYPTION_KEY; UNVERIFIED_PHONE_ATTRIBUTE, if the gateway's options
name it.
Service app: okta.users.read, and for the other checks okta.schemas.read, okta.authenticators.read, okta.inlineHooks.read,
okta.eventHooks.read, okta.customTelephonyProvider.read. If the credential may not read something, that is a warning.
With --json: [{check, status: "ok" | "warn" | "fail", message, remedy}].

  okta-telephony-hook doctor
  okta-telephony-hook doctor --env gateway.env --json`,
  options: textOptions('timeout', 'header'),
  exitCodes: '0 no check failed, even with warnings; 1 a check failed; 2 bad use',
  async run(call) {
    const limitMs = readLimit(call.options['timeout']) * 1000;
    const groups = await createGroups(call, limitMs * CALL_SHARE);
    const checkup = await runCheckup(groups, { terminal: call.terminal, limitMs });
    const { results } = checkup;
    call.terminal.say(['', summaryOf(checkup)]);
    call.terminal.json(results);
    return results.some(({ status }) => status === 'fail') ? 1 : 0;
  },
};

function readLimit(text: unknown): number {
  if (text === undefined) return DEFAULT_LIMIT_S;
  const seconds = typeof text === 'string' && /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0 && seconds <= MAX_LIMIT_S) return seconds;
  throw new CommandError('BAD_USE', `--timeout takes a number of seconds, at most ${MAX_LIMIT_S}.`);
}

function summaryOf({ results, skippedCount }: Checkup): string {
  const count = (status: CheckResult['status']): number =>
    results.filter((result) => result.status === status).length;
  // In the results a skipped check is a warning, too.
  const warnings = count('warn') - skippedCount;
  const made = `${results.length - skippedCount} checks: ${count('ok')} ok, ${warnings} warning${warnings === 1 ? '' : 's'}, ${count('fail')} failed.`;
  return skippedCount === 0 ? made : `${made} Not checked: ${skippedCount}.`;
}

/**
 * Makes the checks of doctor from the gateway's variables, a group for each side.
 * @throws CommandError if no side is configured.
 */
async function createGroups(call: CommandCall, callMs: number): Promise<readonly CheckGroup[]> {
  const { variables, time } = call;
  const okta = await readOktaVariables(variables);
  const hook = await readHookVariables(call);
  const twilio = await readTwilioVariables(variables);
  const redis = readRedisVariables(variables);
  const others = readOtherProviders(variables);
  const sides = [okta, hook, twilio, ...others.map(({ section }) => section)];
  if (sides.every(({ finding, value }) => value === undefined && finding.status === 'warn')) {
    throw new CommandError(
      'BAD_ENVIRONMENT',
      'There is nothing to check: OKTA_ORG_URL, PUBLIC_URL and TWILIO_ACCOUNT_SID are not set.',
      "Set the gateway's variables in the environment, or in a file that --env names.",
    );
  }
  const oktaExamination = examineOkta(okta, hook.value, { time, callMs });
  const hookExamination = examineHook(hook, {
    time,
    callMs,
    authToken: twilio.value?.authToken,
    hasCallbacks: twilio.value !== undefined || others.length === 0,
    headerName: oktaExamination.headerName,
  });
  const reachability = examineReachability(hook, {
    callMs,
    time,
    orgUrl: okta.value?.credential.orgUrl,
    answer: hookExamination.answer,
  });
  return [
    oktaExamination.group,
    hookExamination.group,
    reachability,
    examineTwilio(twilio, { callMs, hasPublicUrl: hook.value !== undefined }),
    ...others.map((provider) =>
      examineProvider(provider, {
        callMs,
        countries: countriesOf(provider.name, variables),
        further:
          provider.name === 'meta'
            ? { template: (context) => metaTemplateFinding(variables, context) }
            : undefined,
      }),
    ),
    examineLists(variables),
    examineRedis(redis, { time, callMs }),
    examineMachine(variables, oktaExamination),
  ].filter(({ checks }) => checks.length > 0);
}
