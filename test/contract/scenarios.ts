import { twilioVerify, type OktaTelephonyHookOptions } from '../../lib/index.js';
import type { HookCallOptions } from '../../lib/testing/index.js';
import { HOOK_PATH } from './amendments.js';
import { AMERICAN, sid } from './subjects.js';

/** One kind of request that the middleware makes. */
export interface Scenario {
  readonly does: string;
  readonly options?: Partial<OktaTelephonyHookOptions>;
  /** The gateway's credential for Okta. Default: an API token. */
  readonly okta?: 'Bearer' | 'DPoP';
  /** Okta's call of the hook, or another action. Default: an SMS to a user by id. */
  readonly call?: Partial<HookCallOptions> | 'ready';
  /** Whether Okta's event hook then reports that the code was used. */
  readonly isUsed?: boolean;
  /** Whether the message must go to a WhatsApp address. Default: it must not. */
  readonly isWhatsApp?: boolean;
  /** The expected operations, each with required fields of its form. */
  readonly makes: Readonly<Record<string, readonly string[]>>;
}

const PUBLIC_URL = `https://id.example.com${HOOK_PATH}`;
const TEMPLATE = sid('HX');
const TEXT = ['To', 'From', 'Body', 'ValidityPeriod', 'ProvideFeedback'];
const VERIFY = twilioVerify({ serviceSid: sid('VA'), riskCheck: 'enable' });
const CALL = ['To', 'From', 'Twiml', 'Timeout'];

export const SCENARIOS: readonly Scenario[] = [
  { does: 'WhatsApp by the sandbox, as text', isWhatsApp: true, makes: { getUser: [], CreateMessage: TEXT } },
  {
    does: "WhatsApp by the sandbox, as the sandbox's template",
    isWhatsApp: true,
    options: { sandboxNumber: { number: AMERICAN, contentSid: TEMPLATE } },
    makes: { getUser: [], CreateMessage: ['To', 'From', 'ContentSid', 'ContentVariables'] },
  },
  {
    does: 'WhatsApp by an approved sender',
    isWhatsApp: true,
    options: {
      sandboxNumber: undefined,
      senders: { whatsapp: { from: AMERICAN, templates: { default: TEMPLATE } } },
    },
    makes: { getUser: [], CreateMessage: ['To', 'From', 'ContentSid', 'ContentVariables'] },
  },
  {
    does: 'WhatsApp by an approved sender, reported to publicUrl',
    isWhatsApp: true,
    options: {
      sandboxNumber: undefined,
      senders: { whatsapp: { from: AMERICAN, templates: { default: TEMPLATE } } },
      publicUrl: PUBLIC_URL,
    },
    makes: { CreateMessage: ['To', 'From', 'ContentSid', 'ContentVariables', 'StatusCallback'] },
  },
  {
    does: 'SMS from a number, to a user by login',
    options: { optInChannels: [] },
    call: { change: withoutUserId },
    makes: { getUser: [], CreateMessage: TEXT },
  },
  {
    does: 'SMS from a number, reported to publicUrl',
    options: { optInChannels: [], publicUrl: PUBLIC_URL },
    makes: { CreateMessage: [...TEXT, 'StatusCallback'] },
  },
  {
    does: 'SMS from a Messaging Service',
    options: { optInChannels: [], senders: { sms: sid('MG') } },
    makes: { CreateMessage: ['To', 'MessagingServiceSid', 'Body'] },
  },
  {
    does: 'SMS by RCS with another sender, which Twilio neither keeps nor shows',
    options: {
      optInChannels: [],
      senders: { sms: { service: sid('MG'), fallbackFrom: AMERICAN } },
      twilio: { contentRetention: 'discard', addressRetention: 'obfuscate' },
    },
    makes: {
      CreateMessage: [
        ...['To', 'MessagingServiceSid', 'FallbackFrom', 'Body', 'SmartEncoded'],
        ...['ContentRetention', 'AddressRetention'],
      ],
    },
  },
  {
    does: 'SMS from an alphanumeric sender',
    options: { optInChannels: [], senders: { sms: { default: AMERICAN, GB: 'ACME' } } },
    makes: { CreateMessage: TEXT },
  },
  { does: 'a call', call: { deliveryChannel: 'voice call' }, makes: { getUser: [], CreateCall: CALL } },
  {
    does: 'a call, reported to publicUrl',
    options: { publicUrl: PUBLIC_URL },
    call: { deliveryChannel: 'voice call' },
    makes: { CreateCall: [...CALL, 'StatusCallback', 'StatusCallbackEvent'] },
  },
  {
    does: 'feedback on a text whose code was used',
    options: { optInChannels: [] },
    isUsed: true,
    makes: { CreateMessage: TEXT, CreateMessageFeedback: ['Outcome'] },
  },
  {
    does: 'the approval of a code of Verify that was used',
    options: { optInChannels: [], channels: { sms: VERIFY } },
    isUsed: true,
    makes: { CreateVerification: ['To'], UpdateVerification: ['Status'] },
  },
  {
    does: 'a text by Verify',
    options: { optInChannels: [], channels: { sms: VERIFY } },
    makes: { CreateVerification: ['To', 'Channel', 'CustomCode', 'Locale', 'RiskCheck', 'DeviceIp'] },
  },
  {
    does: 'WhatsApp by Verify',
    options: { sandboxNumber: undefined, channels: { whatsapp: VERIFY } },
    makes: { CreateVerification: ['To', 'Channel', 'CustomCode'] },
  },
  {
    does: 'a call by Verify',
    options: { channels: { voice: VERIFY } },
    call: { deliveryChannel: 'voice call' },
    makes: { CreateVerification: ['To', 'Channel', 'CustomCode'] },
  },
  {
    does: 'a user, read by a service app',
    okta: 'Bearer',
    isWhatsApp: true,
    makes: { getUser: [], CreateMessage: TEXT },
  },
  {
    does: 'a user, read with DPoP',
    okta: 'DPoP',
    isWhatsApp: true,
    makes: { getUser: [], CreateMessage: TEXT },
  },
  { does: 'ready()', call: 'ready', makes: { getUser: [], FetchMessage: [] } },
  { does: 'ready() of a service app', okta: 'DPoP', call: 'ready', makes: { getUser: [], FetchMessage: [] } },
];

/** Okta's documents require no fields. */
function withoutUserId(payload: Record<string, unknown>): unknown {
  return JSON.parse(
    JSON.stringify(payload, (name, value: unknown) => (name === 'userId' ? undefined : value)),
  );
}
