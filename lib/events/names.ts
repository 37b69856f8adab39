import { isRequestType, type RequestType } from '../core/request-types.js';

/** The names that people read in place of identifiers. They run in Node and in browsers. */

const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['whatsapp', 'WhatsApp'],
  ['sms', 'SMS'],
  ['voice', 'Voice call'],
  ['line', 'LINE'],
]);

/** A custom channel keeps the name that its options give it. */
export function nameChannel(channel: string): string {
  return CHANNELS.get(channel) ?? channel;
}

export const REQUEST_TYPES: Readonly<Record<RequestType, string>> = {
  'mfa-verification': 'Sign-in',
  'pre-enrollment': 'Phone enrolment',
  'account-unlock': 'Account unlock',
  'password-reset': 'Password reset',
};

/** Okta sends the type with a prefix, and may add types. */
export function nameRequestType(requestType: string | undefined): string {
  if (requestType === undefined) return 'Unknown request type';
  const short = shortenRequestType(requestType);
  return isRequestType(short) ? REQUEST_TYPES[short] : short;
}

export function shortenRequestType(requestType: string): string {
  return requestType.replace(/^com\.okta\.user\.telephony\./, '');
}
