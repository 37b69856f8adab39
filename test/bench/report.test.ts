import { expect } from 'chai';
import { growthOfLaterHalf } from './memory.js';
import {
  compareByRound,
  formatSpread,
  formatTable,
  percentile,
  spreadOf,
  tableOfRatios,
  tableOfServers,
  type Measurement,
} from './report.js';

/** A turn, by default at 1 connection. */
function turn(name: string, round: number, p50Ms: number, connections = 1): Measurement {
  const requestsPerSecond = 1000 / p50Ms;
  return {
    ...{ name, round, connections, requests: 1000, requestsPerSecond, p50Ms },
    ...{ p99Ms: 3 * p50Ms, cpuMicroseconds: 500 * p50Ms, standInShare: 0.1 },
  };
}

describe('the report of the bench', () => {
  it('takes as a percentile the smallest value that this share of values does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 0.5)).to.equal(50);
    expect(percentile(hundred, 0.99)).to.equal(99);
    expect(percentile([7], 0.99)).to.equal(7);
    expect(percentile([], 0.5)).to.be.NaN;
  });

  it('gives median, minimum and maximum of the rounds', () => {
    expect(spreadOf([30, 9, 100])).to.deep.equal({ median: 30, min: 9, max: 100 });
    expect(spreadOf([4, 1, 3, 2])).to.deep.equal({ median: 2.5, min: 1, max: 4 });
    expect(spreadOf([]).median).to.be.NaN;
    expect(formatSpread({ median: 1.005, min: 0.5, max: 12 }, 1)).to.equal('1.0 (0.5 to 12.0)');
  });

  it('compares two servers within the same round and load only', () => {
    // The machine is half as fast in the second round, but the ratio is the same.
    const turns = [turn('a', 0, 2), turn('b', 0, 1), turn('b', 1, 2), turn('a', 1, 4), turn('a', 0, 9, 32)];
    const pair = { of: 'a', to: 'b', connections: 1 };
    expect(compareByRound(turns, pair, (a, b) => a.p50Ms / b.p50Ms)).to.deep.equal([2, 2]);
    expect(compareByRound(turns, { ...pair, to: 'c' }, () => 1)).to.deep.equal([]);
    expect(compareByRound(turns, { ...pair, connections: 32 }, () => 1)).to.deep.equal([]);
  });

  it('shows the medians of each server and the ratios of each pair, at one load', () => {
    const turns = [turn('bare', 0, 1), turn('ours', 0, 2), turn('bare', 1, 1), turn('ours', 1, 4)];
    expect(tableOfServers([...turns, turn('ours', 0, 50, 32)], 1).split('\n')).to.deep.equal([
      'server  CPU µs/code  codes/s  p50 ms  p99 ms',
      '------  -----------  -------  ------  ------',
      'bare            500     1000    1.00    3.00',
      'ours           1500      375    3.00    9.00',
    ]);
    expect(
      tableOfRatios(turns, [['ours', 'bare']], 1)
        .split('\n')
        .at(-1),
    ).to.equal(
      'ours / bare     3.00 (2.00 to 4.00)  0.38 (0.25 to 0.50)  3.00 (2.00 to 4.00)  3.00 (2.00 to 4.00)',
    );
  });

  it('aligns the names of a table left and its numbers right', () => {
    const rows = [
      ['what', 'n'],
      ['a longer name', '1'],
      ['b', '1000'],
    ];
    expect(formatTable(rows).split('\n')).to.deep.equal([
      'what              n',
      '-------------  ----',
      'a longer name     1',
      'b              1000',
    ]);
  });

  it('measures the growth of memory in the second half of a run, when the caches are full', () => {
    const samples = [0, 25, 50, 75, 100].map((requests, index) => ({
      requests,
      rss: [100, 180, 200, 203, 201][index] ?? NaN,
      heapUsed: [10, 18, 20, 20, 25][index] ?? NaN,
      highestRss: 500,
    }));
    expect(growthOfLaterHalf(samples)).to.deep.equal({ rss: 1, heapUsed: 5 });
  });
});
