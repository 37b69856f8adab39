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

describe("the pause of Okta's rate limit, as the console shows it", () => {
  it('lasts until it is over by the clock, or told to be over', () => {
    let now = START;
    const limits = watchLimits(() => now);
    const pause = { at: START, type: 'okta.paused', reason: 'LOW', untilMs: START + 20_000 } as const;
    limits.listener(pause);
    expect(limits.oktaPause()).to.deep.equal({ reason: 'LOW', untilMs: START + 20_000 });
    now += 20_000;
    expect(limits.oktaPause()).to.equal(undefined);
    // The clock was set back.
    now = START;
    limits.listener({ at: START, type: 'okta.resumed', reason: 'LOW', pausedMs: 0 });
    expect(limits.oktaPause()).to.equal(undefined);
  });
});
