import { expect } from 'chai';
import { spokenCode, spokenDigits } from '#lib/texts/spoken-code.js';

const LANGUAGES = ['en', 'es', 'fr', 'de', 'pt', 'it', 'nl', 'ja', 'hi', 'ar'];

describe('spokenCode', () => {
  for (const language of LANGUAGES) {
    it(`speaks ${language}: its own sentence, then each character, in order`, () => {
      const spoken = spokenCode(language, '01240');
      expect(spoken.language).to.equal(language);
      expect(spoken.sentence).to.match(/\p{L}/u).and.to.not.match(/\d/);
      expect(spoken.digits.match(/\d/g)).to.deep.equal(['0', '1', '2', '4', '0']);
      expect(spoken.digits).to.not.match(/\d\d/);
    });

    it(`speaks every digit in ${language} separately and in order, repeated ones too`, () => {
      for (const code of ['0123456789', '000000', '110022']) {
        const { digits, sentence } = spokenCode(language, code);
        const between = digits.split(/[0-9]/).slice(1, -1);
        expect(digits.replace(/[^0-9]/g, '')).to.equal(code);
        expect(new Set(between)).to.have.length(1);
        expect(between[0]).to.match(/^[,、،] ?$/);
        expect(sentence).to.not.match(/\p{Nd}/u);
        expect(spokenDigits(language, code)).to.equal(digits);
      }
    });

    it(`puts no dot beside a digit in ${language}, which would make it an ordinal`, () => {
      const { digits, sentence } = spokenCode(language, '123');
      expect(digits).to.not.match(/[.。।]/);
      if (language !== 'ja') expect(sentence).to.match(/:$/);
    });
  }

  it('has another sentence in each language', () => {
    expect(new Set(LANGUAGES.map((language) => spokenCode(language, '1').sentence))).to.have.lengthOf(10);
  });

  const separated: [string, string][] = [
    ['en-GB', '1, 2, 3'],
    ['de-AT', '1, 2, 3'],
    ['ja-JP', '1、2、3'],
    ['ar-EG', '1، 2، 3'],
  ];
  for (const [locale, digits] of separated) {
    it(`separates the digits for ${locale} with the comma of its script`, () => {
      expect(spokenCode(locale, '123').digits).to.equal(digits);
    });
  }

  for (const locale of ['xx', 'sv-SE', '', 'default', '__proto__']) {
    it(`falls back to English for ${JSON.stringify(locale)}`, () => {
      expect(spokenCode(locale, '9').language).to.equal('en');
    });
  }

  it('speaks letters too, and skips spaces and control characters', () => {
    expect(spokenCode('en', ' a1\u0000 B\n').digits).to.equal('a, 1, B');
  });
});
