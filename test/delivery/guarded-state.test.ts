import { expect } from 'chai';
import { Budget } from '#lib/core/budget.js';
import { steadyMs } from '#lib/core/time.js';
import { GuardedState } from '#lib/delivery/guarded-state.js';
import type { FinalReport } from '#lib/delivery/messages/receipt.js';
import type { LastCode } from '#lib/delivery/messages/sent-codes.js';
import type { Claim, RememberedAnswer, StatePort } from '#lib/delivery/state.js';
import type { Suppression } from '#lib/delivery/suppressions.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { fakeClock } from '#harness/fake-clock.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';
import { makeMessage } from '../channels/twilio/scripted-api.js';
import { makeReceipt, NOW } from './messages/receipts.js';

const REQUEST = makeMessage().request;
const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
const LIFE = { nowMs: NOW, rememberMs: 60_000 };
const EVENT = { eventKey: 'event-1', isPreview: false, nowMs: NOW, untilMs: NOW + 1000 };
const CODE: LastCode = {
  status: 'refused',
  codeRequest: { atMs: NOW, endsAtMs: NOW + 60_000 },
  deliveryChannel: 'sms',
  eventId: 'event-2',
};
const USE = { deliveryChannel: 'sms', usedMs: NOW } as const;
const STOPPED: Suppression = { channel: 'whatsapp', reason: 'STOPPED', untilMs: NOW };
const nothing = (): undefined => undefined;
/** Fails the test if it is called. */
const notReported = (): never => expect.fail('it was reported');

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
      const again = await memory.claim('a', { ...LIFE, buckets: [] });
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
    const state = guard({
      overtake: note('overtake', undefined),
      isNewest: note('isNewest', true),
      keepReceipt: note('keepReceipt', FAILED),
      takeReceipt: note('takeReceipt', receipt),
      isDelivered: note('isDelivered', true),
      keepSent: note('keepSent', undefined),
      takeSent: note('takeSent', CODE),
      alarms: { set: note('setAlarm', undefined), onDue: note('onAlarm', undefined) },
      numberOf: note('numberOf', '+1'),
      suppressionsOf: note('suppressionsOf', [STOPPED]),
    });
    const before: FinalReport[] = [];
    state.overtake('ana', EVENT, REQUEST);
    state.keepSent('ana', CODE);
    state.setAlarm('SM1', 7, receipt);
    const answers = [
      await state.isNewest(receipt),
      state.keepReceipt('SM1', receipt, (report) => before.push(report)),
      await state.takeReceipt('SM1', FAILED, notReported),
      await state.isDelivered(['SM1'], receipt),
      // Without ids, the state is not called.
      await state.isDelivered([], receipt),
      await state.takeSent('ana', USE, notReported),
      state.onAlarm(notReported),
      await state.numberOf('US.1'),
      await state.suppressionsOf('+2', NOW),
    ];
    const nowMs = steadyMs();
    clock.restore();
    expect(answers.filter((answer) => answer !== undefined)).to.deep.equal([
      true,
      receipt,
      true,
      false,
      CODE,
      '+1',
      [STOPPED],
    ]);
    expect(before).to.deep.equal([FAILED]);
    expect(passedOn).to.deep.equal([
      ['overtake', 'ana', EVENT],
      ['keepSent', 'ana', CODE, { nowMs, untilMs: nowMs + 3_600_000 }],
      ['setAlarm', 'SM1', 7],
      ['isNewest', 'a person', 'event-1', nowMs],
      ['keepReceipt', 'SM1', receipt, nowMs],
      ['takeReceipt', 'SM1', nowMs, FAILED, notReported],
      ['isDelivered', ['SM1'], nowMs],
      ['takeSent', 'ana', { ...USE, nowMs }],
      ['onAlarm', notReported],
      ['numberOf', 'US.1'],
      ['suppressionsOf', '+2', NOW],
    ]);
  });

  it('passes on the report that an asynchronous state has stored before the receipt', async () => {
    const before: FinalReport[] = [];
    const keep = (answer: FinalReport | undefined): Promise<void> | undefined =>
      guard({ keepReceipt: () => Promise.resolve(answer) }).keepReceipt('SM1', receipt, (report) => {
        before.push(report);
      });
    await keep(undefined);
    expect(before).to.deep.equal([]);
    await keep(FAILED);
    expect(before).to.deep.equal([FAILED]);
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
      const state = guard({
        isNewest: fail,
        keepReceipt: fail,
        takeReceipt: fail,
        isDelivered: fail,
        takeSent: fail,
        suppress: fail,
        lift: fail,
        pair: fail,
        suppressionsOf: fail,
        numberOf: fail,
      });
      const answers = [
        await state.isNewest(receipt),
        await state.keepReceipt('SM1', receipt, notReported),
        await state.takeReceipt('SM1', FAILED, notReported),
        await state.isDelivered(['SM1'], receipt),
        await state.takeSent('ana', USE, notReported),
        await state.suppressionsOf('+1', NOW),
        await state.numberOf('US.1'),
      ];
      await state.suppress('+1', STOPPED, NOW, notReported);
      await state.lift('+1', { channel: 'whatsapp', reasons: ['STOPPED'] }, notReported);
      await state.pair('US.1', '+1', notReported);
      expect(answers.filter((answer) => answer !== undefined)).to.deep.equal(['unknown', false]);
      expect(failures).to.deep.equal([
        ['gone', 'event-1'],
        ['gone', 'event-1'],
        // The owner is unknown, so the error may contain data of any user: it is not passed on.
        ['takeReceipt failed', undefined],
        ['gone', 'event-1'],
        ...Array.from({ length: 6 }, () => ['gone', undefined]),
      ]);
    });
  }

  it('reports each write that throws, with its event id if it is known', () => {
    const fail = (): never => {
      throw new Error('gone');
    };
    const state = guard({ overtake: fail, keepSent: fail, alarms: { set: fail, onDue: nothing } });
    state.overtake('ana', EVENT, REQUEST);
    state.overtake('ana', EVENT, undefined);
    state.keepSent('ana', CODE);
    state.setAlarm('SM1', 7, receipt);
    state.reportUnusable('receipt', new Error('about somebody'));
    state.reportUnusable('sent code', new Error('no code'));
    expect(failures).to.deep.equal([
      ['gone', 'event-1'],
      ['overtake failed', undefined],
      ['gone', 'event-2'],
      ['gone', 'event-1'],
      ['takeReceipt failed', undefined],
      ['no code', undefined],
    ]);
  });

  it('waits 2 s for a state that hangs, and reports that', async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    const hang = (): Promise<never> => new Promise(() => undefined);
    try {
      const state = guard({ isNewest: hang, takeReceipt: hang, isDelivered: hang, takeSent: hang });
      const asking = Promise.all([
        state.isNewest(receipt),
        state.takeReceipt('SM1', FAILED, notReported),
        state.isDelivered(['SM1'], receipt),
        state.takeSent('ana', USE, notReported),
      ]);
      await clock.tickAsync(1_999);
      expect(failures).to.be.empty;
      await clock.tickAsync(1);
      expect(await asking).to.deep.equal(['unknown', undefined, false, undefined]);
      expect(failures).to.deep.equal([
        ['no answer in time', 'event-1'],
        ['takeReceipt failed', undefined],
        ['no answer in time', 'event-1'],
        ['no answer in time', undefined],
      ]);
    } finally {
      clock.restore();
    }
  });

  it('waits 200 ms for suppressions, and reports later that gateways share a change', async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    const late = defer<undefined>();
    let shared = 0;
    try {
      const hang = (): Promise<never> => new Promise(() => undefined);
      const state = guard({ suppress: () => late.promise, suppressionsOf: hang, numberOf: hang });
      let isOver = false;
      const asking = Promise.all([
        state.suppress('+1', STOPPED, NOW, () => (shared += 1)),
        state.suppressionsOf('+1', NOW),
        state.numberOf('US.1'),
      ]).finally(() => (isOver = true));
      await clock.tickAsync(199);
      expect(isOver).to.equal(false);
      await clock.tickAsync(1);
      expect(await asking).to.deep.equal([undefined, undefined, undefined]);
      expect(shared).to.equal(0);
      late.resolve(undefined);
      await nextTurn();
      expect(shared).to.equal(1);
      // A time-out is no failure here: the state hangs like this while Redis is lost.
      expect(failures).to.be.empty;
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
        const claim = await state.claim('a', { ...LIFE, buckets: [] }, { request: REQUEST, budget });
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

  it("gives isNewest() at most a quarter of the call's time", async () => {
    const clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    const budget = new Budget(480);
    try {
      const asking = guard({ isNewest: () => new Promise(() => undefined) }).isNewest(receipt, budget);
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
