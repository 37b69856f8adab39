import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import sinon from 'sinon';
import type { Bucket, Claim, EventClaim, StatePort, StateEvent } from '#lib/delivery/state.js';
import type { AnswerOfFirst, RememberedAnswer } from '#lib/delivery/local-claims.js';
import type { RedisStateOptions } from '#lib/state/redis/options.js';
import { endOfTurn } from '#lib/core/time.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { eventClaim } from '#harness/event-claim.js';
import { fakeClock } from '#harness/fake-clock.js';
import { Closers } from '#harness/closers.js';
import {
  accept,
  codeOf,
  keepCode,
  NOW,
  report,
  suppress,
  suppressed,
  useCode,
} from '#harness/record-updates.js';
import { watchTraffic, type RedisServer, useRedis } from '#harness/redis-server.js';
import { patientTimes } from '#harness/redis-times.js';
import { reasonOf } from '#harness/state-news.js';
import { until } from '#harness/until.js';

const OLD_KEY = Buffer.alloc(32, 1).toString('base64');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64');
const ANSWER: RememberedAnswer = { commands: [{ type: 'com.okta.telephony.action', value: [] }] };

const bucket = (key: string, points = 2, seconds = 60): Bucket => ({ key, points, seconds });
const life = (rememberMs = 60_000, ...limits: Bucket[]) => ({ nowMs: NOW, rememberMs, limits });
const look = async (
  state: StatePort,
  eventKey: string,
  person = 'ana',
  preview?: Pick<Extract<Claim, { isFirst: true }>, 'place'>,
): Promise<boolean | 'unknown'> =>
  state.isCurrent(person, { eventKey, place: preview?.place, isPreview: preview !== undefined });
const first = (claim: Claim): Extract<Claim, { isFirst: true }> =>
  claim.isFirst ? claim : expect.fail('it is a repeat');
const answerOf = (claim: Claim): AnswerOfFirst =>
  claim.isFirst ? expect.fail('it is the first') : claim.answer;

describe('redisState', () => {
  let redis: RedisServer;
  const states: StatePort[] = [];
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  afterEach(() => {
    states.length = 0;
    return closers.closeAll();
  });

  const open = (options: Partial<RedisStateOptions> = {}, times = patientTimes()): StatePort => {
    const state = openRedisState({ connection: redis.url, encryptionKeys: [OLD_KEY], ...options }, times);
    states.push(state);
    return closers.add(state, () => state.close());
  };
  const keysOf = async (kind: string): Promise<readonly string[]> =>
    (await redis.dump()).map(({ name }) => name).filter((name) => name.includes(`:${kind}:`));
  /** Resolves when Redis has the writes that no caller awaits. */
  const settled = (state: StatePort): Promise<unknown> => suppressed(state, 'nobody');

  describe('claim()', () => {
    it('lets a waiting gateway claim the event again when the first call releases its claim', async () => {
      const [one, two] = [open(), open()];
      const holder = first(await one.claim(eventClaim('event', life())));
      const waiting = await two.claim(eventClaim('event', life()));
      holder.release();
      expect(await answerOf(waiting)).to.equal(undefined);
      first(await two.claim(eventClaim('event', life())));
      // A late release and a late answer of the first call change nothing.
      holder.release();
      holder.settle(ANSWER);
      await settled(one);
      expect(await open().claim(eventClaim('event', life()))).to.include({ isFirst: false });
    });

    it('forgets an event by the clock of Redis, with or without an answer', async () => {
      const expiry = async (): Promise<number> => redis.admin.pttl((await keysOf('event'))[0] ?? '');
      const held = first(await open().claim(eventClaim('event', { ...life(), nowMs: 0 })));
      expect(await expiry()).to.be.within(1, 60_000);
      held.settle(ANSWER);
      await settled(states[0]!);
      expect(await expiry()).to.be.within(1, 60_000);
      // Also for a gateway whose clock is years ahead.
      expect(await open().claim(eventClaim('event', { ...life(), nowMs: NOW * 2 }))).to.include({
        isFirst: false,
      });
      first(await open().claim(eventClaim('short', life(100)))).settle(ANSWER);
      await until(async () => {
        const { isFirst } = await open().claim(eventClaim('short', life()));
        if (!isFirst) await Promise.all(states.splice(0).map((s) => s.close()));
        return isFirst;
      });
    });

    it('ends the wait for the answer in time if the gateway of the first call died: it is lost', async () => {
      const dying = open();
      await dying.claim(eventClaim('event', life()));
      await dying.close();
      const waiting = await open({}, patientTimes({ answerMs: 20 })).claim(eventClaim('event', life()));
      expect(await answerOf(waiting)).to.equal('lost');
    });

    it('sends the answers to two events in one command at the end of the turn of the event loop', async () => {
      const state = open();
      const held = [
        first(await state.claim(eventClaim('event', life()))),
        first(await state.claim(eventClaim('other', life()))),
      ];
      const sending = sinon.spy(Redis.prototype, 'sendCommand');
      try {
        for (const claim of held) claim.settle(ANSWER);
        // By then a gateway writes its answers to Okta.
        await endOfTurn();
        // One command with both keys. The state also looks for other encryption keys meanwhile.
        const together = sending.getCalls().filter(({ args: [{ args }] }) => String(args[1]) === '2');
        expect(together).to.have.length(1);
      } finally {
        sending.restore();
      }
    });

    it('counts an answer as lost whose stored bytes have changed, and reports that', async () => {
      first(await open().claim(eventClaim('event', life()))).settle(ANSWER);
      await settled(states[0]!);
      const [name = ''] = await keysOf('event');
      const answer = await redis.admin.getBuffer(name);
      await redis.admin.set(name, answer?.fill(0, 1) ?? '', 'KEEPTTL');
      const other = open();
      const news: StateEvent[] = [];
      other.watch?.((one) => news.push(one));
      expect(await answerOf(await other.claim(eventClaim('event', life())))).to.equal('lost');
      expect(news).to.deep.equal([{ type: 'unreadable' }]);
    });

    it('looks for the answer after 10 ms, then less and less often, and in the end every 100 ms', async () => {
      const [one, two] = [open(), open()];
      const held = first(await one.claim(eventClaim('event', life())));
      await two.check();
      const clock = fakeClock(['setTimeout', 'clearTimeout'], Date.now());
      try {
        const setTimer = sinon.spy(globalThis, 'setTimeout');
        /** The waits between two looks, without the time-outs of claims and commands, which are longer. */
        const waits = (): readonly number[] =>
          setTimer.args.flatMap(([, ms = 0]) => (ms <= 100 ? [Math.round(ms)] : []));
        const answer = answerOf(await two.claim(eventClaim('event', life())));
        const expected = [10, 15, 23, 34, 51, 76, 100, 100];
        for (const [at, waitMs] of expected.entries()) {
          await until(() => waits().length > at);
          expect(waits()).to.deep.equal(expected.slice(0, at + 1));
          if (at === expected.length - 1) {
            held.settle(ANSWER);
            await settled(one);
          }
          clock.tick(waitMs + 1);
        }
        expect(await answer).to.deep.equal(ANSWER);
      } finally {
        sinon.restore();
        clock.restore();
      }
    });

    it('stays the first call and takes one point if a cluster client sends its command twice', async () => {
      const state = open();
      await state.check();
      const sent: string[][] = [];
      const monitor = await redis.admin.monitor();
      monitor.on('monitor', (_time: string, words: string[]) => sent.push(words));
      await state.claim(eventClaim('event', life(60_000, bucket('a', 1))));
      const isClaim = ([command = '', ...words]: readonly string[]): boolean =>
        /^eval/i.test(command) && words.some((word) => word.includes(':event:'));
      await until(() => sent.some(isClaim));
      monitor.disconnect();
      const [command = '', ...words] = sent.find(isClaim) ?? [];
      expect(await redis.admin.call(command, ...words)).to.include.ordered.members([1, '']);
      expect(await redis.admin.get((await keysOf('limit'))[0] ?? '')).to.equal('1');
    });
  });

  it('runs all steps of one turn of the event loop in one command, even if one step fails', async () => {
    const state = open();
    const reasons: string[] = [];
    state.watch?.((news) => reasons.push(reasonOf(news)));
    await state.claim(eventClaim('a', { person: 'ana' }));
    expect(await look(state, 'a', 'ana')).to.equal(true);
    const [name = ''] = await keysOf('person');
    await redis.admin.del(name);
    await redis.admin.lpush(name, 'of another');
    const traffic = await watchTraffic(redis);
    state.useCode('ana', NOW);
    const code = codeOf('SM*\n1');
    void keepCode(state, 'bea', code);
    void accept(state, 'SM1');
    first(await state.claim(eventClaim('event', { ...life(), person: 'bea' })));
    await until(() => reasons.length > 0);
    expect(reasons).to.deep.equal(['WRONGTYPE']);
    expect(await keysOf('person')).to.have.lengthOf(2);
    expect(await keysOf('event')).to.have.lengthOf(2);
    const commands = (): readonly string[] => traffic.lines.filter((line) => /^eval.*:person:/i.test(line));
    await until(() => commands().length > 0);
    expect(commands()).to.have.lengthOf(1);
    traffic.end();
    await redis.admin.del(name);
    const elsewhere = open();
    expect(await useCode(elsewhere, 'bea')).to.deep.equal(code);
    expect((await report(elsewhere, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
  });

  describe('a limit', () => {
    it('takes no point if another limit has none left, nor for a repeat', async () => {
      const state = open();
      const both = [bucket('a', 1), bucket('b', 2)];
      first(await state.claim(eventClaim('1', life(60_000, ...both))));
      expect(first(await state.claim(eventClaim('2', life(60_000, ...both)))).exceeded).to.deep.equal(['a']);
      expect(await open().claim(eventClaim('1', life(60_000, bucket('b', 2))))).to.include({
        isFirst: false,
      });
      expect(first(await state.claim(eventClaim('3', life(60_000, bucket('b', 2))))).exceeded).to.deep.equal(
        [],
      );
      expect(first(await state.claim(eventClaim('4', life(60_000, ...both)))).exceeded).to.deep.equal([
        'a',
        'b',
      ]);
    });

    it('has its points again after its window, or with a window of another length', async () => {
      const state = open();
      const spend = async (seconds: number): Promise<readonly string[]> =>
        first(await state.claim(eventClaim(undefined, life(60_000, bucket('a', 1, seconds))))).exceeded;
      expect(await spend(1)).to.deep.equal([]);
      expect(await spend(1)).to.deep.equal(['a']);
      expect(await spend(2)).to.deep.equal([]);
      for (const name of await keysOf('limit')) {
        expect(await redis.admin.pttl(name)).to.be.within(1, 2_000);
        // As if the window were over.
        await redis.admin.pexpire(name, 1);
      }
      await until(async () => (await keysOf('limit')).length === 0);
      expect(await spend(1)).to.deep.equal([]);
    });

    for (const key of ['event', undefined]) {
      it(`gets the point of a released claim back, ${key === undefined ? 'without' : 'with'} an event`, async () => {
        const state = open();
        const one = life(60_000, bucket('a', 1));
        const holder = first(await state.claim(eventClaim(key, one)));
        const over = first(await open().claim(eventClaim('over', one)));
        expect(over.exceeded).to.deep.equal(['a']);
        // A claim that took no point returns none.
        over.release();
        await settled(states[1]!);
        expect(first(await state.claim(eventClaim('over-again', one))).exceeded).to.deep.equal(['a']);
        holder.release();
        expect(first(await state.claim(eventClaim('again', one))).exceeded).to.deep.equal([]);
      });
    }
  });

  describe("the order of a person's codes", () => {
    /** Claims the event of a code. */
    const come = async (state: StatePort, key: string, given: Partial<EventClaim> = {}) =>
      first(await state.claim(eventClaim(key, { person: 'ana', ...given })));

    it('is one word, and is known until the last code ends', async () => {
      const state = open();
      await come(state, 'a', { rememberMs: 60_000 });
      await come(state, 'p', { rememberMs: 10_000, lifeMs: 10_000, isPreview: true });
      const [name = ''] = await keysOf('person');
      expect(await redis.admin.get(name)).to.match(/^2\.[\w-]+:1:[\w-]{22}:1700000000000$/);
      expect(await redis.admin.pttl(name)).to.be.within(50_000, 60_000);
      // A preview is remembered for a shorter time than its code lives.
      await come(state, 'p2', { rememberMs: 10_000, lifeMs: 90_000, isPreview: true });
      expect(await redis.admin.pttl(name)).to.be.within(80_000, 90_000);
      await come(state, 'b', { rememberMs: 10_000 });
      expect(await redis.admin.pttl(name)).to.be.within(80_000, 90_000);
    });
  });

  for (const [title, make] of [
    ['ioredis 6', (port: number) => new Redis({ port, keyPrefix: 'mine:', stringNumbers: true })],
    ['ioredis 5', (port: number) => new Redis5({ port, lazyConnect: true, enableAutoPipelining: true })],
  ] as const) {
    it(`works on a client of ${title} that the caller made, and leaves it open after close()`, async () => {
      const client = closers.add<Redis | Redis5>(make(redis.port), (made) => {
        made.disconnect();
      });
      const state = open({ connection: client });
      await state.check();
      const held = first(await state.claim(eventClaim('event', life(60_000, bucket('a', 1)))));
      held.settle(ANSWER);
      void accept(state, 'SM1');
      const other = open({ connection: client });
      expect(await answerOf(await other.claim(eventClaim('event', life())))).to.deep.equal(ANSWER);
      expect((await report(other, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
      expect(first(await other.claim(eventClaim('2', life(60_000, bucket('a', 1))))).exceeded).to.deep.equal([
        'a',
      ]);
      await Promise.all(states.splice(0).map((one) => one.close()));
      expect(await client.echo('open')).to.equal('open');
    });
  }

  it('does not see events under another key prefix', async () => {
    first(await open().claim(eventClaim('event', life())));
    first(await open({ keyPrefix: 'other' }).claim(eventClaim('event', life())));
  });

  it('needs no other ACL rights than the Redis guide lists', async () => {
    const commands = '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select';
    await redis.admin.call(
      'ACL',
      'SETUSER',
      'gateway',
      'on',
      '>acl-password',
      '~{okta-telephony-hook}:*',
      ...commands.split(' '),
    );
    const state = open({ connection: `redis://gateway:acl-password@127.0.0.1:${redis.port}/0` });
    const news: StateEvent[] = [];
    state.watch?.((one) => news.push(one));
    await state.check();
    const held = first(await state.claim(eventClaim('event', life(60_000, bucket('a', 1)))));
    held.settle(ANSWER);
    first(await state.claim(eventClaim('event-2', life(60_000, bucket('b', 1))))).release();
    void accept(state, 'SM1');
    await state.claim(eventClaim('a', { person: 'person' }));
    expect(await look(state, 'a', 'person')).to.equal(true);
    state.useCode('person', NOW);
    expect(await look(state, 'a', 'person')).to.equal(false);
    expect((await report(state, 'SM1'))?.follow).to.not.equal(undefined);
    await suppress(state, '+447700900123');
    expect(await suppressed(open(), '+447700900123')).to.deep.equal(['whatsapp:STOPPED']);
    expect(await answerOf(await open().claim(eventClaim('event', life())))).to.deep.equal(ANSWER);
    expect(news).to.be.empty;
    await redis.admin.call('ACL', 'DELUSER', 'gateway');
  });

  it('warns once if Redis may evict keys', async () => {
    await redis.admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const state = open();
    const news: StateEvent[] = [];
    state.watch?.((one) => news.push(one));
    await state.check();
    await state.check();
    expect(news.map((one) => [one.type, reasonOf(one)])).to.deep.equal([['warned', 'EVICTION']]);
    await redis.admin.config('SET', 'maxmemory-policy', 'noeviction');
  });

  describe('gateways with different encryption keys', () => {
    /** The reasons of the warnings of a gateway with these keys, which grow later. */
    const newsOf = async (encryptionKeys: readonly string[], times = patientTimes()): Promise<string[]> => {
      const state = open({ encryptionKeys }, times);
      const reasons: string[] = [];
      state.watch?.((news) => {
        if (reasonOf(news) !== 'SEVERAL_KEYS') reasons.push(reasonOf(news));
      });
      await state.check();
      return reasons;
    };

    it('get a warning if they have no key in common with another one', async () => {
      const old = await newsOf([OLD_KEY], patientTimes({ rekeyEveryMs: 500 }));
      expect(old).to.be.empty;
      expect(await newsOf([NEW_KEY, OLD_KEY])).to.be.empty;
      // A gateway with both keys started between them.
      expect(await newsOf([NEW_KEY])).to.deep.equal(['OTHER_KEYS']);
      await until(() => old.length > 0);
      expect(old).to.deep.equal(['OTHER_KEYS']);
      for (const { expiresInMs } of await redis.dump()) expect(expiresInMs).to.be.greaterThan(0);
    });

    it('forget the keys of gateways that are gone, and ignore the order of keys', async () => {
      const mark = '{okta-telephony-hook}:keys';
      await newsOf([OLD_KEY]);
      // As if that had been long ago.
      const line = (await redis.admin.get(mark)) ?? '';
      await redis.admin.set(mark, line.replace(/^\d+/, String(Date.now() - 1_000)), 'KEEPTTL');
      await newsOf([OLD_KEY, NEW_KEY]);
      await newsOf([NEW_KEY, OLD_KEY]);
      expect(await newsOf([NEW_KEY])).to.be.empty;
      expect((await redis.admin.get(mark))?.split('\n')).to.have.length(2);
    });

    it('report SEVERAL_KEYS when no gateway has only the old key; one with a single key never scans', async () => {
      const reasons: string[] = [];
      const calls = async (command: 'scan' | 'evalsha'): Promise<number> => {
        const stats = await redis.admin.info('commandstats');
        return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      };
      const [marks, scans] = [await calls('evalsha'), await calls('scan')];
      const one = open({}, patientTimes({ rekeyEveryMs: 2 }));
      one.watch?.((news) => reasons.push(reasonOf(news)));
      await one.check();
      await until(async () => (await calls('evalsha')) > marks + 5);
      await one.close();
      // A gateway with one key has nothing to encrypt again, and nothing to warn about.
      expect(await calls('scan')).to.equal(scans);
      expect(reasons).to.deep.equal(['STATE_CLOSED']);
      reasons.length = 0;
      const old = open();
      await old.check();
      const both = open({ encryptionKeys: [NEW_KEY, OLD_KEY] }, patientTimes({ rekeyEveryMs: 2 }));
      both.watch?.((news) => reasons.push(reasonOf(news)));
      await both.check();
      await until(async () => (await calls('scan')) > scans + 3);
      expect(reasons).to.be.empty;
      await old.close();
      // As if it had been gone for long.
      await redis.admin.del('{okta-telephony-hook}:keys');
      await until(() => reasons.length > 0);
      expect(reasons).to.deep.equal(['SEVERAL_KEYS']);
    });
  });

  it('close() writes what is pending, then closes its connections; later claims stay in the process', async () => {
    const state = open();
    const held = first(await state.claim(eventClaim('event', life())));
    held.settle(ANSWER);
    await state.close();
    await state.close();
    const other = open();
    expect(await answerOf(await other.claim(eventClaim('event', life())))).to.deep.equal(ANSWER);
    await other.close();
    first(await state.claim(eventClaim('later', life())));
    expect(await state.check().catch((error: unknown) => error)).to.include({ code: 'STATE_LOST' });
    // Only the connection of the test is left.
    const clients = async (): Promise<readonly string[]> =>
      String(await redis.admin.client('LIST'))
        .trim()
        .split('\n');
    await until(async () => (await clients()).length === 1);
  });
});
