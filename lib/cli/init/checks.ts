import {
  hasApiKey,
  hasServiceApp,
  readOktaCredential,
  readProvider,
  readSenders,
  readTwilioLogin,
} from '../../options/read-variables.js';
import type { VariableName } from '../../options/variables.js';
import type { CommandCall } from '../command.js';
import { examineOkta } from '../doctor/checks/okta.js';
import { examineProvider } from '../doctor/checks/provider.js';
import { examineTwilio } from '../doctor/checks/twilio.js';
import { ok, type CheckGroup } from '../doctor/finding.js';
import type { Variables } from '../environment.js';
import { isOther, PROVIDER_NAMES, PROVIDERS, type Provider, type ProviderName } from '../providers.js';

/** The checks of the answers: those of doctor that need no gateway. */

/** The timeout of one call, and of one check, in milliseconds. */
const CALL_MS = 8_000;
export const CHECK_MS = 10_000;

/** The variables that may be wrong if a check fails. */
const DOUBTFUL: Provider['doubtful'] = {
  'okta.org': ['OKTA_ORG_URL'],
  'okta.engine': ['OKTA_ORG_URL'],
  'okta.credential': ['OKTA_API_TOKEN'],
  ...Object.fromEntries(
    PROVIDER_NAMES.flatMap((name) => Object.entries<readonly VariableName[]>(PROVIDERS[name].doubtful)),
  ),
};

/** The variables that may be wrong after this failure. Without an API key Twilio's credential is the auth token. */
export function variablesOf(check: string, variables: Variables): readonly VariableName[] {
  const isByToken = check === 'twilio.credential' && !hasApiKey(variables);
  return isByToken ? ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'] : (DOUBTFUL[check] ?? []);
}

const section = <Value>(value: Value) => ({ finding: ok(''), value });

const only = (group: CheckGroup, names: readonly string[]): CheckGroup => ({
  ...group,
  checks: group.checks.filter(({ name }) => names.includes(name)),
});

/** `undefined` without an org. Without a credential only the org is checked. */
export function oktaChecks({ variables, time }: CommandCall): CheckGroup | undefined {
  const orgUrl = variables.read('OKTA_ORG_URL');
  if (orgUrl === undefined) return undefined;
  const hasCredential = variables.hasAny('OKTA_API_TOKEN') || hasServiceApp(variables);
  const credential = hasCredential ? readOktaCredential(variables) : { orgUrl, apiToken: '' };
  if (variables.hasProblems()) return undefined;
  const value = { credential, optIn: undefined, recipients: {} };
  const { group } = examineOkta(section(value), undefined, { time, callMs: CALL_MS });
  return only(group, ['okta.org', 'okta.engine', ...(hasCredential ? ['okta.credential'] : [])]);
}

/** `undefined` without a whole credential. */
export function providerChecks(name: ProviderName, variables: Variables): CheckGroup | undefined {
  if (!PROVIDERS[name].isWhole(variables)) return undefined;
  if (!isOther(name)) return twilioChecks(variables);
  const channels = readProvider(variables, name);
  if (variables.hasProblems()) return undefined;
  const group = examineProvider({ name, section: section(channels) }, { callMs: CALL_MS });
  return { ...group, checks: group.checks.filter((check) => check.name !== `${name}.variables`) };
}

function twilioChecks(variables: Variables): CheckGroup | undefined {
  const login = readTwilioLogin(variables);
  const senders = readSenders(variables);
  if (variables.hasProblems()) return undefined;
  const value = {
    ...login,
    ...senders,
    hasRedaction: false,
    verifyServiceSid: undefined,
    countries: [],
    otherChannels: new Set<string>(),
  };
  const group = examineTwilio(section(value), { callMs: CALL_MS, hasPublicUrl: false });
  return only(group, [
    'twilio.credential',
    ...(login.authToken === undefined ? [] : ['twilio.auth-token']),
    ...(senders.sms === undefined ? [] : ['twilio.sms']),
    ...(senders.smsFallbackFrom === undefined ? [] : ['twilio.sms-fallback']),
    ...(senders.voice === undefined ? [] : ['twilio.voice']),
    ...(senders.whatsapp === undefined ? [] : ['twilio.template']),
  ]);
}
