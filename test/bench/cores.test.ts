import { expect } from 'chai';
import { coresFor } from './cores.js';

describe('the cores of a bench', () => {
  it('are one for each measured process, and the others for the rest', () => {
    expect(coresFor(1, 2)).to.deep.equal({ measured: [0], rest: [1] });
    expect(coresFor(2, 4)).to.deep.equal({ measured: [0, 1], rest: [2, 3] });
  });

  it('are not divided if none would be left for the rest', () => {
    expect(coresFor(1, 1)).to.equal(undefined);
    expect(coresFor(4, 4)).to.equal(undefined);
  });
});
