import { expect } from 'chai';
import { RunningCalls, type RunningCall } from '../../lib/delivery/running-calls.js';

describe('the calls of a person that are under way', () => {
  const overtakenOf = (calls: readonly RunningCall[]): readonly boolean[] =>
    calls.map(({ isOvertaken }) => isOvertaken);

  it('are overtaken by a newer one that a channel has accepted, and by no other', () => {
    const running = new RunningCalls();
    const calls = [running.begin('ana'), running.begin('ana'), running.begin('ben'), running.begin('ana')];
    const [, second] = calls;
    if (second !== undefined) running.accepted(second);
    expect(overtakenOf(calls)).to.deep.equal([true, false, false, false]);
  });

  for (const ended of [0, 1, 2]) {
    it(`are known to those that came after them when number ${ended} of three has ended`, () => {
      const running = new RunningCalls();
      const calls = [0, 1, 2].map(() => running.begin('ana'));
      calls
        .filter((_, at) => at === ended)
        .forEach((call) => {
          running.end(call);
        });
      running.accepted(running.begin('ana'));
      expect(overtakenOf(calls)).to.deep.equal([0, 1, 2].map((at) => at !== ended));
    });
  }
});
