import { expect } from 'chai';
import { countriesOf, sayLevel, stateOf } from '#lib/console/browser/learned-rows.js';
import { plantLearning } from '../../browser/planted.js';

const NOW = Date.now();

describe('the rows of the guard that learns', () => {
  const textsOf = (changes: Parameters<typeof plantLearning>[1] = {}): readonly string[] => {
    const overview = plantLearning(NOW, changes);
    return countriesOf(overview).map((row) => {
      const { text, canLift } = stateOf(row, overview);
      return `${row.country}: ${text.replace(/ until .*/, ' until …')}${canLift ? ', can be lifted' : ''}`;
    });
  };

  it('begin with what is blocked, and leave out countries without codes', () => {
    expect(textsOf()).to.deep.equal([
      'LK: Blocked until …, can be lifted',
      'DE: Blocked in part until …, can be lifted',
      'GB: Not blocked',
      'none: Not blocked',
    ]);
  });

  it('say what would be blocked in record mode and in the warm-up', () => {
    for (const changes of [{ mode: 'record' }, { warmUpUntilMs: NOW + 1 }] as const) {
      expect(textsOf(changes).slice(0, 2)).to.deep.equal([
        'LK: Would be blocked until …',
        'DE: Would be blocked in part until …',
      ]);
    }
  });

  it('say that nothing is blocked while the guard is blind', () => {
    expect(new Set(textsOf({ isBlind: true }).map((text) => text.replace(/^\w+: /, '')))).to.deep.equal(
      new Set(['Not blocked: no uses seen']),
    );
  });

  it('say the level that is nearest to its limit', () => {
    const levels = countriesOf(plantLearning(NOW)).map(sayLevel);
    expect(levels).to.deep.equal([
      '20 of 20 an hour',
      '8 of 20 an hour',
      '215 of 613 a day',
      '0 of 20 an hour',
    ]);
  });
});
