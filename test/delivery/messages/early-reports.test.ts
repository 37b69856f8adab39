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
    // lru-cache takes 0 for no time.
    clock.tick(1);
    unmatched = [];
    reports = new UnmatchedReports({
      emitCounted: (_subject, makeEvent) => {
        const event = makeEvent(1, false);
        if (event.type === 'callback.unmatched') unmatched.push(`twilio ${event.transactionId}`);
      },
    });
  });
  afterEach(() => {
    reports.close();
    expect(endTime(clock), 'timers left').to.deep.equal([]);
  });

  it('are given up after 15 s, unless a send claims them', () => {
    for (const [key, afterMs] of [
      ['twilio SM1', 0],
      ['twilio SM2', 1],
      ['twilio SM3', 9_000],
      ['twilio SM4', 0],
    ] as const) {
      clock.tick(afterMs);
      reports.add(key, true);
    }
    reports.claim('twilio SM4');
    clock.tick(15_000 - 9_001);
    expect(unmatched).to.deep.equal([]);
    clock.tick(1);
    expect(unmatched).to.deep.equal(['twilio SM1']);
    clock.tick(15_000);
    expect(unmatched).to.deep.equal(['twilio SM1', 'twilio SM2', 'twilio SM3']);
    expect(clock.countTimers()).to.equal(0);
  });

  it('wait from the first report on their message', () => {
    reports.add('twilio SM1', true);
    clock.tick(10_000);
    reports.add('twilio SM1', true);
    clock.tick(5_001);
    expect(unmatched).to.deep.equal(['twilio SM1']);
  });

  it('count once for a message, also if it is reported again; 1,000 are remembered', () => {
    for (let copies = 0; copies < 3; copies += 1) reports.add('twilio SM0', false);
    expect(unmatched).to.deep.equal(['twilio SM0']);
    for (let count = 1; count <= 1_000; count += 1) reports.add(`twilio SM${count}`, false);
    reports.add('twilio SM1000', false);
    expect(unmatched).to.have.length(1_001);
    reports.add('twilio SM0', false);
    expect(unmatched.at(-1)).to.equal('twilio SM0');
  });

  it('wait for at most 1,000 messages: the oldest is given up first', () => {
    for (let count = 0; count <= 1_000; count += 1) reports.add(`twilio SM${count}`, true);
    expect(unmatched).to.deep.equal(['twilio SM0']);
    reports.claim('twilio SM1');
    clock.tick(15_001);
    expect(unmatched).to.have.length(1_000).and.to.not.include('twilio SM1');
  });

  it('keep no process alive', () => {
    clock.restore();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    reports.add('twilio SM1', true);
    expect(timers()).to.equal(before);
  });

  it('are not reported after close()', () => {
    reports.add('twilio SM1', true);
    reports.close();
    clock.tick(60_000);
    expect(unmatched).to.be.empty;
  });
});
