import { examineHook } from './checks/hook.js';
import { examineMachine } from './checks/machine.js';
import { examineOkta } from './checks/okta.js';
import { examineProvider } from './checks/provider.js';
import { examineRedis } from './checks/redis.js';
import { examineTwilio } from './checks/twilio.js';
import { examineReachability } from './checks/reachability.js';
import type { CommandCall } from '../command.js';
import { CommandError } from '../failure.js';
import {
  readHookVariables,
  readOktaVariables,
  readOtherProviders,
  readRedisVariables,
  readTwilioVariables,
} from './variables.js';
import type { CheckGroup } from './finding.js';

/**
 * Makes the checks of doctor from the gateway's variables, a group for each side.
 * @throws CommandError if no side is configured.
 */
export async function createGroups(call: CommandCall, callMs: number): Promise<readonly CheckGroup[]> {
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
    ...others.map((provider) => examineProvider(provider, { callMs })),
    examineRedis(redis, { time, callMs }),
    examineMachine(variables, oktaExamination),
  ].filter(({ checks }) => checks.length > 0);
}
