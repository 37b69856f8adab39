import { expect } from 'chai';
import { Budget } from '#lib/core/budget.js';
import type { TelephonyRequest } from '#lib/core/channel.js';
import { claimEvent, duplicateKey, type ClaimResult, type FirstClaim } from '#lib/guard/duplicates.js';
import { LocalClaims } from '#lib/delivery/local-claims.js';
import { LocalOrder } from '#lib/delivery/order.js';
import type { Claim, RememberedAnswer, StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { defer } from '#harness/until.js';
import { makeMessage, NOW, OTP_CODE, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';

const REQUEST: TelephonyRequest = { ...makeMessage().request, eventId: 'event-1', userId: '00u1' };
const ANSWER: RememberedAnswer = { commands: ['the first'] };
const { waitMs: _, ...EVENT } = eventClaim(duplicateKey(REQUEST), {
  person: '00u1',
  nowMs: NOW,
  rememberMs: 300_000,
  limits: [{ key: 'bucket', points: 50, seconds: 600 }],
});
/** What a claim says whose process decided alone. */
const ALONE = { place: undefined, isCurrent: 'unknown', suppressions: undefined } as const;

describe('the key of an event', () => {
  for (const [title, change] of [
    ['another event id', { eventId: 'event-2' }],
    ['another request type', { requestType: 'com.okta.user.telephony.password-reset' }],
    ['no request type', { requestType: undefined }],
    ['another user', { userId: '00u2' }],
    ['another number', { phoneNumber: '+447700900124' }],
    ['another code', { otpCode: '000000' }],
    ['another channel', { deliveryChannel: 'voice' }],
  ] as const) {
    it(`differs with ${title}`, () => {
      expect(duplicateKey({ ...REQUEST, ...change })).to.not.equal(duplicateKey(REQUEST));
    });
  }

  it('is the same with another expiry, locale, login, template or raw request', () => {
    const same = { ...REQUEST, expiresAt: new Date(0), locale: 'pt', login: 'x', msgTemplate: 'y', raw: 1 };
    expect(duplicateKey(same)).to.equal(duplicateKey(REQUEST));
  });

  it('depends on the login if there is no user id', () => {
    const [one, other] = ['a@example.com', 'b@example.com'].map((login) =>
      duplicateKey({ ...REQUEST, userId: undefined, login }),
    );
    expect(one).to.not.equal(other);
  });

  it('differs if the same characters belong to other parts', () => {
    expect(duplicateKey({ ...REQUEST, eventId: 'a', requestType: 'bc' })).to.not.equal(
      duplicateKey({ ...REQUEST, eventId: 'ab', requestType: 'c' }),
    );
  });

  it('contains neither code nor number', () => {
    expect(duplicateKey(REQUEST)).to.match(/^[\w-]{43}$/);
    expect(duplicateKey(REQUEST)).to.not.include(OTP_CODE).and.not.include(PHONE_NUMBER);
  });
});

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
    return claimEvent(
      { ...EVENT, isRepeatable },
      {
        state: { ...openMemoryState(), ...state },
        local: { claims: localClaims, order: new LocalOrder() },
        arrival: 1,
        budget,
      },
    );
  };
  const firstOf = (result: ClaimResult): FirstClaim => {
    if (!result.isFirst) throw new Error('not the first');
    return result.claim;
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

  it('treats no call as a repeat if there is no event id', async () => {
    const state = openMemoryState();
    for (let count = 0; count < 2; count += 1) {
      expect((await claim(state, { isRepeatable: false })).isFirst).to.equal(true);
    }
  });

  it('keeps the number of the call that brought the event first, and gives its points back', async () => {
    const state = openMemoryState();
    const limits = [{ key: 'bucket', points: 2, seconds: 600 }];
    const claimAs = async (arrival: number): Promise<ClaimResult> => {
      const budget = new Budget(2200);
      budgets.push(budget);
      return claimEvent({ ...EVENT, limits }, { state, local: state.local, arrival, budget });
    };
    const first = await claimAs(7);
    firstOf(first).release();
    const again = await claimAs(8);
    expect(first.isFirst && again.isFirst && [first.arrival, again.arrival]).to.deep.equal([7, 7]);
    firstOf(again).settle(ANSWER);
    expect(await claimAs(9)).to.deep.equal({ isFirst: false, answer: ANSWER });
    // One point is used: a released claim and a repeat use none.
    const next = ['next', 'over'].map((key) => state.claim(eventClaim(key, { limits, nowMs: NOW })) as Claim);
    expect(next.map((one) => one.isFirst && one.exceeded)).to.deep.equal([[], ['bucket']]);
  });

  it('returns the buckets that had no point left', async () => {
    const claimed: Claim = {
      isFirst: true,
      ...ALONE,
      exceeded: ['bucket'],
      settle: () => undefined,
      release: () => undefined,
    };
    for (const found of [claimed, Promise.resolve(claimed)]) {
      const result = await claimElsewhere({ claim: () => found });
      expect(result.isFirst && result.exceeded).to.deep.equal(['bucket']);
    }
  });

  it('makes one call the first, and gives the others its answer', async () => {
    const state = openMemoryState();
    const first = firstOf(await claim(state));
    const others = Promise.all([claim(state), claim(state)]);
    first.settle(ANSWER);
    expect(await others).to.deep.equal([
      { isFirst: false, answer: ANSWER },
      { isFirst: false, answer: ANSWER },
    ]);
    expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('makes exactly one waiting call the first when the first releases its claim', async () => {
    const state = openMemoryState();
    const first = firstOf(await claim(state));
    const others = [claim(state), claim(state), claim(state)];
    first.release();
    const next = await Promise.race(others);
    firstOf(next).settle(ANSWER);
    const results = await Promise.all(others);
    expect(results.filter(({ isFirst }) => isFirst)).to.have.length(1);
    const answers = results.flatMap((result) => (result.isFirst ? [] : [result.answer]));
    expect(answers).to.deep.equal([ANSWER, ANSWER]);
  });

  it('keeps a running event beside 50,000 others, and a settled one beside 7,999 later ones', async () => {
    const events = new LocalClaims();
    const others = (from: number, to: number): void => {
      for (let count = from; count < to; count += 1) events.claim(`other-${count}`, 300_000, 1).settle({});
    };
    const held = events.claim('ana', 300_000, 1);
    others(0, 50_000);
    const repeat = events.answerOf('ana');
    held.settle(ANSWER);
    expect(await repeat).to.deep.equal(ANSWER);
    others(50_000, 57_999);
    expect(await events.answerOf('ana')).to.deep.equal(ANSWER);
    others(60_000, 80_000);
    expect(events.answerOf('ana')).to.equal(undefined);
  });

  it('drops the oldest of 20,001 events that never end, and keeps a later one', () => {
    const events = new LocalClaims();
    for (let count = 0; count <= 20_000; count += 1) events.claim(`${count}`, 300_000, 1);
    expect([0, 12_001].map((key) => events.answerOf(`${key}`) !== undefined)).to.deep.equal([false, true]);
  });

  it('keeps the claim of a repeat, though the first call ends that was forgotten meanwhile', () => {
    const events = new LocalClaims();
    const forgotten = events.claim('event', 300_000, 1);
    for (let count = 0; count <= 20_000; count += 1) events.claim(`${count}`, 300_000, 1);
    expect(events.answerOf('event')).to.equal(undefined);
    events.claim('event', 300_000, 2);
    forgotten.release();
    expect(events.answerOf('event')).to.be.a('promise');
  });

  it('makes one call at a time the first while 22 calls release their claims in turn', async () => {
    const state = openMemoryState();
    let leading = firstOf(await claim(state));
    const waiting = new Set(Array.from({ length: 24 }, () => claim(state)));
    for (let count = 0; count < 22; count += 1) {
      // The hook sees a hang-up after a moment.
      await new Promise((resolve) => setTimeout(resolve, 3));
      leading.release();
      const [next, result] = await Promise.race(
        [...waiting].map(async (one): Promise<[typeof one, Awaited<typeof one>]> => [one, await one]),
      );
      waiting.delete(next);
      leading = firstOf(result);
    }
    leading.settle(ANSWER);
    for (const one of waiting) expect(await one).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('gives a repeat no answer if the first call has none before the deadline', async () => {
    const state = openMemoryState();
    await claim(state);
    expect(await claim(state, { deadlineMs: 500 })).to.deep.equal({ isFirst: false, answer: undefined });
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
        for (const repeat of repeats) expect(repeat).to.deep.equal({ isFirst: false, answer: ANSWER });
        // A later call gets it, too.
        expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
        expect(state.asked).to.equal(1);
      });
    }

    it('gives all of them the answer of another process, by one request to the state', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() => Promise.resolve({ isFirst: false, answer: there.promise }));
      const calls = Array.from({ length: 40 }, () => claim(state));
      // A call at its deadline does not end the wait of the others.
      expect(await claim(state, { deadlineMs: 500 })).to.deep.equal({ isFirst: false, answer: undefined });
      there.resolve(ANSWER);
      for (const call of calls) expect(await call).to.deep.equal({ isFirst: false, answer: ANSWER });
      // A later call gets it, too.
      expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
      expect(state.asked).to.equal(1);
    });

    it('keeps waiting for another process after the deadline of the call that claimed', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() =>
        Promise.resolve(state.asked === 1 ? { isFirst: false, answer: there.promise } : settling),
      );
      const asking = claim(state, { deadlineMs: 500 });
      const other = claim(state);
      expect(await asking).to.deep.equal({ isFirst: false, answer: undefined });
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
      expect(await releasedTo(state, end)).to.deep.equal({ isFirst: false, answer: 'released' });
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
      expect(await releasedTo(state, end)).to.deep.equal({ isFirst: false, answer: 'released' });
      // The next call may still send the code.
      expect(await claim(state)).to.include({ isFirst: true });
    });

    it('makes a new claim after the answer of another process was lost', async () => {
      const state = counting(() =>
        Promise.resolve(
          state.asked === 1 ? { isFirst: false, answer: Promise.resolve('lost' as const) } : settling,
        ),
      );
      const unknown = { isFirst: false, answer: undefined };
      expect(await Promise.all([claim(state), claim(state)])).to.deep.equal([unknown, unknown]);
      expect(await claim(state)).to.include({ isFirst: true });
    });
  });
});
