import { expect } from 'chai';
import sinon from 'sinon';
import { lastCodeName } from '#lib/delivery/messages/last-code.js';
import type {
  LastCodeRecord,
  AttemptRecord,
  MessageRecord,
  RecordKind,
  RecordName,
  RecordState,
} from '#lib/delivery/records.js';
import type { StateEvent, StatePort } from '#lib/delivery/state.js';
import { createSealing, type Sealing } from '#lib/state/redis/sealing.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { Closers } from '#harness/closers.js';
import {
  accept,
  codeOf,
  DELIVERED,
  FAILED,
  keepCode,
  messageName,
  nextWord,
  NOW,
  receiptOf,
  report,
  suppress,
  suppressed,
  useCode,
} from '#harness/record-updates.js';
import { watchTraffic, type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { startTcpProxy, type TcpProxy } from '#harness/tcp-proxy.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const A = Buffer.alloc(32, 1).toString('base64');
const B = Buffer.alloc(32, 2).toString('base64');
const ANA = '+447700900123';

describe('records in Redis', () => {
  let redis: RedisServer;
  let times: ReturnType<typeof patientTimes>;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  beforeEach(() => {
    times = patientTimes();
  });
  afterEach(async () => {
    redis.continue();
    await closers.closeAll();
    sinon.restore();
  });

  const openAt = (connection: string, encryptionKeys: readonly string[], itsTimes: typeof times): StatePort =>
    closers.add(openRedisState({ connection, encryptionKeys }, itsTimes), (state) => state.close());
  const open = (...keys: readonly string[]): StatePort =>
    openAt(redis.url, keys.length === 0 ? [A] : keys, patientTimes());
  /** A gateway that loses Redis when the test says so. */
  const openLosing = (...keys: readonly string[]): StatePort =>
    openAt(redis.url, keys.length === 0 ? [A] : keys, times);
  const sealingBy = (key = A): Sealing => createSealing(Buffer.from(key, 'base64'), 'okta-telephony-hook');
  const nameOf = (kind: RecordKind, key: string, by = A): string => sealingBy(by).nameOf(kind, key);
  const lifeOf = (kind: RecordKind, key: string, by = A): Promise<number> =>
    redis.admin.pttl(nameOf(kind, key, by));
  const newsOf = (state: StatePort): readonly StateEvent[] => {
    const news: StateEvent[] = [];
    state.watch?.((one) => {
      news.push(one);
      witness(one);
    });
    return news;
  };
  const freeze = async (state: StatePort): Promise<void> => {
    await state.check();
    redis.stop();
    loseSoon(times);
  };
  /** Redis is frozen, and has no command of the gateway. */
  const lose = async (state: StatePort): Promise<void> => {
    await freeze(state);
    await state.check().catch(() => undefined);
    expect(state.health).to.equal('lost');
  };
  const thaw = (): void => {
    bePatient(times);
    redis.continue();
  };
  const startProxy = async (): Promise<TcpProxy> =>
    closers.add(await startTcpProxy(redis.port), (proxy) => proxy.close());

  describe('of messages', () => {
    it('follow at their sender also if Redis started empty meanwhile', async () => {
      const [one, two] = [open(), open()];
      await accept(one, 'SM1');
      await redis.admin.flushall();
      expect((await report(one, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
      expect((await report(two, 'SM1'))?.before).to.equal('failed');
    });

    it('take one command for a new message, one for a report at its gateway, and two at another one', async () => {
      const [one, two] = [open(), open()];
      await Promise.all([one.check(), two.check()]);
      const traffic = await watchTraffic(redis);
      /** Resolves when the monitor has shown everything until now. */
      const seen = async (): Promise<number> => {
        const mark = nextWord('mark');
        await redis.admin.get(mark);
        await until(() => traffic.lines.some((line) => line.includes(mark)));
        return traffic.lines.filter((line) => /^eval/i.test(line)).length;
      };
      const commands = async (work: () => Promise<unknown>): Promise<number> => {
        const before = await seen();
        await work();
        return (await seen()) - before;
      };
      expect(await commands(() => accept(one, 'SM1'))).to.equal(1);
      expect(await commands(() => report(one, 'SM1'))).to.equal(1);
      await accept(one, 'SM2');
      expect(await commands(() => report(two, 'SM2'))).to.equal(2);
      // All of one turn share a command.
      expect(await commands(() => Promise.all([accept(one, 'SM3'), accept(one, 'SM4')]))).to.equal(1);
      traffic.end();
    });

    it('ask Redis also if this process would change nothing', async () => {
      const [one, two] = [open(), open()];
      await accept(one, 'SM1');
      await report(two, 'SM1');
      expect(one.recall(messageName('SM1'))?.value.status).to.equal('waiting');
      expect(await accept(one, 'SM1')).to.deep.include({ before: 'failed' });
      expect(one.recall(messageName('SM1'))?.value.status).to.equal('failed');
    });

    for (const aheadMs of [-3_600_000, 360_000]) {
      it(`live equally long at a gateway whose clock is ${aheadMs} ms ahead`, async () => {
        const [one, two] = [open(), open()];
        await accept(one, 'SM1', receiptOf('SM1', { expiresAtMs: NOW + 300_000 }));
        expect(await lifeOf('message', 'SM1')).to.be.within(1, 300_000);
        const reply = await report(two, 'SM1', FAILED, NOW + aheadMs);
        expect(reply!.follow!.receipt.expiresAtMs - (NOW + aheadMs)).to.be.within(1, 300_000);
        // No late write makes a new one before the code ends.
        expect(await lifeOf('message', 'SM1')).to.be.within(60_001, 300_000);
      });
    }

    it('are not written if their code has ended, and show nothing of it in Redis', async () => {
      const state = open();
      await accept(state, 'SM1', receiptOf('SM1', { expiresAtMs: NOW }));
      expect(await redis.admin.exists(nameOf('message', 'SM1'))).to.equal(0);
      const request = { otpCode: '204981', phoneNumber: ANA } as ReturnType<typeof receiptOf>['request'];
      await accept(state, 'SM-7f21', receiptOf('SM-7f21', { request }));
      for (const { name, value } of await redis.dump())
        expect(`${name} ${value.toString('latin1')}`).to.not.match(/204981|447700900123|SM-7f21|waiting/);
    });

    it('are written without a raw that cannot be serialized; a cyclic profile makes the update reject', async () => {
      const circle: Record<string, unknown> = {};
      circle['circle'] = circle;
      const nested: unknown = JSON.parse('['.repeat(30_000) + ']'.repeat(30_000));
      for (const raw of [circle, nested, { big: 1n }]) {
        const [one, two] = [open(), open()];
        const id = nextWord('SM');
        const request = { eventId: id, raw } as ReturnType<typeof receiptOf>['request'];
        expect(await accept(one, id, receiptOf(id, { request }))).to.deep.equal({ before: undefined });
        const taken = (await report(two, id))?.follow?.receipt;
        expect(taken?.request.eventId).to.equal(id);
        // As of Node 26, JSON.stringify() writes any depth.
        const isWritten = raw === nested && taken?.request.raw !== undefined;
        if (isWritten) expect(JSON.stringify(taken.request.raw)).to.equal(JSON.stringify(nested));
        else expect(taken?.request).to.not.have.property('raw');
      }
      const state = open();
      const failed = accept(state, 'SM-circle', receiptOf('SM-circle', { profile: circle }));
      expect(await failed.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
      // The next update of the message goes on.
      expect(await accept(state, 'SM-circle')).to.deep.equal({ before: undefined });
    });
  });

  describe('of several kinds', () => {
    const ATTEMPT: RecordName<'attempt'> = { kind: 'attempt', key: 'reference' };
    const named = (messageKey: string): AttemptRecord => ({
      status: 'named',
      messageKey,
      recogniseToken: undefined,
    });
    /** Changes a message and an attempt, and replies what it found. */
    const both = (state: RecordState, word: string) =>
      state.update([messageName('SM1'), ATTEMPT], ([message, attempt]) => ({
        next: [
          { value: { status: 'waiting', receipt: receiptOf(word) }, lifeMs: 60_000 },
          { value: named(word), lifeMs: 60_000 },
        ],
        result: [message?.value.status, attempt?.value.status === 'named' && attempt.value.messageKey],
      }));

    it('change together: all or none', async () => {
      const [one, two] = [open(), open()];
      const words = ['a', 'b', 'c', 'd', 'e', 'f'];
      const found = await Promise.all(words.map((word, at) => both(at % 2 === 0 ? one : two, word)));
      // Each update found what the one before had written.
      expect(found.filter((reply) => reply?.[0] === undefined)).to.have.length(1);
      const last = await one.read([messageName('SM1'), ATTEMPT], ([message, attempt]) => [
        message?.value.status === 'waiting' && message.value.receipt.eventKey,
        attempt?.value.status === 'named' && attempt.value.messageKey,
      ]);
      expect(last?.[0]).to.equal(last?.[1]);
      const before = found.map((reply) => reply?.[1]).filter((word) => word !== false);
      expect([...before, last?.[1]].sort()).to.deep.equal(words);
    });

    it('are done if one of them still has the version of a lost exchange, and keep the change of the other', async () => {
      const [one, two] = [openLosing(), open()];
      await freeze(one);
      const changing = both(one, 'mine');
      await until(() => one.health === 'lost');
      thaw();
      await until(async () => (await redis.admin.exists(nameOf('attempt', 'reference'))) === 1);
      await two.update([ATTEMPT], () => ({ next: [{ value: named('newer'), lifeMs: 9_000 }], result: 1 }));
      await one.check();
      // What it found before its own change.
      expect(await changing).to.deep.equal([undefined, false]);
      const key = await two.read(
        [ATTEMPT],
        ([known]) => known?.value.status === 'named' && known.value.messageKey,
      );
      expect(key).to.equal('newer');
    });
  });

  describe('of a frozen Redis, which runs what has timed out afterwards,', () => {
    const statusOf = (state: RecordState, key: string) =>
      state.read([messageName(key)], ([known]) => known?.value.status);

    it('are decided again if another gateway has changed them since', async () => {
      const [one, two] = [openLosing(), open()];
      await accept(one, 'SM1');
      await freeze(one);
      const failing = report(one, 'SM1');
      await until(() => one.health === 'lost');
      thaw();
      await until(async () => (await statusOf(two, 'SM1')) === 'failed');
      await report(two, 'SM1', DELIVERED);
      await one.check();
      expect(await failing).to.deep.equal({ before: 'delivered' });
    });

    it('are not changed by a command that comes later than its repetition', async () => {
      const proxy = await startProxy();
      const one = openAt(`redis://127.0.0.1:${proxy.port}`, [A], times);
      const two = open();
      await accept(one, 'SM1');
      await one.check();
      proxy.held = 'commands';
      times.commandMs = 20;
      const failing = report(one, 'SM1');
      await until(() => one.health === 'lost');
      bePatient(times);
      proxy.letNewPass();
      await one.check();
      expect((await failing)?.follow?.receipt.eventKey).to.equal('SM1');
      await report(two, 'SM1', DELIVERED);
      // Now the first command comes.
      proxy.held = undefined;
      await one.check();
      expect(await statusOf(two, 'SM1')).to.equal('delivered');
    });
  });

  describe('while Redis is lost', () => {
    it('are recalled with the updates that wait', async () => {
      const [one, two] = [openLosing(), open()];
      await accept(one, 'SM1');
      await lose(one);
      const waiting = [report(one, 'SM1'), accept(one, 'SM2'), report(one, 'SM2'), report(one, 'SM3')];
      const statuses = (): readonly unknown[] =>
        ['SM1', 'SM2', 'SM3', 'SM4'].map((id) => one.recall(messageName(id))?.value.status);
      expect(statuses()).to.deep.equal(['failed', 'failed', 'early', undefined]);
      thaw();
      // Another gateway has the first word on a message.
      expect(await accept(two, 'SM3')).to.deep.equal({ before: undefined });
      await one.check();
      const replies = await Promise.all(waiting);
      expect(replies.map((reply) => reply?.follow?.receipt.eventKey)).to.deep.equal([
        'SM1',
        undefined,
        'SM2',
        'SM3',
      ]);
      expect(statuses()).to.deep.equal(['failed', 'failed', 'failed', undefined]);
    });

    it('are recalled after thousands of updates without running each of them every time', async () => {
      const one = openLosing();
      await lose(one);
      let runs = 0;
      /** Raises the number in each of these messages. */
      const raise = (...ids: readonly string[]): Promise<unknown> =>
        one.update(ids.map(messageName), (known) => {
          runs += 1;
          const next = known.map((record) => {
            const code = String(Number(numberIn(record?.value)) + 1);
            const failure = { status: 'failed', code, reason: 'No' } as const;
            return { value: { status: 'early', failure } as const, lifeMs: 600_000 };
          });
          return { next, result: undefined };
        });
      const numberIn = (record: MessageRecord | undefined): string =>
        record?.status === 'early' ? record.failure.code : '0';
      const numbers = (): readonly string[] =>
        ['SM1', 'SM2'].map((id) => numberIn(one.recall(messageName(id))?.value));
      const waiting: Promise<unknown>[] = [];
      for (let count = 1; count <= 100; count += 1) {
        waiting.push(raise('SM1'), raise('SM2', 'SM1'), raise('SM2'));
        expect(numbers()).to.deep.equal([`${count * 2}`, `${count * 2}`]);
      }
      expect(runs).to.equal(300);
      thaw();
      await one.check();
      await Promise.all(waiting);
      expect(numbers()).to.deep.equal(['200', '200']);
    });

    it('tell a transition how long it has waited, and Redis’s time', async () => {
      const one = openLosing();
      await one.check();
      const now = performance.now.bind(performance);
      let passedMs = 0;
      sinon.stub(performance, 'now').callsFake(() => now() + passedMs);
      const moments = (state: RecordState, kind: RecordKind) =>
        state.update([{ kind, key: nextWord('key') }], (_, moment) => ({ result: moment }));
      expect((await moments(one, 'message'))?.waitedMs).to.equal(0);
      await lose(one);
      const waiting = [moments(one, 'message'), moments(one, 'suppressions')];
      passedMs += 5_000;
      thaw();
      await one.check();
      const [message, suppressions] = await Promise.all(waiting);
      expect(message?.waitedMs).to.be.at.least(5_000);
      expect(suppressions?.waitedMs).to.be.at.least(5_000);
      const [seconds] = await redis.admin.time();
      expect(Math.abs(suppressions!.keeperMs - Number(seconds) * 1_000)).to.be.lessThan(60_000);
    });

    it('cannot be read: reading waits for nothing', async () => {
      const one = openLosing();
      await freeze(one);
      expect(await suppressed(one, ANA)).to.equal(undefined);
      expect(one.health).to.equal('lost');
      expect(await suppressed(one, ANA)).to.equal(undefined);
    });

    it('are dropped by close(), which tells it; after close() nothing waits', async () => {
      const one = openLosing();
      await accept(one, 'SM1');
      await freeze(one);
      const waiting = [report(one, 'SM1'), report(one, 'SM1'), suppress(one, ANA)];
      await until(() => one.health === 'lost');
      await one.close();
      expect(await Promise.all(waiting)).to.deep.equal([undefined, undefined, undefined]);
      expect(await accept(one, 'SM2')).to.equal(undefined);
      expect(await suppressed(one, ANA)).to.equal(undefined);
      thaw();
    });
  });

  it('are recalled once read, until they end', async () => {
    const [one, two] = [open(), open()];
    await accept(one, 'SM1');
    expect(two.recall(messageName('SM1'))).to.equal(undefined);
    await two.read([messageName('SM1')], () => 'read');
    const known = two.recall(messageName('SM1'));
    expect(known?.value.status).to.equal('waiting');
    expect(known?.leftMs).to.be.within(1, 600_000);
    const now = performance.now.bind(performance);
    sinon.stub(performance, 'now').callsFake(() => now() + 600_000);
    for (const state of [one, two]) expect(state.recall(messageName('SM1'))).to.equal(undefined);
  });

  describe('that do not open', () => {
    const sealed = (text: string): Buffer => {
      const name = nameOf('message', 'SM1');
      return Buffer.concat([Buffer.from('7.token '), sealingBy().seal('message', name, text)]);
    };
    const values: readonly (readonly [string, () => string | Buffer])[] = [
      ['a word', () => 'garbage'],
      ['words', () => 'not a version'],
      ['bytes', () => Buffer.from([0xff, 0x00, 0x0a, 0xc3, 0x28, 0x20, 0x01])],
      ['a version alone', () => '7.token '],
      ['another text', () => sealed('204981 is no JSON')],
      ['another JSON', () => sealed('"204981"')],
    ];
    for (const [title, make] of values) {
      it(`because something else was written (${title}), count as absent and are replaced, which is reported`, async () => {
        mustNotShow('204981');
        const [one, two] = [open(), open()];
        await redis.admin.set(nameOf('message', 'SM1'), make(), 'PX', 60_000);
        const news = newsOf(one);
        expect(await accept(one, 'SM1')).to.deep.equal({ before: undefined });
        expect(news).to.deep.equal([{ type: 'unreadable' }]);
        expect((await report(two, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
      });
    }

    it('because they are of another name, are absent for read() too, which is reported', async () => {
      const [one, two] = [open(), open()];
      await Promise.all([accept(one, 'SM1'), accept(one, 'SM2')]);
      await redis.admin.copy(nameOf('message', 'SM1'), nameOf('message', 'SM2'), 'REPLACE');
      const news = newsOf(two);
      expect(await two.read([messageName('SM2')], ([message]) => message === undefined)).to.equal(true);
      expect(news).to.deep.equal([{ type: 'unreadable' }]);
    });

    it('because a gateway of another version kept them, count as absent, which is reported', async () => {
      const [one, two] = [open(), open()];
      // Without its code.
      const next = [{ value: {} as LastCodeRecord, lifeMs: 60_000 }] as const;
      await one.update([lastCodeName('ana', 'sms')], () => ({ next, result: true }));
      const news = newsOf(two);
      expect(await useCode(two, 'ana')).to.equal(undefined);
      expect(news).to.deep.equal([{ type: 'unreadable' }]);
    });
  });

  describe('with the key lists', () => {
    it('A and A,B: a copy is void once the other one was changed or has expired', async () => {
      const [old, both] = [open(A), open(A, B)];
      await accept(both, 'SM1');
      expect((await report(old, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
      // The minute of a failed message is over. The copy of the other key still has ten minutes.
      await redis.admin.del(nameOf('message', 'SM1', A));
      expect(await redis.admin.exists(nameOf('message', 'SM1', B))).to.equal(1);
      expect(await report(both, 'SM1')).to.deep.equal({ before: undefined });

      await accept(both, 'SM2');
      await redis.admin.del(nameOf('message', 'SM2', A));
      await accept(old, 'SM2', receiptOf('made again'));
      expect((await report(open(A, B), 'SM2'))?.follow?.receipt.eventKey).to.equal('made again');
    });

    it('A and A,B: the copy with more changes is right', async () => {
      const [old, both] = [open(A), open(B, A)];
      await keepCode(both, 'ana', codeOf('first'));
      for (let at = 1; at <= 3; at += 1) await keepCode(old, 'ana', codeOf(`old-${at}`, NOW + at));
      expect((await useCode(both, 'ana'))?.eventId).to.equal('old-3');
      expect(await useCode(open(B), 'ana')).to.equal(undefined);
    });
  });
});
