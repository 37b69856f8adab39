import { expect } from 'chai';
import { Budget } from '#lib/core/budget.js';
import { claimEvent, claimOnce, type ClaimResult } from '#lib/delivery/claim-event.js';
import { LocalClaims, type RememberedAnswer } from '#lib/delivery/local-claims.js';
import type { Claim, FirstClaim, StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer } from '#harness/until.js';

const ANSWER: RememberedAnswer = { commands: ['the first'] };
const { waitMs: _, ...EVENT } = eventClaim('event-1', {
  person: '00u1',
  rememberMs: 300_000,
  limits: [{ key: 'bucket', points: 50, seconds: 600 }],
});
/** What a claim says whose process decided alone. */
const ALONE = { place: undefined, isCurrent: 'unknown', hasRead: false } as const;

describe('claiming an event', () => {
  const budgets: Budget[] = [];
  /** The claims of one process. */
  let localClaims: LocalClaims;
  beforeEach(() => {
    localClaims = new LocalClaims();
  });
  afterEach(() => {
    for (const budget of budgets.splice(0)) budget.close();
  });
  const claim = async (
    state: Pick<StatePort, 'claim'>,
    { deadlineMs = 2200, isRepeatable = true } = {},
  ): Promise<ClaimResult> => {
    const budget = new Budget(deadlineMs);
    budgets.push(budget);
    return claimEvent({ ...EVENT, isRepeatable }, { state, claims: localClaims, arrival: 1, wait: budget });
  };
  const firstOf = (result: ClaimResult): FirstClaim => {
    if (!result.isFirst) throw new Error('not the first');
    return result;
  };
  /** What a call gets whose caller has hung up, once the first call has sent nothing. */
  const releasedTo = async (state: Pick<StatePort, 'claim'>, release: () => void): Promise<ClaimResult> => {
    const waiting = claim(state);
    await new Promise(setImmediate);
    budgets.at(-1)?.hangUp();
    release();
    return waiting;
  };
  /** Claims in another process, which does not have the local claims of this one. */
  const claimElsewhere = (...args: Parameters<typeof claim>): ReturnType<typeof claim> => {
    localClaims = new LocalClaims();
    return claim(...args);
  };

  it('passes the event to the state, and waits 200 ms for it', async () => {
    const asked: unknown[] = [];
    await claim({
      claim: (event) => {
        asked.push(event);
        return openMemoryState().claim(event);
      },
    });
    expect(asked).to.deep.equal([{ ...EVENT, waitMs: 200 }]);
  });

  it('keeps the number of the call that brought the event first, and gives its points back', async () => {
    const state = openMemoryState();
    const limits = [{ key: 'bucket', points: 2, seconds: 600 }];
    const claimAs = async (arrival: number): Promise<ClaimResult> => {
      const budget = new Budget(2200);
      budgets.push(budget);
      return claimEvent({ ...EVENT, limits }, { state, claims: localClaims, arrival, wait: budget });
    };
    const first = await claimAs(7);
    firstOf(first).release();
    const again = await claimAs(8);
    expect(first.isFirst && again.isFirst && [first.arrival, again.arrival]).to.deep.equal([7, 7]);
    firstOf(again).settle(ANSWER);
    expect(await claimAs(9)).to.deep.include({ isFirst: false, answer: ANSWER });
    // One point is used: a released claim and a repeat use none.
    const next = ['next', 'over'].map((key) => state.claim(eventClaim(key, { limits })) as Claim);
    expect(next.map((one) => one.isFirst && one.exceeded)).to.deep.equal([[], ['bucket']]);
  });

  it('keeps a running event beside 50,000 others, and a settled one beside 7,999 later ones', async () => {
    const events = new LocalClaims();
    const others = (from: number, to: number): void => {
      for (let count = from; count < to; count += 1) events.claim(`other-${count}`, 300_000, 1).settle({});
    };
    const held = events.claim('ana', 300_000, 1);
    others(0, 50_000);
    const repeat = events.find('ana')?.answer;
    held.settle(ANSWER);
    expect(await repeat).to.deep.equal(ANSWER);
    others(50_000, 57_999);
    expect(await events.find('ana')?.answer).to.deep.equal(ANSWER);
    others(60_000, 80_000);
    expect(events.find('ana')?.answer).to.equal(undefined);
  });

  describe('by the clock', () => {
    let clock: ReturnType<typeof stopTime>;
    beforeEach(() => {
      clock = stopTime();
    });
    afterEach(() => {
      clock.restore();
    });
    const LIFE_MS = 300_000;

    it('gives an event that comes again the number of its first call after a release, and a new one after its life', () => {
      const events = new LocalClaims();
      events.claim('answered', LIFE_MS, 1).settle(ANSWER);
      events.claim('released', LIFE_MS, 2).release();
      clock.tick(LIFE_MS);
      const again = ['answered', 'released'].map((key) => events.claim(key, LIFE_MS, 9).arrival);
      expect(again).to.deep.equal([9, 2]);
    });

    it('never forgets an unfinished event, even after its life', async () => {
      const events = new LocalClaims();
      const held = events.claim('event', LIFE_MS, 1);
      clock.tick(LIFE_MS);
      const repeat = events.find('event');
      held.settle(ANSWER);
      expect(await repeat?.answer).to.deep.equal(ANSWER);
    });

    it('says when the event came first, at this process or at another one', async () => {
      const cameMs = performance.now();
      firstOf(await claim(openMemoryState()));
      clock.tick(100);
      const repeating = claim(openMemoryState());
      await clock.tickAsync(2_200);
      expect(await repeating).to.include({ answer: undefined, cameMs });
      const first = defer<RememberedAnswer | undefined>();
      const elsewhere = (): Claim => ({ isFirst: false, answer: first.promise, ageMs: 400 });
      const there = claimElsewhere({ claim: elsewhere });
      await clock.tickAsync(500);
      const again = claim({ claim: elsewhere });
      await clock.tickAsync(2_200);
      const seen = { answer: undefined, cameMs: cameMs + 2_300 - 400 };
      expect(await there).to.include(seen);
      expect(await again).to.include(seen);
    });
  });

  /** A state that counts its claims. */
  const counting = (answer: StatePort['claim']) => {
    const state = {
      asked: 0,
      claim: (...args: Parameters<StatePort['claim']>): ReturnType<StatePort['claim']> => {
        state.asked += 1;
        return answer(...args);
      },
    };
    return state;
  };
  const settling: Claim = {
    isFirst: true,
    ...ALONE,
    exceeded: [],
    settle: () => undefined,
    release: () => undefined,
  };

  describe('by 40 calls at once', () => {
    for (const [title, answer] of [
      ['is slow', () => new Promise((resolve) => setTimeout(resolve, 20, settling))],
      ['is lost', () => settling],
    ] as const satisfies readonly (readonly [string, StatePort['claim']])[]) {
      it(`makes one request to the state, and one call the first, if the state ${title}`, async () => {
        const state = counting(answer);
        const calls = Array.from({ length: 40 }, () => claim(state));
        const first = firstOf(await Promise.race(calls));
        first.settle(ANSWER);
        const [, ...repeats] = await Promise.all(calls);
        for (const repeat of repeats) expect(repeat).to.deep.include({ isFirst: false, answer: ANSWER });
        // A later call gets it, too.
        expect(await claim(state)).to.deep.include({ isFirst: false, answer: ANSWER });
        expect(state.asked).to.equal(1);
      });
    }

    it('gives all of them the answer of another process, by one request to the state', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() => Promise.resolve({ isFirst: false, answer: there.promise }));
      const calls = Array.from({ length: 40 }, () => claim(state));
      // A call at its deadline does not end the wait of the others.
      expect(await claim(state, { deadlineMs: 500 })).to.deep.include({ isFirst: false, answer: undefined });
      there.resolve(ANSWER);
      for (const call of calls) expect(await call).to.deep.include({ isFirst: false, answer: ANSWER });
      // A later call gets it, too.
      expect(await claim(state)).to.deep.include({ isFirst: false, answer: ANSWER });
      expect(state.asked).to.equal(1);
    });

    it('keeps waiting for another process after the deadline of the call that claimed', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() =>
        Promise.resolve(state.asked === 1 ? { isFirst: false, answer: there.promise } : settling),
      );
      const asking = claim(state, { deadlineMs: 500 });
      const other = claim(state);
      expect(await asking).to.deep.include({ isFirst: false, answer: undefined });
      there.resolve(undefined);
      // The other process released its claim, so the waiting call of this process claims now.
      expect(firstOf(await other)).to.be.an('object');
      expect(state.asked).to.equal(2);
    });

    it('makes no call the first whose caller has hung up when a call of this process released its claim', async () => {
      const state = counting(() => Promise.resolve(settling));
      const first = firstOf(await claim(state));
      const end = (): void => {
        first.release();
      };
      expect(await releasedTo(state, end)).to.deep.include({ isFirst: false, answer: 'released' });
      expect(await claim(state)).to.include({ isFirst: true });
    });

    it('makes no call the first whose caller has hung up when another process released its claim', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() =>
        Promise.resolve(state.asked === 1 ? { isFirst: false, answer: there.promise } : settling),
      );
      const end = (): void => {
        there.resolve(undefined);
      };
      expect(await releasedTo(state, end)).to.deep.include({ isFirst: false, answer: 'released' });
      // The next call may still send the code.
      expect(await claim(state)).to.include({ isFirst: true });
    });

    it('makes a new claim after the answer of another process was lost', async () => {
      const state = counting(() =>
        Promise.resolve(
          state.asked === 1 ? { isFirst: false, answer: Promise.resolve('lost' as const) } : settling,
        ),
      );
      for (const lost of await Promise.all([claim(state), claim(state)]))
        expect(lost).to.deep.include({ isFirst: false, answer: undefined });
      expect(await claim(state)).to.include({ isFirst: true });
    });
  });
});

describe('claiming something that is no code', () => {
  const TIMES = { rememberMs: 60_000, waitMs: 500 };
  let claims: LocalClaims;
  beforeEach(() => {
    claims = new LocalClaims();
  });
  const claim = (state: Pick<StatePort, 'claim'> = openMemoryState(), key = 'a'): Promise<ClaimResult> =>
    claimOnce(key, { state, claims, ...TIMES });

  it('makes one claim of each key the first, and gives the others its answer', async () => {
    const [first, repeat, other] = ['a', 'a', 'b'].map((key) => claim(undefined, key));
    const found = await first;
    if (found?.isFirst) found.settle({ words: 'are applied' });
    expect(await repeat).to.deep.include({ isFirst: false, answer: { words: 'are applied' } });
    expect(await other).to.include({ isFirst: true });
  });

  it('waits for another claim as long as for the state', async () => {
    const clock = stopTime();
    try {
      await claim();
      const repeating = claim();
      await clock.tickAsync(TIMES.waitMs - 1);
      expect(await Promise.race([repeating, 'waits'])).to.equal('waits');
      await clock.tickAsync(1);
      expect(await repeating).to.deep.include({ isFirst: false, answer: undefined });
    } finally {
      clock.restore();
    }
  });

  it('takes no place among the codes of a person, and no point', async () => {
    const memory = openMemoryState();
    const asked: unknown[] = [];
    const claimed = await claim({
      claim: (event) => {
        asked.push(event);
        return memory.claim(event);
      },
    });
    expect(claimed).to.deep.include({ isFirst: true, place: undefined, exceeded: [] });
    const none = { person: undefined, passes: 'never', limits: [], reads: [] } as const;
    expect(asked).to.deep.equal([eventClaim('a', { ...TIMES, ...none, requestedAtMs: 0, nowMs: 0 })]);
  });
});
