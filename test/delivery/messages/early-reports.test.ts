import { expect } from 'chai';
import type sinon from 'sinon';
import { UnmatchedReports } from '#lib/delivery/messages/early-reports.js';
import { fakeClock } from '#harness/fake-clock.js';
import { endTime } from '#harness/stopped-time.js';

describe('reports on messages that no send has claimed', () => {
  let clock: sinon.SinonFakeTimers;
  let unmatched: string[];
  let reports: UnmatchedReports;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    unmatched = [];
    reports = new UnmatchedReports({
      emitCounted: (_subject, makeEvent) => {
        const event = makeEvent(1, false);
        if (event.type === 'callback.unmatched') unmatched.push(event.transactionId);
      },
    });
  });
  afterEach(() => {
    reports.close();
    expect(endTime(clock), 'timers left').to.deep.equal([]);
  });

  it('are given up after 15 s, with one timer for all, unless a send claims them', () => {
    for (const [key, afterMs] of [
      ['SM1', 0],
      ['SM2', 1],
      ['SM3', 9_000],
      ['SM4', 0],
    ] as const) {
      clock.tick(afterMs);
      reports.add(key, true);
    }
    reports.claim('SM4');
    expect(clock.countTimers()).to.equal(1);
    clock.tick(15_000 - 9_001);
    expect(unmatched).to.deep.equal(['SM1']);
    clock.tick(15_000);
    expect(unmatched).to.deep.equal(['SM1', 'SM2', 'SM3']);
    expect(clock.countTimers()).to.equal(0);
  });

  it('wait from the first report on their message', () => {
    reports.add('SM1', true);
    clock.tick(10_000);
    reports.add('SM1', true);
    clock.tick(5_000);
    expect(unmatched).to.deep.equal(['SM1']);
  });

  it('count once for a message, also if it is reported again; 1,000 are remembered', () => {
    for (let copies = 0; copies < 3; copies += 1) reports.add('SM0', false);
    expect(unmatched).to.deep.equal(['SM0']);
    for (let count = 1; count <= 1_000; count += 1) reports.add(`SM${count}`, false);
    reports.add('SM1000', false);
    expect(unmatched).to.have.length(1_001);
    reports.add('SM0', false);
    expect(unmatched.at(-1)).to.equal('SM0');
  });

  it('wait for at most 1,000 messages: the oldest is given up first', () => {
    for (let count = 0; count <= 1_000; count += 1) reports.add(`SM${count}`, true);
    expect(unmatched).to.deep.equal(['SM0']);
    expect(clock.countTimers()).to.equal(1);
    reports.claim('SM1');
    clock.tick(15_000);
    expect(unmatched).to.have.length(1_000).and.to.not.include('SM1');
  });

  it('are not reported after close()', () => {
    reports.add('SM1', true);
    reports.close();
    clock.tick(60_000);
    expect(unmatched).to.be.empty;
  });
});
