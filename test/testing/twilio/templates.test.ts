import { expect } from 'chai';
import { presetSentence } from '#lib/testing/twilio/templates.js';

describe('presetSentence', () => {
  const languages = ['en', 'es', 'fr', 'de', 'pt_BR'];
  const values = { code: '204981', service: 'ACME', minutes: 5 };

  it('returns every sentence in each language with its values, and no unfilled placeholder', () => {
    const texts: string[] = [];
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
      texts.push(text);
    }
    expect(new Set(texts).size).to.equal(languages.length);
  });

  it('returns English for an unknown language', () => {
    for (const language of ['', 'tlh', 'constructor']) {
      expect(presetSentence(language, 'isCode', values)).to.equal('204981 is your verification code.');
    }
    expect(presetSentence('en', 'isCode')).to.equal(' is your verification code.');
  });
});
