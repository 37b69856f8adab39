import { expect } from 'chai';
import { watchLimits } from '#lib/events/recent-limits.js';
import { START, eventsOf } from './sample-events.js';

describe('what the guard held back lately', () => {
  it('is codes: not the number of a profile, whose code goes to the enrolled one', () => {
    const limits = watchLimits(() => START + 60_000);
    const of = eventsOf('event-1');
    limits.listener(of.blocked(1, 'enforce'));
    limits.listener(of.blocked(2, 'record'));
    limits.listener(of.blocked(3, 'enforce', { isOtherNumber: true }));
    expect(limits.blocked()).to.equal(2);
  });
});
