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

const LONGEST_CALLING_CODE = 3;

/** What is asked of the plan of one country. */
interface Plan {
  /** What is dialled before a national number within the country: of a calling code that many share, the main one's counts. */
  readonly nationalPrefix: RegExp | undefined;
  /** Whatever begins so is the country's. */
  readonly leadingDigits: RegExp | undefined;
  readonly pattern: RegExp;
  readonly ordinary: readonly Kind[];
  readonly others: readonly Kind[];
}

/** Numbers of one kind. */
interface Kind {
  readonly lengths: readonly unknown[];
  readonly pattern: RegExp;
}

/**
 * Tells the country of an ordinary number, as nearly all are. The library's parser says the same, but it compiles the patterns
 * of a plan anew for every number; here they are compiled once, with the first number that needs them.
 */
export class OrdinaryNumbers {
  /** The countries that share a calling code, the main one first. */
  readonly #zones = new Map<string, readonly string[]>();
  readonly #plans = new Map<string, Plan>();
  readonly #data: NumberingData;

  constructor(data: NumberingData) {
    this.#data = data;
    // In another layout no number is an ordinary one, and the parser reads them all.
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
    // No calling code is the beginning of another one.
    for (let length = 1; length <= LONGEST_CALLING_CODE; length += 1) {
      const countries = this.#zones.get(number.slice(1, 1 + length));
      if (countries !== undefined) return this.#countryAmong(countries, number.slice(1 + length));
    }
    return undefined;
  }

  #countryAmong(countries: readonly string[], national: string): string | undefined {
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
  return isOneOf(plan.ordinary, national, plan) || isOneOf(plan.others, national, plan);
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
    others: kinds.slice(ORDINARY_KINDS),
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
