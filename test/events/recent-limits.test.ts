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

describe('rejected calls, as the console shows them', () => {
  const rejected = (code: string, count: number) =>
    ({
      type: 'request.rejected',
      at: START,
      status: 400,
      code,
      fields: [],
      count,
      reason: undefined,
    }) as const;
  const unproven = (count: number) =>
    ({
      type: 'caller.rejected',
      at: START,
      count,
      reason: 'CALLER_NOT_PROVEN',
      hook: 'inline',
      schemes: [],
    }) as const;
  const probes = {
    type: 'probe.rejected',
    at: START,
    status: 401,
    code: 'CALLER_NOT_PROVEN',
    count: 9,
  } as const;
  for (const [what, event, shown] of [
    ['one GET of a browser is a note', rejected('METHOD_NOT_ALLOWED', 1), 'warn METHOD_NOT_ALLOWED 1'],
    ['two strangers are a note', unproven(2), 'warn CALLER_NOT_PROVEN 2'],
    ['several in a row are a problem', unproven(3), 'bad CALLER_NOT_PROVEN 3'],
    [
      'what only a proven caller causes is a problem',
      rejected('INVALID_REQUEST', 1),
      'bad INVALID_REQUEST 1',
    ],
    ['probes of the command line are none, however many', probes, 'plain probe 9'],
  ] as const) {
    it(what, () => {
      const limits = watchLimits(() => START + 60_000);
      limits.listener(event);
      expect(limits.turnedAway().map(({ tone, code, count }) => `${tone} ${code} ${count}`)).to.deep.equal([
        shown,
      ]);
    });
  }
});
