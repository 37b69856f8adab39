import type { LimitedRule, RuleList } from '../server/faults.js';
import type { LoopbackServer } from '../server/loopback-server.js';
import type { Outbound } from '../server/outbound.js';
import type { TwilioEmulator } from './emulator.js';
import type { TwilioError } from './errors.js';
import type { TwilioPhones } from './phones.js';
import type { TwilioRecipients, TwilioSenders, WhatsAppSessions } from './senders.js';

/** What the parts of an emulated account share. */
export interface TwilioContext extends Pick<
  TwilioEmulator,
  | 'accountSid'
  | 'authToken'
  | 'apiKeySid'
  | 'apiKeySecret'
  | 'sandboxNumber'
  | 'joinCode'
  | 'sandboxContentSid'
  | 'smsNumber'
  | 'voiceNumber'
  | 'messagingServiceSid'
  | 'verifyServiceSid'
> {
  readonly clock: () => number;
  readonly server: LoopbackServer;
  /** Makes the webhook calls. */
  readonly outbound: Outbound;
  readonly senders: TwilioSenders;
  readonly recipients: TwilioRecipients;
  readonly sessions: WhatsAppSessions;
  readonly phones: TwilioPhones;
  readonly refusals: RuleList<RefusalRule>;
  readonly lateFailures: RuleList<LateFailureRule>;
}

/** A rule that refuses new messages, calls and verifications with a code of Twilio's. */
export interface RefusalRule extends TwilioError, LimitedRule {}

/** A rule that accepts new messages, calls and verifications, which then fail. */
export interface LateFailureRule extends LimitedRule {
  readonly code: number;
  /** Default: `undelivered` for SMS, `failed` for WhatsApp and calls. Verify reports nothing, the code just does not arrive. */
  readonly status?: 'failed' | 'undelivered' | undefined;
}

/** Every setting with a value, `undefined` for none. */
export type AllSettings<Settings> = {
  readonly [Key in keyof Settings]-?: Exclude<Settings[Key], undefined>;
};

/** The settings that are given: one that is `undefined` counts as left out. */
export function given<Settings extends object>(settings: Settings): Partial<AllSettings<Settings>> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<AllSettings<Settings>>;
}
