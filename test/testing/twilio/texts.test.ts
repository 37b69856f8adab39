import { expect } from 'chai';
import { segmentsOf } from '#lib/testing/twilio/formats.js';
import { presetSentence } from '#lib/testing/twilio/templates.js';

describe('presetSentence', () => {
  const languages = ['en', 'es', 'fr', 'de', 'pt_BR', 'it', 'nl', 'ja', 'hi', 'ar'];
  const values = { code: '204981', service: 'ACME', minutes: 5 };

  it('has every sentence in each language, with what belongs into it', () => {
    const told: string[] = [];
    for (const language of languages) {
      const text = presetSentence(language, 'verifyText', values);
      expect(text).to.include('204981').and.to.include('ACME');
      expect(presetSentence(language, 'isCode', values)).to.include('204981');
      expect(presetSentence(language, 'verifyCall', values)).to.include('204981');
      expect(presetSentence(language, 'expires', values)).to.include('5');
      const sentences = (['isCode', 'keepSecret', 'expires', 'verifyText', 'verifyCall'] as const).map(
        (sentence) => presetSentence(language, sentence, values),
      );
      expect(sentences.join(' ')).to.not.match(/[{}]/);
      told.push(text);
    }
    expect(new Set(told).size).to.equal(languages.length);
  });

  it('speaks English where it knows no better', () => {
    for (const language of ['', 'tlh', 'constructor']) {
      expect(presetSentence(language, 'isCode', values)).to.equal('204981 is your verification code.');
    }
    expect(presetSentence('en', 'isCode')).to.equal(' is your verification code.');
  });
});

describe('segmentsOf', () => {
  const cases: [string, string, number][] = [
    ['nothing', '', 1],
    ['160 plain characters', 'x'.repeat(160), 1],
    ['161', 'x'.repeat(161), 2],
    ['two full segments', 'x'.repeat(306), 2],
    ['one more than that', 'x'.repeat(307), 3],
    ['letters of GSM beyond ASCII', 'äñÜ¿'.repeat(40), 1],
    ['80 that take two places', '€'.repeat(80), 1],
    ['81 of them', '€'.repeat(81), 2],
    ['70 characters outside GSM', 'ç'.repeat(70), 1],
    ['71', 'ç'.repeat(71), 2],
    ['one curly quote among 70 others', `’${'x'.repeat(70)}`, 2],
    ['pictures, which take two places of UCS-2', '🔐'.repeat(36), 2],
  ];
  for (const [title, text, segments] of cases) {
    it(`counts ${segments} for ${title}`, () => {
      expect(segmentsOf(text)).to.equal(segments);
    });
  }
});
