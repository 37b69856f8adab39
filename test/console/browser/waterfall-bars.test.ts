import { expect } from 'chai';
import { divideAtAnswer, layOutWaterfall, startOf } from '#lib/console/browser/waterfall-bars.js';
import { answerOf } from '#lib/console/history/execution-outcome.js';
import { plantExecution } from '../../browser/planted.js';

describe('the waterfall of a call', () => {
  const NOW = 1_800_000_000_000;

  it('has a bar for each step that takes time, and one for the total', () => {
    const { steps, startedAt, durationMs } = plantExecution(1, NOW);
    const { bars, spanMs } = layOutWaterfall(steps, 2500);
    expect(startOf(steps, 0)).to.equal(startedAt);
    expect(bars.map(({ label }) => label)).to.deep.equal(['Profile', 'WhatsApp', 'SMS', 'Total']);
    expect(bars.map(({ tone }) => tone)).to.deep.equal(['plain', 'bad', 'good', 'good']);
    expect(bars[1]?.result).to.equal('refused, 63015');
    expect(bars.at(-1)).to.include({ startMs: 0, endMs: durationMs });
    for (const { startMs, endMs } of bars) expect(startMs).to.be.within(0, endMs);
    // Okta's time limit is three seconds.
    expect(spanMs).to.equal(3000);
  });

  it('leaves out the steps after the answer, and the answers to repeats', () => {
    const { steps } = plantExecution(1, NOW);
    const [before, after] = divideAtAnswer(steps);
    expect(before.at(-1)?.type).to.equal('request.answered');
    expect(after.map(({ type }) => type)).to.deep.equal(['message.reported', 'code.used']);
    const repeated = steps.map((step) =>
      step.type === 'request.answered' ? { ...step, at: step.at + 900, isRepeat: true } : step,
    );
    expect(layOutWaterfall([...steps, ...repeated], 2500)).to.deep.equal(layOutWaterfall(before, 2500));
  });

  it("goes on to the call's own answer if a repeat got an answer before, like the history", () => {
    const { steps } = plantExecution(1, NOW);
    const [before] = divideAtAnswer(steps);
    const answer = answerOf(steps);
    if (answer === undefined) return expect.fail('it was answered');
    const repeat = { ...answer, at: answer.at - 40, durationMs: 12, isRepeat: true };
    const all = [...steps.slice(0, 2), repeat, ...steps.slice(2)];
    expect(startOf(all, 0)).to.equal(startOf(steps, 0));
    expect(divideAtAnswer(all)[0]).to.have.lengthOf(before.length + 1);
    expect(layOutWaterfall(all, 2500)).to.deep.equal(layOutWaterfall(steps, 2500));

    const alone = [...steps.filter(({ type }) => type !== 'request.answered'), repeat];
    const again = { ...answer, at: answer.at + 3500 };
    for (const [given, expected] of [
      [steps, answer],
      [all, answer],
      [alone, repeat],
      [[...steps, again], again],
      [[], undefined],
    ] as const) {
      expect(answerOf(given)).to.equal(expected);
    }
  });

  it('has both answers if Okta called again after an answer that no message was sent', () => {
    const { steps } = plantExecution(1, NOW);
    const answer = answerOf(steps);
    if (answer === undefined) return expect.fail('it was answered');
    const { bars } = layOutWaterfall([...steps, { ...answer, at: answer.at + 3500, durationMs: 200 }], 2500);
    const answers = bars.filter(({ label }) => label === 'Total');
    expect(answers.map(({ startMs, endMs }) => [startMs, endMs])).to.deep.equal([
      [0, answer.durationMs],
      [answer.durationMs + 3300, answer.durationMs + 3500],
    ]);
  });

  it('is longer than three seconds if the call was', () => {
    const { steps } = plantExecution(1, NOW, { durationMs: 4000 });
    const late = steps.map((step) =>
      step.type === 'request.answered' ? { ...step, at: step.at + 4000, durationMs: 4217 } : step,
    );
    expect(layOutWaterfall(late, 2500).spanMs).to.equal(4217);
  });

  it('begins with the request if there is no answer yet', () => {
    const { steps, startedAt } = plantExecution(1, NOW);
    const running = steps.slice(0, 2);
    expect(startOf(running, 0)).to.equal(startedAt);
    expect(layOutWaterfall(running, 2500).bars.map(({ label }) => label)).to.deep.equal(['Profile']);
    expect(layOutWaterfall([], 2500).bars).to.be.empty;
  });
});
