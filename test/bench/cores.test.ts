import { expect } from 'chai';
import { coresFor, readCores } from './cores.js';

describe('the CPU cores of a bench run', () => {
  it('are divided: one for each measured process, the others for the rest', () => {
    expect(coresFor(1, [0, 1])).to.deep.equal({ measured: [0], rest: [1] });
    expect(coresFor(2, [0, 1, 2, 3])).to.deep.equal({ measured: [0, 1], rest: [2, 3] });
  });

  it('are those in the affinity list of taskset, and none without it', () => {
    expect(readCores("pid 1's current affinity list: 1,4-6\n")).to.deep.equal([1, 4, 5, 6]);
    expect(readCores(null)).to.deep.equal([]);
  });

  it('are not divided if no core would be left for the rest', () => {
    expect(coresFor(1, [0])).to.equal(undefined);
    expect(coresFor(4, [0, 1, 2, 3])).to.equal(undefined);
  });
});
