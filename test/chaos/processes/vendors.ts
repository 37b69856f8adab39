import { playBadDay } from '#lib/testing/demo.js';
import { startOktaEmulator, startTwilioEmulator } from '#lib/testing/index.js';
import type { BadDayPhaseName } from '#lib/testing/demo.js';
import type { RecordedRequest } from '#lib/testing/index.js';
import { chanceOf, shuffled } from '../chance.js';
import type { MessageFact } from '../account/facts.js';
import { startPushingVendor } from './pushing-vendor.js';
import { startVonageVendor } from './vonage-vendor.js';
import type { VendorCredentials } from './gateway.js';
import { peopleOf } from './people.js';
import { readArgument } from './children.js';

/** The process of the vendors: sends its addresses, plays the bad day at `begin`, sends its records at `report`. */

export interface VendorSettings {
  readonly seed: number;
  readonly rate: number;
  readonly lengthMs: number;
}

/** Sent when a provider gets a request to send a code. */
export interface Sending {
  readonly sends: string;
}

/** The commands of the parent. */
export type VendorCommand = 'begin' | 'report';

/** The answer to `report`. */
export interface VendorFacts {
  readonly messages: readonly MessageFact[];
  readonly sendRequests: readonly (readonly [code: string, times: number])[];
}

const PHASE_MS = 3_500;
const BAD_PHASES: readonly BadDayPhaseName[] = [
  'okta-slow',
  'okta-rate-limit',
  'twilio-brown-out',
  'whatsapp-fails-late',
  'callbacks-in-disorder',
  'connections-reset',
];
/** Time for a callback to come before, and after, the answer that it is about. */
const STEP_MS = 40;
const SLOW_ANSWERS_MS = [150, 400, 900];
/** The share of messages with each of these delays. */
const ALSO_SLOW = 0.04;
/** The share of WhatsApp messages that fail. */
const ALSO_FAILS = 0.08;
const WHATSAPP_FROM = '+14155550199';

const { seed, rate, lengthMs } = readArgument() as VendorSettings;
const [okta, twilio, pushing, vonage] = await Promise.all([
  startOktaEmulator(),
  startTwilioEmulator({ callbackDelayMs: STEP_MS, senders: [`whatsapp:${WHATSAPP_FROM}`] }),
  startPushingVendor(seed, tellSending),
  startVonageVendor(seed, STEP_MS, tellSending),
]);
for (const { id, login, phone, isOptedIn } of peopleOf(seed, rate)) {
  okta.addUser({ id, login, profile: { whatsAppOptIn: isOptedIn, mobilePhone: phone, locale: 'en_US' } });
}

/** The six digits of the code in the text, or in the variable of the template. */
function codeOf(text: string): string {
  return /\b\d{6}\b/.exec(text)?.[0] ?? '';
}

function codeIn({ form }: RecordedRequest): string {
  return codeOf(`${String(form?.['Body'] ?? '')} ${String(form?.['ContentVariables'] ?? '')}`);
}

function report(): VendorFacts {
  const counts = new Map(pushing.requests);
  for (const code of [...twilio.requests.map(codeIn), ...vonage.codes()])
    counts.set(code, (counts.get(code) ?? 0) + 1);
  const messages = twilio.messages.map((message): MessageFact => {
    const { sid, channel, body, contentVariables, status, errorCode, createdAt, updatedAt } = message;
    const code = codeOf(body ?? contentVariables?.['1'] ?? '');
    return {
      ...{ sid, channel, provider: 'TWILIO', code, status, errorCode, at: createdAt, statusAt: updatedAt },
    };
  });
  return { messages: [...messages, ...pushing.messages, ...vonage.messages()], sendRequests: [...counts] };
}

function begin(): void {
  const chance = chanceOf(seed, 'vendors');
  const phases: BadDayPhaseName[] = [];
  while ((phases.length + 1) * PHASE_MS < lengthMs) {
    phases.push('all-well', ...shuffled(BAD_PHASES, chance));
  }
  phases.length = Math.floor(lengthMs / PHASE_MS);
  const onPhase = (): void => {
    addConstantFaults(chance);
  };
  playBadDay({ okta, twilio }, { seed, phases, phaseMs: PHASE_MS, onPhase });
}

/** Faults in every phase: slow answers, so that callbacks come before them, and messages that fail later. */
function addConstantFaults(chance: () => number): void {
  const isNewMessage = ({ method, path }: RecordedRequest): boolean =>
    method === 'POST' && path.endsWith('/Messages.json');
  const isToWhatsApp = ({ form }: RecordedRequest): boolean => String(form?.['To']).startsWith('whatsapp:');
  // A rule that hits nothing sees every request.
  twilio.fault({
    fault: { kind: 'hang' },
    match: (request) => isNewMessage(request) && tellSending(codeIn(request)),
  });
  for (const delayMs of SLOW_ANSWERS_MS) {
    const fault = { kind: 'slow', delayMs } as const;
    twilio.fault({ fault, match: (request) => isNewMessage(request) && chance() < ALSO_SLOW });
  }
  twilio.failLater({ code: 63_016, match: (request) => isToWhatsApp(request) && chance() < ALSO_FAILS });
}

function tellSending(code: string): false {
  const sending: Sending = { sends: code };
  process.send?.(sending);
  return false;
}

process.on('message', (command: VendorCommand) => {
  if (command === 'begin') begin();
  else process.send?.(report());
});
const ready: VendorCredentials = {
  orgUrl: okta.orgUrl,
  apiToken: okta.apiToken,
  accountSid: twilio.accountSid,
  apiKeySid: twilio.apiKeySid,
  apiKeySecret: twilio.apiKeySecret,
  authToken: twilio.authToken,
  baseUrl: twilio.baseUrl,
  smsNumber: twilio.smsNumber,
  whatsAppFrom: WHATSAPP_FROM,
  pushing: pushing.account,
  vonage: vonage.account,
};
process.send?.(ready);
