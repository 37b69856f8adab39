import { expect } from 'chai';
import type sinon from 'sinon';
import { Budget } from '#lib/core/budget.js';
import { TIMED_OUT, waitAtMost } from '#lib/core/time.js';
import { fakeClock } from '#harness/fake-clock.js';
import { defer } from '#harness/until.js';

describe('the budget of a call', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
  });
  afterEach(() => {
    clock.restore();
  });

  for (const [deadlineMs, waitMs] of [
    [500, 450],
    [800, 720],
    [1000, 900],
    [2200, 1980],
    [2800, 2550],
  ] as const) {
    it(`of ${deadlineMs} ms waits ${waitMs} ms and keeps the rest for writing the answer`, async () => {
      const budget = new Budget(deadlineMs);
      let isOver = false;
      void budget.untilEnd(new Promise(() => undefined)).then(() => {
        isOver = true;
      });
      expect(budget.remainingMs()).to.equal(waitMs);
      await clock.tickAsync(waitMs - 1);
      expect(isOver).to.equal(false);
      await clock.tickAsync(1);
      expect(isOver).to.equal(true);
      expect(budget.remainingMs()).to.equal(0);
      expect(budget.elapsedMs()).to.equal(waitMs);
    });
  }

  it('waits for work until its end, not longer', async () => {
    const budget = new Budget(1000);
    expect(await budget.untilEnd(Promise.resolve('done'))).to.equal('done');
    const waiting = budget.untilEnd(new Promise(() => undefined));
    await clock.tickAsync(900);
    expect(await waiting).to.equal(TIMED_OUT);
    // After the end it does not wait.
    expect(await budget.untilEnd(new Promise(() => undefined))).to.equal(TIMED_OUT);
  });

  it('aborts the signal even if the call reads it after the hang-up', () => {
    const budget = new Budget(1000);
    budget.hangUp();
    expect(budget.leaveSignal.aborted).to.equal(true);
    budget.close();
  });

  it('is over by the clock even if a busy process delays its timers', () => {
    const budget = new Budget(1000);
    // Time passes and no timer runs, as during a long task.
    let nowMs = 884;
    performance.now = () => nowMs;
    try {
      expect([budget.isOver, budget.leaveSignal.aborted]).to.deep.equal([false, false]);
      nowMs = 885;
      expect([budget.isOver, budget.leaveSignal.aborted]).to.deep.equal([true, true]);
    } finally {
      // Uncovers the original function, on the prototype.
      Reflect.deleteProperty(performance, 'now');
      budget.close();
    }
  });

  it('treats rejected work like work without a result', async () => {
    const budget = new Budget(1000);
    expect(await budget.untilEnd(Promise.reject(new Error('lost')))).to.equal(TIMED_OUT);
    budget.close();
  });

  it('lets no request leave shortly before its end', async () => {
    const budget = new Budget(1000);
    await clock.tickAsync(884);
    expect([budget.isOver, budget.leaveSignal.aborted]).to.deep.equal([false, false]);
    await clock.tickAsync(1);
    expect([budget.isOver, budget.leaveSignal.aborted]).to.deep.equal([true, true]);
    expect(budget.remainingMs()).to.equal(15);
    budget.close();
  });

  it('never has less than 0 ms left', async () => {
    const budget = new Budget(500);
    await clock.tickAsync(5000);
    expect(budget.remainingMs()).to.equal(0);
    expect(budget.share(100, 0.5)).to.equal(0);
  });

  it('gives a share of the remaining time, up to a maximum', async () => {
    const budget = new Budget(1000);
    expect(budget.share(700, 0.5)).to.equal(450);
    expect(budget.share(300, 0.5)).to.equal(300);
    await clock.tickAsync(800);
    expect(budget.share(300, 0.5)).to.equal(50);
    budget.close();
  });

  it('lets no request leave after Okta hangs up, and still waits for those that have left', async () => {
    const budget = new Budget(1000);
    let isOver = false;
    void budget.untilEnd(new Promise(() => undefined)).then(() => {
      isOver = true;
    });
    await clock.tickAsync(100);
    expect(budget.hasHungUp).to.equal(false);
    budget.hangUp();
    expect([budget.hasHungUp, budget.isOver, budget.leaveSignal.aborted]).to.deep.equal([true, true, true]);
    expect(budget.remainingMs()).to.equal(800);
    await clock.tickAsync(799);
    expect(isOver).to.equal(false);
    await clock.tickAsync(1);
    expect(isOver).to.equal(true);
  });

  it('leaves no timer after close()', () => {
    const budget = new Budget(1000);
    expect(clock.countTimers()).to.equal(1);
    budget.close();
    expect(clock.countTimers()).to.equal(0);
  });

  it('does not depend on the wall clock', () => {
    clock.restore();
    clock = fakeClock(['Date']);
    const budget = new Budget(2200);
    clock.setSystemTime(Date.now() + 3_600_000);
    expect(budget.remainingMs()).to.be.within(1000, 2090);
    clock.setSystemTime(Date.now() - 7_200_000);
    expect(budget.remainingMs()).to.be.within(1000, 2090);
    budget.close();
  });
});

describe('waiting for work', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout']);
  });
  afterEach(() => {
    clock.restore();
  });

  it('ends with the work, and leaves no timer', async () => {
    expect(await waitAtMost(Promise.resolve('done'), 100)).to.equal('done');
    const error = new Error('failed');
    const outcome = await waitAtMost(Promise.reject(error), 100).catch((reason: unknown) => reason);
    expect(outcome).to.equal(error);
    expect(clock.countTimers()).to.equal(0);
  });

  it('ends after its time, and handles a failure that comes later', async () => {
    const work = defer<never>();
    let outcome: unknown = 'waiting';
    void waitAtMost(work.promise, 100).then((result) => {
      outcome = result;
    });
    await clock.tickAsync(99);
    expect(outcome).to.equal('waiting');
    await clock.tickAsync(1);
    expect(outcome).to.equal(TIMED_OUT);
    // An unhandled rejection would fail this test.
    work.reject(new Error('too late'));
  });
});
