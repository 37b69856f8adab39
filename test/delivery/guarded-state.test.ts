import { expect } from 'chai';
import { Budget } from '#lib/core/budget.js';
import { steadyMs } from '#lib/core/time.js';
import { GuardedState } from '#lib/delivery/guarded-state.js';
import type { Claim, RememberedAnswer, StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { fakeClock } from '#harness/fake-clock.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';
import { makeReceipt, NOW } from './messages/receipts.js';

const REQUEST = makeMessage().request;
const LIFE = { nowMs: NOW, rememberMs: 60_000 };
const NAMES = [{ kind: 'message', key: 'SM1' }] as const;
const nothing = (): undefined => undefined;
/** Fails the test if it is called. */
const notReported = (): never => expect.fail('it was reported');
const notCalled = (): never => expect.fail('it was called');

describe('the guarded state', () => {
  const receipt = makeReceipt();
  let failures: (readonly [message: string, eventId: string | undefined])[];
  const rejections: unknown[] = [];
  const onRejection = (error: unknown): void => {
    rejections.push(error);
  };
  beforeEach(() => {
    failures = [];
    rejections.length = 0;
    process.on('unhandledRejection', onRejection);
  });
  afterEach(async () => {
    await nextTurn();
    process.off('unhandledRejection', onRejection);
    expect(rejections).to.be.empty;
  });
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const guard = (change: Partial<StatePort>): GuardedState =>
    new GuardedState({ ...openMemoryState(), ...change }, (error, _request, call) => {
      failures.push([error instanceof Error ? error.message : '', call?.eventId]);
    });

  describe('treats a request as the first', () => {
    const isFirst = (state: GuardedState, key = 'a'): Promise<boolean> => state.isFirstUse(key, LIFE);
    const isFirstMessage = async (state: GuardedState): Promise<boolean> => {
      const { isRepeat, markReceived } = await state.claimMessage('a', LIFE);
      markReceived();
      return !isRepeat;
    };
    const repeat = (answer: Promise<RememberedAnswer | undefined>): Claim => ({ isFirst: false, answer });

    it('by its key, until rememberMs has passed', async () => {
      const state = guard({});
      expect(await isFirst(state)).to.equal(true);
      expect(await isFirst(state)).to.equal(false);
      expect(await isFirst(state, 'b')).to.equal(true);
      const clock = stopTime();
      try {
        expect(await isFirst(state, 'c')).to.equal(true);
        clock.tick(LIFE.rememberMs);
        expect(await isFirst(state, 'c')).to.equal(true);
      } finally {
        clock.restore();
      }
    });

    it('and settles its claim, so that no other gateway waits for its answer', async () => {
      const memory = openMemoryState();
      await isFirst(guard(memory));
      const again = await memory.claim(eventClaim('a', { ...LIFE, limits: [] }));
      expect(again.isFirst ? undefined : await again.answer).to.deep.equal({});
    });

    it('if the state throws or rejects, and reports that', async () => {
      const throwing = (): never => {
        throw new Error('gone');
      };
      expect(await isFirst(guard({ claim: throwing }))).to.equal(true);
      expect(await isFirst(guard({ claim: () => Promise.reject(new Error('gone')) }))).to.equal(true);
      expect(failures).to.deep.equal([
        ['gone', undefined],
        ['gone', undefined],
      ]);
    });

    for (const [what, timeoutMs, ask] of [
      ['inbound message', 500, isFirstMessage],
      ['used code', 2_000, isFirst],
    ] as const) {
      it(`after ${timeoutMs} ms if the state hangs (${what}), and settles a late claim`, async () => {
        const late = defer<Claim>();
        let settled: RememberedAnswer | undefined;
        const clock = stopTime();
        try {
          const asking = ask(guard({ claim: () => late.promise }));
          clock.tick(timeoutMs - 1);
          await nextTurn();
          expect(failures).to.be.empty;
          clock.tick(1);
          expect(await asking).to.equal(true);
          expect(failures).to.deep.equal([['no answer in time', undefined]]);
        } finally {
          clock.restore();
        }
        late.resolve({
          isFirst: true,
          place: undefined,
          isCurrent: 'unknown',
          suppressions: undefined,
          exceeded: [],
          settle: (answer) => (settled = answer),
          release: nothing,
        });
        await until(() => settled !== undefined);
      });
    }

    for (const [what, end] of [
      [
        'a failure',
        (late: ReturnType<typeof defer<Claim>>) => {
          late.reject(new Error('lost'));
        },
      ],
      [
        'a repeat whose answer is lost',
        (late: ReturnType<typeof defer<Claim>>) => {
          late.resolve(repeat(Promise.reject(new Error('lost'))));
        },
      ],
    ] as const) {
      it(`and ignores ${what} that comes late`, async () => {
        const late = defer<Claim>();
        const clock = stopTime();
        try {
          const asking = isFirst(guard({ claim: () => late.promise }));
          clock.tick(2_000);
          expect(await asking).to.equal(true);
        } finally {
          clock.restore();
        }
        end(late);
      });
    }

    it('but not a repeat, even if the answer to the first one is lost', async () => {
      const claim = (): Claim => repeat(Promise.reject(new Error('the first call has no answer')));
      expect(await isFirst(guard({ claim }))).to.equal(false);
      expect(failures).to.be.empty;
    });
  });

  it('passes its calls on to the state, with the time of the steady clock', async () => {
    const clock = fakeClock(['performance']);
    const passedOn: unknown[] = [];
    const note =
      <T>(name: string, answer: T) =>
      (...args: unknown[]): T => {
        passedOn.push([name, ...args]);
        return answer;
      };
    const known = { value: { status: 'delivered' }, leftMs: 5 } as const;
    const state = guard({
      useCode: note('useCode', undefined),
      isCurrent: note('isCurrent', true),
      update: note('update', Promise.resolve('updated' as never)),
      read: note('read', Promise.resolve('found' as never)),
      recall: note('recall', known as never),
      alarms: { set: note('setAlarm', undefined), onDue: note('onAlarm', undefined) },
    });
    state.useCode('ana', NOW);
    state.setAlarm('SM1', 7, receipt);
    const answers = [
      await state.isCurrent({ ...receipt, place: '1.e' }),
      await state.update(NAMES, notCalled, receipt),
      await state.read(NAMES, notCalled),
      state.recall(NAMES[0]),
      state.onAlarm(notReported),
    ];
    clock.restore();
    expect(answers).to.deep.equal([true, 'updated', 'found', known, undefined]);
    expect(passedOn).to.deep.equal([
      ['useCode', 'ana', NOW],
      ['setAlarm', 'SM1', 7],
      ['isCurrent', 'a person', { eventKey: 'event-1', place: '1.e', isPreview: false }],
      ['update', NAMES, notCalled],
      ['read', NAMES, notCalled],
      ['recall', NAMES[0]],
      ['onAlarm', notReported],
    ]);
  });

  for (const [how, fail] of [
    [
      'throws',
      (): never => {
        throw new Error('gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
  ] as const) {
    it(`returns a default for each request if the state ${how}, and reports each failure once`, async () => {
      const state = guard({ isShared: true, isCurrent: fail, update: fail, read: fail });
      const answers = [
        await state.isCurrent(receipt),
        await state.update(NAMES, notCalled, receipt),
        await state.update(NAMES, notCalled, undefined),
        await state.read(NAMES, notCalled),
        await state.suppressionsOf('+1', NOW),
      ];
      expect(answers).to.deep.equal(['unknown', undefined, undefined, undefined, undefined]);
      expect(failures).to.deep.equal([
        ['gone', 'event-1'],
        ['gone', 'event-1'],
        // The owner is unknown, so the error may contain data of any user: it is not passed on.
        ...Array.from({ length: 3 }, () => ['a record cannot be read', undefined]),
      ]);
    });
  }

  it('reports each write that throws, with its event id if it is known', () => {
    const fail = (): never => {
      throw new Error('gone');
    };
    const state = guard({ useCode: fail, alarms: { set: fail, onDue: nothing } });
    state.useCode('ana', NOW);
    state.setAlarm('SM1', 7, receipt);
    state.reportUnusable(new Error('about somebody'));
    expect(failures).to.deep.equal([
      ['useCode failed', undefined],
      ['gone', 'event-1'],
      ['a record cannot be read', undefined],
    ]);
  });

  it('waits 2 s for isCurrent() of a state that hangs, and reports that', async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    try {
      const asking = guard({ isCurrent: () => new Promise(() => undefined) }).isCurrent(receipt);
      await clock.tickAsync(1_999);
      expect(failures).to.be.empty;
      await clock.tickAsync(1);
      expect(await asking).to.equal('unknown');
      expect(failures).to.deep.equal([['no answer in time', 'event-1']]);
    } finally {
      clock.restore();
    }
  });

  for (const [title, waitMs, ask] of [
    ['a read', 2_000, (state: GuardedState) => state.read(NAMES, notCalled)],
    ['suppressions', 200, (state: GuardedState) => state.suppressionsOf('+1', NOW)],
  ] as const) {
    it(`waits ${waitMs} ms for ${title}, which reports no failure: a lost Redis hangs like this`, async () => {
      const clock = fakeClock(['setTimeout', 'clearTimeout']);
      try {
        const hanging = { isShared: true, read: () => new Promise<never>(() => undefined) };
        let found: unknown = 'nothing yet';
        void ask(guard(hanging)).then((answer) => (found = answer));
        await clock.tickAsync(waitMs - 1);
        expect(found).to.equal('nothing yet');
        await clock.tickAsync(1);
        expect(found).to.equal(undefined);
        expect(failures).to.be.empty;
      } finally {
        clock.restore();
      }
    });
  }

  it('lets an update wait for a lost state however long, and then resolves', async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    const back = defer<undefined>();
    try {
      const state = guard({ update: () => back.promise.then(() => 'updated' as never) });
      let result: unknown;
      void state.update(NAMES, notCalled, receipt).then((updated) => (result = updated));
      await clock.tickAsync(3_600_000);
      expect(result).to.equal(undefined);
      back.resolve(undefined);
      await nextTurn();
      expect(result).to.equal('updated');
      expect(failures).to.be.empty;
    } finally {
      clock.restore();
    }
  });

  it('reads the suppressions of a shared state, with their end by the clock of the hook', async () => {
    const clock = fakeClock(['performance'], 0);
    try {
      const entry = {
        channel: 'whatsapp',
        reason: 'STOPPED',
        atMs: 0,
        untilMs: steadyMs() + 60_000,
      } as const;
      const entries = [
        entry,
        { ...entry, channel: 'sms', untilMs: steadyMs() },
        { ...entry, channel: 'line', reason: 'STARTED' },
        { ...entry, channel: '', reason: 'PAIRED', number: '+1' },
      ] as const;
      const memory = openMemoryState();
      await memory.update([{ kind: 'suppressions', key: '+1' }], () => ({
        next: [{ value: { recipient: '+1', entries }, lifeMs: 60_000 }],
        result: undefined,
      }));
      expect(await guard(memory).suppressionsOf('+1', NOW)).to.equal(undefined);
      const shared = guard({ ...memory, isShared: true });
      const found = await shared.suppressionsOf('+1', NOW);
      expect(found?.map((one) => ({ ...one, untilMs: Math.round(one.untilMs) }))).to.deep.equal([
        { channel: 'whatsapp', reason: 'STOPPED', untilMs: NOW + 60_000 },
      ]);
      expect(await shared.suppressionsOf('+2', NOW)).to.deep.equal([]);
    } finally {
      clock.restore();
    }
  });

  for (const [when, elapsedMs, expected] of [
    ['in time, and reports it once', 400, [['no answer', 'event-1']]],
    ['after the deadline, and reports nothing', 500, []],
  ] as const) {
    it(`returns lost if the first call's answer fails ${when}`, async () => {
      const clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
      const budget = new Budget(500);
      const there = defer<RememberedAnswer>();
      try {
        const state = guard({ claim: () => ({ isFirst: false, answer: there.promise }) });
        const claim = await state.claim(eventClaim('a', LIFE), { request: REQUEST, budget });
        clock.tick(elapsedMs);
        there.reject(new Error('no answer'));
        expect(!claim.isFirst && (await claim.answer)).to.equal('lost');
        expect(failures).to.deep.equal(expected);
      } finally {
        budget.close();
        clock.restore();
      }
    });
  }

  it("gives isCurrent() at most a quarter of the call's time", async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    const budget = new Budget(480);
    try {
      const asking = guard({ isCurrent: () => new Promise(() => undefined) }).isCurrent(receipt, budget);
      let found: unknown;
      void asking.then((answer) => (found = answer));
      // A tenth of the time is reserved for the answer.
      await clock.tickAsync(107);
      expect(found).to.equal(undefined);
      await clock.tickAsync(1);
      expect(found).to.equal('unknown');
    } finally {
      budget.close();
      clock.restore();
    }
  });
});
