import { expect } from 'chai';
import { getCountries, getCountryCallingCode, getExampleNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { isCountry, readNumber, toDialableNumber } from '#lib/delivery/phone-number.js';

describe('a phone number', () => {
  const dialled: [text: string, country: string | undefined, number: string | undefined][] = [
    ['+44 7700 900123', undefined, '+447700900123'],
    ['+44 (7700) 900-123', 'US', '+447700900123'],
    ['00447700900123', undefined, '+447700900123'],
    ['07700 900123', 'GB', '+447700900123'],
    ['06 12 34 56 78', 'FR', '+33612345678'],
    ['347 123 4567', 'IT', '+393471234567'],
    ['07700 900123', undefined, undefined],
    ['07700 900123', 'XX', undefined],
    ['+0123456789', 'GB', undefined],
    ['++447700900123', undefined, undefined],
    ['+123456', undefined, undefined],
    ['+1234567', undefined, '+1234567'],
    ['+1234567890123456', undefined, undefined],
    ['12', 'GB', undefined],
    ['0770O 900123', 'GB', undefined],
    ['', 'GB', undefined],
    ['x07700900123', 'GB', undefined],
    ['07700900123x', 'GB', undefined],
    ['123', 'GB', undefined],
    ['123456789012345', 'DE', undefined],
  ];
  for (const [text, country, number] of dialled) {
    it(`is ${String(number)} for '${text}' in ${country ?? 'no country'}`, () => {
      expect(toDialableNumber(text, country)).to.equal(number);
    });
  }

  const countries: [number: string, country: string | undefined][] = [
    ['+14155550100', 'US'],
    ['+16045550100', 'CA'],
    ['+447700900123', 'GB'],
    ['+447797712345', 'JE'],
    ['+447781123456', 'GG'],
    ['+447624123456', 'IM'],
    ['+18765550100', 'JM'],
    ['+79261234567', 'RU'],
    ['+77011234567', 'KZ'],
    // In no plan: the main country of its calling code.
    ['+12000000000', 'US'],
    ['+4712345', 'NO'],
    ['+71000000000', 'RU'],
    ['+447450000', 'GB'],
    // In no plan either, but of another country's area code.
    ['+14161234567', 'CA'],
    ['+14165551', 'CA'],
    ['+141655501234', 'CA'],
    ['+18761234567', 'JM'],
    ['+17871234567', 'PR'],
    ['+12031234567', 'US'],
    ['+441481112345', 'GG'],
    ['+441534912345', 'JE'],
    ['+441624112345', 'IM'],
    ['+4479111712', 'GG'],
    ['+77010000', 'KZ'],
    ['+8821234567', undefined],
    ['+99912345678', undefined],
    ['+883510012345678', undefined],
  ];
  for (const [number, country] of countries) {
    it(`${number} is of ${country ?? 'no country'}`, () => {
      expect(readNumber(number).country).to.equal(country);
    });
  }

  const costly: [number: string, isCostly: boolean][] = [
    ['+449098790123', true],
    ['+448451234567', true],
    ['+19005550123', true],
    ['+491801234567', true],
    ['+33899123456', true],
    ['+979123456789', true],
    ['+80812345678', true],
    // One digit too many, or too few.
    ['+4490987901234', true],
    ['+44909879012', true],
    ['+190055501234', true],
    ['+1900555012', true],
    ['+338991234567', true],
    ['+9791234567890', true],
    ['+97912345678', true],
    ['+8081234567', true],
    ['+44909879012345', true],
    ['+447911123456', false],
    ['+4479111234567', false],
    ['+44791112345', false],
    ['+14161234567', false],
    ['+447700900123', false],
    ['+12025550142', false],
    ['+18002345678', false],
    ['+883510012345678', false],
    ['+9991234567', false],
  ];
  for (const [number, isCostly] of costly) {
    it(`${number} is ${isCostly ? '' : 'not '}a costly one`, () => {
      expect(readNumber(number).isCostly).to.equal(isCostly);
    });
  }

  it('of a mobile phone of any country is no costly one, nor is one with digits too many or too few', () => {
    for (const country of getCountries()) {
      const number = getExampleNumber(country, examples)?.number ?? '';
      for (const near of [number, `${number}0`, `${number}1234`, number.slice(0, -1), number.slice(0, -2)]) {
        expect(readNumber(near).isCostly, `${country} ${near}`).to.equal(false);
      }
    }
  });

  it('may be of every country that has a numbering plan, and of no other', () => {
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('');
    const codes = letters.flatMap((first) => letters.map((second) => first + second));
    expect(codes.filter(isCountry)).to.deep.equal(getCountries().toSorted());
    expect(['gb', 'GBR', '', '__proto__', 'constructor'].filter(isCountry)).to.deep.equal([]);
  });

  it('gets the main country of a calling code that several share', () => {
    const shared = [...new Set(getCountries().map((country) => getCountryCallingCode(country)))].filter(
      (code) => getCountries().filter((country) => getCountryCallingCode(country) === code).length > 1,
    );
    expect(shared).to.have.length.above(10);
    for (const code of shared) {
      // Seven zeros are in no plan.
      expect(readNumber(`+${code}0000000`).country, code)
        .to.be.a('string')
        .and.have.length(2);
    }
  });
});
