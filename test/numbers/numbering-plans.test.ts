import { expect } from 'chai';
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import data from 'libphonenumber-js/max/metadata';
import examples from 'libphonenumber-js/mobile/examples';
import { NumberingPlans } from '#lib/numbers/numbering-plans.js';
import { isNightly } from '#harness/thoroughness.js';

/** A quick run tries the digits that begin the most types of numbers. */
const DIGITS = Array.from(isNightly ? '0123456789' : '0578');

/** Numbers one digit away from a mobile number of each country: of every type, of no type, and with national prefixes. */
function* numbersOfAllCountries(): Generator<string> {
  for (const country of getCountries()) {
    const { countryCallingCode = '', nationalNumber = '' } = getExampleNumber(country, examples) ?? {};
    for (let place = 0; place < nationalNumber.length; place += 1) {
      const [before, after] = [nationalNumber.slice(0, place), nationalNumber.slice(place)];
      for (const digit of DIGITS) yield `+${countryCallingCode}${before}${digit}${after.slice(1)}`;
      if (place < 2) for (const digit of DIGITS) yield `+${countryCallingCode}${before}${digit}${after}`;
    }
  }
}

describe('an ordinary number', () => {
  const ordinary = new NumberingPlans(data);

  it('has the country that libphonenumber finds, and is a landline or a mobile number there', () => {
    let found = 0;
    // One assertion for all numbers: one for each takes longer than the look-ups.
    const wrong: unknown[] = [];
    for (const number of numbersOfAllCountries()) {
      const country = ordinary.countryOf(number);
      if (country === undefined) continue;
      found += 1;
      const parsed = parsePhoneNumberFromString(number);
      const isKind = ['FIXED_LINE', 'MOBILE', 'FIXED_LINE_OR_MOBILE'].includes(String(parsed?.getType()));
      if (parsed?.country !== country || parsed.number !== number || !isKind) wrong.push([number, country]);
    }
    expect(wrong).to.deep.equal([]);
    expect(found).to.be.above(4_000);
  });

  it('is the example mobile number of every country but Argentina, whose numbers the parser rearranges', () => {
    const others = getCountries().filter((country) => {
      const parsed = getExampleNumber(country, examples);
      return (
        ordinary.countryOf(parsed?.number ?? '') !== parsePhoneNumberFromString(parsed?.number ?? '')?.country
      );
    });
    expect(others).to.deep.equal(['AR']);
  });

  it('is not a premium-rate number, one without its last digit, or one of an unassigned calling code', () => {
    for (const number of ['+19005550123', '+44791112345', '+9991234567', '+8831000123456']) {
      expect(ordinary.countryOf(number), number).to.equal(undefined);
    }
  });

  it('has no country if the metadata has another version', () => {
    const other = new NumberingPlans({ ...data, version: 5 });
    expect(other.countryOf('+12025550142')).to.equal(undefined);
  });
});
