import { expect } from 'chai';
import { countSegments } from '#lib/texts/segments.js';

describe('countSegments', () => {
  const table: readonly (readonly [what: string, text: string, segments: number, units: number])[] = [
    ['an empty text', '', 1, 0],
    ['160 plain characters', 'x'.repeat(160), 1, 160],
    ['161 plain characters', 'x'.repeat(161), 2, 161],
    ['306 plain characters', 'x'.repeat(306), 2, 306],
    ['307 plain characters', 'x'.repeat(307), 3, 307],
    [
      'the whole GSM-7 alphabet',
      '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà',
      1,
      65,
    ],
    ['the GSM-7 extension, two septets each', '\f^{}\\[~]|€', 1, 20],
    ['80 characters of the extension', '€'.repeat(80), 1, 160],
    ['81 characters of the extension', '€'.repeat(81), 2, 162],
    ['a character of the extension that would be split', `${'x'.repeat(152)}€${'x'.repeat(152)}`, 3, 306],
    ['70 characters with one outside GSM-7', `ç${'x'.repeat(69)}`, 1, 70],
    ['71 characters with one outside GSM-7', `ç${'x'.repeat(70)}`, 2, 71],
    ['134 characters with one outside GSM-7', `ç${'x'.repeat(133)}`, 2, 134],
    ['135 characters with one outside GSM-7', `ç${'x'.repeat(134)}`, 3, 135],
    ['35 characters of two code units', '😀'.repeat(35), 1, 70],
    ['36 characters of two code units', '😀'.repeat(36), 2, 72],
    ['a character of two code units that would be split', `${'я'.repeat(66)}😀${'я'.repeat(66)}`, 3, 134],
  ];
  for (const [what, text, segments, units] of table) {
    it(`counts ${what}`, () => {
      expect(countSegments(text)).to.include({ segments, units });
    });
  }

  for (const [text, nonGsm] of [
    ['Your code is 123456 [€]', undefined],
    ['Seu código de verificação', 'ó'],
    ['It’s 123456', '’'],
    ['Code: 😀', '😀'],
    ['コード', 'コ'],
  ] as const) {
    it(`finds ${nonGsm ?? 'no character'} outside GSM-7 in ${JSON.stringify(text)}`, () => {
      expect(countSegments(text).nonGsm).to.equal(nonGsm);
    });
  }
});
