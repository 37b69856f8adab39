import { expect } from 'chai';
import { makeScript } from './script.js';
import { withSteps } from './shrink.js';

describe('a random schedule', () => {
  const scripts = Array.from({ length: 400 }, (_, seed) => makeScript(seed, 3));

  it('is the same for the same seed, and differs for each seed', () => {
    expect(makeScript(7, 3)).to.deep.equal(scripts[7]);
    expect(new Set(scripts.map(({ steps }) => JSON.stringify(steps))).size).to.be.at.least(395);
  });

  it('has codes, and all schedules together have every kind of step at every gateway', () => {
    expect(scripts.every(({ steps }) => steps.some(({ kind }) => kind === 'code'))).to.equal(true);
    const steps = scripts.flatMap((script) => script.steps);
    expect([...new Set(steps.map(({ kind }) => kind))].sort()).to.deep.equal([
      ...['code', 'cut', 'cut at a command', 'evicting Redis', 'flushed Redis', 'frozen Redis', 'kill'],
      ...['kill at a command', 'kill at a send', 'no way', 'refusing Redis', 'restart', 'slow command'],
      ...['slow connect', 'slow way', 'use', 'word'],
    ]);
    const gateways = new Set(steps.flatMap((step) => ('gateway' in step ? [step.gateway] : [])));
    expect([...gateways].sort()).to.deep.equal([0, 1, 2]);
    expect(steps.every(({ atMs }) => atMs >= 0)).to.equal(true);
  });

  it('never gives two gateways lists of keys without a common key', () => {
    for (const { keyLists } of scripts)
      for (const one of keyLists)
        for (const other of keyLists) expect(one.some((key) => other.includes(key))).to.equal(true);
  });

  it('keeps the other steps if some are left out', () => {
    const script = makeScript(7, 3);
    expect(withSteps(script, undefined)).to.equal(script);
    expect(withSteps(script, [0, 2]).steps).to.deep.equal([script.steps[0], script.steps[2]]);
  });
});
