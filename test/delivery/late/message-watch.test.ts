import { expect } from 'chai';
import sinon from 'sinon';
import { Breaker } from '#lib/delivery/breaker.js';
import type { ConnectedChannel, DeliveryReport, SendContext } from '#lib/core/channel.js';
import { lookUpBy } from '#lib/delivery/late/message-watch.js';
import { NO_CLIENT } from '#harness/channels.js';

const PENDING: DeliveryReport = { status: 'pending' };
const DELIVERED: DeliveryReport = { status: 'delivered' };

describe('looking up the status of a message', () => {
  const closed = new Breaker('a host', () => undefined);
  const ask = (
    lookUp: ((transactionId: string, context: SendContext) => unknown) | undefined,
    breaker = closed,
    onFailure: (error: unknown) => void = () => undefined,
  ): Promise<DeliveryReport> =>
    // What JavaScript callers may return has no type.
    lookUpBy({ port: { lookUp } as ConnectedChannel, breaker, client: NO_CLIENT }, 'SM1', onFailure);

  it('passes the message id and live signals to lookUp', async () => {
    const seen: unknown[] = [];
    await ask((transactionId, { signal, leaveSignal }) => {
      seen.push(transactionId, signal.aborted, leaveSignal.aborted);
      return PENDING;
    });
    expect(seen).to.deep.equal(['SM1', false, false]);
  });

  for (const [title, lookUp, report] of [
    ['delivered', () => Promise.resolve({ status: 'delivered', more: 1 }), DELIVERED],
    [
      'failed, with its reason',
      () => ({
        status: 'failed',
        code: 7,
        reason: 'No',
        moveOn: 'other-channel',
        isFraudBlock: true,
        remedy: 'Ask',
      }),
      {
        status: 'failed',
        code: '7',
        reason: 'No',
        moveOn: 'other-channel',
        isFraudBlock: true,
        isNotReached: false,
        remedy: 'Ask',
      },
    ],
    [
      'failed, without a reason',
      () => ({ status: 'failed', code: '', reason: 7, moveOn: 'nowhere', isFraudBlock: 'yes', remedy: 7 }),
      {
        status: 'failed',
        code: 'FAILED',
        reason: '',
        moveOn: true,
        isFraudBlock: false,
        isNotReached: false,
        remedy: undefined,
      },
    ],
    ['pending', () => PENDING, PENDING],
    ['anything else', () => ({ status: 'Delivered' }), PENDING],
    ['nothing', () => undefined, PENDING],
    ['null', () => null, PENDING],
    [
      'what it throws',
      () => {
        throw new Error('gone');
      },
      PENDING,
    ],
    ['what it rejects with', () => Promise.reject(new Error('gone')), PENDING],
  ] as const) {
    it(`reads ${title} as ${report.status}`, async () => {
      let failures = 0;
      expect(
        await ask(lookUp, closed, () => {
          failures += 1;
        }),
      ).to.deep.equal(report);
      const isReadable =
        !['anything else', 'nothing', 'null'].includes(title) && !title.startsWith('what it');
      expect(failures, 'reported failures').to.equal(isReadable ? 0 : 1);
    });
  }

  it('is pending if lookUp hangs for 3 s, is missing, or its breaker is open', async () => {
    const clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const asking = ask(() => new Promise(() => undefined));
      await clock.tickAsync(3_000);
      expect(await asking).to.deep.equal(PENDING);
    } finally {
      clock.restore();
    }
    expect(await ask(undefined)).to.deep.equal(PENDING);
    const open = new Breaker('a host', () => undefined);
    for (let count = 0; count < 5; count += 1) {
      await open.attempt(() => Promise.resolve({ status: 'unknown', reason: 'x' }));
    }
    let isCalled = false;
    const lookUp = (): DeliveryReport => {
      isCalled = true;
      return DELIVERED;
    };
    expect(await ask(lookUp, open)).to.deep.equal(PENDING);
    expect(isCalled).to.equal(false);
  });
});
