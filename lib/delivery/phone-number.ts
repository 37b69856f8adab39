import parsePhoneNumber, { getCountryCallingCode, isSupportedCountry } from 'libphonenumber-js/max';

/** `+` and 7 to 15 digits not led by 0 (ITU-T E.164; the shortest in use have 7). */
const E164 = /^\+[1-9]\d{6,14}$/;

/** What people write between the digits of a number. */
const SEPARATORS = /[\s().\-/\u00a0\u2010-\u2015\u2212\u200e\u200f\u202a-\u202e]/g;

/**
 * A number as it is dialled, or `undefined` if it cannot be. What comes with `+` (or the international `00`)
 * is not held against the numbering plans: the libraries' data lags behind them. What comes without is read as
 * a number of `defaultCountry`.
 */
export function toDialableNumber(text: string, defaultCountry: string | undefined): string | undefined {
  const compact = text.replace(SEPARATORS, '');
  const international = compact.startsWith('00') ? `+${compact.slice(2)}` : compact;
  if (international.startsWith('+')) return E164.test(international) ? international : undefined;
  if (defaultCountry === undefined || !isSupportedCountry(defaultCountry)) return undefined;
  if (!/^\d{3,15}$/.test(compact)) return undefined;
  const national = parsePhoneNumber(compact, defaultCountry)?.number;
  return national !== undefined && E164.test(national) ? national : undefined;
}

/**
 * The ISO 3166 country of a dialable number. A number that no numbering plan knows gets the main country of its
 * calling code (`+44…` is GB), or `undefined` where there is none.
 */
export function countryOf(phoneNumber: string): string | undefined {
  const parsed = parsePhoneNumber(phoneNumber);
  if (parsed === undefined) return undefined;
  return parsed.country ?? MAIN_COUNTRY_OF.get(parsed.countryCallingCode);
}

/** True for an ISO 3166 code that has a numbering plan. */
export function isCountry(text: string): boolean {
  return isSupportedCountry(text);
}

/** Calling codes shared by several countries; every other one is found by the library itself. */
const MAIN_COUNTRY_OF: ReadonlyMap<string, string> = new Map(
  (['US', 'GB', 'RU', 'IT', 'NO', 'AU', 'MA', 'FI', 'RE', 'GP', 'SH', 'CW'] as const).map((country) => [
    getCountryCallingCode(country),
    country,
  ]),
);
