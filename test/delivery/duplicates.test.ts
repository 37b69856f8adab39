import { expect } from 'chai';
import { Budget } from '../../lib/delivery/budget.js';
import type { TelephonyRequest } from '../../lib/delivery/channel.js';
import { claimEvent, duplicateKey, type ClaimResult } from '../../lib/delivery/duplicates.js';
import type { Bucket, Claim, RememberedAnswer, State } from '../../lib/delivery/state.js';
import { memoryState } from '../../lib/state/memory.js';
import { defer } from '../harness/until.js';
import { makeMessage, NOW, OTP_CODE, PHONE_NUMBER } from '../twilio/scripted-api.js';

const REQUEST: TelephonyRequest = { ...makeMessage().request, eventId: 'event-1', userId: '00u1' };
const ANSWER: RememberedAnswer = { commands: ['the first'] };
const BUCKETS: readonly Bucket[] = [{ key: 'bucket', points: 50, seconds: 600 }];

describe('the key of an event', () => {
  for (const [title, change] of [
    ['event', { eventId: 'event-2' }],
    ['request type', { requestType: 'com.okta.user.telephony.password-reset' }],
    ['missing request type', { requestType: undefined }],
    ['user', { userId: '00u2' }],
    ['number', { phoneNumber: '+447700900124' }],
    ['code', { otpCode: '000000' }],
    ['channel', { deliveryChannel: 'voice' }],
  ] as const) {
    it(`is another one for another ${title}`, () => {
      expect(duplicateKey({ ...REQUEST, ...change })).to.not.equal(duplicateKey(REQUEST));
    });
  }

  it('is the same whatever else differs', () => {
    const same = { ...REQUEST, expiresAt: new Date(0), locale: 'pt', login: 'x', msgTemplate: 'y', raw: 1 };
    expect(duplicateKey(same)).to.equal(duplicateKey(REQUEST));
  });

  it('goes by the login where there is no user id', () => {
    const [one, other] = ['a@example.com', 'b@example.com'].map((login) =>
      duplicateKey({ ...REQUEST, userId: undefined, login }),
    );
    expect(one).to.not.equal(other);
  });

  it('does not run the parts together', () => {
    expect(duplicateKey({ ...REQUEST, eventId: 'a', requestType: 'bc' })).to.not.equal(
      duplicateKey({ ...REQUEST, eventId: 'ab', requestType: 'c' }),
    );
  });

  it('holds neither code nor number', () => {
    expect(duplicateKey(REQUEST)).to.match(/^[\w-]{43}$/);
    expect(duplicateKey(REQUEST)).to.not.include(OTP_CODE).and.not.include(PHONE_NUMBER);
  });
});

describe('claiming an event', () => {
  const budgets: Budget[] = [];
  afterEach(() => {
    for (const budget of budgets.splice(0)) budget.close();
  });
  const claim = async (
    state: Pick<State, 'claim'>,
    failures: unknown[] = [],
    deadlineMs = 2200,
    isRepeatable = true,
  ): Promise<ClaimResult> => {
    const budget = new Budget(deadlineMs);
    budgets.push(budget);
    return claimEvent(REQUEST, {
      state,
      isRepeatable,
      nowMs: NOW,
      rememberMs: 300_000,
      buckets: BUCKETS,
      budget,
      onFailure: (error) => failures.push(error),
    });
  };
  const claimOf = async (result: ClaimResult): Promise<Extract<Claim, { isFirst: true }>> => {
    const found = result.isFirst ? await result.claim : undefined;
    if (found?.isFirst !== true) throw new Error('not the first');
    return found;
  };

  it('is told what to remember, and for how long', async () => {
    const asked: unknown[] = [];
    await claim({
      claim: (...args) => {
        asked.push(args);
        return memoryState().claim(...args);
      },
    });
    expect(asked).to.deep.equal([
      [duplicateKey(REQUEST), { nowMs: NOW, rememberMs: 300_000, buckets: BUCKETS }],
    ]);
  });

  it('is told to count only, where there is no event id', async () => {
    const keys: unknown[] = [];
    const state = memoryState();
    const asked = {
      claim: (...[key, life]: Parameters<State['claim']>) => {
        keys.push(key);
        return state.claim(key, life);
      },
    };
    for (let count = 0; count < 2; count += 1) {
      expect((await claim(asked, [], 2200, false)).isFirst).to.equal(true);
    }
    expect(keys).to.deep.equal([undefined, undefined]);
  });

  it('tells which buckets had no point left', async () => {
    const claimed: Claim = {
      isFirst: true,
      exceeded: ['bucket'],
      settle: () => undefined,
      release: () => undefined,
    };
    for (const found of [claimed, Promise.resolve(claimed)]) {
      const result = await claim({ claim: () => found });
      expect(result.isFirst && result.exceeded).to.deep.equal(['bucket']);
    }
    // One that counts nothing has none to name.
    const result = await claim({ claim: () => ({ ...claimed, exceeded: undefined }) as unknown as Claim });
    expect(result.isFirst && result.exceeded).to.deep.equal([]);
  });

  it('makes the first one first, and gives the others its answer', async () => {
    const state = memoryState();
    const first = await claimOf(await claim(state));
    const others = Promise.all([claim(state), claim(state)]);
    first.settle(ANSWER);
    expect(await others).to.deep.equal([
      { isFirst: false, answer: ANSWER },
      { isFirst: false, answer: ANSWER },
    ]);
    expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('makes exactly one of those who wait the first, when the first lets go', async () => {
    const state = memoryState();
    const first = await claimOf(await claim(state));
    const others = [claim(state), claim(state), claim(state)];
    first.release();
    const next = await Promise.race(others);
    (await claimOf(next)).settle(ANSWER);
    const results = await Promise.all(others);
    expect(results.filter(({ isFirst }) => isFirst)).to.have.length(1);
    expect(results.filter((result) => !result.isFirst && result.answer === ANSWER)).to.have.length(2);
  });

  it('lets only one send, however many let go one after the other', async () => {
    const state = memoryState();
    let leading = await claimOf(await claim(state));
    const waiting = new Set(Array.from({ length: 24 }, () => claim(state)));
    for (let count = 0; count < 22; count += 1) {
      // As a hang-up takes a moment to be seen.
      await new Promise((resolve) => setTimeout(resolve, 3));
      leading.release();
      const [next, result] = await Promise.race(
        [...waiting].map(async (one): Promise<[typeof one, Awaited<typeof one>]> => [one, await one]),
      );
      waiting.delete(next);
      leading = await claimOf(result);
    }
    leading.settle(ANSWER);
    for (const one of waiting) expect(await one).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('has no answer for a repeat where the first has none before its deadline', async () => {
    const state = memoryState();
    await claim(state);
    expect(await claim(state, [], 500)).to.deep.equal({ isFirst: false, answer: undefined });
  });

  describe('from a state that fails', () => {
    const lost = new Error('state is lost');
    for (const [title, broken] of [
      ['rejects', () => Promise.reject(lost)],
      [
        'throws',
        () => {
          throw lost;
        },
      ],
    ] as const satisfies readonly (readonly [string, State['claim']])[]) {
      it(`goes on as the first where it ${title}, and tells`, async () => {
        const failures: unknown[] = [];
        const result = await claim({ claim: broken }, failures);
        expect(result.isFirst).to.equal(true);
        expect(result.isFirst && (await result.claim)).to.equal(undefined);
        expect(failures).to.deep.equal([lost]);
      });
    }

    it('goes on as the first where it hangs, tells, and settles it when it comes back', async () => {
      const failures: unknown[] = [];
      const coming = defer<Claim>();
      const result = await claim({ claim: () => coming.promise }, failures);
      expect(String(failures)).to.equal('Error: no answer in time');
      const settled: unknown[] = [];
      coming.resolve({
        isFirst: true,
        exceeded: [],
        settle: (answer) => settled.push(answer),
        release: () => undefined,
      });
      (await claimOf(result)).settle(ANSWER);
      expect(settled).to.deep.equal([ANSWER]);
    });

    it('takes what the first did for unknown where its answer is lost', async () => {
      const failures: unknown[] = [];
      const answer = Promise.reject<RememberedAnswer>(lost);
      const result = await claim({ claim: () => Promise.resolve({ isFirst: false, answer }) }, failures);
      expect(result).to.deep.equal({ isFirst: false, answer: undefined });
      expect(failures).to.deep.equal([lost]);
    });

    it('does not ask for ever where it says that every first one has let go', async () => {
      const failures: unknown[] = [];
      let asked = 0;
      const result = await claim(
        {
          claim: () => {
            asked += 1;
            return Promise.resolve({ isFirst: false, answer: Promise.resolve(undefined) });
          },
        },
        failures,
      );
      expect(result.isFirst).to.equal(true);
      expect(asked).to.be.within(2, 50);
      expect(String(failures)).to.equal('Error: every claim is let go');
    });

    it('goes on as the first where it gives garbage', async () => {
      const failures: unknown[] = [];
      for (const garbage of [undefined, null, {}, 'first']) {
        const result = await claim({ claim: () => Promise.resolve(garbage as Claim) }, failures);
        expect(result.isFirst).to.equal(true);
      }
      expect(failures).to.not.be.empty;
    });

    for (const [title, fail] of [
      [
        'throws',
        () => {
          throw lost;
        },
      ],
      ['rejects', () => Promise.reject(lost)],
    ] as const) {
      it(`keeps to itself that it ${title} when it is told the answer`, async () => {
        const failures: unknown[] = [];
        const result = await claim(
          { claim: () => Promise.resolve({ isFirst: true, exceeded: [], settle: fail, release: fail }) },
          failures,
        );
        const first = await claimOf(result);
        first.settle(ANSWER);
        first.release();
        await new Promise(setImmediate);
        expect(failures).to.deep.equal([lost, lost]);
      });
    }
  });
});
