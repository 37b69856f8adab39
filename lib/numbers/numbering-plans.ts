/**
 * The numbering plans as libphonenumber-js gives them out. Its METADATA.md describes the layout: a plan is a list, and each
 * place in it has a meaning.
 */
export interface NumberingData {
  readonly version: unknown;
  /** The countries of a calling code, the main one first. */
  readonly country_calling_codes: Readonly<Record<string, readonly string[] | undefined>>;
  readonly countries: Readonly<Record<string, readonly unknown[] | undefined>>;
}

/** The layout that is known here, and its places. */
const LAYOUT = 4;
const PATTERN = 2;
const LENGTHS = 3;
const NATIONAL_PREFIX = 5;
const NATIONAL_PREFIX_IN_NUMBERS = 7;
const LEADING_DIGITS = 10;
const KINDS = 11;
/** Of the kinds of numbers landlines and mobile phones come first. */
const ORDINARY_KINDS = 2;
/** Premium rate, personal numbers, pagers and shared cost, by their places among the kinds. */
const COSTLY_KINDS: readonly number[] = [3, 4, 7, 9];
/** Premium rate and shared cost: an amount per call or message that somebody shares in. */
const PAID_KINDS: readonly number[] = [3, 9];

/** Networks may ignore the digits after a whole number: so many of them are looked at. */
const MOST_DIGITS_TOO_MANY = 4;
const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));

const LONGEST_CALLING_CODE = 3;

/** What is asked of the plan of one country. */
interface Plan {
  /** What is dialled before a national number within the country: of a calling code that many share, the main one's counts. */
  readonly nationalPrefix: RegExp | undefined;
  /** Whatever begins so is the country's. */
  readonly leadingDigits: RegExp | undefined;
  readonly pattern: RegExp;
  readonly ordinary: readonly Kind[];
  readonly costly: readonly Kind[];
  readonly paid: readonly Kind[];
  readonly others: readonly Kind[];
}

/** Numbers of one kind. */
interface Kind {
  readonly lengths: readonly unknown[];
  readonly pattern: RegExp;
}

/**
 * The numbering plans themselves. The library's parser says of an ordinary number the same, but it compiles the patterns of a
 * plan anew for every number (33 µs); here they are compiled once, with the first number that needs them. Of other numbers the
 * parser first drops what may be a trunk prefix; here a number is taken as it stands.
 */
export class NumberingPlans {
  /** The countries that share a calling code, the main one first. */
  readonly #zones = new Map<string, readonly string[]>();
  readonly #plans = new Map<string, Plan>();
  readonly #data: NumberingData;

  constructor(data: NumberingData) {
    this.#data = data;
    // In another layout no plan is known, and the parser reads all numbers.
    if (data.version !== LAYOUT) return;
    for (const [callingCode, countries] of Object.entries(data.country_calling_codes)) {
      if (countries !== undefined) this.#zones.set(callingCode, countries);
    }
  }

  /**
   * The country of a landline or a mobile phone; `undefined` for every other number, and for what the parser has to read.
   *
   * @param number - E.164.
   */
  countryOf(number: string): string | undefined {
    const { countries, national } = this.#split(number);
    // The parser knows whether it is one, and what takes its place.
    if (this.#planOf(countries[0] ?? '').nationalPrefix?.test(national) === true) return undefined;
    for (const country of countries) {
      const plan = this.#planOf(country);
      // The first country that knows the number has it, as whatever it knows it.
      if (countries.length === 1 || isOfCountry(national, plan)) {
        return isOneOf(plan.ordinary, national, plan) ? country : undefined;
      }
    }
    return undefined;
  }

  /** Whether a plan has the number as it stands, of whatever kind. */
  has(number: string): boolean {
    const { countries, national } = this.#split(number);
    return countries.some((country) => isKnown(national, this.#planOf(country)));
  }

  /**
   * Whether a number as it stands is of a kind that is blocked, or would be premium rate or shared cost with a few digits fewer or
   * one more. What is another number in its own plan is that one.
   */
  isCostly(number: string): boolean {
    const { countries, national } = this.#split(number);
    const plans = countries.map((country) => this.#planOf(country));
    const isOf = (kind: 'costly' | 'paid', digits: string): boolean =>
      plans.some((plan) => isOneOf(plan[kind], digits, plan)) &&
      !plans.some((plan) => isOneOf(plan.ordinary, digits, plan));
    if (plans.some((plan) => isKnown(national, plan))) return isOf('costly', national);
    // With digits too many the parser does not know a zero for the trunk prefix that it is.
    const written = new Set([national, national.replace(/^0+/, '')]);
    return [...written].some((digits) => {
      const shortened = Array.from({ length: MOST_DIGITS_TOO_MANY }, (_, index) =>
        digits.slice(0, -1 - index),
      );
      return [...shortened, ...DIGITS.map((digit) => digits + digit)].some((near) => isOf('paid', near));
    });
  }

  /** The number without its calling code, and whose it may be. */
  #split(number: string): { readonly countries: readonly string[]; readonly national: string } {
    // No calling code is the beginning of another one.
    for (let length = 1; length <= LONGEST_CALLING_CODE; length += 1) {
      const countries = this.#zones.get(number.slice(1, 1 + length));
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
  return [ordinary, costly, others].some((kinds) => isOneOf(kinds, national, plan));
}

function isOneOf(kinds: readonly Kind[], national: string, plan: Plan): boolean {
  if (!plan.pattern.test(national)) return false;
  for (const { lengths, pattern } of kinds) {
    if (lengths.includes(national.length) && pattern.test(national)) return true;
  }
  return false;
}

function readPlan(plan: readonly unknown[]): Plan {
  const kinds = asList(plan[KINDS]).map((kind) => readKind(asList(kind), plan[LENGTHS]));
  return {
    nationalPrefix: beginning(plan[NATIONAL_PREFIX_IN_NUMBERS]) ?? beginning(plan[NATIONAL_PREFIX]),
    leadingDigits: beginning(plan[LEADING_DIGITS]),
    pattern: whole(plan[PATTERN]),
    ordinary: kinds.slice(0, ORDINARY_KINDS),
    costly: COSTLY_KINDS.flatMap((place) => kinds[place] ?? []),
    paid: PAID_KINDS.flatMap((place) => kinds[place] ?? []),
    others: kinds.filter((_, place) => place >= ORDINARY_KINDS && !COSTLY_KINDS.includes(place)),
  };
}

/** A kind that a country does not have is empty. */
function readKind([pattern, lengths]: readonly unknown[], usualLengths: unknown): Kind {
  return { pattern: whole(pattern), lengths: asList(lengths ?? usualLengths) };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Zero, or nothing, stands where there is no pattern. */
function beginning(pattern: unknown): RegExp | undefined {
  return typeof pattern === 'string' && pattern !== '' ? new RegExp(`^(?:${pattern})`) : undefined;
}

function whole(pattern: unknown): RegExp {
  return typeof pattern === 'string' && pattern !== '' ? new RegExp(`^(?:${pattern})$`) : NOTHING;
}

const NOTHING = /(?!)/;
