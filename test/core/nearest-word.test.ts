import { expect } from 'chai';
import { nearestWord } from '#lib/core/nearest-word.js';

describe('nearestWord()', () => {
  const known = ['optInAttribute', 'path', 'doctor', 'sms', 'senders'];
  for (const [word, nearest] of [
    ['optinattribute', 'optInAttribute'],
    ['optInAtribut', 'optInAttribute'],
    ['ptah', 'path'],
    ['pat', 'path'],
    ['sm', 'sms'],
    ['dcotro', 'doctor'],
    ['sender', 'senders'],
    ['pa', undefined],
    ['dctr', undefined],
    ['toString', undefined],
    ['', undefined],
  ] as const) {
    it(`returns ${nearest ?? 'undefined'} for "${word}"`, () => {
      expect(nearestWord(word, known)).to.equal(nearest);
    });
  }
});
