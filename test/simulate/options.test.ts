import { expect } from 'chai';
import { withFiles } from './made-files.js';
import { readSimulateOptions, USAGE } from './options.js';
import { priceOf } from './prices.js';

describe('the options of the simulation', () => {
  it('are three sizes, 30 days after 30 days of warm-up, and always the same seed', () => {
    const { prices, ...options } = readSimulateOptions([]);
    expect(options).to.deep.equal({
      sizes: [15, 1000, 100_000],
      days: 30,
      learn: { ratio: 1, warmUpDays: 30 },
      seed: 1,
      parts: ['guard', 'resend'],
      isHelp: false,
    });
    expect(prices.currency).to.equal('invented dollars');
  });

  it('take sizes, days, a seed, members of guard.learn and parts', () => {
    const args = ['--size', '15,200', '--days', '3', '--seed', '7', '--only', 'resend'];
    expect(readSimulateOptions([...args, '--learn', '{"ratio":0.5}'])).to.deep.include({
      sizes: [15, 200],
      days: 3,
      seed: 7,
      learn: { ratio: 0.5, warmUpDays: 30 },
      parts: ['resend'],
    });
  });

  const WRONG: readonly (readonly [readonly string[], string])[] = [
    [['--size', 'many'], '--size takes a whole number from 1 up, not many'],
    [['--days', '0'], '--days takes a whole number from 1 up, not 0'],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
    [['--learn', 'ratio'], '--learn takes JSON such as {"ratio":1,"warmUpDays":30}, not ratio'],
    [['--learn', '[]'], 'not []'],
    [['--learn', '{"ratio":0}'], 'not {"ratio":0}'],
    [['--learn', '{"mode":"record"}'], 'not {"mode"'],
    [['--only', 'all'], '--only takes guard, resend, not all'],
    [['--prices', 'no-such-file.json'], '--prices: no-such-file.json cannot be read as JSON'],
    [['--users', '3'], "Unknown option '--users'"],
  ];
  for (const [args, message] of WRONG) {
    it(`refuse ${args.join(' ')}`, () => {
      expect(() => readSimulateOptions(args)).to.throw(message);
    });
  }

  it('are all in the usage', () => {
    for (const name of ['size', 'days', 'learn', 'prices', 'seed', 'only', 'help']) {
      expect(USAGE).to.include(`--${name} `.trimEnd());
    }
  });

  it('take the prices of a contract, by country', async () => {
    const contract = { currency: 'EUR', sms: { default: 0.06, DE: 0.08 }, whatsapp: { default: 0.03 } };
    await withFiles(
      { 'prices.json': contract, 'wrong.json': { currency: 'EUR', sms: { DE: 1 } } },
      (folder) => {
        const { prices } = readSimulateOptions(['--prices', `${folder}/prices.json`]);
        expect(prices).to.deep.equal(contract);
        expect(priceOf(prices, { channel: 'sms', country: 'DE' })).to.equal(0.08);
        expect(priceOf(prices, { channel: 'sms', country: 'FR' })).to.equal(0.06);
        expect(priceOf(prices, { channel: 'whatsapp', country: 'DE' })).to.equal(0.03);
        expect(() => readSimulateOptions(['--prices', `${folder}/wrong.json`])).to.throw('wrong.json needs');
      },
    );
  });
});
