import { expect } from 'chai';
import type sinon from 'sinon';
import type { BreakerState } from '#lib/core/events.js';
import { BREAKER_OPEN, Breaker, signOfOutcome } from '#lib/delivery/breaker.js';
import type { Outcome } from '#lib/core/channel.js';
import { fakeClock } from '#harness/fake-clock.js';
import { defer } from '#harness/until.js';

const ACCEPTED: Outcome = { status: 'accepted', transactionId: 'SM1' };
const UNKNOWN: Outcome = { status: 'unknown', reason: 'hang' };
const REFUSED: Outcome = { status: 'refused', code: '21211', reason: 'Not a valid phone number' };
const neverLeft = (code: string): Outcome => ({
  status: 'refused',
  code,
  reason: 'never left',
  hasLeft: false,
});

/** Lets all promises settle that can. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the breaker of a host', () => {
  let clock: sinon.SinonFakeTimers;
  let changes: BreakerState[];
  let breaker: Breaker;
  beforeEach(() => {
    clock = fakeClock(['Date', 'performance'], 1_700_000_000_000);
    changes = [];
    breaker = new Breaker('api.example.com', (state) => changes.push(state));
  });
  afterEach(() => {
    clock.restore();
  });

  /** Makes an attempt as the hook does. `onLate` gets its outcome if it ends after its deadline. */
  const attemptBy = async (
    start: (onLate: (late: Outcome) => void) => Promise<Outcome>,
    signOfConnection: 'none' | 'no-answer' | 'no-connection' = 'none',
  ): Promise<Outcome> => {
    const passed = breaker.enter();
    if (passed === undefined) return BREAKER_OPEN;
    const outcome = await start((late) => {
      passed.endLate(signOfOutcome(late, signOfConnection));
    });
    passed.end(signOfOutcome(outcome, signOfConnection));
    return outcome;
  };
  /** Makes an attempt. Returns whether the breaker let it through, and the outcome. */
  const attempt = async (outcome: Outcome): Promise<{ isMade: boolean; outcome: Outcome }> => {
    let isMade = false;
    const result = await attemptBy(() => {
      isMade = true;
      return Promise.resolve(outcome);
    });
    await settle();
    return { isMade, outcome: result };
  };
  /** Makes an attempt with an unknown outcome, whose answer comes late. */
  const attemptLate = async (late: Promise<Outcome>): Promise<void> => {
    await attemptBy((onLate) => {
      void late.then(onLate);
      return Promise.resolve(UNKNOWN);
    });
    await settle();
  };
  const attemptAll = async (...outcomes: Outcome[]): Promise<void> => {
    for (const outcome of outcomes) await attempt(outcome);
  };
  const open = (): Promise<void> => attemptAll(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);

  it('stays closed if attempts of a burst hang while a later attempt is answered', async () => {
    const hanging = defer<Outcome>();
    const burst = Array.from({ length: 8 }, () => attemptBy(() => hanging.promise));
    clock.tick(100);
    await attempt(ACCEPTED);
    clock.tick(2000);
    hanging.resolve(UNKNOWN);
    await Promise.all(burst);
    await settle();
    expect(breaker.state).to.equal('closed');
    await open();
    expect(breaker.state).to.equal('open');
  });

  it('tries a host again even if the wall clock was set back', async () => {
    await open();
    clock.setSystemTime(Date.now() - 3_600_000);
    clock.tick(31_000);
    expect(await attempt(ACCEPTED)).to.deep.equal({ isMade: true, outcome: ACCEPTED });
    expect(breaker.state).to.equal('closed');
  });

  it('opens once for 40 unknown outcomes at the same time', async () => {
    await Promise.all(Array.from({ length: 40 }, () => attempt(UNKNOWN)));
    expect(changes).to.deep.equal(['open']);
  });

  for (const [title, outcome] of [
    ['an acceptance', ACCEPTED],
    ['a refusal', REFUSED],
  ] as const) {
    it(`starts to count again after ${title}`, async () => {
      await attemptAll(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, outcome);
      await attemptAll(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
      expect(breaker.state).to.equal('closed');
      await attempt(UNKNOWN);
      expect(breaker.state).to.equal('open');
    });
  }

  it('neither counts an attempt that never left nor starts to count again', async () => {
    await attemptAll(...Array.from({ length: 20 }, () => neverLeft('UNREACHABLE')));
    expect(breaker.state).to.equal('closed');
    const left = neverLeft('NO_TEMPLATE');
    await attemptAll(UNKNOWN, UNKNOWN, left, UNKNOWN, UNKNOWN, left, UNKNOWN);
    expect(breaker.state).to.equal('open');
  });

  for (const [gapMs, state] of [
    [2500, 'open'],
    [2501, 'closed'],
  ] as const) {
    it(`is ${state} after five unknown outcomes with ${gapMs} ms between them`, async () => {
      for (let count = 1; count <= 5; count += 1) {
        if (count > 1) clock.tick(gapMs);
        await attempt(UNKNOWN);
      }
      expect(breaker.state).to.equal(state);
    });
  }

  it('counts only the last five outcomes: older ones do not keep it closed', async () => {
    await attemptAll(UNKNOWN, UNKNOWN);
    clock.tick(60_000);
    await attemptAll(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
    expect(breaker.state).to.equal('closed');
    await attempt(UNKNOWN);
    expect(breaker.state).to.equal('open');
  });

  it('stays open for 2 s, then twice as long after each failed probe, up to 30 s', async () => {
    await open();
    for (const pauseMs of [2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      clock.tick(pauseMs - 1);
      expect((await attempt(UNKNOWN)).isMade, `${pauseMs - 1} ms`).to.equal(false);
      clock.tick(1);
      expect((await attempt(UNKNOWN)).isMade, `${pauseMs} ms`).to.equal(true);
      expect(breaker.state).to.equal('open');
    }
  });

  it('counts anew and stays open for only 2 s again after it has closed', async () => {
    await open();
    clock.tick(2000);
    await attempt(UNKNOWN);
    clock.tick(4000);
    await attempt(ACCEPTED);
    // It counts anew.
    await attemptAll(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);
    expect(breaker.state).to.equal('closed');
    await attempt(UNKNOWN);
    expect(breaker.state).to.equal('open');
    clock.tick(2000);
    expect((await attempt(ACCEPTED)).isMade).to.equal(true);
  });

  for (const [title, outcome, state] of [
    ['closes after the acceptance', ACCEPTED, 'closed'],
    ['closes after the refusal (a complete answer)', REFUSED, 'closed'],
    ['stays open after the unknown outcome', UNKNOWN, 'open'],
    ['stays open after the UNREACHABLE outcome', neverLeft('UNREACHABLE'), 'open'],
  ] as const) {
    it(`${title} of the probe`, async () => {
      await open();
      clock.tick(2000);
      expect(await attempt(outcome)).to.deep.equal({ isMade: true, outcome });
      expect(breaker.state).to.equal(state);
    });
  }

  /** Makes an attempt that never left, because of its connection. */
  const attemptToConnect = async (sign: 'no-answer' | 'no-connection'): Promise<boolean> => {
    let isMade = false;
    await attemptBy(() => {
      isMade = true;
      return Promise.resolve(neverLeft('UNREACHABLE'));
    }, sign);
    await settle();
    return isMade;
  };

  it('opens at the fifth connection in a row that takes too long', async () => {
    for (let count = 1; count <= 4; count += 1) await attemptToConnect('no-answer');
    expect(breaker.state).to.equal('closed');
    await attemptToConnect('no-answer');
    expect(breaker.state).to.equal('open');
  });

  it('stays closed, however many connections fail at once', async () => {
    for (let count = 1; count <= 20; count += 1) await attemptToConnect('no-connection');
    expect(breaker.state).to.equal('closed');
  });

  it('waits 2 s again, and no longer, after each probe whose connection fails at once', async () => {
    await open();
    for (let count = 1; count <= 3; count += 1) {
      clock.tick(1999);
      expect(await attemptToConnect('no-connection')).to.equal(false);
      clock.tick(1);
      expect(await attemptToConnect('no-connection')).to.equal(true);
      expect(breaker.state).to.equal('open');
    }
  });

  it('makes the next attempt its probe if a probe never got to a connection', async () => {
    await open();
    clock.tick(2000);
    for (let count = 1; count <= 3; count += 1) {
      expect((await attempt(neverLeft('NO_TEMPLATE'))).isMade).to.equal(true);
      expect(breaker.state).to.equal('open');
    }
    expect(await attempt(ACCEPTED)).to.deep.equal({ isMade: true, outcome: ACCEPTED });
    expect(breaker.state).to.equal('closed');
  });

  it('stays open after a probe without an answer in time, and closes when the answer comes late', async () => {
    await open();
    clock.tick(2000);
    const late = defer<Outcome>();
    await attemptLate(late.promise);
    expect(breaker.state).to.equal('open');
    expect((await attempt(ACCEPTED)).isMade).to.equal(false);
    late.resolve(ACCEPTED);
    await settle();
    expect(breaker.state).to.equal('closed');
    expect(changes).to.deep.equal(['open', 'half-open', 'open', 'closed']);
    expect((await attempt(ACCEPTED)).isMade).to.equal(true);
  });

  it('stays open if a late probe has an unknown outcome', async () => {
    await open();
    clock.tick(2000);
    await attemptLate(Promise.resolve(UNKNOWN));
    expect(breaker.state).to.equal('open');
  });

  it('stays open if a late probe turns out to have never left', async () => {
    await open();
    clock.tick(2000);
    const late = defer<Outcome>();
    await attemptLate(late.promise);
    late.resolve(neverLeft('UNREACHABLE'));
    await settle();
    expect(breaker.state).to.equal('open');
  });

  it('ignores the late answer of a probe while the next probe is under way', async () => {
    await open();
    clock.tick(2000);
    const late = defer<Outcome>();
    await attemptLate(late.promise);
    clock.tick(4000);
    const probe = defer<Outcome>();
    const probing = attemptBy(() => probe.promise);
    late.resolve(ACCEPTED);
    await settle();
    expect(breaker.state).to.equal('half-open');
    probe.resolve(UNKNOWN);
    await probing;
    expect(breaker.state).to.equal('open');
  });

  describe('when an answer comes late', () => {
    for (const [title, late, state] of [
      ['starts to count again: the host is slow, not down', REFUSED, 'closed'],
      ['goes on counting if the late outcome is unknown, too', UNKNOWN, 'open'],
      ['goes on counting if the late attempt never left', neverLeft('UNREACHABLE'), 'open'],
    ] as const) {
      it(title, async () => {
        await attemptAll(UNKNOWN, UNKNOWN, UNKNOWN);
        await attemptLate(Promise.resolve(late));
        await attempt(UNKNOWN);
        expect(breaker.state).to.equal(state);
      });
    }

    it('stays open if it is open: only a probe closes it', async () => {
      const late = defer<Outcome>();
      await attemptLate(late.promise);
      await open();
      late.resolve(ACCEPTED);
      await settle();
      expect(breaker.state).to.equal('open');
    });

    it('ignores an attempt that began before it opened', async () => {
      const slow = defer<Outcome>();
      const slowly = attemptBy(() => slow.promise);
      await open();
      slow.resolve(ACCEPTED);
      expect(await slowly).to.equal(ACCEPTED);
      expect(breaker.state).to.equal('open');
    });
  });
});
