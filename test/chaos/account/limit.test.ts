import { expect } from 'chai';
import type { CallFact, EventFact, RunFacts } from './facts.js';
import { at, call, event, hungUp, loss, message, violationsOf, wipe } from './made-facts.js';

describe('the limit of a user in the account', () => {
  const limit = { points: 2, seconds: 10 };
  const sentAt = (...times: readonly number[]): Partial<RunFacts> => ({
    limit,
    events: times.map((time) => event(String(time), call(time, 'SUCCESSFUL'))),
    messages: times.map((time) => message(String(time), time + 0.05)),
  });

  it('finds the codes of a window that are too many', () => {
    expect(violationsOf(sentAt(0, 2))).to.deep.equal([]);
    expect(violationsOf(sentAt(0, 2, 4))).to.deep.equal(['overLimit']);
    expect(violationsOf(sentAt(0, 2, 4, 6))).to.deep.equal(['overLimit', 'overLimit']);
    expect(violationsOf({ ...sentAt(0, 2, 4), limit: undefined })).to.deep.equal([]);
  });

  it('counts from the first call after the end of the window before', () => {
    expect(violationsOf(sentAt(0, 2, 12, 14))).to.deep.equal([]);
    expect(violationsOf(sentAt(0, 12, 14, 16))).to.deep.equal(['overLimit']);
  });

  it('does not count where a window may have begun at another time', () => {
    // The third call comes at the end of the window: it may begin another one.
    expect(violationsOf(sentAt(0, 2, 9.9, 11, 12, 13))).to.deep.equal([]);
    const withRepeat = (repeat: CallFact): Partial<RunFacts> => {
      const { events = [], ...rest } = sentAt(12, 13, 14);
      const first: EventFact = event('1', hungUp(0), repeat);
      return { ...rest, events: [first, ...events] };
    };
    // A repeat may claim if its first call has sent nothing.
    expect(violationsOf(withRepeat(call(11, 'PENDING')))).to.not.include('overLimit');
    expect(violationsOf(withRepeat(call(5, 'PENDING')))).to.include('overLimit');
  });

  it('allows more while a gateway counts alone, or when Redis has forgotten its counts', () => {
    expect(violationsOf({ ...sentAt(0, 2, 4), hookEvents: loss(2, 1, 2) })).to.deep.equal([]);
    expect(violationsOf({ ...sentAt(0, 2, 4), wipes: [wipe(3)] })).to.deep.equal([]);
    const clockJumps = [{ at: at(3), byMs: 500 }];
    expect(violationsOf({ ...sentAt(0, 2, 4), clockJumps })).to.deep.equal([]);
  });
});
