import { expect } from 'chai';
import type sinon from 'sinon';
import { Breaker } from '#lib/delivery/breaker.js';
import type { ConnectedChannel, DeliveryReport, SendContext } from '#lib/core/channel.js';
import type { ReadyChannel } from '#lib/delivery/attempt.js';
import { lookUpBy, MessageWatch } from '#lib/delivery/messages/message-watch.js';
import { EventStream } from '#lib/core/event-stream.js';
import { steadyMs } from '#lib/core/time.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { fakeClock } from '#harness/fake-clock.js';
import { NO_CLIENT } from '#harness/channels.js';
import { endTime } from '#harness/stopped-time.js';
import { defer } from '#harness/until.js';
import { readyChannel } from '../sends.js';
import { makeReceipt } from './receipts.js';

const PENDING: DeliveryReport = { status: 'pending' };
const FAILED: DeliveryReport = { status: 'failed', code: '63024', reason: 'No' };
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
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    try {
      const asking = ask(() => new Promise(() => undefined));
      await clock.tickAsync(3_000);
      expect(await asking).to.deep.equal(PENDING);
    } finally {
      clock.restore();
    }
    expect(await ask(undefined)).to.deep.equal(PENDING);
    const open = new Breaker('a host', () => undefined);
    for (let count = 0; count < 5; count += 1) open.enter()?.end('no-answer');
    let isCalled = false;
    const lookUp = (): DeliveryReport => {
      isCalled = true;
      return DELIVERED;
    };
    expect(await ask(lookUp, open)).to.deep.equal(PENDING);
    expect(isCalled).to.equal(false);
  });
});

describe('watching messages', () => {
  let clock: sinon.SinonFakeTimers;
  let watching: MessageWatch;
  let isCurrent: boolean;
  let isBusy: boolean;
  let asked: string[];
  let ends: unknown[];
  /** One for each message. */
  let channels: Map<string, ReadyChannel[]>;
  let afterSeconds: Record<string, number>;
  beforeEach(() => {
    clock = fakeClock(['setTimeout', 'clearTimeout', 'performance']);
    isCurrent = true;
    isBusy = false;
    asked = [];
    ends = [];
    channels = new Map();
    afterSeconds = {};
    const parts = {
      state: { ...openMemoryState(), isCurrent: () => isCurrent },
      events: new EventStream({ listeners: [], onEvent: undefined }, Date.now),
      channels,
      afterSeconds,
      onLookedUpFailure: () => undefined,
      isBusy: () => isBusy,
    };
    watching = new MessageWatch(parts, (id, end) => {
      ends.push([id, end.status === 'failed' ? end.code : end.status]);
    });
  });
  afterEach(() => {
    watching.stop();
    expect(endTime(clock), 'timers left').to.deep.equal([]);
  });

  const watch = (
    id: string,
    {
      answers = [],
      lifeMs = 300_000,
      overdueMs,
      lookUp,
      hasCallbacks = false,
    }: {
      answers?: readonly DeliveryReport[];
      lifeMs?: number;
      overdueMs?: number;
      lookUp?: () => Promise<DeliveryReport>;
      hasCallbacks?: boolean;
    } = {},
  ): void => {
    const left = [...answers];
    const answer = (): Promise<DeliveryReport> => {
      asked.push(`${id} at ${clock.now}`);
      return Promise.resolve(left.shift() ?? PENDING);
    };
    const port = { lookUp: hasCallbacks ? undefined : (lookUp ?? answer) } as ConnectedChannel;
    channels.set(id, [readyChannel(id, { port, reports: 'deliveries' })]);
    if (overdueMs !== undefined) afterSeconds[id] = overdueMs / 1000;
    const sentBy = { channel: id, provider: 0, to: '+14155550123' };
    watching.start(id, makeReceipt({ sentBy, expiresAtMs: steadyMs() + lifeMs }));
  };

  it('looks a pending message up after 3, 8 and 20 s, then never again', async () => {
    watch('SM1');
    await clock.tickAsync(600_000);
    expect(asked).to.deep.equal(['SM1 at 3000', 'SM1 at 8000', 'SM1 at 20000']);
    expect(ends).to.be.empty;
    expect(clock.countTimers()).to.equal(0);
  });

  for (const end of [FAILED, DELIVERED]) {
    it(`ends with the first answer ${end.status}`, async () => {
      watch('SM1', { answers: [PENDING, end] });
      await clock.tickAsync(600_000);
      expect(asked).to.have.length(2);
      expect(ends).to.deep.equal([['SM1', end.status === 'failed' ? end.code : end.status]]);
    });
  }

  it('leaves out look-ups while codes need the connections, but not the last one', async () => {
    isBusy = true;
    watch('SM1', { overdueMs: 10_000 });
    await clock.tickAsync(600_000);
    expect(asked).to.deep.equal(['SM1 at 10000']);
  });

  it('sets no timer beyond the end of the code', async () => {
    watch('SM1', { lifeMs: 8_000 });
    watch('SM2', { lifeMs: 10_000, overdueMs: 10_000, hasCallbacks: true });
    watch('SM3', { lifeMs: 3_000 });
    expect(clock.countTimers()).to.equal(1);
    await clock.tickAsync(3_000);
    expect(clock.countTimers()).to.equal(0);
    expect(asked).to.deep.equal(['SM1 at 3000']);
    expect(ends).to.be.empty;
  });

  it('reports a message that is not delivered in time as overdue, after one more look-up', async () => {
    watch('SM1', { overdueMs: 10_000 });
    watch('SM2', { overdueMs: 10_000, answers: [PENDING, PENDING, DELIVERED] });
    watch('SM3', { overdueMs: 1_000, hasCallbacks: true });
    await clock.tickAsync(9_999);
    expect(ends).to.deep.equal([['SM3', 'NOT_DELIVERED_IN_TIME']]);
    await clock.tickAsync(600_000);
    expect(ends.slice(1)).to.deep.equal([
      ['SM1', 'NOT_DELIVERED_IN_TIME'],
      ['SM2', 'delivered'],
    ]);
    expect(asked.filter((question) => question.startsWith('SM1'))).to.deep.equal([
      'SM1 at 3000',
      'SM1 at 8000',
      'SM1 at 10000',
    ]);
  });

  it('does not look up a message that is no longer wanted', async () => {
    watch('SM1', { overdueMs: 30_000 });
    await clock.tickAsync(3_000);
    isCurrent = false;
    await clock.tickAsync(600_000);
    expect(asked).to.deep.equal(['SM1 at 3000']);
    expect(ends).to.be.empty;
  });

  it('does not look up a message whose code has ended while the process was busy', async () => {
    watch('SM1', { lifeMs: 3_100 });
    performance.now = () => clock.now + 200;
    await clock.tickAsync(600_000);
    expect(asked).to.be.empty;
  });

  it('looks up no forgotten message, and drops the answer of a running look-up', async () => {
    const answer = defer<DeliveryReport>();
    watch('SM1');
    watch('SM2', { lookUp: () => answer.promise });
    watching.forget('SM1');
    await clock.tickAsync(3_000);
    watching.forget('SM2');
    answer.resolve(FAILED);
    await clock.tickAsync(600_000);
    expect(asked).to.be.empty;
    expect(ends).to.be.empty;
  });

  it('makes at most 8 look-ups at a time', async () => {
    const answer = defer<DeliveryReport>();
    let open = 0;
    for (let count = 0; count < 20; count += 1) {
      watch(`SM${count}`, {
        lookUp: () => {
          open += 1;
          return answer.promise;
        },
      });
    }
    await clock.tickAsync(3_000);
    expect(open).to.equal(8);
    answer.resolve(PENDING);
    await clock.tickAsync(5_000);
    // Each answer makes room for the next look-up.
    expect(open).to.equal(8 + 20);
  });

  it('makes all its look-ups while 8 last ones for dead gateways hang', async () => {
    const hangs = { lookUp: () => new Promise(() => undefined) } as unknown as ConnectedChannel;
    channels.set('hanging', [readyChannel('hanging', { port: hangs })]);
    const sentBy = { channel: 'hanging', provider: 0, to: '+14155550123' };
    watch('SM1');
    for (const [atMs, waitMs] of [
      [3_000, 2_000],
      [8_000, 4_000],
      [20_000, 10_000],
    ] as const) {
      await clock.tickAsync(waitMs);
      for (let count = 0; count < 8; count += 1)
        void watching.lookUpLast(`T${count}`, makeReceipt({ sentBy }));
      await clock.tickAsync(atMs - clock.now);
    }
    expect(asked).to.deep.equal(['SM1 at 3000', 'SM1 at 8000', 'SM1 at 20000']);
    await clock.tickAsync(3_000);
  });

  it('looks up at most 200 messages, and others once there is room', async () => {
    for (let count = 0; count <= 200; count += 1) watch(`SM${count}`);
    expect(clock.countTimers()).to.equal(200);
    watching.forget('SM0');
    watching.forget('SM0');
    watch('SM201');
    watch('SM202');
    watch('SM5');
    expect(clock.countTimers()).to.equal(200);
    await clock.tickAsync(600_000);
    watch('SM203');
    await clock.tickAsync(3_000);
    expect(asked.at(-1)).to.match(/^SM203 at/);
  });

  it('reports a message as overdue even if there is no room for its look-ups', async () => {
    for (let count = 0; count < 200; count += 1) watch(`SM${count}`);
    watch('SM200', { overdueMs: 1_000 });
    await clock.tickAsync(1_000);
    expect(ends).to.deep.equal([['SM200', 'NOT_DELIVERED_IN_TIME']]);
    expect(asked).to.be.empty;
  });

  it('watches at most 20,000 messages', () => {
    for (let count = 0; count <= 20_000; count += 1) {
      watch(`SM${count}`, { hasCallbacks: true, overdueMs: 1_000 });
    }
    expect(clock.countTimers()).to.equal(20_000);
  });

  it('keeps no process alive', () => {
    clock.restore();
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    watch('SM1');
    expect(timers()).to.equal(before);
    watching.stop();
  });

  it('watches no message once it is stopped', async () => {
    watch('SM1');
    watching.stop();
    watch('SM2');
    await clock.tickAsync(600_000);
    expect(asked).to.be.empty;
  });
});
