import { expect } from 'chai';
import sinon from 'sinon';
import { personKey, receiptsOf, type Receipts, type ReceiptState } from '#lib/delivery/late/receipt.js';
import type { FinalReport } from '#lib/delivery/late/report.js';
import { steadyMs } from '#lib/core/steady-clock.js';
import { makeMessage, PHONE_NUMBER } from '../../channels/twilio/scripted-api.js';
import { makeReceipt, NOW } from './receipts.js';

const REQUEST = makeMessage().request;
const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
/** What nothing was reported of before. */
const notReported = (): never => expect.fail('it was reported');

describe('the key of a person', () => {
  it('is that of the user, whatever number the code goes to', () => {
    expect(personKey(REQUEST)).to.equal(personKey({ ...REQUEST, phoneNumber: '+447700900124' }));
    expect(personKey(REQUEST)).to.not.equal(personKey({ ...REQUEST, userId: '00u2' }));
  });

  it('is that of the number where Okta names no user', () => {
    const nobody = { ...REQUEST, userId: undefined };
    expect(personKey(nobody)).to.equal(personKey({ ...nobody, login: 'somebody@example.com' }));
    expect(personKey(nobody)).to.not.equal(personKey({ ...nobody, phoneNumber: '+447700900124' }));
    expect(personKey(nobody)).to.equal(
      personKey({ ...nobody, phoneNumber: PHONE_NUMBER.replace('+44', '+440') }),
    );
    expect(personKey(nobody)).to.not.equal(personKey({ ...REQUEST, userId: PHONE_NUMBER }));
    expect(personKey(nobody)).to.match(/^[\w-]{43}$/);
  });
});

describe('the receipts of a state', () => {
  const receipt = makeReceipt();
  const event = { eventKey: 'event-1', isPreview: false, nowMs: NOW, untilMs: NOW + 1000 };
  let failures: (readonly [message: string, eventId: string | undefined])[];
  beforeEach(() => {
    failures = [];
  });
  const receiptsBy = (answer: () => unknown): Receipts =>
    receiptsOf(
      // What JavaScript callers may return has no type.
      {
        overtake: answer,
        isNewest: answer,
        keepReceipt: answer,
        takeReceipt: answer,
        isDelivered: answer,
      } as ReceiptState,
      (error, request) => failures.push([error instanceof Error ? error.message : '', request?.eventId]),
    );
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('are told to it as they are, with the time by the steady clock', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['performance'] });
    const told: unknown[] = [];
    const state: ReceiptState = {
      overtake: (...args) => told.push(['overtake', ...args]),
      isNewest: (...args) => told.push(['isNewest', ...args]) > 0,
      keepReceipt: (...args) => void told.push(['keep', ...args]),
      takeReceipt: (...args) => {
        told.push(['take', ...args]);
        return receipt;
      },
      isDelivered: (...args) => told.push(['isDelivered', ...args]) > 0,
    };
    const receipts = receiptsOf(state, () => undefined);
    receipts.overtake('ana', event, REQUEST);
    void receipts.keep('SM1', receipt, notReported);
    expect(await receipts.isNewest(receipt)).to.equal(true);
    expect(await receipts.take('SM1', FAILED, notReported)).to.equal(receipt);
    expect(await receipts.isDelivered(['SM1'], receipt)).to.equal(true);
    // Nothing is asked about no message.
    expect(await receipts.isDelivered([], receipt)).to.equal(false);
    expect(told).to.deep.equal([
      ['overtake', 'ana', event],
      ['keep', 'SM1', receipt, { nowMs: steadyMs(), untilMs: receipt.expiresAtMs }],
      ['isNewest', 'a person', 'event-1', steadyMs()],
      ['take', 'SM1', steadyMs(), FAILED, notReported],
      ['isDelivered', ['SM1'], steadyMs()],
    ]);
    clock.restore();
  });

  it('are told of promises of any library', async () => {
    const then = (resolve: (value: unknown) => void): void => {
      resolve(receipt);
    };
    expect(await receiptsBy(() => ({ then })).take('SM1', FAILED, notReported)).to.equal(receipt);
  });

  for (const [what, answer, reports] of [
    ['at once', () => FAILED, 1],
    ['later', () => Promise.resolve(FAILED), 1],
    ['as something that is none', () => Promise.resolve('OK'), 0],
    ['as one that says nothing', () => ({ status: 'pending' }), 0],
  ] as const) {
    it(`give what was reported before ${what}`, async () => {
      const before: FinalReport[] = [];
      await receiptsBy(answer).keep('SM1', receipt, (report) => before.push(report));
      expect(before.map(({ status }) => status)).to.deep.equal(Array(reports).fill('failed'));
    });
  }

  for (const [how, answer] of [
    [
      'throws',
      () => {
        throw new Error('gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('gone'))],
  ] as const) {
    it(`are none where it ${how}, which is told`, async () => {
      const receipts = receiptsBy(answer);
      receipts.overtake('ana', event, REQUEST);
      void receipts.keep('SM1', receipt, notReported);
      await settle();
      expect(await receipts.isNewest(receipt)).to.equal('unknown');
      expect(await receipts.isDelivered(['SM1'], receipt)).to.equal(false);
      expect(await receipts.take('SM1', FAILED, notReported)).to.equal(undefined);
      expect(failures).to.deep.equal([
        ['gone', 'event-1'],
        ['gone', 'event-1'],
        ['gone', 'event-1'],
        ['gone', 'event-1'],
        ['gone', undefined],
      ]);
    });
  }

  it('are none where it does not answer within 2 s', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const receipts = receiptsBy(() => new Promise(() => undefined));
      const asking = Promise.all([receipts.isNewest(receipt), receipts.take('SM1', FAILED, notReported)]);
      await clock.tickAsync(1_999);
      expect(failures).to.be.empty;
      await clock.tickAsync(1);
      expect(await asking).to.deep.equal(['unknown', undefined]);
      expect(failures).to.deep.equal([
        ['no answer in time', 'event-1'],
        ['no answer in time', undefined],
      ]);
    } finally {
      clock.restore();
    }
  });
});
