import { asList } from '../core/json.js';

/**
 * The metadata of libphonenumber-js. Its METADATA.md describes the layout: a plan is an array, and each index
 * has a meaning.
 */
export interface NumberingData {
  readonly version: unknown;
  /** The countries of each calling code, the main one first. */
  readonly country_calling_codes: Readonly<Record<string, readonly string[] | undefined>>;
  readonly countries: Readonly<Record<string, readonly unknown[] | undefined>>;
}

/** The version of the layout that this file reads, and the indices of a plan in it. */
const LAYOUT = 4;
const PATTERN = 2;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;
const NATIONAL_PREFIX_IN_NUMBERS = 7;
const LEADING_DIGITS = 10;
const NUMBER_TYPES = 11;
/** The first two number types are landline and mobile. */
const ORDINARY_TYPES = 2;
/** Indices of premium rate, personal numbers, pagers and shared cost among the number types. */
const COSTLY_TYPES: readonly number[] = [3, 4, 7, 9];
/** Indices of premium rate and shared cost: types whose calls and messages pay somebody a share. */
const PREMIUM_TYPES: readonly number[] = [3, 9];

/**
 * Networks may ignore extra digits after a complete number, so numbers with up to this many extra digits are
 * checked.
 */
export const MAX_EXTRA_DIGITS = 4;
const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

const MAX_CALLING_CODE_LENGTH = 3;

/** The compiled patterns of one country's plan. */
interface Plan {
  /** The trunk prefix. Countries that share a calling code use the main country's. */
  readonly nationalPrefix: RegExp | undefined;
  /** The digits of the trunk prefix, such as `0` or `8`. */
  readonly trunkDigits: string | undefined;
  /** Numbers with these leading digits belong to the country. */
  readonly leadingDigits: RegExp | undefined;
  readonly pattern: RegExp;
  readonly ordinary: readonly NumberType[];
  readonly costly: readonly NumberType[];
  readonly premium: readonly NumberType[];
  readonly others: readonly NumberType[];
}

/** The lengths and the pattern of one number type. */
interface NumberType {
  readonly lengths: readonly unknown[];
  readonly pattern: RegExp;
}

/**
 * Looks numbers up in the numbering plans. For ordinary numbers it gives the same result as the library's
 * parser, but the parser compiles the patterns of a plan for every number (33 µs). This class compiles them
 * once, with the first number that needs them. For other numbers the parser first drops a possible trunk
 * prefix; this class takes a number as it stands.
 */
export class NumberingPlans {
  /** The countries of each calling code, the main one first. */
  readonly #zones: NumberingData['country_calling_codes'];
  readonly #plans = new Map<string, Plan>();
  readonly #data: NumberingData;

  constructor(data: NumberingData) {
    this.#data = data;
    // With an unknown layout this class knows no plan, and the parser reads every number.
    this.#zones = data.version === LAYOUT ? data.country_calling_codes : {};
  }

  /**
   * The country of a landline or mobile number; `undefined` for any other number, and for a number that only
   * the parser can read.
   *
   * @param number - E.164.
   */
  countryOf(number: string): string | undefined {
    const { countries, national } = this.#split(number);
    // It may begin with a trunk prefix: only the parser can tell.
    if (this.#planOf(countries[0] ?? '').nationalPrefix?.test(national) === true) return undefined;
    for (const country of countries) {
      const plan = this.#planOf(country);
      // The first country whose plan has the number owns it, whatever its type there.
      if (countries.length === 1 || isOfCountry(national, plan)) {
        return isOneOf(plan.ordinary, national, plan) ? country : undefined;
      }
    }
    return undefined;
  }

  /** Whether any plan has the number as it stands, of any type. */
  has(number: string): boolean {
    const { countries, national } = this.#split(number);
    return countries.some((country) => isKnown(national, this.#planOf(country)));
  }

  /** Whether any plan has the number as it stands, of a type that the guard does not block. */
  hasPhone(number: string): boolean {
    const { countries, national } = this.#split(number);
    return countries.some((country) => {
      const plan = this.#planOf(country);
      return [plan.ordinary, plan.others].some((types) => isOneOf(types, national, plan));
    });
  }

  /**
   * The number without the trunk prefix behind its calling code, or without a zero there, which people write in any
   * country; `undefined` if it has neither.
   */
  withoutTrunkPrefix(number: string): string | undefined {
    const { countries, national } = this.#split(number);
    const prefixes = [...countries.map((country) => this.#planOf(country).trunkDigits), '0'];
    const prefix = prefixes.find((digits) => digits !== undefined && national.startsWith(digits));
    if (prefix === undefined) return undefined;
    return number.slice(0, number.length - national.length) + national.slice(prefix.length);
  }

  /** The digits behind the calling code. All digits if no country has the calling code. */
  nationalOf(number: string): string {
    const { countries, national } = this.#split(number);
    return countries.length === 0 ? number.slice(1) : national;
  }

  /**
   * Whether the number as it stands has a blocked type, or would have one with up to four digits fewer, or would be premium rate
   * or shared cost with one more. A number that a plan has as it stands is only judged by its own type.
   */
  isCostly(number: string): boolean {
    const { countries, national } = this.#split(number);
    const plans = countries.map((country) => this.#planOf(country));
    const hasType = (type: 'costly' | 'premium', digits: string): boolean =>
      plans.some((plan) => isOneOf(plan[type], digits, plan)) &&
      !plans.some((plan) => isOneOf(plan.ordinary, digits, plan));
    if (plans.some((plan) => isKnown(national, plan))) return hasType('costly', national);
    const hasOrdinaryLength = ({ length }: string): boolean =>
      plans.some(({ ordinary }) => ordinary.some(({ lengths }) => lengths.includes(length)));
    // If a number has extra digits, the parser does not recognise a leading zero as the trunk prefix.
    const candidates = new Set([national, national.replace(/^0+/, '')]);
    return [...candidates].some((digits) => {
      const shortened = Array.from({ length: MAX_EXTRA_DIGITS }, (_, index) => digits.slice(0, -1 - index));
      // Digits of an ordinary length may be a new phone: pagers of Qatar have seven digits, its phones eight.
      const isTooLong = !hasOrdinaryLength(digits);
      return (
        [...shortened, ...DIGITS.map((digit) => digits + digit)].some((near) => hasType('premium', near)) ||
        shortened.some((near) => hasType('costly', near) && (isTooLong || hasOrdinaryLength(near)))
      );
    });
  }

  /** The national number and the countries that it may belong to. */
  #split(number: string): { readonly countries: readonly string[]; readonly national: string } {
    // No calling code is a prefix of another one.
    for (let length = 1; length <= MAX_CALLING_CODE_LENGTH; length += 1) {
      const countries = this.#zones[number.slice(1, 1 + length)];
      if (countries !== undefined) return { countries, national: number.slice(1 + length) };
    }
    return { countries: [], national: '' };
  }

  #planOf(country: string): Plan {
    const known = this.#plans.get(country);
    if (known !== undefined) return known;
    const plan = readPlan(this.#data.countries[country] ?? []);
    this.#plans.set(country, plan);
    return plan;
  }
}

function isOfCountry(national: string, plan: Plan): boolean {
  if (plan.leadingDigits !== undefined) return plan.leadingDigits.test(national);
  return isKnown(national, plan);
}

function isKnown(national: string, plan: Plan): boolean {
  const { ordinary, costly, others } = plan;
  return [ordinary, costly, others].some((types) => isOneOf(types, national, plan));
}

function isOneOf(types: readonly NumberType[], national: string, plan: Plan): boolean {
  if (!plan.pattern.test(national)) return false;
  for (const { lengths, pattern } of types) {
    if (lengths.includes(national.length) && pattern.test(national)) return true;
  }
  return false;
}

function readPlan(plan: readonly unknown[]): Plan {
  const types = asList(plan[NUMBER_TYPES]).map((type) => readType(asList(type), plan[LENGTHS]));
  return {
    nationalPrefix: prefixPattern(plan[NATIONAL_PREFIX_IN_NUMBERS]) ?? prefixPattern(plan[NATIONAL_PREFIX]),
    trunkDigits: digitsIn(plan[NATIONAL_PREFIX]),
    leadingDigits: prefixPattern(plan[LEADING_DIGITS]),
    pattern: fullPattern(plan[PATTERN]),
    ordinary: types.slice(0, ORDINARY_TYPES),
    costly: COSTLY_TYPES.flatMap((index) => types[index] ?? []),
    premium: PREMIUM_TYPES.flatMap((index) => types[index] ?? []),
    others: types.filter((_, index) => index >= ORDINARY_TYPES && !COSTLY_TYPES.includes(index)),
  };
}

/** A type that the country does not have never matches. */
function readType([pattern, lengths]: readonly unknown[], defaultLengths: unknown): NumberType {
  return { pattern: fullPattern(pattern), lengths: asList(lengths ?? defaultLengths) };
}

/** The metadata has 0 or nothing in the index of a missing prefix or pattern. */
function digitsIn(prefix: unknown): string | undefined {
  return typeof prefix === 'string' && prefix !== '' ? prefix : undefined;
}

function prefixPattern(pattern: unknown): RegExp | undefined {
  return typeof pattern === 'string' && pattern !== '' ? new RegExp(`^(?:${pattern})`) : undefined;
}

function fullPattern(pattern: unknown): RegExp {
  return typeof pattern === 'string' && pattern !== '' ? new RegExp(`^(?:${pattern})$`) : MATCHES_NOTHING;
}

const MATCHES_NOTHING = /(?!)/;
