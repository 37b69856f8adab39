import type { TelephonyRequest, UserProfile } from '../core/channel.js';
import { preparePersonalData, toAscii, type PersonalData, type PersonalNumber } from '../core/masking.js';
import { nationalDigitsOf, recipientOf, toDialableNumber } from './phone-number.js';

/** What a call or a message has of a person. The number may be in any spelling. */
export type PersonalFields = Pick<TelephonyRequest, 'otpCode' | 'phoneNumber'> &
  Partial<Pick<TelephonyRequest, 'login' | 'firstName' | 'lastName'>>;

/** The attributes of Okta's base profile that name a user, or reach the user. */
const NAMES = ['firstName', 'middleName', 'lastName', 'nickName', 'displayName'] as const;
const LOGINS = ['login', 'email', 'secondEmail'] as const;
const NUMBERS = ['mobilePhone', 'primaryPhone'] as const;

/**
 * What must not be shown of a call: what its request has, and what only the profile has.
 *
 * @param profile - as far as it was read.
 * @param other - another number of the call, in any spelling, such as the one that a message went to.
 */
export function personalDataOf(
  { otpCode, phoneNumber, login, firstName, lastName }: PersonalFields,
  profile?: UserProfile,
  other = '',
): PersonalData {
  const spelled: string[] = [];
  const logins: string[] = [];
  const names: string[] = [];
  add(spelled, phoneNumber);
  add(spelled, other);
  add(logins, login);
  add(names, firstName);
  add(names, lastName);
  if (profile !== undefined) {
    for (const attribute of NAMES) add(names, profile[attribute]);
    for (const attribute of LOGINS) add(logins, profile[attribute]);
    for (const attribute of NUMBERS) add(spelled, profile[attribute]);
  }
  const numbers: PersonalNumber[] = [];
  for (const text of spelled) {
    const dialled = toDialableNumber(text, undefined);
    if (dialled === undefined) {
      addNumbersIn(text, numbers);
      // A text in place of a number may be anything.
      if (!namesKindOfNumber(text)) add(logins, text);
    } else addNumber(dialled, numbers);
  }
  return preparePersonalData({ code: otpCode, numbers, logins, names });
}

/** Adds a text that is not there yet. An attribute may have any value. */
function add(texts: string[], value: unknown): void {
  if (typeof value === 'string' && value !== '' && !texts.includes(value)) texts.push(value);
}

/** The attributes of a profile that `personalDataOf` reads. */
export function namesIn(profile: UserProfile | undefined): UserProfile | undefined {
  if (profile === undefined) return undefined;
  const attributes = [...NAMES, ...LOGINS, ...NUMBERS].filter((attribute) => attribute in profile);
  return Object.fromEntries(attributes.map((attribute) => [attribute, profile[attribute]]));
}

/**
 * The digits of a number that must not be shown. Only the last seven identify it: people leave out the country and the area,
 * and write a trunk prefix there; providers leave out or add a digit there (`recipientOf`). Where the whole national number
 * is shorter, it counts as a whole. A random id of 32 hexadecimal digits has seven given digits in it once in ten million, and one
 * of twenty decimal digits once in 700,000, so that other ids are hardly ever masked for a number.
 */
const LOCAL_DIGITS = 7;
/** Fewer digits are in many ids by chance. */
const MIN_DIGITS = 4;

/** @param number - E.164. */
function addNumber(number: string, numbers: PersonalNumber[]): void {
  const spelled = splitDigits(number.slice(1), nationalDigitsOf(number));
  numbers.push(spelled);
  const recipient = recipientOf(number);
  // Without extra digits.
  if (!recipient.endsWith(spelled.local)) {
    numbers.push(splitDigits(recipient.slice(1), nationalDigitsOf(recipient)));
  }
  // In Argentina people write a 15 between the area and the rest, which has six digits at least.
  if (number.startsWith('+54')) numbers.push({ lead: '', local: `15${recipient.slice(-6)}` });
}

/** What stands between two numbers, or before an extension: any characters that people do not write between digits. */
const BETWEEN_NUMBERS = /[^\d\s+()./\u2010-\u2015\u2212-]+|(?=\+)/;
/** What else stands between two numbers if there are too many digits for one. */
const BETWEEN_LONG_NUMBERS = /\/|\s(?=\(?0)/;
/** ITU-T E.164. */
const MAX_NUMBER_DIGITS = 15;

/**
 * Adds each number of a text. An extension is no number, unless it is all there is.
 *
 * @param text - cannot be dialled as it stands, such as a national number, two numbers, or a number with an extension.
 */
function addNumbersIn(text: string, numbers: PersonalNumber[]): void {
  const ascii = toAscii(text);
  const known = numbers.length;
  for (const part of ascii.split(BETWEEN_NUMBERS)) {
    const isLong = digitsOf(part).length > MAX_NUMBER_DIGITS;
    for (const spelled of isLong ? part.split(BETWEEN_LONG_NUMBERS) : [part]) {
      const dialled = toDialableNumber(spelled, undefined);
      if (dialled === undefined) addDigits(spelled, LOCAL_DIGITS, numbers);
      else addNumber(dialled, numbers);
    }
  }
  if (numbers.length === known) addDigits(ascii, MIN_DIGITS, numbers);
}

function addDigits(text: string, atLeast: number, numbers: PersonalNumber[]): void {
  // Zeros in front may be a prefix.
  const digits = digitsOf(text).replace(/^0+/, '');
  if (digits.length >= atLeast) numbers.push(splitDigits(digits, digits));
}

const digitsOf = (text: string): string => text.replace(/\D+/g, '');

/** Whether the words of a text only name a kind of number. They stand in our sentences, too. */
function namesKindOfNumber(text: string): boolean {
  const words = text.toLowerCase().match(/\p{L}[\p{L}\p{M}]*/gu) ?? [];
  return words.length > 0 && words.every((word) => KINDS_OF_NUMBER.has(word));
}

const KINDS_OF_NUMBER: ReadonlySet<string> = new Set(
  'phone telephone tel mobile cell home work office fax voice call sms text whatsapp number ext extension x none n a'.split(
    ' ',
  ),
);

function splitDigits(digits: string, national: string): PersonalNumber {
  const length = Math.min(LOCAL_DIGITS, national.length);
  return { lead: digits.slice(0, -length), local: digits.slice(-length) };
}
