import { isSupportedCountry, parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max';
import numberingData from 'libphonenumber-js/max/metadata';
import { NumberingPlans } from './numbering-plans.js';

/** `+` and 7 to 15 digits not led by 0 (ITU-T E.164; the shortest in use have 7). */
const E164 = /^\+[1-9]\d{6,14}$/;

/** What people write between the digits of a number. */
const SEPARATORS = /[\s().\-/\u00a0\u2010-\u2015\u2212\u200e\u200f\u202a-\u202e]/g;

const plans = new NumberingPlans(numberingData);

/**
 * A number as it is dialled, or `undefined` if it cannot be. What comes with `+` (or the international `00`)
 * is not held against the numbering plans: the libraries' data lags behind them. What comes without is read as
 * a number of `defaultCountry`.
 */
export function toDialableNumber(text: string, defaultCountry: string | undefined): string | undefined {
  // As Okta writes it.
  if (E164.test(text)) return text;
  const compact = text.replace(SEPARATORS, '');
  const international = compact.startsWith('00') ? `+${compact.slice(2)}` : compact;
  if (international.startsWith('+')) return E164.test(international) ? international : undefined;
  if (defaultCountry === undefined || !/^\d{3,15}$/.test(compact)) return undefined;
  return readNational(compact, defaultCountry);
}

function readNational(digits: string, country: string): string | undefined {
  if (!isSupportedCountry(country)) return undefined;
  const national = parsePhoneNumberFromString(digits, country)?.number;
  return national !== undefined && E164.test(national) ? national : undefined;
}

/**
 * One phone has one recipient, however its number is written: without trunk prefixes behind the calling code (`+44 07…`, `+1 1…`,
 * `+7 8…`), and in one of the spellings that WhatsApp and the networks have for some countries' mobile numbers: Mexico's with a
 * 1 and Argentina's with a 9 behind the calling code, Brazil's without their ninth digit, but for those of São Paulo, Rio de Janeiro
 * and Espírito Santo. A landline has no nine that could be left out.
 */
export function recipientOf(phoneNumber: string): string {
  // A call asks for that of its number several times.
  if (latest.phoneNumber !== phoneNumber) latest = { phoneNumber, recipient: readRecipient(phoneNumber) };
  return latest.recipient;
}

let latest = { phoneNumber: '', recipient: '' };

function readRecipient(phoneNumber: string): string {
  const dialled = withoutTrunkPrefix(phoneNumber);
  // Most are of none of these countries.
  if (!dialled.startsWith('+5')) return dialled;
  return dialled
    .replace(/^\+521(?=\d{10}$)/, '+52')
    .replace(/^\+549(?=\d{10}$)/, '+54')
    .replace(/^(\+55[3-9]\d)9(?=[6-9]\d{7}$)/, '$1');
}

/** Some write several, as `+1 1 1 876…`. */
const MOST_TRUNK_PREFIXES = 4;

/** A number that a plan has as it stands keeps its digits: Italian landlines and many others begin with a zero. */
function withoutTrunkPrefix(number: string): string {
  let dialled = number;
  for (let dropped = 0; dropped < MOST_TRUNK_PREFIXES && !plans.has(dialled); dropped += 1) {
    const parsed = parsePhoneNumberFromString(dialled);
    if (parsed === undefined) return dialled;
    const callingCode = `+${parsed.countryCallingCode}`;
    const hasMoreZeros = parsed.number === dialled && dialled.startsWith(`${callingCode}0`);
    const next = hasMoreZeros ? callingCode + dialled.slice(callingCode.length + 1) : parsed.number;
    if (next === dialled || !E164.test(next)) return dialled;
    dialled = next;
  }
  return dialled;
}

/** What the numbering plans say of a dialable number. */
export interface NumberReading {
  /**
   * ISO 3166. A number that no plan knows is of the country that has its area code, else of the main country of its
   * calling code (`+44…` is GB); `undefined` where there is none.
   */
  readonly country: string | undefined;
  /** A number of a kind that costs more than others, or one with a few digits too many or one too few. */
  readonly isCostly: boolean;
}

/** What a number is. */
export function readNumber(phoneNumber: string): NumberReading {
  const country = plans.countryOf(phoneNumber);
  if (country !== undefined) return { country, isCostly: false };
  const dialled = withoutTrunkPrefix(phoneNumber);
  const parsed = parsePhoneNumberFromString(dialled);
  return {
    country: parsed === undefined ? undefined : (parsed.country ?? countryByAreaCode(parsed)),
    isCostly:
      !TWILIO_TEST_NUMBER.test(phoneNumber) &&
      (COSTLY_CALLING_CODE.test(phoneNumber) ||
        COSTLY_TYPES.has(parsed?.getType()) ||
        // As it stands, too: a network may take for the number what the plan takes for a trunk prefix.
        plans.isCostly(phoneNumber) ||
        plans.isCostly(dialled)),
  };
}

/** Among the personal numbers of the United States, and nobody's: Twilio's test credentials know what each is to answer. */
const TWILIO_TEST_NUMBER = /^\+1500555\d{4}$/;

const COSTLY_TYPES: ReadonlySet<ReturnType<PhoneNumber['getType']>> = new Set([
  'PREMIUM_RATE',
  'SHARED_COST',
  'PERSONAL_NUMBER',
  'PAGER',
]);

/**
 * ITU-T E.164 codes of no country, whatever the length: international premium rate (979) and shared cost (808), personal numbers (878), satellite
 * phones (870, 881) and international networks (882, 883).
 */
const COSTLY_CALLING_CODE = /^\+(?:979|808|87[08]|88[123])/;

/**
 * Of a number of a shared calling code that no plan knows: the longest beginning with which there are numbers decides,
 * down to the area code. Where it is nobody's, or the main country has a part in it, that country.
 */
function countryByAreaCode({ countryCallingCode, nationalNumber }: PhoneNumber): string | undefined {
  const shared = SHARED_CALLING_CODES.get(countryCallingCode);
  if (shared === undefined) return undefined;
  for (const length of shared.areaCodes) {
    const beginning = nationalNumber.slice(0, length);
    const countries = new Set<string | undefined>(
      DIGITS.map((digit) => {
        const national = (beginning + digit).padEnd(shared.digits, FILLER);
        return parsePhoneNumberFromString(`+${countryCallingCode}${national}`)?.country;
      }),
    );
    countries.delete(undefined);
    if (countries.has(shared.main)) return shared.main;
    if (countries.size > 0) return countries.size === 1 ? [...countries][0] : undefined;
  }
  return shared.main;
}

/** True for an ISO 3166 code that has a numbering plan. */
export function isCountry(text: string): boolean {
  return COUNTRIES.has(text);
}

const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

/** Digits that stand in for those of a subscriber. */
const FILLER = '234567890';

/**
 * Calling codes shared by several countries; every other one is found by the library itself. With the lengths of the
 * area codes that tell the countries apart (+44 1481 and +44 7911 17 are Guernsey's), and of a whole national number.
 */
const SHARED_CALLING_CODES: ReadonlyMap<
  string,
  { readonly main: string; readonly areaCodes: readonly number[]; readonly digits: number }
> = new Map([
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

/** Those with a numbering plan: written down, since options are checked before the plans are loaded. */
const COUNTRIES: ReadonlySet<string> = new Set(
  (
    'AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ ' +
    'BR BS BT BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO ' +
    'DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU ' +
    'GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW ' +
    'KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT ' +
    'MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PR PS PT ' +
    'PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA ' +
    'TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK ' +
    'YE YT ZA ZM ZW'
  ).split(' '),
);
