import { expect } from 'chai';
import { watchLimits } from '#lib/console/recent-limits.js';
import { START, eventsOf } from '../events/sample-events.js';

describe('blocked codes in the console', () => {
  it('do not include the number of a profile: its code goes to the enrolled number', () => {
    const limits = watchLimits(() => START + 60_000);
    const of = eventsOf('event-1');
    limits.listener(of.blocked(1, 'enforce'));
    limits.listener(of.blocked(2, 'record'));
    limits.listener(of.blocked(3, 'enforce', { isOtherNumber: true }));
    expect(limits.blocked()).to.equal(2);
  });
});

describe("the pause for Okta's rate limit in the console", () => {
  it('lasts until its time is over, or until the event says so', () => {
    let now = START;
    const limits = watchLimits(() => now);
    const pause = { at: START, type: 'okta.paused', reason: 'LOW', untilMs: START + 20_000 } as const;
    limits.listener(pause);
    expect(limits.oktaPause()).to.deep.equal({ reason: 'LOW', untilMs: START + 20_000 });
    now += 20_000;
    expect(limits.oktaPause()).to.equal(undefined);
    // As if the clock were set back.
    now = START;
    limits.listener({ at: START, type: 'okta.resumed', reason: 'LOW', pausedMs: 0 });
    expect(limits.oktaPause()).to.equal(undefined);
  });
});

describe('rejected calls in the console', () => {
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
  for (const [what, shown, event] of [
    ['one GET of a browser as a warning', 'warn METHOD_NOT_ALLOWED 1', rejected('METHOD_NOT_ALLOWED', 1)],
    ['two unproven callers as a warning', 'warn CALLER_NOT_PROVEN 2', unproven(2)],
    ['three unproven callers as a problem', 'bad CALLER_NOT_PROVEN 3', unproven(3)],
    [
      'what only a proven caller can cause as a problem',
      'bad INVALID_REQUEST 1',
      rejected('INVALID_REQUEST', 1),
    ],
    ['probes of the command line as neither', 'plain probe 9', probes],
  ] as const) {
    it(`show ${what}`, () => {
      const limits = watchLimits(() => START + 60_000);
      limits.listener(event);
      expect(limits.rejectedCalls().map(({ tone, code, count }) => `${tone} ${code} ${count}`)).to.deep.equal(
        [shown],
      );
    });
  }
});
