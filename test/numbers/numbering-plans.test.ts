import { expect } from 'chai';
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import data from 'libphonenumber-js/max/metadata';
import examples from 'libphonenumber-js/mobile/examples';
import { NumberingPlans } from '#lib/numbers/numbering-plans.js';

const DIGITS = Array.from('0123456789');

/** Numbers one digit away from a mobile phone of each country: of every kind, of none, and with national prefixes. */
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
  it('is of the country that the library says, and is a landline or a mobile phone by its word', () => {
    const ordinary = new NumberingPlans(data);
    let found = 0;
    // One assertion for all: so many of them take longer than what they are about.
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
    expect(found).to.be.above(10_000);
  });

  it('is the mobile phone of every country but Argentina, whose numbers the parser has to rearrange', () => {
    const ordinary = new NumberingPlans(data);
    const others = getCountries().filter((country) => {
      const parsed = getExampleNumber(country, examples);
      return (
        ordinary.countryOf(parsed?.number ?? '') !== parsePhoneNumberFromString(parsed?.number ?? '')?.country
      );
    });
    expect(others).to.deep.equal(['AR']);
  });

  it('is no premium-rate one, no number that is short of a digit, and none of a calling code that nobody has', () => {
    const ordinary = new NumberingPlans(data);
    for (const number of ['+19005550123', '+44791112345', '+9991234567', '+8831000123456']) {
      expect(ordinary.countryOf(number), number).to.equal(undefined);
    }
  });

  it('is none where the plans come in another layout', () => {
    const ordinary = new NumberingPlans({ ...data, version: 5 });
    expect(ordinary.countryOf('+12025550142')).to.equal(undefined);
  });
});
