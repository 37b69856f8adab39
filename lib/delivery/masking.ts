import type { TelephonyRequest } from './channel.js';

/** What stands where something personal was. */
const MASK = '…';

/** Shorter names would mask half of an ordinary sentence. */
const SHORTEST_NAME = 3;

/** So much of a text is looked at, and so much of it is told. */
const READ_LENGTH = 2000;
const TOLD_LENGTH = 300;

/**
 * Takes out of a text what belongs to one request: its code, number, login and names, and any run of digits
 * long enough to be a code or a number. For words that others wrote: a custom channel's reasons, errors of
 * functions that the user gave.
 */
export function maskText(text: string, request: TelephonyRequest | undefined): string {
  // Where a text is cut, half a secret would be left, which nothing would know: the last word goes with it.
  let masked = text.length > READ_LENGTH ? text.slice(0, READ_LENGTH).replace(/\S+$/, '') : text;
  for (const secret of request === undefined ? [] : secretsOf(request)) {
    masked = masked.replaceAll(secret, MASK);
  }
  masked = masked.replace(/\+?\d(?:[\s().-]?\d){3,}/g, MASK).replace(/[^\s@]+@[^\s@]+/g, MASK);
  return masked.slice(0, TOLD_LENGTH);
}

/**
 * Whether a code or an id that others made holds something personal of a request: an e-mail address, the number,
 * a name, or the one-time code as a word of its own (a random id may hold any six digits by chance).
 */
export function isAbout(text: string, request: TelephonyRequest): boolean {
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const compact = text.toLowerCase().replace(/[\s_.,:-]/g, '');
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  const names = [firstName, lastName].flatMap((name) => name?.toLowerCase().split(/\s+/) ?? []);
  return (
    text.includes('@') ||
    (phoneNumber !== '' && compact.includes(phoneNumber.slice(1))) ||
    (login !== undefined && text.toLowerCase().includes(login.toLowerCase())) ||
    words.includes(otpCode.toLowerCase()) ||
    compact === otpCode.toLowerCase() ||
    names.some((name) => name.length >= SHORTEST_NAME && words.includes(name))
  );
}

/** What must not be told of a request, the longest first, so that no part of one is left behind. */
function secretsOf(request: TelephonyRequest): readonly RegExp[] {
  const { otpCode, phoneNumber, login, firstName, lastName } = request;
  const names = [login, login?.split('@')[0], firstName, lastName].filter((name) => name !== undefined);
  const words = names.flatMap((name) => [name, ...name.split(/\s+/)]);
  return [
    ...[...new Set(words)]
      .filter((word) => word.length >= SHORTEST_NAME)
      .sort((a, b) => b.length - a.length)
      .map((word) => new RegExp(escapeRegExp(word), 'giu')),
    // Spoken, or set apart for reading: `2, 0, 4`.
    ...[phoneNumber.replace('+', ''), otpCode]
      .filter((digits) => digits.length >= SHORTEST_NAME)
      .map(
        (digits) =>
          new RegExp(
            `\\+?${Array.from(digits, (digit) => escapeRegExp(digit)).join('[^\\p{L}\\p{N}]{0,3}')}`,
            'giu',
          ),
      ),
  ];
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
