import { expect } from 'chai';
import { segmentsOf } from '#lib/testing/twilio/formats.js';

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
