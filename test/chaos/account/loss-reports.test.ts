import { expect } from 'chai';
import type { RunFacts } from './facts.js';
import { account, at, hookEvent, loss, outage } from './made-facts.js';

describe('the losses of Redis in the account', () => {
  const problemsOf = (facts: Partial<RunFacts>): readonly string[] =>
    account(facts).problems.map(({ kind }) => kind);
  const felt = [{ gateway: 0, life: 1, at: at(5) }];

  it('finds a command that was lost without a report', () => {
    expect(problemsOf({ felt })).to.deep.equal(['unreported']);
    expect(problemsOf({ felt, hookEvents: loss(0, 5, 7) })).to.deep.equal([]);
    // The loss was reported before, and lasts.
    expect(problemsOf({ felt, hookEvents: loss(0, 3, 6) })).to.deep.equal([]);
    expect(problemsOf({ felt, hookEvents: loss(0, 3, 4) })).to.deep.equal(['unreported']);
    expect(problemsOf({ felt, hookEvents: loss(1, 5, 7) })).to.deep.equal(['unreported']);
    // The process has died meanwhile.
    expect(problemsOf({ felt, outages: [outage(0, 5.2, 7)] })).to.deep.equal([]);
  });

  it('finds a loss that does not end though all faults are over', () => {
    expect(problemsOf({ hookEvents: loss(0, 5), endsAt: at(20) })).to.deep.equal(['unended']);
    expect(problemsOf({ hookEvents: loss(0, 5, 7), endsAt: at(20) })).to.deep.equal([]);
    expect(problemsOf({ hookEvents: loss(0, 18), endsAt: at(20) })).to.deep.equal([]);
    const successor = hookEvent('', 'request.received', { life: 2, at: at(9) });
    expect(problemsOf({ hookEvents: [...loss(0, 5), successor], endsAt: at(20) })).to.deep.equal([]);
  });

  it('finds an error of the gateway itself', () => {
    const failed = hookEvent('', 'extension.failed', { isInternal: true });
    expect(problemsOf({ hookEvents: [failed] })).to.deep.equal(['internal']);
  });
});
