import { expect } from 'chai';
import fc from 'fast-check';
import { getCountries, getExampleNumber, type PhoneNumber } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { isAbout, isPersonal, maskText } from '#lib/core/masking.js';
import { personalDataOf } from '#lib/numbers/personal-data.js';
import { withPlainDigits } from '#harness/witness.js';
import { check, holds, PATIENCE_MS, withSeed } from './runs.js';

const CODE = '204981';
const PHONES = getCountries().flatMap((country) => getExampleNumber(country, examples) ?? []);

/** How people, Okta and providers write a number. */
const FORMS: readonly ((phone: PhoneNumber) => string)[] = [
  ({ number }) => number,
  ({ number }) => number.slice(1),
  ({ number }) => `00${number.slice(1)}`,
  ({ number }) => `011 ${number.slice(1)}`,
  ({ nationalNumber }) => nationalNumber,
  ({ nationalNumber }) => `0${nationalNumber}`,
  ({ nationalNumber, countryCallingCode }) => `+${countryCallingCode} (0)${nationalNumber}`,
  (phone) => phone.formatNational(),
  (phone) => phone.formatInternational(),
  (phone) => phone.format('RFC3966'),
];
/** Forms without digits of their own, so that nothing but the number is in an id. */
const IDS = FORMS.slice(0, 5);

const SEPARATORS = [
  ...['', ' ', '  ', '-', ' - ', '.', '. ', '/', ' / ', '_', ',', ', ', "'", '’', '·', '•', '~', '*', '|'],
  // Dashes, spaces and invisible characters.
  ...['\u2010', '\u2011', '\u2012', ' \u2013 ', '\u2014', '\u2212', '\u00a0', '\u2009', '\u202f', '\u00ad'],
  ...['\u200b', '\u2060', '\u202a', '\u200e', '\t', '\n', '\uff0d', '\u3000'],
  // What nobody writes there.
  ...[':', '; ', ' … ', '・', '&#', '"', '<>', '様'],
];

/** Digits with separators between groups of them. */
function grouped(text: string, sizes: readonly number[], separator: string): string {
  const digits = text.replace(/\D/g, '');
  const groups: string[] = [];
  for (let at = 0, index = 0; at < digits.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    groups.push(digits.slice(at, at + size));
    at += size;
  }
  return groups.join(separator);
}

/** The numbering systems with ten digits. */
const SCRIPTS = Intl.supportedValuesOf('numberingSystem').flatMap((numberingSystem) => {
  const numbers = new Intl.NumberFormat('en', { numberingSystem });
  const digits = Array.from({ length: 10 }, (_, digit) => numbers.format(digit));
  return digits.every((digit) => /^\p{Nd}$/u.test(digit)) ? [digits] : [];
});
const inScript = (text: string, digits: readonly string[]): string =>
  text.replace(/\d/g, (digit) => digits[Number(digit)] ?? digit);

const hex = (text: string): string => Buffer.from(text).toString('hex');
const ENCODINGS: readonly ((text: string) => string)[] = [
  hex,
  (text) => hex(text).toUpperCase(),
  (text) => hex(text).replace(/(..)(?=.)/g, '$1:'),
  (text) => hex(text).replace(/../g, ' $&').toUpperCase(),
  (text) => hex(text).replace(/../g, '%$&'),
  ...['', '\x1c', '\x18\x0c'].flatMap((before) => [
    (text: string) => Buffer.from(before + text).toString('base64'),
    (text: string) =>
      Buffer.concat([Buffer.from(before + text), Buffer.from([0x15, 0xfb, 0xff])]).toString('base64url'),
  ]),
];

const phone = fc.constantFrom(...PHONES);

const spelling = fc.record({
  phone,
  form: fc.constantFrom(...FORMS),
  id: fc.constantFrom(...IDS),
  sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
  separator: fc.constantFrom(...SEPARATORS),
  script: fc.constantFrom(...SCRIPTS),
  isGrouped: fc.boolean(),
});

describe(withSeed('a number of any country'), function () {
  this.timeout(PATIENCE_MS);
  /** Whether a text has the last four digits of a number in a row. */
  const shows = (text: string, { nationalNumber }: PhoneNumber): boolean =>
    withPlainDigits(text).replace(/\D/g, '').includes(nationalNumber.slice(-4));

  it('is found in texts and ids in each of its spellings, with any separators, in any script', async () => {
    await check(
      'numbers in texts and ids',
      holds(spelling, ({ phone, form, id, sizes, separator, script, isGrouped }) => {
        const personal = personalDataOf({ otpCode: CODE, phoneNumber: phone.number });
        const written = form(phone);
        const text = inScript(isGrouped ? grouped(written, sizes, separator) : written, script);
        const masked = maskText(`sent to ${text} again`, personal);
        expect(shows(masked, phone), `${text}: ${masked}`).to.equal(false);
        expect(masked)
          .to.match(/^sent to .*…/s)
          .and.match(/again$/);
        // A letter between two digits makes two ids.
        if (separator === '様') return;
        const inId = inScript(grouped(id(phone), sizes, separator), script);
        expect(isAbout(`message-${inId}-x`, personal), inId).to.equal(true);
        expect(isPersonal(inId, personal), inId).to.equal(true);
      }),
      1_600,
    );
  });

  it('is found in hex and base64, and so is a code of digits and letters', async () => {
    const code = fc
      .array(fc.constantFrom(...'ABCDEFGHJKMNPQRSTUVWXYZabcdefgh23456789éЖあ'), {
        minLength: 5,
        maxLength: 12,
      })
      .map((characters) => characters.join(''));
    await check(
      'encoded secrets',
      holds(
        fc.tuple(phone, fc.constantFrom(...ENCODINGS), code, fc.boolean()),
        ([of, encode, otpCode, isLower]) => {
          const personal = personalDataOf({ otpCode, phoneNumber: of.number });
          for (const secret of [of.number, of.nationalNumber, isLower ? otpCode.toLowerCase() : otpCode]) {
            const encoded = encode(secret);
            expect(isAbout(`x.${encoded}`, personal), `${otpCode} ${encoded}`).to.equal(true);
            const masked = maskText(`sent ${encoded} again`, personal);
            expect(masked, otpCode).to.match(/^sent .*…/);
            expect(masked.includes(encoded.trim()), `${otpCode} ${masked}`).to.equal(false);
          }
        },
      ),
      1_200,
    );
  });
});
