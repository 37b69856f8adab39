import type { TelephonyRequest } from './channel.js';

/** What stands where something personal was. */
const MASK = '…';

/** Shorter names would mask half of an ordinary sentence. */
const SHORTEST_NAME = 3;

/**
 * Takes out of a text what belongs to one request: its code, number, login and names, and any run of digits
 * long enough to be a code or a number. For words that others wrote: a custom channel's reasons, errors of
 * functions that the user gave.
 */
export function maskText(text: string, request: TelephonyRequest | undefined): string {
  let masked = text.slice(0, 300);
  if (request !== undefined) {
    const { otpCode, phoneNumber, login, firstName, lastName } = request;
    for (const secret of [login, firstName, lastName, phoneNumber, otpCode]) {
      if (secret === undefined || secret.length < SHORTEST_NAME) continue;
      masked = masked.replaceAll(new RegExp(escapeRegExp(secret), 'giu'), MASK);
    }
  }
  return masked.replace(/\+?\d(?:[\s().-]?\d){3,}/g, MASK).replace(/[^\s@]+@[^\s@]+/g, MASK);
}

/** A number of which its last two digits are left, so that an administrator can tell two apart. */
export function maskNumber(phoneNumber: string): string {
  return phoneNumber === '' ? '' : `${MASK}${phoneNumber.slice(-2)}`;
}

/** A code of a provider or an id of Okta, fit for a log line and for `key=value` pairs. */
export function toToken(text: string, maxLength = 64): string {
  return text.replace(/[^\w.:-]/g, '_').slice(0, maxLength);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
