import { expect } from 'chai';
import { READY_TIMEOUT_MS } from '#lib/hook/readiness.js';
import { DEFAULT_TIMES } from '#lib/state/redis/options.js';

/** The longest time that a call waits for its state, and the longest deadline of a call, milliseconds. */
const STATE_SHARE_MS = 200;
const LONGEST_DEADLINE_MS = 2_800;

describe('the times of the Redis state', () => {
  const times = DEFAULT_TIMES;

  it('probe a lost Redis every second, as its remedy says', () => {
    expect(times.probeEveryMs).to.equal(1_000);
  });

  it('end a command before the call goes on without the state', () => {
    expect(times.commandMs).to.be.lessThan(STATE_SHARE_MS);
  });

  it('let a repeat wait as long as the longest call, and see the answer soon', () => {
    expect(times.answerMs).to.be.within(LONGEST_DEADLINE_MS, LONGEST_DEADLINE_MS + 1_000);
    expect(times.poll.firstMs).to.be.at.most(20);
    expect(times.poll.longestMs).to.be.at.most(100);
  });

  it('connect within the time-outs of ready() and close()', () => {
    expect(times.connectMs).to.be.within(500, READY_TIMEOUT_MS / 2);
    expect(times.disconnectMs).to.be.lessThan(times.connectMs);
  });

  it('look for alarms about every second', () => {
    expect(times.alarmEveryMs).to.be.within(500, 1_500);
  });
});
