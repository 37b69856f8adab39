import { examineHook } from './checks/hook.js';
import { examineMachine } from './checks/machine.js';
import { examineOkta } from './checks/okta.js';
import { examineProvider } from './checks/provider.js';
import { examineRedis } from './checks/redis.js';
import { examineTwilio } from './checks/twilio.js';
import { examineWay } from './checks/way.js';
import { runCheckup, type CheckResult } from './checkup.js';
import type { Command, CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import {
  readHookVariables,
  readOktaVariables,
  readOtherProviders,
  readRedisVariables,
  readTwilioVariables,
} from './variables.js';
import type { CheckGroup } from './finding.js';

const DEFAULT_LIMIT_S = 10;
const MAX_LIMIT_S = 120;
/** What is left of a check's time when its one call has had all of its own. */
const CALL_PART = 0.8;

export const doctor: Command = {
  name: 'doctor',
  summary: 'everything on both sides and the way between: what is wrong, and what to do about it',
  help: `Looks at Okta, at the gateway, at the way to it, at Twilio, at Redis and at this machine, all at once; one line for each
thing, with its remedy. It changes nothing and sends nothing to anybody. What is not configured is skipped, and told.
Run it where the gateway runs, with the gateway's environment.

  --timeout <s>    what one check may take, in seconds (${DEFAULT_LIMIT_S})
  --header <name>  the header that has HOOK_SECRET, where the credential may not see the hooks (Authorization)

Checks:
  okta.    variables, org, engine, credential, privileges, rate-limit, attribute, opted-in, unverified-phone,
           phone-authenticator, hook, native-telephony, event-hook
  hook.    variables, answers, secret, time, events, event-secret, callbacks
  way.     url, name, tls, redirect
  twilio.  variables, credential, auth-token, account, balance, sms, voice, whatsapp, template, verify
  vonage.  variables, sms, whatsapp (where it is set)
  line.    variables, line (where it is set)
  redis.   variables, libraries, reached, writes, version, eviction, memory, persistence, keys
  machine. node, clock, proxy, tls, file (of --env)

Environment: what the gateway has, OPT_IN_ATTRIBUTE, PUBLIC_URL, HOOK_SECRET (or HOOK_OAUTH_…), TWILIO_…,
VONAGE_…, LINE_…, REDIS_URL and STATE_ENCRYPTION_KEY with it; UNVERIFIED_PHONE_ATTRIBUTE, where its options name it.
Service app: okta.users.read, and to see the rest okta.schemas.read, okta.authenticators.read, okta.inlineHooks.read,
okta.eventHooks.read, okta.customTelephonyProvider.read. What the credential may not see is a warning.
With --json: [{check, status: "ok" | "warn" | "fail", message, remedy}]. Exit code 1 where a check has failed; warnings are 0.

  okta-telephony-hook doctor
  okta-telephony-hook doctor --env gateway.env --json`,
  options: { timeout: { type: 'string' }, header: { type: 'string' } },
  async run(call) {
    const limitMs = readLimit(call.options['timeout']) * 1000;
    const groups = await groupsOf(call, limitMs * CALL_PART);
    const results = await runCheckup(groups, { terminal: call.terminal, limitMs });
    call.terminal.say(['', summaryOf(results)]);
    call.terminal.json(results);
    return results.some(({ status }) => status === 'fail') ? 1 : 0;
  },
};

async function groupsOf(call: CommandCall, callMs: number): Promise<readonly CheckGroup[]> {
  const { variables, time } = call;
  const okta = await readOktaVariables(variables);
  const hook = await readHookVariables(call);
  const twilio = await readTwilioVariables(variables);
  const redis = readRedisVariables(variables);
  const others = readOtherProviders(variables);
  const sides = [okta, hook, twilio, ...others.map(({ section }) => section)];
  if (sides.every(({ finding, value }) => value === undefined && finding.status === 'warn')) {
    throw new CommandError(
      2,
      'BAD_ENVIRONMENT',
      'Nothing is configured that could be looked at: OKTA_ORG_URL, PUBLIC_URL and TWILIO_ACCOUNT_SID are not set.',
      "Set the gateway's variables in the environment, or in a file that --env names.",
    );
  }
  const oktas = examineOkta(okta, hook.value, { time, callMs });
  const hooks = examineHook(hook, {
    time,
    callMs,
    authToken: twilio.value?.authToken,
    hasCallbacks: twilio.value !== undefined || others.length === 0,
    headerName: oktas.headerName,
  });
  const way = examineWay(hook, {
    callMs,
    time,
    orgUrl: okta.value?.credential.orgUrl,
    answer: hooks.answer,
  });
  return [
    oktas.group,
    hooks.group,
    way,
    examineTwilio(twilio, { callMs, hasPublicUrl: hook.value !== undefined }),
    ...others.map((provider) => examineProvider(provider, { callMs })),
    examineRedis(redis, { time, callMs }),
    examineMachine(variables, oktas),
  ].filter(({ checks }) => checks.length > 0);
}

/** @throws CommandError */
function readLimit(text: unknown): number {
  if (text === undefined) return DEFAULT_LIMIT_S;
  const seconds = typeof text === 'string' && /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (seconds > 0 && seconds <= MAX_LIMIT_S) return seconds;
  throw new CommandError(2, 'BAD_USE', `--timeout takes seconds, ${MAX_LIMIT_S} at most.`);
}

function summaryOf(results: readonly CheckResult[]): string {
  const count = (status: CheckResult['status']): number =>
    results.filter((result) => result.status === status).length;
  return `${results.length} checks: ${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed.`;
}
