import { expect } from 'chai';
import fc from 'fast-check';
import {
  getCountries,
  getCountryCallingCode,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/max';
import data from 'libphonenumber-js/max/metadata';
import { asList } from '#lib/core/json.js';
import { readNumber, recipientOf } from '#lib/numbers/phone-number.js';
import { runs } from '#harness/thoroughness.js';

/** Of a plan in the metadata: its trunk prefix, and the patterns of its types of numbers. */
const TRUNK_PREFIX = 5;
const NUMBER_TYPES = 11;
const ORDINARY_TYPES = [0, 1];
/** Premium rate, personal numbers, pagers, shared cost. */
const COSTLY_TYPES = [3, 4, 7, 9];

interface Phone {
  readonly country: CountryCode;
  readonly callingCode: string;
  /** Empty if the country has none. */
  readonly trunkPrefix: string;
  readonly national: string;
  /** E.164. */
  readonly number: string;
}

/** As long as a number in use. */
const isE164 = (number: string): boolean => /^\+\d{7,15}$/.test(number);

/** Numbers of some types of every country, made of the patterns of its plan: the same ones in each run. */
function* numbersOfAllCountries(types: readonly number[]): Generator<Phone> {
  for (const country of getCountries()) {
    const plan: readonly unknown[] = data.countries[country] ?? [];
    const callingCode = getCountryCallingCode(country);
    const trunkPrefix = plan[TRUNK_PREFIX];
    for (const type of types) {
      const [pattern] = asList(asList(plan[NUMBER_TYPES])[type]);
      if (typeof pattern !== 'string' || pattern === '') continue;
      const numbers = fc.stringMatching(new RegExp(`^(?:${pattern})$`));
      for (const national of fc.sample(numbers, { numRuns: runs(1, 30), seed: 1 })) {
        const number = `+${callingCode}${national}`;
        const parsed = parsePhoneNumberFromString(number);
        // A number of another length, or of another country with the same calling code.
        if (
          !isE164(number) ||
          parsed?.isValid() !== true ||
          parsed.number !== number ||
          parsed.country !== country
        )
          continue;
        yield {
          country,
          callingCode,
          trunkPrefix: typeof trunkPrefix === 'string' ? trunkPrefix : '',
          national,
          number,
        };
      }
    }
  }
}

/** The number that libphonenumber reads in a spelling; `undefined` if no plan has it. */
const validNumber = (text: string, country?: CountryCode): string | undefined => {
  const parsed = parsePhoneNumberFromString(text, country);
  return parsed?.isValid() === true ? parsed.number : undefined;
};

/** As libphonenumber cuts a number that is too long: one digit after the other, until it is valid. */
function cutToValid(number: string): string | undefined {
  for (let cut = number; cut.length > 5; cut = cut.slice(0, -1)) if (validNumber(cut) === cut) return cut;
  return undefined;
}

/** Checked without a message for each number: an assertion takes longer than a look-up. */
describe('a phone', () => {
  const phones = [...numbersOfAllCountries(ORDINARY_TYPES)];

  it('is found in every country', () => {
    expect(new Set(phones.map(({ country }) => country)).size).to.be.above(235);
  });

  it('is one recipient behind its trunk prefix, however often people repeat it, in every plan with one', () => {
    let checked = 0;
    const wrong: string[] = [];
    for (const { country, callingCode, trunkPrefix, national, number } of phones) {
      if (trunkPrefix === '') continue;
      // As it is dialled in its country. In a few countries libphonenumber takes the prefix for another one.
      if (validNumber(trunkPrefix + national, country) !== number) continue;
      for (const times of [1, 2, 3, 4]) {
        const spelled = `+${callingCode}${trunkPrefix.repeat(times)}${national}`;
        // Longer than a number can be, or another phone by libphonenumber.
        if (!isE164(spelled) || (validNumber(spelled) ?? number) !== number) continue;
        checked += 1;
        if (recipientOf(spelled) !== recipientOf(number) || readNumber(spelled).country !== country)
          wrong.push(`${country} ${spelled} is ${recipientOf(spelled)}, not ${number}`);
      }
    }
    expect(wrong).to.deep.equal([]);
    expect(checked).to.be.above(600);
  });

  it('is one recipient with up to four digits too many, in every plan', () => {
    let checked = 0;
    const wrong: string[] = [];
    for (const { country, callingCode, trunkPrefix, national, number } of phones) {
      for (const extra of ['0', '91', '555', '0000']) {
        const spelled = number + extra;
        if (!isE164(spelled) || validNumber(spelled) !== undefined) continue;
        // It may also be a longer number of the same country, or another one behind a trunk prefix.
        if (cutToValid(spelled) !== number) continue;
        const behindPrefix = [trunkPrefix, '0'].filter(
          (prefix) => prefix !== '' && national.startsWith(prefix),
        );
        const others = behindPrefix.map(
          (prefix) => `+${callingCode}${(national + extra).slice(prefix.length)}`,
        );
        if (others.some((other) => cutToValid(other) !== undefined)) continue;
        checked += 1;
        if (recipientOf(spelled) !== recipientOf(number) || readNumber(spelled).country !== country)
          wrong.push(`${country} ${spelled} is ${recipientOf(spelled)}, not ${number}`);
      }
    }
    expect(wrong).to.deep.equal([]);
    expect(checked).to.be.above(600);
  });

  it('is not costly with up to four more digits, unless they are next to a costly number', () => {
    const isNextToCostly = (number: string): boolean =>
      [
        ...[1, 2, 3, 4].map((extra) => number.slice(0, -extra)),
        ...Array.from('0123456789', (digit) => number + digit),
      ].some((near) => validNumber(near) === near && readNumber(near).isCostly);
    const wrong = [...withMoreDigits(phones)].filter(
      (number) => readNumber(number).isCostly && !isNextToCostly(number),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('is itself as it stands, and no other phone, except for the spellings of WhatsApp', () => {
    const others = phones.filter(({ country }) => !['AR', 'BR', 'MX'].includes(country));
    expect(others.filter(({ number }) => recipientOf(number) !== number)).to.deep.equal([]);
  });
});

/** These numbers with one to four more digits, as far as no plan has them. */
function* withMoreDigits(numbers: Iterable<Phone>): Generator<string> {
  for (const { number } of numbers) {
    for (const more of ['0', '7', '98', '987', '9876']) {
      const longer = number + more;
      if (isE164(longer) && validNumber(longer) === undefined) yield longer;
    }
  }
}

describe('a number that costs more', () => {
  const costly = [...numbersOfAllCountries(COSTLY_TYPES)].filter(({ number }) => readNumber(number).isCostly);

  it('is seen as such with up to four more digits, in every plan', () => {
    const longer = [...withMoreDigits(costly)];
    expect(longer.length).to.be.above(300);
    // A pager of Qatar has seven digits. With one more, it may be a new phone.
    expect(
      longer.filter((number) => !readNumber(number).isCostly && !/^\+974\d{8}$/.test(number)),
    ).to.deep.equal([]);
  });
});
