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
import { OTHER_PROVIDERS } from '../doctor/variables.js';
import type { Variables } from '../environment.js';
import type { ProviderName } from './questions.js';

/** The checks of the answers: those of doctor that need no gateway. */

/** The timeout of one call, and of one check, in milliseconds. */
const CALL_MS = 8_000;
export const CHECK_MS = 10_000;

/** The variables that may be wrong if a check fails. */
const VARIABLES_OF_CHECKS: Readonly<Record<string, readonly VariableName[]>> = {
  'okta.org': ['OKTA_ORG_URL'],
  'okta.engine': ['OKTA_ORG_URL'],
  'okta.credential': ['OKTA_API_TOKEN'],
  'twilio.credential': ['TWILIO_ACCOUNT_SID', 'TWILIO_API_KEY_SID', 'TWILIO_API_KEY_SECRET'],
  'twilio.auth-token': ['TWILIO_AUTH_TOKEN'],
  'twilio.sms': ['TWILIO_SMS_FROM'],
  'twilio.voice': ['TWILIO_VOICE_FROM'],
  'vonage.sms': ['VONAGE_API_KEY', 'VONAGE_API_SECRET'],
  'vonage.whatsapp': ['VONAGE_API_KEY', 'VONAGE_API_SECRET', 'VONAGE_WHATSAPP_FROM'],
  'line.line': ['LINE_CHANNEL_ACCESS_TOKEN'],
};

/** The variables that may be wrong after this failure. Without an API key Twilio's credential is the auth token. */
export function variablesOf(check: string, variables: Variables): readonly VariableName[] {
  const isByToken = check === 'twilio.credential' && !hasApiKey(variables);
  return isByToken ? ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'] : (VARIABLES_OF_CHECKS[check] ?? []);
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
export function providerChecks(provider: ProviderName, variables: Variables): CheckGroup | undefined {
  if (provider === 'twilio') return twilioChecks(variables);
  const isWhole =
    provider === 'line'
      ? variables.hasAny('LINE_CHANNEL_ACCESS_TOKEN')
      : variables.hasAny('VONAGE_API_SECRET', 'VONAGE_PRIVATE_KEY') &&
        variables.hasAny('VONAGE_SMS_FROM', 'VONAGE_WHATSAPP_FROM');
  if (!isWhole) return undefined;
  const channels = readProvider(variables, OTHER_PROVIDERS[provider]);
  if (variables.hasProblems()) return undefined;
  const group = examineProvider({ name: provider, section: section(channels) }, { callMs: CALL_MS });
  return { ...group, checks: group.checks.filter(({ name }) => name !== `${provider}.variables`) };
}

function twilioChecks(variables: Variables): CheckGroup | undefined {
  const isWhole = hasApiKey(variables)
    ? variables.hasAny('TWILIO_API_KEY_SID') && variables.hasAny('TWILIO_API_KEY_SECRET')
    : variables.hasAny('TWILIO_AUTH_TOKEN');
  if (!isWhole || !variables.hasAny('TWILIO_ACCOUNT_SID')) return undefined;
  const login = readTwilioLogin(variables);
  const senders = readSenders(variables);
  if (variables.hasProblems()) return undefined;
  const value = { ...login, ...senders, verifyServiceSid: undefined, otherChannels: new Set<string>() };
  const group = examineTwilio(section(value), { callMs: CALL_MS, hasPublicUrl: false });
  return only(group, [
    'twilio.credential',
    ...(login.authToken === undefined ? [] : ['twilio.auth-token']),
    ...(senders.sms === undefined ? [] : ['twilio.sms']),
    ...(senders.voice === undefined ? [] : ['twilio.voice']),
    ...(senders.whatsapp === undefined ? [] : ['twilio.template']),
  ]);
}
