import { expect } from 'chai';
import { makeScript } from './script.js';
import { shrink, withSteps } from './shrink.js';

const SIZE = { gateways: 3, users: 2, state: undefined };

describe('a random schedule', () => {
  const scripts = Array.from({ length: 400 }, (_, seed) => makeScript(seed, SIZE));

  it('is the same for the same seed, and differs for each seed', () => {
    expect(makeScript(7, SIZE)).to.deep.equal(scripts[7]);
    expect(new Set(scripts.map(({ steps }) => JSON.stringify(steps))).size).to.be.at.least(395);
  });

  it('has codes, and all schedules together have every kind of step at every gateway', () => {
    expect(scripts.every(({ steps }) => steps.some(({ kind }) => kind === 'code'))).to.equal(true);
    const steps = scripts.flatMap((script) => script.steps);
    expect([...new Set(steps.map(({ kind }) => kind))].sort()).to.deep.equal([
      ...[
        'clock jump',
        'code',
        'cut',
        'cut at a command',
        'evicting Redis',
        'failover',
        'flushed Redis',
        'frozen Redis',
        'kill',
      ],
      ...[
        'kill at a command',
        'kill at a send',
        'no way',
        'refusing Redis',
        'resharding Redis',
        'restart',
        'slow command',
      ],
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

  it('gives each user other events, and a schedule in memory a single gateway', () => {
    for (const { steps } of scripts) {
      const users = steps.flatMap((step) => (step.kind === 'code' ? [[step.event, step.user] as const] : []));
      expect(users.every(([event, user]) => new Map(users).get(event) === user)).to.equal(true);
    }
    const { gateways, steps, isInMemory } = makeScript(7, { ...SIZE, state: 'memory' });
    expect([isInMemory, gateways]).to.deep.equal([true, 1]);
    expect(steps.every((step) => !('gateway' in step) || step.gateway === 0)).to.equal(true);
  });

  it('is reduced to the user and the steps that a finding needs', async () => {
    const script = makeScript(11, { ...SIZE, users: 5 });
    const places = await shrink(script, ({ steps }) => {
      const isThere = steps.some((step) => step.kind === 'code' && step.user === 3);
      return Promise.resolve(isThere && steps.some((step) => !('user' in step)));
    });
    const left = places.map((place) => script.steps[place]);
    expect(left.map((step) => step !== undefined && 'user' in step && step.user)).to.have.members([3, false]);
    const whole = await shrink(script, () => Promise.resolve(false));
    expect(whole).to.have.length(script.steps.length);
  });

  it('keeps the other steps if some are left out', () => {
    const script = makeScript(7, SIZE);
    expect(withSteps(script, undefined)).to.equal(script);
    expect(withSteps(script, [0, 2]).steps).to.deep.equal([script.steps[0], script.steps[2]]);
  });
});
