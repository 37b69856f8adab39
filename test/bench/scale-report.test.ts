import { expect } from 'chai';
import { limitOf, tableOfRedis, tableOfScale, type ScaleMeasurement } from './scale-report.js';

/** A turn of one gateway at 32 connections without a limit. */
function turn(changes: Partial<ScaleMeasurement> = {}): ScaleMeasurement {
  return {
    ...{ name: 'Redis, 1', processes: 1, round: 0, connections: 32, requests: 1000, requestsPerSecond: 1000 },
    ...{ p50Ms: 10, p99Ms: 30, cpuMicroseconds: 500, drivingMicroseconds: 200, standInShare: 0.1, waits: 1 },
    redis: {
      calls: { evalsha: 3, set: 4, 'config|get': 0.001 },
      ...{ bytesIn: 3000, bytesOut: 21, cpuMicroseconds: 100, memoryBytes: 2900 },
    },
    ...{ coresUsed: 0.8, coresBusy: 0.8 },
    ...changes,
  };
}

const redisTaking = (cpuMicroseconds: number): Partial<ScaleMeasurement> => ({
  redis: { ...turn().redis, cpuMicroseconds },
});

describe('the report of the scale run', () => {
  it('shows the medians of each fleet at one load', () => {
    const turns = [
      turn(),
      turn({ round: 1, requestsPerSecond: 2000 }),
      turn({ connections: 1, requestsPerSecond: 9 }),
    ];
    expect(tableOfScale(turns, 32).split('\n')).to.deep.equal([
      'state, processes  codes/s  p50 ms  p99 ms  gateways  Redis  load + stand-ins  cores',
      '----------------  -------  ------  ------  --------  -----  ----------------  -----',
      'Redis, 1             1500   10.00   30.00       500    100               200   0.80',
    ]);
  });

  it('shows the Redis commands of a code without rare ones, and no row for a fleet without Redis', () => {
    const alone = turn({ name: 'memory, 1', redis: { ...turn().redis, calls: {} } });
    expect(tableOfRedis([alone, turn()], 32).split('\n').slice(2)).to.deep.equal([
      'Redis, 1     1.00      3000         21        2900          set 4.00, evalsha 3.00',
    ]);
  });

  for (const [limit, changes] of [
    ["the machine's cores: this run used 3.90 of 4 cores", { coresUsed: 3.9, coresBusy: 3.95 }],
    [
      "the machine's cores: this run used 1.50 of 4 cores, and 2.40 were used by what else the machine did",
      { coresUsed: 1.5, coresBusy: 3.9 },
    ],
    ['Redis, which uses one core: 95 % of it', redisTaking(950)],
    ['the stand-ins for Okta and Twilio: 97 % of a core', { standInShare: 0.97 }],
    ["the gateway's process: 92 % of a core (0.80 of 4 cores used)", { cpuMicroseconds: 920 }],
    // Each of two processes uses half of this.
    ['the load, which waits for each answer (0.80 of 4 cores used)', { cpuMicroseconds: 920, processes: 2 }],
  ] as const) {
    it(`names the limit of the throughput: ${limit}`, () => {
      expect(limitOf([turn(changes)], 4)).to.equal(limit);
    });
  }
});
