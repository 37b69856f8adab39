import { expect } from 'chai';
import { RunningCalls, SAME_MOMENT_MS, type RunningCall } from '#lib/delivery/running-calls.js';
import { ORDERS_OF_THREE } from '#harness/orders.js';
import { stopTime } from '#harness/stopped-time.js';

describe('the running calls of a person', () => {
  const supersededOf = (calls: readonly RunningCall[]): readonly boolean[] =>
    calls.map(({ newer }) => newer !== 'none');
  const beginThree = (
    running: RunningCalls,
    person: string,
  ): readonly [RunningCall, RunningCall, RunningCall] => [
    running.begin(person),
    running.begin(person),
    running.begin(person),
  ];

  it('are superseded by a newer call that has passed the guard, and by no other', () => {
    const running = new RunningCalls();
    const calls = [running.begin('ana'), running.begin('ana'), running.begin('ben'), running.begin('ana')];
    const [, second] = calls;
    if (second !== undefined) running.passGuard(second);
    expect(supersededOf(calls)).to.deep.equal([true, false, false, false]);
  });

  it('are superseded for good by a later call, and by a simultaneous one once that starts an attempt', () => {
    const clock = stopTime();
    try {
      const running = new RunningCalls();
      const first = running.begin('ana');
      clock.tick(1);
      const second = running.begin('ana');
      clock.tick(SAME_MOMENT_MS);
      const third = running.begin('ana');
      running.passGuard(third);
      expect([first.newer, second.newer]).to.deep.equal(['ahead', 'beside']);
      running.passGuard(second);
      expect(first.newer).to.equal('ahead');
      running.startAttempt(third);
      expect(second.newer).to.equal('ahead');
    } finally {
      clock.restore();
    }
  });

  it('follow the last call of the person that passed the guard, even if that has ended', () => {
    const running = new RunningCalls();
    expect(['a', 'b', 'c'].map((event) => running.follow('ana', event))).to.deep.equal([undefined, 'a', 'b']);
    expect(running.follow('ben', 'd')).to.equal(undefined);
  });

  it('are not superseded by a call that has not passed the guard', () => {
    const running = new RunningCalls();
    expect(supersededOf(beginThree(running, 'ana'))).to.deep.equal([false, false, false]);
  });

  for (const order of ORDERS_OF_THREE) {
    it(`are known to later calls, and ended ones are not, if they end in the order ${order.join()}`, () => {
      for (let ended = 0; ended <= order.length; ended += 1) {
        const running = new RunningCalls();
        const calls = beginThree(running, 'ana');
        for (const at of order.slice(0, ended)) running.end(calls[at]);
        const newest = running.begin('ana');
        const going = [2, 1, 0].filter((at) => !order.slice(0, ended).some((other) => other === at));
        expect(olderThan(newest)).to.deep.equal(going.map((at) => calls[at]));
        running.passGuard(newest);
        expect(supersededOf(calls)).to.deep.equal([0, 1, 2].map((at) => going.includes(at)));
        expect(newest.newer).to.equal('none');
      }
    });
  }

  for (const twice of [0, 1, 2] as const) {
    it(`do not lose the others if number ${twice} of three ends twice`, () => {
      const running = new RunningCalls();
      const calls = beginThree(running, 'ana');
      running.end(calls[twice]);
      running.end(calls[twice]);
      const newer = running.begin('ana');
      running.end(calls[twice]);
      const others = [2, 1, 0].filter((at) => at !== twice).map((at) => calls[at]);
      expect(olderThan(newer)).to.deep.equal(others);
      expect(olderThan(running.begin('ana'))).to.deep.equal([newer, ...others]);
    });
  }

  it('do not lose a call that begins before the only earlier one ends again', () => {
    const running = new RunningCalls();
    const first = running.begin('ana');
    running.end(first);
    running.end(first);
    const second = running.begin('ana');
    running.end(first);
    expect(second.older).to.equal(undefined);
    expect(running.begin('ana').older).to.equal(second);
  });

  for (const [title, late] of [
    ['the newest call', 2],
    ['a call between them', 1],
  ] as const) {
    it(`are superseded, if older, by ${title} that passes the guard after its end`, () => {
      const running = new RunningCalls();
      const calls = beginThree(running, 'ana');
      running.end(calls[late]);
      const newer = running.begin('ana');
      running.passGuard(calls[late]);
      expect(supersededOf([...calls, newer])).to.deep.equal([true, late === 2, false, false]);
    });
  }

  it('are not superseded by a call that ended before they began', () => {
    const running = new RunningCalls();
    const ended = running.begin('ana');
    running.end(ended);
    const newer = running.begin('ana');
    running.passGuard(ended);
    expect(supersededOf([ended, newer])).to.deep.equal([false, false]);
  });

  it('are separate for each person, also when calls end or pass the guard', () => {
    const running = new RunningCalls();
    const ana = beginThree(running, 'ana');
    const ben = beginThree(running, 'ben');
    running.end(ana[2]);
    running.end(ana[0]);
    running.end(ana[1]);
    expect(running.begin('ana').older).to.equal(undefined);
    const newest = running.begin('ben');
    expect(olderThan(newest)).to.deep.equal([ben[2], ben[1], ben[0]]);
    running.passGuard(newest);
    expect(supersededOf([...ana, ...ben])).to.deep.equal([false, false, false, true, true, true]);
  });
});

/** The calls that it would supersede, the newest first. */
function olderThan({ older }: RunningCall): readonly RunningCall[] {
  return older === undefined ? [] : [older, ...olderThan(older)];
}
