import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { localeChain, pickByLocale, readLocale } from '#lib/texts/locale.js';

describe('readLocale', () => {
  const readable: [string, string][] = [
    ['en', 'en'],
    ['EN-US', 'en-US'],
    ['en_us', 'en-US'],
    ['  pt-br ', 'pt-BR'],
    ['zh_hant_tw', 'zh-Hant-TW'],
    ['es-419', 'es-419'],
    ['de_DE.UTF-8', 'de-DE'],
    ['de_DE@euro', 'de-DE'],
    ['ca_ES.UTF-8@valencia', 'ca-ES'],
    ['iw', 'he'],
    ['en-u-ca-buddhist', 'en'],
    ['en-GB-x-secret', 'en-GB'],
    ['fil', 'fil'],
    ['de_DE.UTF-8\n', 'de-DE'],
    ['de_DE.UTF\n8', 'de-DE'],
    [`en${' '.repeat(98)}`, 'en'],
  ];
  for (const [text, locale] of readable) {
    it(`reads ${JSON.stringify(text)} as ${locale}`, () => {
      expect(readLocale(text)).to.equal(locale);
      // The second text is not in the cache of readLocale().
      if (text.length < 50) expect(readLocale(`${text.trim()}.${randomUUID()}`)).to.equal(locale);
    });
  }

  const nonsense = [
    '',
    ' ',
    '-',
    'e',
    'C',
    'POSIX',
    'english',
    'en--US',
    '12',
    '*',
    'en US',
    '../en',
    'und',
    'UND-Latn',
    'mul',
    'mis',
    'zxx',
    'x-a',
    '1en',
    `en${' '.repeat(99)}`,
  ];
  for (const text of [
    ...nonsense,
    ...nonsense.filter((text) => text.length < 50).map((text) => `${text}.${randomUUID()}`),
    'a'.repeat(10_000),
    `en-${'x'.repeat(9)}`,
    undefined,
    null,
    7,
    {},
    ['en'],
  ]) {
    it(`reads no locale in ${inspect(text)
      .replace(/[\da-f]{8}(-[\da-f]{4,12}){4}/, '…')
      .slice(0, 20)}`, () => {
      expect(readLocale(text)).to.equal(undefined);
    });
  }
});

describe('localeChain', () => {
  const chains: [string, string[]][] = [
    ['pt', ['pt']],
    ['pt-BR', ['pt-BR', 'pt']],
    ['zh-Hant-TW', ['zh-Hant-TW', 'zh-Hant', 'zh']],
    ['en-u-ca', ['en-u-ca', 'en']],
    ['x', ['x']],
  ];
  for (const [locale, chain] of chains) {
    it(`goes from ${locale} to ${chain.at(-1) ?? ''}`, () => {
      expect(localeChain(locale)).to.deep.equal(chain);
    });
  }
});

describe('pickByLocale', () => {
  const table = {
    default: 'any',
    pt: 'Portuguese',
    'pt-BR': 'Brazilian',
    ZH_hant: 'traditional',
    De: 'German',
  };
  const picks: [string, string][] = [
    ['pt-BR', 'Brazilian'],
    ['pt-br', 'Brazilian'],
    ['pt-PT', 'Portuguese'],
    ['pt', 'Portuguese'],
    ['zh-Hant-TW', 'traditional'],
    ['zh-Hans', 'any'],
    ['de-AT', 'German'],
    [' de_AT ', 'German'],
    ['ja', 'any'],
    ['constructor', 'any'],
    ['__proto__', 'any'],
  ];
  for (const [locale, entry] of picks) {
    it(`gives ${locale} the entry "${entry}"`, () => {
      expect(pickByLocale(table, locale)).to.equal(entry);
    });
  }

  for (const [locale, tags] of [
    ['nb-NO', ['nb-NO', 'nb', 'no', 'nn']],
    ['nn', ['nn', 'nb', 'no']],
    ['no-NO', ['no', 'nb', 'nn']],
    ['zh-TW', ['zh_TW', 'zh_Hant', 'zh-HK', 'zh']],
    ['zh-HK', ['zh-HK', 'zh-Hant', 'zh-TW', 'zh']],
    ['zh-MO', ['zh-Hant', 'zh-HK', 'zh-TW', 'zh']],
    ['zh-Hant-HK', ['zh-Hant-HK', 'zh-HK', 'zh-Hant', 'zh-TW', 'zh']],
    ['zh-Hant', ['zh-Hant', 'zh-TW', 'zh-HK', 'zh']],
    ['zh-CN', ['zh-CN', 'zh-Hans', 'zh']],
    ['zh-SG', ['zh-SG', 'zh-Hans', 'zh', 'zh-CN']],
    ['zh-Hans', ['zh-Hans', 'zh', 'zh-CN']],
    ['zh-Hans-CN', ['zh-Hans-CN', 'zh-Hans', 'zh', 'zh-CN']],
    ['zh', ['zh', 'zh-Hans', 'zh-CN']],
    ['zh-MY', ['zh-MY', 'zh', 'zh-Hans', 'zh-CN']],
    ['zh-Hant-MO', ['zh-Hant-MO', 'zh-MO', 'zh-Hant', 'zh-HK', 'zh-TW', 'zh']],
    ['fil-PH', ['fil-PH', 'fil', 'tl']],
    ['he-IL', ['he', 'iw']],
    ['id-ID', ['id', 'in']],
  ] as const) {
    it(`gives ${locale} the first of the entries ${tags.join(', ')}`, () => {
      for (let first = 0; first < tags.length; first += 1) {
        const names = tags.slice(first);
        const entries = Object.fromEntries(names.map((tag) => [tag, tag]).reverse());
        expect(pickByLocale({ default: 'any', ...entries }, locale)).to.equal(names[0]);
      }
    });
  }

  for (const [locale, other] of [
    ['zh-TW', 'zh-CN'],
    ['zh-TW', 'zh-Hans'],
    ['zh-HK', 'zh-CN'],
    ['zh-Hant-HK', 'zh-CN'],
    ['zh-Hant-TW', 'zh-Hans'],
    ['zh-CN', 'zh-TW'],
    ['zh-CN', 'zh-Hant'],
    ['zh', 'zh-Hant'],
    ['da', 'nb'],
    ['sv', 'no'],
  ] as const) {
    it(`does not give ${locale} the entry of ${other}`, () => {
      expect(pickByLocale({ default: 'any', [other]: 'other' }, locale)).to.equal('any');
    });
  }

  it('gives undefined if there is neither an entry nor a default', () => {
    expect(pickByLocale({ de: 1 }, 'en-US')).to.equal(undefined);
  });

  it('ignores inherited entries of the table', () => {
    const inherited: Record<string, number> = Object.create({ en: 1, default: 2 }) as Record<string, number>;
    expect(pickByLocale(inherited, 'en')).to.equal(undefined);
  });
});
