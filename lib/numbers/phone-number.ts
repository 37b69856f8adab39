import {
  isSupportedCountry,
  parsePhoneNumberFromString,
  validatePhoneNumberLength,
  type PhoneNumber,
} from 'libphonenumber-js/max';
import { LRUCache } from 'lru-cache';
import numberingData from 'libphonenumber-js/max/metadata';
import { atMost } from '../core/caches.js';
import { MAX_EXTRA_DIGITS, NumberingPlans } from './numbering-plans.js';

/** `+` and 7 to 15 digits without a leading 0 (ITU-T E.164; the shortest numbers in use have 7). */
export const E164 = /^\+[1-9]\d{6,14}$/;

/** Characters that people write between digits. */
const SEPARATORS = /[\s().\-/\u00a0\u2010-\u2015\u2212\u200e\u200f\u202a-\u202e]/g;

const plans = new NumberingPlans(numberingData);

/**
 * Normalises a number to E.164; `undefined` if it cannot be dialled. A number with `+` or the international
 * prefix `00` is not checked against the numbering plans, because the library's data lags behind them. Any
 * other number is read as a national number of `defaultCountry`.
 */
export function toDialableNumber(text: string, defaultCountry: string | undefined): string | undefined {
  // Fast path: Okta sends E.164.
  if (E164.test(text)) return text;
  const compact = compactNumber(text);
  if (compact.startsWith('+')) return E164.test(compact) ? compact : undefined;
  if (defaultCountry === undefined || !/^\d{3,15}$/.test(compact)) return undefined;
  return readNational(compact, defaultCountry);
}

/** Whether a number has `+` or `00`, so that a default country does not apply to it. */
export function isInternational(text: string): boolean {
  return compactNumber(text).startsWith('+');
}

/** Without separators, and with `+` in place of `00`. */
function compactNumber(text: string): string {
  return text.replace(SEPARATORS, '').replace(/^00/, '+');
}

function readNational(digits: string, country: string): string | undefined {
  if (!isSupportedCountry(country)) return undefined;
  const national = parsePhoneNumberFromString(digits, country)?.number;
  return national !== undefined && E164.test(national) ? national : undefined;
}

/**
 * The canonical form of a number, so that one phone counts as one recipient however its number is written. It
 * drops trunk prefixes after the calling code (`+44 07…`, `+1 1…`, `+7 8…`) and digits after a complete number,
 * and chooses one of the two spellings that WhatsApp and the networks use for mobile numbers of some countries:
 * Mexico without the 1 and Argentina without the 9 after the calling code, Brazil without the ninth digit except
 * in São Paulo, Rio de Janeiro and Espírito Santo. A Brazilian landline has no ninth digit to drop.
 */
export function recipientOf(phoneNumber: string): string {
  // A hook call needs the recipient of its number several times.
  if (lastRead.phoneNumber !== phoneNumber) lastRead = { phoneNumber, recipient: readRecipient(phoneNumber) };
  return lastRead.recipient;
}

let lastRead = { phoneNumber: '', recipient: '' };

function readRecipient(phoneNumber: string): string {
  const { phone } = readSpelling(phoneNumber);
  // Fast path: only numbers in zone 5 have two spellings.
  if (!phone.startsWith('+5')) return phone;
  return phone
    .replace(/^\+521(?=\d{10}$)/, '+52')
    .replace(/^\+549(?=\d{10}$)/, '+54')
    .replace(/^(\+55[3-9]\d)9(?=[6-9]\d{7}$)/, '$1');
}

/** Some people repeat the prefix: `+1 1 1 876…`. */
const MAX_TRUNK_PREFIXES = 4;

/** A number as it stands, or without trunk prefixes. */
interface Dialled {
  readonly number: string;
  /** Whether only trunk prefixes were dropped, even if no plan has the number. */
  readonly isCertain: boolean;
}

/** What a number stands for. */
interface Spelling {
  readonly phone: string;
  readonly dialled: readonly Dialled[];
}

/**
 * Drops as little as possible: a number that a plan has as it stands keeps its digits, because Italian landlines
 * and many other numbers begin with a zero. Extra digits come last. Networks ignore them, so that each of them
 * would be another spelling of one phone; but a number that costs more keeps them, for `isCostly`.
 */
function readSpelling(phoneNumber: string): Spelling {
  const asItStands: Dialled = { number: phoneNumber, isCertain: true };
  const dialled = [asItStands];
  // Fast path: nearly all numbers are in a plan.
  if (plans.has(phoneNumber)) return { phone: phoneNumber, dialled };
  let shorter: readonly Dialled[] = dialled;
  for (let dropped = 0; dropped < MAX_TRUNK_PREFIXES; dropped += 1) {
    shorter = shorter.flatMap(withoutTrunkPrefix);
    dialled.push(...shorter);
    const found = shorter.find(({ number }) => plans.has(number));
    if (found !== undefined) return { phone: found.number, dialled };
  }
  for (let extra = 1; extra <= MAX_EXTRA_DIGITS; extra += 1) {
    const found = dialled.find(({ number }) => plans.hasPhone(number.slice(0, -extra)));
    if (found !== undefined) return { phone: found.number.slice(0, -extra), dialled };
  }
  const { number } = dialled.findLast(({ isCertain }) => isCertain) ?? asItStands;
  return { phone: number, dialled };
}

/**
 * The number without a trunk prefix, in each way in which it can be read; none if it has no prefix. The library's parser
 * knows carrier codes, and where a prefix becomes another digit. It keeps a prefix if the rest has no length of the plan,
 * as behind `+7 88…`. Such digits may also belong to a number that no plan has yet, unless they are zeros.
 */
function withoutTrunkPrefix({ number, isCertain }: Dialled): readonly Dialled[] {
  const parsed = parsePhoneNumberFromString(number);
  if (parsed === undefined) return [];
  const isRead = parsed.number !== number;
  const isZero = number.startsWith(`+${parsed.countryCallingCode}0`);
  const rest = plans.withoutTrunkPrefix(number) ?? number;
  const shorter: Dialled[] = [];
  if (isRead) shorter.push({ number: parsed.number, isCertain });
  if (rest !== number && rest !== parsed.number) {
    shorter.push({ number: rest, isCertain: isCertain && isZero && !isRead });
  }
  return shorter.filter((next) => E164.test(next.number));
}

/** The digits behind the calling code of a number in E.164 form. All digits if no country has the calling code. */
export function nationalDigitsOf(phoneNumber: string): string {
  return plans.nationalOf(phoneNumber);
}

/** What the numbering plans say about a number. */
export interface NumberReading {
  /**
   * ISO 3166. A number outside every plan belongs to the country of its area code, else to the main country
   * of its calling code (`+44…` is GB); `undefined` if there is none.
   */
  readonly country: string | undefined;
  /** Whether the number has an expensive type, or would have one with up to four digits fewer or one more. */
  readonly isCostly: boolean;
}

/** Reads the country and the cost class of an E.164 number. */
export function readNumber(phoneNumber: string): NumberReading {
  const country = plans.countryOf(phoneNumber);
  if (country !== undefined) return { country, isCostly: false };
  const { phone, dialled } = readSpelling(phoneNumber);
  const parsed = parsePhoneNumberFromString(phone);
  return {
    country: parsed === undefined ? undefined : (parsed.country ?? countryByAreaCode(parsed)),
    isCostly:
      !TWILIO_TEST_NUMBER.test(phoneNumber) &&
      (COSTLY_CALLING_CODE.test(phoneNumber) ||
        COSTLY_TYPES.has(parsed?.getType()) ||
        // Also as it stands: a network may take the digits of a trunk prefix for the beginning of the number.
        dialled.some(({ number }) => plans.isCostly(number))),
  };
}

/**
 * Magic numbers of Twilio's test credentials. The plan has them as personal numbers, but they belong to no one.
 */
const TWILIO_TEST_NUMBER = /^\+1500555\d{4}$/;

const COSTLY_TYPES: ReadonlySet<ReturnType<PhoneNumber['getType']>> = new Set([
  'PREMIUM_RATE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'PAGER',
]);

/**
 * ITU-T E.164 calling codes of no country: international premium rate (979), shared cost (808), personal
 * numbers (878), satellite phones (870, 881) and international networks (882, 883).
 */
const COSTLY_CALLING_CODE = /^\+(?:979|808|87[08]|88[123])/;

/** The country of a number outside every plan whose calling code is shared. */
function countryByAreaCode({ countryCallingCode, nationalNumber }: PhoneNumber): string | undefined {
  const shared = SHARED_CALLING_CODES.get(countryCallingCode);
  if (shared === undefined) return undefined;
  const prefix = nationalNumber.slice(0, shared.areaCodes[0]);
  const key = `${countryCallingCode} ${prefix}`;
  let found = countriesByPrefix.get(key);
  if (found === undefined) {
    found = { country: findCountry(countryCallingCode, prefix, shared) };
    countriesByPrefix.set(key, found);
  }
  return found.country;
}

/** By calling code and the digits after it that decide. Finding a country takes up to 30 parses, a millisecond. */
const countriesByPrefix = new LRUCache<string, { readonly country: string | undefined }>(atMost(500));

/**
 * The longest beginning of the prefix for which numbers exist decides, down to the area code. Falls back to the main
 * country if no country has the prefix, or if the main country uses it too.
 */
function findCountry(callingCode: string, prefix: string, shared: SharedCallingCode): string | undefined {
  for (const length of shared.areaCodes) {
    const beginning = prefix.slice(0, length);
    const countries = new Set<string | undefined>(
      DIGITS.map((digit) => {
        const national = (beginning + digit).padEnd(shared.digits, FILLER);
        return parsePhoneNumberFromString(`+${callingCode}${national}`)?.country;
      }),
    );
    countries.delete(undefined);
    if (countries.has(shared.main)) return shared.main;
    if (countries.size > 0) return countries.size === 1 ? [...countries][0] : undefined;
  }
  return shared.main;
}

/** The number of a sender in E.164 form; `undefined` for a name or an id. Vonage's numbers may come without `+`. */
export function numberOfSender(sender: string): string | undefined {
  const number = sender.replace(/^\+?/, '+');
  return E164.test(number) ? number : undefined;
}

/**
 * What is wrong with an E.164 number: no country or service has its calling code, or numbers of this length. The library's
 * data may be older than a new length.
 */
export function numberProblemOf(phoneNumber: string): 'calling code' | 'length' | undefined {
  const found = validatePhoneNumberLength(phoneNumber);
  if (found === undefined) return undefined;
  return found === 'INVALID_COUNTRY' ? 'calling code' : 'length';
}

/** What is wrong with a number that cannot be dialled without a default country, without the number: `is too short`. */
export function dialingProblemOf(text: string): string {
  return formProblemOf(compactNumber(text));
}

/** What is wrong with a text that is no number in E.164 form, without the text: `is too short`. */
export function formProblemOf(text: string): string {
  if (/[^\d\s+().\-/]/.test(text)) return 'has letters or other characters that no number has';
  if (!text.startsWith('+')) return 'does not begin with + and the country code';
  if (/[^\d]/.test(text.slice(1))) return 'has spaces or other characters between its digits';
  if (text.startsWith('+0')) return 'has a 0 after the +, where the country code begins';
  return text.length > MAX_LENGTH ? `has more than ${MAX_LENGTH - 1} digits` : 'is too short';
}

/** Of a number in E.164 form, with its `+`. */
const MAX_LENGTH = 16;

/** The ISO 3166 codes with a numbering plan. */
export const COUNTRIES: readonly string[] = Object.keys(numberingData.countries);

/** Whether a text is an ISO 3166 code with a numbering plan. */
export function isCountry(text: string): boolean {
  return Object.hasOwn(numberingData.countries, text);
}

const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Placeholder digits for the subscriber's part of a number. */
const FILLER = '234567890';

interface SharedCallingCode {
  readonly main: string;
  /** The prefix lengths that tell the countries apart, longest first: +44 1481 and +44 7911 17 are Guernsey's. */
  readonly areaCodes: readonly [number, ...number[]];
  /** The length of a national number. */
  readonly digits: number;
}

/** Calling codes that several countries share; the library finds the country of every other code itself. */
const SHARED_CALLING_CODES: ReadonlyMap<string, SharedCallingCode> = new Map<string, SharedCallingCode>([
  ['1', { main: 'US', areaCodes: [3], digits: 10 }],
  ['44', { main: 'GB', areaCodes: [6, 5, 4], digits: 10 }],
  ['7', { main: 'RU', areaCodes: [3], digits: 10 }],
  ['39', { main: 'IT', areaCodes: [5], digits: 10 }],
  ['47', { main: 'NO', areaCodes: [2], digits: 8 }],
  ['61', { main: 'AU', areaCodes: [5], digits: 9 }],
  ['212', { main: 'MA', areaCodes: [4], digits: 9 }],
  ['358', { main: 'FI', areaCodes: [2], digits: 9 }],
  ['262', { main: 'RE', areaCodes: [3], digits: 9 }],
  ['590', { main: 'GP', areaCodes: [6], digits: 9 }],
  ['290', { main: 'SH', areaCodes: [1], digits: 5 }],
  ['599', { main: 'CW', areaCodes: [1], digits: 8 }],
]);
