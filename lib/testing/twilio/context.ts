import type { EmulatedServer } from '../server/emulated-server.js';
import type { LimitedRule, RuleList } from '../server/faults.js';
import type { Phones } from '../server/phones.js';
import type { TwilioError } from './errors.js';
import type { TwilioRecipients, TwilioSenders, WhatsAppSessions } from './senders.js';

/** The keys of an account, and what it owns. */
export interface AccountIds {
  readonly accountSid: string;
  readonly apiKeySid: string;
  readonly apiKeySecret: string;
  /** Also signs the webhooks. */
  readonly authToken: string;
  /** The number of the shared WhatsApp sandbox, +14155238886. */
  readonly sandboxNumber: string;
  /** The words that a phone sends to join the sandbox, without the `join`. */
  readonly joinCode: string;
  /** The verification template of the sandbox. */
  readonly sandboxContentSid: string;
  /** A number of the account that sends SMS. */
  readonly smsNumber: string;
  /** A number of the account that calls. */
  readonly voiceNumber: string;
  /** A Messaging Service of the account, which sends by RCS if the phone supports it, else SMS from `smsNumber`. */
  readonly messagingServiceSid: string;
  /** A Verify service of the account; custom codes are allowed. */
  readonly verifyServiceSid: string;
}

/** What the parts of an emulated account share. */
export interface TwilioContext extends AccountIds {
  readonly clock: () => number;
  readonly server: EmulatedServer;
  readonly senders: TwilioSenders;
  readonly recipients: TwilioRecipients;
  readonly sessions: WhatsAppSessions;
  readonly phones: Phones;
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
