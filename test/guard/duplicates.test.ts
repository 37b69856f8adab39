import { expect } from 'chai';
import { Budget } from '#lib/core/budget.js';
import type { TelephonyRequest } from '#lib/core/channel.js';
import {
  claimEvent,
  duplicateKey,
  type ClaimResult,
  type FirstClaim,
  LocalClaims,
} from '#lib/guard/duplicates.js';
import { GuardedState } from '#lib/delivery/guarded-state.js';
import type { Claim, EventLife, RememberedAnswer, StatePort } from '#lib/delivery/state.js';
import { localClaimsOf, openMemoryState } from '#lib/state/memory/memory-state.js';
import { defer } from '#harness/until.js';
import { makeMessage, NOW, OTP_CODE, PHONE_NUMBER } from '../channels/twilio/scripted-api.js';

const REQUEST: TelephonyRequest = { ...makeMessage().request, eventId: 'event-1', userId: '00u1' };
const ANSWER: RememberedAnswer = { commands: ['the first'] };
const LIFE: EventLife = {
  nowMs: NOW,
  rememberMs: 300_000,
  buckets: [{ key: 'bucket', points: 50, seconds: 600 }],
};

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
  /** Of one process. */
  let localClaims: LocalClaims;
  beforeEach(() => {
    localClaims = new LocalClaims();
  });
  afterEach(() => {
    for (const budget of budgets.splice(0)) budget.close();
  });
  const claim = async (
    state: Pick<StatePort, 'claim'>,
    failures: unknown[] = [],
    deadlineMs = 2200,
    isRepeatable = true,
  ): Promise<ClaimResult> => {
    const budget = new Budget(deadlineMs);
    budgets.push(budget);
    return claimEvent(REQUEST, {
      state: new GuardedState({ ...openMemoryState(), ...state }, (error) => failures.push(error)),
      localClaims,
      isRepeatable,
      life: LIFE,
      budget,
    });
  };
  const firstOf = (result: ClaimResult): FirstClaim => {
    if (!result.isFirst) throw new Error('not the first');
    return result.claim;
  };
  /** By another process, which knows nothing of the events of this one. */
  const claimElsewhere = (...args: Parameters<typeof claim>): ReturnType<typeof claim> => {
    localClaims = new LocalClaims();
    return claim(...args);
  };

  it('is told what to remember, and for how long', async () => {
    const asked: unknown[] = [];
    await claim({
      claim: (...args) => {
        asked.push(args);
        return openMemoryState().claim(...args);
      },
    });
    expect(asked).to.deep.equal([[duplicateKey(REQUEST), LIFE]]);
  });

  it('is told to count only, where there is no event id', async () => {
    const keys: unknown[] = [];
    const state = openMemoryState();
    const asked = {
      claim: (...[key, life]: Parameters<StatePort['claim']>) => {
        keys.push(key);
        return state.claim(key, life);
      },
    };
    for (let count = 0; count < 2; count += 1) {
      expect((await claim(asked, [], 2200, false)).isFirst).to.equal(true);
    }
    expect(keys).to.deep.equal([undefined, undefined]);
  });

  it('is held among the events of memoryState(), by whichever of the hooks that share it came first', async () => {
    const state = openMemoryState();
    const life = { nowMs: NOW, rememberMs: 300_000, buckets: [{ key: 'bucket', points: 2, seconds: 600 }] };
    localClaims = localClaimsOf(state) ?? localClaims;
    firstOf(await claim(state)).release();
    firstOf(await claim(state)).settle(JSON.stringify(ANSWER));
    expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
    const elsewhere = await state.claim(duplicateKey(REQUEST), life);
    expect(!elsewhere.isFirst && (await elsewhere.answer)).to.deep.equal(ANSWER);
    // One point: what was let go took none, and a repeat takes none.
    const next = [await state.claim('next', life), await state.claim('over', life)];
    expect(next.map((one) => one.isFirst && one.exceeded)).to.deep.equal([[], ['bucket']]);
    const asked: unknown[] = [];
    const own: StatePort = {
      ...state,
      claim: (key, of) => {
        asked.push(key);
        return state.claim(key, of);
      },
    };
    expect(localClaimsOf(own)).to.equal(undefined);
    localClaims = new LocalClaims();
    await claim(own);
    expect(asked).to.deep.equal([duplicateKey(REQUEST)]);
  });

  it('tells which buckets had no point left', async () => {
    const claimed: Claim = {
      isFirst: true,
      exceeded: ['bucket'],
      settle: () => undefined,
      release: () => undefined,
    };
    for (const found of [claimed, Promise.resolve(claimed)]) {
      const result = await claimElsewhere({ claim: () => found });
      expect(result.isFirst && result.exceeded).to.deep.equal(['bucket']);
    }
  });

  it('makes the first one first, and gives the others its answer', async () => {
    const state = openMemoryState();
    const first = firstOf(await claim(state));
    const others = Promise.all([claim(state), claim(state)]);
    first.settle(JSON.stringify(ANSWER));
    expect(await others).to.deep.equal([
      { isFirst: false, answer: ANSWER },
      { isFirst: false, answer: ANSWER },
    ]);
    expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('makes exactly one of those who wait the first, when the first lets go', async () => {
    const state = openMemoryState();
    const first = firstOf(await claim(state));
    const others = [claim(state), claim(state), claim(state)];
    first.release();
    const next = await Promise.race(others);
    firstOf(next).settle(JSON.stringify(ANSWER));
    const results = await Promise.all(others);
    expect(results.filter(({ isFirst }) => isFirst)).to.have.length(1);
    const answers = results.flatMap((result) => (result.isFirst ? [] : [result.answer]));
    expect(answers).to.deep.equal([ANSWER, ANSWER]);
  });

  it('is not forgotten while it is under way, and long enough after it, however many come', async () => {
    const events = new LocalClaims();
    const others = (from: number, to: number): void => {
      for (let count = from; count < to; count += 1) events.claim(`other-${count}`, 300_000).settle('{}');
    };
    const held = events.claim('ana', 300_000);
    others(0, 50_000);
    const repeat = events.answerOf('ana');
    held.settle(JSON.stringify(ANSWER));
    expect(await repeat).to.deep.equal(ANSWER);
    others(50_000, 57_999);
    expect(await events.answerOf('ana')).to.deep.equal(ANSWER);
    others(60_000, 80_000);
    expect(events.answerOf('ana')).to.equal(undefined);
  });

  it('is forgotten at last where nobody ends it', () => {
    const events = new LocalClaims();
    for (let count = 0; count <= 20_000; count += 1) events.claim(`${count}`, 300_000);
    expect([0, 8_000].map((key) => events.answerOf(`${key}`) !== undefined)).to.deep.equal([false, true]);
  });

  it('lets only one send, however many let go one after the other', async () => {
    const state = openMemoryState();
    let leading = firstOf(await claim(state));
    const waiting = new Set(Array.from({ length: 24 }, () => claim(state)));
    for (let count = 0; count < 22; count += 1) {
      // As a hang-up takes a moment to be seen.
      await new Promise((resolve) => setTimeout(resolve, 3));
      leading.release();
      const [next, result] = await Promise.race(
        [...waiting].map(async (one): Promise<[typeof one, Awaited<typeof one>]> => [one, await one]),
      );
      waiting.delete(next);
      leading = firstOf(result);
    }
    leading.settle(JSON.stringify(ANSWER));
    for (const one of waiting) expect(await one).to.deep.equal({ isFirst: false, answer: ANSWER });
  });

  it('has no answer for a repeat where the first has none before its deadline', async () => {
    const state = openMemoryState();
    await claim(state);
    expect(await claim(state, [], 500)).to.deep.equal({ isFirst: false, answer: undefined });
  });

  /** One that counts how often it is asked. */
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
    exceeded: [],
    settle: () => undefined,
    release: () => undefined,
  };

  describe('by 40 calls of one process at once', () => {
    let late = defer<Claim>();
    beforeEach(() => {
      late = defer();
    });
    for (const [title, answer] of [
      ['is slow', () => new Promise((resolve) => setTimeout(resolve, 20, settling))],
      ['hangs', () => new Promise(() => undefined)],
      ['says after its time that it is a repeat', () => late.promise],
      ['rejects', () => Promise.reject(new Error('lost'))],
      [
        'throws',
        () => {
          throw new Error('lost');
        },
      ],
      ['is lost after it', () => settling],
    ] as const satisfies readonly (readonly [string, StatePort['claim']])[]) {
      it(`is asked of the state once, and one sends, where the state ${title}`, async () => {
        const state = counting(answer);
        const calls = Array.from({ length: 40 }, () => claim(state));
        const first = firstOf(await Promise.race(calls));
        late.resolve({ isFirst: false, answer: Promise.resolve({ commands: ['of another'] }) });
        first.settle(JSON.stringify(ANSWER));
        const [, ...repeats] = await Promise.all(calls);
        for (const repeat of repeats) expect(repeat).to.deep.equal({ isFirst: false, answer: ANSWER });
        // And afterwards.
        expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
        expect(state.asked).to.equal(1);
      });
    }

    it('has the answer of another process for all of them, and asks once', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() => Promise.resolve({ isFirst: false, answer: there.promise }));
      const calls = Array.from({ length: 40 }, () => claim(state));
      // One whose own time is over does not end the waiting of the others.
      expect(await claim(state, [], 500)).to.deep.equal({ isFirst: false, answer: undefined });
      there.resolve(ANSWER);
      for (const call of calls) expect(await call).to.deep.equal({ isFirst: false, answer: ANSWER });
      // And afterwards.
      expect(await claim(state)).to.deep.equal({ isFirst: false, answer: ANSWER });
      expect(state.asked).to.equal(1);
    });

    it('waits on for another process where the one that asked has no time left', async () => {
      const there = defer<RememberedAnswer | undefined>();
      const state = counting(() =>
        Promise.resolve(state.asked === 1 ? { isFirst: false, answer: there.promise } : settling),
      );
      const asking = claim(state, [], 500);
      const other = claim(state);
      expect(await asking).to.deep.equal({ isFirst: false, answer: undefined });
      there.resolve(undefined);
      // That one let go: of this process, the one that waits asks now.
      expect(firstOf(await other)).to.be.an('object');
      expect(state.asked).to.equal(2);
    });

    it('asks again after the answer of another process was lost', async () => {
      const failures: unknown[] = [];
      const lost = new Error('lost');
      const state = counting(() =>
        Promise.resolve(
          state.asked === 1 ? { isFirst: false, answer: Promise.reject<RememberedAnswer>(lost) } : settling,
        ),
      );
      const unknown = { isFirst: false, answer: undefined };
      expect(await Promise.all([claim(state, failures), claim(state, failures)])).to.deep.equal([
        unknown,
        unknown,
      ]);
      expect(failures).to.deep.equal([lost]);
      expect(await claim(state)).to.include({ isFirst: true });
    });

    it('makes one that waits the first when the first lets go, although the state hangs', async () => {
      const coming = defer<Claim>();
      const released: unknown[] = [];
      const state = counting(() => coming.promise);
      const first = firstOf(await claim(state));
      const waiting = [claim(state), claim(state)];
      first.release();
      const next = firstOf(await Promise.race(waiting));
      coming.resolve({ ...settling, release: () => released.push('late') as unknown as undefined });
      next.settle(JSON.stringify(ANSWER));
      const results = await Promise.all(waiting);
      expect(results.filter(({ isFirst }) => isFirst)).to.have.length(1);
      expect(released).to.deep.equal(['late']);
      expect(state.asked).to.equal(2);
    });
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
    ] as const satisfies readonly (readonly [string, StatePort['claim']])[]) {
      it(`goes on as the first where it ${title}, and tells`, async () => {
        const failures: unknown[] = [];
        const result = await claim({ claim: broken }, failures);
        expect(result.isFirst).to.equal(true);
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
      firstOf(result).settle(JSON.stringify(ANSWER));
      await new Promise(setImmediate);
      expect(settled).to.deep.equal([JSON.stringify(ANSWER)]);
    });

    it('takes what the first did for unknown where its answer is lost', async () => {
      const failures: unknown[] = [];
      const answer = Promise.reject<RememberedAnswer>(lost);
      const result = await claim({ claim: () => Promise.resolve({ isFirst: false, answer }) }, failures);
      expect(result).to.deep.equal({ isFirst: false, answer: undefined });
      expect(failures).to.deep.equal([lost]);
    });

    it('keeps to itself that it throws when it is told the answer', async () => {
      const failures: unknown[] = [];
      const fail = (): never => {
        throw lost;
      };
      const result = await claim(
        { claim: () => Promise.resolve({ isFirst: true, exceeded: [], settle: fail, release: fail }) },
        failures,
      );
      const first = firstOf(result);
      first.settle(JSON.stringify(ANSWER));
      first.release();
      expect(failures).to.deep.equal([lost, lost]);
    });
  });
});
