import { expect } from 'chai';
import { FAULT_KINDS, makeSchedule } from './schedule.js';

const LENGTH_MS = 240_000;
const schedules = Array.from({ length: 50 }, (_, seed) =>
  makeSchedule({ seed, lengthMs: LENGTH_MS, gateways: 3 }),
);

describe('the schedule of a chaos run', () => {
  it('is the same for the same seed, and differs for each seed', () => {
    expect(makeSchedule({ seed: 7, lengthMs: LENGTH_MS, gateways: 3 })).to.deep.equal(schedules[7]);
    expect(new Set(schedules.map((schedule) => JSON.stringify(schedule)))).to.have.lengthOf(50);
  });

  it('has every kind of fault, hits every gateway, and ends before the load', () => {
    for (const schedule of schedules) {
      expect(new Set(schedule.map(({ kind }) => kind))).to.have.lengthOf(FAULT_KINDS.length);
      expect(Math.max(...schedule.map(({ atMs, forMs }) => atMs + forMs))).to.be.below(LENGTH_MS);
    }
    const gateways = new Set(schedules.flat().flatMap(({ gateway }) => gateway ?? []));
    expect([...gateways].sort()).to.deep.equal([0, 1, 2]);
  });

  it('never loses a gateway and Redis within one call and its repeat', () => {
    // Okta waits 3 s for each. A stopped gateway gets calls for one more second, and gateways find Redis again within 1 s.
    const reachOf = (kind: string, forMs: number): number => {
      if (kind.startsWith('kill a gateway')) return 3_000;
      if (kind === 'stop a gateway') return Math.max(7_000, forMs);
      return ['set a clock', 'flush Redis'].includes(kind) ? 0 : forMs + 1_000;
    };
    for (const schedule of schedules) {
      schedule.forEach(({ kind, atMs, forMs }, index) => {
        const next = schedule[index + 1];
        if (next === undefined || kind === 'drain a gateway') return;
        expect(next.atMs).to.be.at.least(atMs + reachOf(kind, forMs));
        // Events that were claimed while Redis was lost have their answer by then, and no repeat comes.
        if (/^(?:kill|stop|pause|fill) Redis$/.test(kind))
          expect(next.atMs).to.be.at.least(atMs + forMs + 4_000);
      });
    }
  });
});
