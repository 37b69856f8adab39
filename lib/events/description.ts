import {
  isRequestType,
  REQUEST_TYPE_PREFIX,
  shortRequestType,
  type RequestType,
} from '../core/request-types.js';

/** What the sentences about events are made of: the tone, the names of channels and request types. Node and browsers load this file. */

/** How good or bad the news is. The console shows it by colour and icon; the log takes its level from it. */
export type Tone = 'plain' | 'good' | 'warn' | 'bad';

/** What the console shows below a sentence. */
interface Details {
  /** A provider's code, or one of ours, as docs/reference/codes.md lists them. */
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remedy?: string | undefined;
  readonly durationMs?: number | undefined;
  /** The provider's id of the message. */
  readonly transactionId?: string | undefined;
  /** The provider's id of the request. */
  readonly providerRequestId?: string | undefined;
}

export interface EventDescription extends Details {
  readonly text: string;
  readonly tone: Tone;
}

/** @param details - may be the event itself: its other fields are left out. */
export function describe(tone: Tone, text: string, details: Details = {}): EventDescription {
  const { code, reason, remedy, durationMs, transactionId, providerRequestId } = details;
  return { tone, text, code, reason, remedy, durationMs, transactionId, providerRequestId };
}

/** A sentence without good or bad news. */
export const plain = (text: string, details?: Details): EventDescription => describe('plain', text, details);
export const good = (text: string, details?: Details): EventDescription => describe('good', text, details);
export const warn = (text: string, details?: Details): EventDescription => describe('warn', text, details);
export const bad = (text: string, details?: Details): EventDescription => describe('bad', text, details);

/** Within a sentence: `by SMS`, `by voice call`. */
export function by(channel: string): string {
  return `by ${channel === 'voice' ? 'voice call' : nameChannel(channel)}`;
}

const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['whatsapp', 'WhatsApp'],
  ['sms', 'SMS'],
  ['rcs', 'RCS'],
  ['voice', 'Voice call'],
  ['line', 'LINE'],
]);

/** A custom channel keeps the name that its options give it. */
export function nameChannel(channel: string): string {
  return CHANNELS.get(channel) ?? channel;
}

export const REQUEST_TYPES: Readonly<Record<RequestType, string>> = {
  'mfa-verification': 'Sign-in',
  'pre-enrollment': 'Phone enrollment',
  'account-unlock': 'Account unlock',
  'password-reset': 'Password reset',
};

/** Okta sends the type with a prefix, and may add types. */
export function nameRequestType(requestType: string | undefined): string {
  if (requestType === undefined) return 'Unknown request type';
  const short = shortRequestType(requestType);
  // Another type as Okta sends it, without the prefix.
  return isRequestType(short) ? REQUEST_TYPES[short] : requestType.replace(REQUEST_TYPE_PREFIX, '');
}

/** The remedy for a message that may have gone out. */
export function remedyOfUnknown(channel: string | undefined, provider: string | undefined): string {
  const what = channel === 'voice' ? 'call' : 'message';
  return `Look for the ${what} in the log of ${provider ?? 'the provider'}, if it has one: that shows whether it went out.`;
}
