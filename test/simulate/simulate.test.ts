import { expect } from 'chai';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { EnforcingGuard } from './guard.js';
import { simulateGuard, type GuardResult } from './simulate.js';
import { blockedIn } from './tables.js';

// The short form of `npm run simulate`: always the same seed, so that a change is judged by what it changes.

const LEARN = { ratio: 1, warmUpDays: 30 };

function run(size: number, days: number, learn = LEARN): Promise<GuardResult> {
  const guard = new EnforcingGuard(openMemoryState().learning, learn);
  return simulateGuard({ size, days, learn, seed: 1 }, guard);
}

describe('the guard that learns, in simulated traffic', () => {
  it('blocks no honest code of a small organisation, with and without the event hook, and each attack', async () => {
    const { honest, attacks, problems } = await run(15, 30);
    expect(problems).to.deep.equal([]);
    expect(honest.map(({ honest: codes }) => blockedIn(codes))).to.deep.equal(honest.map(() => 0));
    const passed = attacks.filter(({ attack }) => attack.firstBlock === undefined);
    expect(passed.map(({ period }) => period.name)).to.deep.equal(['below the limits, 1 day']);
  });

  it('does the same with 100 codes a day, and blocks few honest users in the country of an attack', async () => {
    const { problems, attacks } = await run(100, 2, { ratio: 1, warmUpDays: 3 });
    expect(problems).to.deep.equal([]);
    const honestUsers = attacks.map(({ honest }) => honest.blockedUsers.size);
    expect(Math.max(...honestUsers)).to.be.lessThan(10);
  });

  it('reports as problems what must not happen', async () => {
    const blocksAll = { send: () => ({ rules: ['all'] }), use: () => undefined };
    const { problems } = await simulateGuard({ size: 15, days: 1, learn: LEARN, seed: 1 }, blocksAll);
    expect(problems).to.have.length(4);
    expect(problems[1]).to.match(/^\d+ honest codes blocked in 1 days$/);
    const blocksNone = { send: () => ({ rules: [] }), use: () => undefined };
    const { problems: late } = await simulateGuard({ size: 15, days: 1, learn: LEARN, seed: 1 }, blocksNone);
    expect(late[0]).to.equal('one prefix, 10 minutes: the first block comes after ∞ codes, not 10');
  });
});
