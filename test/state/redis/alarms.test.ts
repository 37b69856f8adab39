import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import type { StatePort, StateEvent } from '#lib/delivery/state.js';
import type { RedisStateOptions } from '#lib/state/redis/options.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { eventClaim } from '#harness/event-claim.js';
import { fakeClock } from '#harness/fake-clock.js';
import { Closers } from '#harness/closers.js';
import { runBeside } from '#harness/own-process.js';
import { countAlarms, makeAlarmsDue } from '#harness/redis-alarms.js';
import { startRedis, watchTraffic, type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { startScene } from '#harness/scene.js';
import { reasonOf } from '#harness/state-news.js';
import { defer, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
/** Longer than any test: `makeAlarmsDue` ends it. */
const LATER_MS = 60_000;
/** The difference between the clock of a gateway and that of Redis. */
const SKEW_MS = 2 * LATER_MS;

describe('alarms of redisState', () => {
  let redis: RedisServer;
  let times: ReturnType<typeof patientTimes>;
  const states: StatePort[] = [];
  const news: StateEvent[] = [];
  /** The alarms that listeners got, in order, and at which gateway. */
  const due: (readonly [gateway: number, transactionId: string])[] = [];
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  beforeEach(async () => {
    times = patientTimes();
    due.length = 0;
    news.length = 0;
  });
  afterEach(() => {
    states.length = 0;
    return closers.closeAll();
  });

  const open = (options: Partial<RedisStateOptions> = {}): StatePort => {
    const state = openRedisState({ connection: redis.url, encryptionKeys: [KEY], ...options }, times);
    states.push(closers.add(state, () => state.close()));
    state.watch?.((one) => {
      news.push(one);
      witness(one);
    });
    return state;
  };
  const listen = (state: StatePort): StatePort => {
    const gateway = states.indexOf(state);
    state.alarms?.onDue((transactionId) => {
      due.push([gateway, transactionId]);
    });
    return state;
  };
  /** Sets alarms that are due when `makeAlarmsDue` says so. */
  const set = async (state: StatePort, ...ids: readonly string[]): Promise<void> => {
    const before = await countAlarms(redis);
    for (const id of ids) state.alarms?.set(id, LATER_MS);
    await until(async () => (await countAlarms(redis)) === before + ids.length);
  };
  const noAlarmLeft = (): Promise<void> => until(async () => (await countAlarms(redis)) === 0);
  /** All but the connection of the test. */
  const clients = async (): Promise<readonly string[]> =>
    String(await redis.admin.client('LIST'))
      .trim()
      .split('\n')
      .slice(1);

  it('each reach one of two gateways once, even if 50 are due at once, and are deleted then', async () => {
    const [one] = [listen(open()), listen(open())];
    // More than Redis returns at once.
    const ids = Array.from({ length: 50 }, (_, at) => `SM${at}`);
    await set(one, ...ids);
    expect(due).to.be.empty;
    await makeAlarmsDue(redis);
    await until(() => due.length >= ids.length);
    await noAlarmLeft();
    expect(due.map(([, id]) => id).sort()).to.deep.equal([...ids].sort());
  });

  it('are all delivered by one look, even if Redis returns them in parts; close() ends the looks', async () => {
    const time = fakeClock(['setInterval', 'clearInterval']);
    try {
      const state = listen(open());
      const ids = Array.from({ length: 50 }, (_, at) => `SM${at}`);
      await set(state, ...ids);
      await makeAlarmsDue(redis);
      time.tick(times.alarmEveryMs);
      await until(() => due.length === ids.length);
      expect(time.countTimers()).to.equal(1);
      await state.close();
      expect(time.countTimers()).to.equal(0);
    } finally {
      time.restore();
    }
  });

  for (const skewMs of [SKEW_MS, -SKEW_MS]) {
    const where = skewMs > 0 ? 'ahead' : 'behind';
    const withSkew = async (work: () => Promise<void>): Promise<void> => {
      const time = fakeClock(['Date'], Date.now() + skewMs);
      await work().finally(() => {
        time.restore();
      });
    };

    it(`are due by the clock of Redis if the clock of the gateway that sets them is ${where}`, async () => {
      await withSkew(async () => {
        const state = open();
        await set(state, 'later');
        state.alarms?.set('soon', 10);
        await until(async () => (await countAlarms(redis)) === 2);
      });
      listen(open());
      await until(() => due.length > 0);
      expect(due).to.deep.equal([[1, 'soon']]);
      expect(await countAlarms(redis)).to.equal(1);
    });

    it(`are due by the clock of Redis if the clock of the gateway that looks for them is ${where}`, async () => {
      const state = open();
      await set(state, 'later');
      state.alarms?.set('soon', 10);
      await withSkew(async () => {
        listen(open());
        await until(() => due.length > 0);
      });
      expect(due).to.deep.equal([[1, 'soon']]);
      expect(await countAlarms(redis)).to.equal(1);
    });
  }

  it('are gone when a gateway has taken them, even if it closes then', async () => {
    const left = defer<Promise<number>>();
    const state = open();
    state.alarms?.onDue(() => {
      left.resolve(countAlarms(redis));
      void state.close();
    });
    state.alarms?.set('SM1', 10);
    expect(await left.promise).to.equal(0);
  });

  it('stay for other gateways while a gateway has no listener', async () => {
    const time = fakeClock(['setInterval', 'clearInterval']);
    try {
      const state = open();
      const stop = state.alarms?.onDue((id) => due.push([0, id]));
      await set(state, 'SM1');
      await makeAlarmsDue(redis);
      stop?.();
      time.tick(times.alarmEveryMs);
      await state.check();
      // It has kept its time: nobody took it and put it back.
      const [name = ''] = await redis.admin.keys('*:alarm:*');
      expect(await redis.admin.zcount(name, 1, 1)).to.equal(1);
      await state.close();
      listen(open());
      time.tick(times.alarmEveryMs);
      await until(() => due.length === 1);
      expect(due).to.deep.equal([[1, 'SM1']]);
    } finally {
      time.restore();
    }
  });

  it('go back to the others if the listener is removed while they are taken', async () => {
    const time = fakeClock(['setInterval', 'clearInterval']);
    try {
      const state = open();
      const stop = state.alarms?.onDue((id) => due.push([0, id]));
      await set(state, 'SM1', 'SM2');
      await makeAlarmsDue(redis);
      time.tick(times.alarmEveryMs);
      stop?.();
      await state.close();
      listen(open());
      await until(async () => {
        time.tick(times.alarmEveryMs);
        await Promise.resolve();
        return due.length === 2;
      });
      expect(due).to.have.deep.members([
        [1, 'SM1'],
        [1, 'SM2'],
      ]);
    } finally {
      time.restore();
    }
  });

  it('reach the first listener of a process with several hooks, or the next one once it is removed', async () => {
    const state = open();
    const stop = state.alarms?.onDue((id) => due.push([0, id]));
    state.alarms?.onDue((id) => due.push([1, id]));
    state.alarms?.set('SM1', 10);
    await until(() => due.length === 1);
    stop?.();
    state.alarms?.set('SM2', 10);
    await until(() => due.length === 2);
    expect(due).to.deep.equal([
      [0, 'SM1'],
      [1, 'SM2'],
    ]);
  });

  it('expire 15 minutes after the last one is due: a code could follow until then', async () => {
    const lives = async (): Promise<readonly number[]> =>
      (await redis.dump()).filter(({ name }) => name.includes(':alarm:')).map((key) => key.expiresInMs);
    const state = open();
    await set(state, 'SM1');
    const [life = 0] = await lives();
    expect(life).to.be.within(900_000, 900_000 + LATER_MS);
    state.alarms?.set('SM2', 1);
    await until(async () => (await countAlarms(redis)) === 2);
    // An alarm that is due sooner does not shorten it.
    expect((await lives())[0]).to.be.within(life - 20_000, life);
    state.alarms?.set('SM3', 2 * LATER_MS);
    await until(async () => (await countAlarms(redis)) === 3);
    expect((await lives())[0]).to.be.greaterThan(life);
    expect(await lives()).to.have.length(1);
  });

  it('leave no connection open after close()', async () => {
    const state = listen(open());
    state.alarms?.set('SM1', 10);
    await until(() => due.length === 1);
    // One for codes and alarms.
    expect(await clients()).to.have.length(1);
    await state.close();
    state.alarms?.set('SM2', 10);
    await until(async () => (await clients()).length === 0);
  });

  it('do not keep a process alive', async function () {
    const scene = closers.add(await startScene(), (opened) => opened.close());
    const run = await runBeside(
      scene,
      `
      const { redisState } = await import('#lib/state/redis/index.js');
      const make = (connection) => {
        const state = redisState({ connection, encryptionKeys: [${JSON.stringify(KEY)}] });
        state.alarms.onDue(() => {});
        return state;
      };
      const state = make(${JSON.stringify(redis.url)});
      state.alarms.set('SM1', 60_000);
      await state.check();
      await state.close();
      // A state without close() and without a connection does not either.
      make('redis://127.0.0.1:9');
      console.log('closed one of two');
    `,
    );
    expect(run).to.deep.equal({ code: 0, output: 'closed one of two\n' });
  });

  it('work again at the same gateway after Redis lost all data; the alarms from before are gone', async () => {
    const state = listen(open());
    await state.check();
    await set(state, 'lost with Redis');
    for (const id of ['SM1', 'SM2']) {
      due.length = 0;
      await redis.kill();
      await until(() => state.health === 'lost');
      await redis.restart();
      expect(await redis.dump()).to.be.empty;
      await state.check();
      await set(state, id);
      await makeAlarmsDue(redis);
      await until(() => due.length === 1);
      expect(due).to.deep.equal([[0, id]]);
      await noAlarmLeft();
      await set(state, 'lost with Redis');
    }
  });

  it('detect without a code that the primary has become a replica', async () => {
    const state = open();
    await set(state, 'SM1');
    await makeAlarmsDue(redis);
    await redis.admin.replicaof('127.0.0.1', 9);
    try {
      listen(state);
      await until(() => state.health === 'lost');
      expect(news.map(reasonOf)).to.deep.equal(['READONLY']);
    } finally {
      await redis.admin.replicaof('NO', 'ONE');
    }
    await state.check();
    await until(() => due.length === 1);
  });

  it('work on the caller’s own client with a prefix, of either version of ioredis', async () => {
    const options = { keyPrefix: 'app:', lazyConnect: true };
    for (const own of [
      new Redis(redis.port, '127.0.0.1', options),
      new Redis5(redis.port, '127.0.0.1', options),
    ]) {
      closers.add(own, () => {
        own.disconnect();
      });
      const state = listen(open({ connection: own }));
      await set(state, 'SM1');
      const names = (await redis.dump()).map(({ name }) => name);
      expect(names.filter((name) => name.includes(':alarm:'))).to.have.length(1);
      for (const name of names) expect(name).to.match(/^app:\{okta-telephony-hook\}:/);
      await makeAlarmsDue(redis);
      await until(() => due.length === 1);
      await noAlarmLeft();
      await state.close();
      expect(own.status).to.equal('wait');
      due.length = 0;
      await redis.admin.flushall();
    }
  });

  it('show no transaction id, neither in Redis nor on the way there', async () => {
    const traffic = await watchTraffic(redis);
    const state = listen(open());
    await set(state, 'SM-of-ana');
    const during = await redis.dump();
    await makeAlarmsDue(redis);
    await until(() => due.length === 1);
    await noAlarmLeft();
    traffic.end();
    const keys = [...during, ...(await redis.dump())];
    const seen = [...traffic.lines, ...keys.flatMap(({ name, value }) => [name, value.toString('latin1')])];
    expect(seen.some((text) => text.includes('SM-of-ana'))).to.equal(false);
    for (const { expiresInMs } of keys) expect(expiresInMs).to.be.greaterThan(0);
    witness(seen);
  });

  it('work on a cluster, in one slot', async () => {
    const node = closers.add(
      await startRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'),
      (server) => server.close(),
    );
    await node.admin.cluster('ADDSLOTSRANGE', 0, 16_383);
    await until(async () => (await node.admin.cluster('INFO')).includes('cluster_state:ok'));
    const cluster = closers.add(
      new Cluster([{ host: '127.0.0.1', port: node.port }], { lazyConnect: true }),
      (made) => {
        made.disconnect();
      },
    );
    const state = listen(open({ connection: cluster }));
    await state.check();
    state.alarms?.set('SM1', 10);
    await until(() => due.length === 1);
    await until(async () => (await countAlarms(node)) === 0);
    expect(due).to.deep.equal([[0, 'SM1']]);
    expect(cluster.status).to.equal('wait');
  });

  it('are dropped if they do not decrypt', async () => {
    const first = open();
    await set(first, 'SM1');
    const [name = ''] = await redis.admin.keys('*:alarm:*');
    await first.close();
    await redis.admin.zadd(name, '1', 'no alarm');
    await makeAlarmsDue(redis);
    const next = Buffer.alloc(32, 2).toString('base64');
    // Gateways use the last key for names.
    listen(open({ encryptionKeys: [next, KEY] }));
    await until(() => due.length === 1);
    await noAlarmLeft();
    expect(due).to.deep.equal([[1, 'SM1']]);
  });

  describe('with an ACL user', () => {
    const BASIC = '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select'.split(' ');
    const ALARMS = '+zadd +zrangebyscore +zrem'.split(' ');
    const allow = async (...commands: readonly string[]): Promise<string> => {
      mustNotShow('acl-password');
      const rules = ['reset', 'on', '>acl-password', '~{okta-telephony-hook}:*', ...commands];
      await redis.admin.call('ACL', 'SETUSER', 'gateway', ...rules);
      return `redis://gateway:acl-password@127.0.0.1:${redis.port}/0`;
    };
    afterEach(() => redis.admin.call('ACL', 'DELUSER', 'gateway'));

    it('need no other rights than the Redis guide lists', async () => {
      const connection = await allow(...BASIC, ...ALARMS);
      const state = listen(open({ connection }));
      await state.check();
      state.alarms?.set('SM1', 10);
      await until(() => due.length === 1);
      await noAlarmLeft();
      expect(news).to.be.empty;
    });

    for (const missing of ALARMS) {
      it(`need ${missing}: without it the state warns once, and still claims codes`, async () => {
        const connection = await allow(...BASIC, ...ALARMS.filter((right) => right !== missing));
        const state = listen(open({ connection }));
        await state.check();
        state.alarms?.set('SM1', 10);
        await until(() => news.length > 0);
        state.alarms?.set('SM2', 10);
        const claim = await state.claim(
          eventClaim('event', { nowMs: Date.now(), rememberMs: 60_000, limits: [] }),
        );
        expect(claim).to.include({ isFirst: true });
        await state.check();
        expect(news.map((one) => [one.type, reasonOf(one)])).to.deep.equal([['warned', 'ALARMS_NOPERM']]);
        expect(state.health).to.equal('ok');
      });
    }
  });

  describe('while Redis is stopped', () => {
    afterEach(() => {
      redis.continue();
    });

    it('do not delay close(), and leave no connection open', async () => {
      const state = listen(open());
      await set(state, 'SM1');
      redis.stop();
      loseSoon(times);
      await state.close();
      redis.continue();
      await until(async () => (await clients()).length === 0);
    });

    it('are not set; older ones reach the listener when Redis is back, even after a failed look', async () => {
      const state = open();
      await set(state, 'SM1');
      await makeAlarmsDue(redis);
      redis.stop();
      loseSoon(times);
      await state.check().catch(() => undefined);
      expect(state.health).to.equal('lost');
      listen(state);
      state.alarms?.set('SM2', 10);
      bePatient(times);
      redis.continue();
      await state.check();
      await until(() => due.length === 1);
      await noAlarmLeft();
      expect(due).to.deep.equal([[0, 'SM1']]);
    });
  });
});
