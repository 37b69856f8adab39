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
  for (const [what, event, shown] of [
    [
      'show one GET of a browser as a warning',
      rejected('METHOD_NOT_ALLOWED', 1),
      'warn METHOD_NOT_ALLOWED 1',
    ],
    ['show two unproven callers as a warning', unproven(2), 'warn CALLER_NOT_PROVEN 2'],
    ['show three unproven callers as a problem', unproven(3), 'bad CALLER_NOT_PROVEN 3'],
    [
      'show an error that only a proven caller can cause as a problem',
      rejected('INVALID_REQUEST', 1),
      'bad INVALID_REQUEST 1',
    ],
    ['show probes of the command line as neither', probes, 'plain probe 9'],
  ] as const) {
    it(what, () => {
      const limits = watchLimits(() => START + 60_000);
      limits.listener(event);
      expect(limits.rejectedCalls().map(({ tone, code, count }) => `${tone} ${code} ${count}`)).to.deep.equal(
        [shown],
      );
    });
  }
});
