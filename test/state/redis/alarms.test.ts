import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import sinon from 'sinon';
import type { StatePort, StateEvent } from '#lib/delivery/state.js';
import type { RedisStateOptions } from '#lib/state/redis/options.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { Closers } from '#harness/closers.js';
import { runBeside } from '#harness/own-process.js';
import { countAlarms, makeAlarmsDue } from '#harness/redis-alarms.js';
import { needRedis, startRedis, watchTraffic, type RedisServer } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { startScene } from '#harness/scene.js';
import { defer, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
/** Longer than any test: it is due when the test says so. */
const LATER_MS = 60_000;
/** Until an alarm that was taken and is not done is due again, in tests of that; else that is after the test. */
const AGAIN_MS = 20;
/** As far as the clocks of two gateways are from Redis's. */
const SKEW_MS = 2 * LATER_MS;

describe('the alarms of redisState', () => {
  let redis: RedisServer;
  let times: ReturnType<typeof patientTimes>;
  const states: StatePort[] = [];
  const news: StateEvent[] = [];
  /** What was due, in order, and at which gateway. */
  const told: (readonly [gateway: number, transactionId: string])[] = [];
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  beforeEach(async () => {
    await redis.admin.flushall();
    times = patientTimes();
    told.length = 0;
    news.length = 0;
  });
  afterEach(() => {
    states.length = 0;
    return closers.closeAll();
  });
  after(() => servers.closeAll());

  const open = (options: Partial<RedisStateOptions> = {}): StatePort => {
    const state = openRedisState({ connection: redis.url, encryptionKeys: [KEY], ...options }, times);
    states.push(closers.add(state, () => state.close()));
    state.watch?.((one) => {
      news.push(one);
      witness(one);
    });
    return state;
  };
  const listen = (
    state: StatePort,
    onDue: (transactionId: string) => unknown = () => undefined,
  ): StatePort => {
    const gateway = states.indexOf(state);
    state.alarms?.onDue(async (transactionId) => {
      told.push([gateway, transactionId]);
      await onDue(transactionId);
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
  /** All but the test's own. */
  const clients = async (): Promise<readonly string[]> =>
    String(await redis.admin.client('LIST'))
      .trim()
      .split('\n')
      .slice(1);

  it('are told to one of all gateways each, once, however many are due, and are gone then', async () => {
    const [one] = [listen(open()), listen(open())];
    // More than Redis gives at once.
    const ids = Array.from({ length: 50 }, (_, at) => `SM${at}`);
    await set(one, ...ids);
    expect(told).to.be.empty;
    await makeAlarmsDue(redis);
    await noAlarmLeft();
    expect(told.map(([, id]) => id).sort()).to.deep.equal([...ids].sort());
  });

  it('are all told by one look, though more are due than Redis gives at once; a closed state looks no more', async () => {
    const time = sinon.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const state = listen(open());
      const ids = Array.from({ length: 50 }, (_, at) => `SM${at}`);
      await set(state, ...ids);
      await makeAlarmsDue(redis);
      time.tick(times.alarmEveryMs);
      await noAlarmLeft();
      expect(told).to.have.length(ids.length);
      expect(time.countTimers()).to.equal(1);
      await state.close();
      expect(time.countTimers()).to.equal(0);
    } finally {
      time.restore();
    }
  });

  it('are told when they are due, and not before', async () => {
    const state = listen(open());
    await set(state, 'later');
    state.alarms?.set('soon', 10);
    await until(() => told.length === 1);
    await until(async () => (await countAlarms(redis)) === 1);
    expect(told).to.deep.equal([[0, 'soon']]);
  });

  for (const skewMs of [SKEW_MS, -SKEW_MS]) {
    const where = skewMs > 0 ? 'ahead' : 'behind';
    const withSkew = async (work: () => Promise<void>): Promise<void> => {
      const time = sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() + skewMs });
      await work().finally(() => {
        time.restore();
      });
    };

    it(`are due by Redis's clock, though that of the gateway that sets them is ${where}`, async () => {
      await withSkew(async () => {
        const state = open();
        await set(state, 'later');
        state.alarms?.set('soon', 10);
        await until(async () => (await countAlarms(redis)) === 2);
      });
      listen(open());
      await until(async () => (await countAlarms(redis)) === 1);
      expect(told).to.deep.equal([[1, 'soon']]);
    });

    it(`are due by Redis's clock, though that of the gateway that looks for them is ${where}`, async () => {
      const state = open();
      await set(state, 'later');
      state.alarms?.set('soon', 10);
      await withSkew(async () => {
        listen(open());
        await until(async () => (await countAlarms(redis)) === 1);
      });
      expect(told).to.deep.equal([[1, 'soon']]);
    });
  }

  it('are told to another gateway where the one that set them is gone', async () => {
    const one = listen(open());
    await set(one, 'SM1');
    await one.close();
    await makeAlarmsDue(redis);
    listen(open());
    await until(() => told.length === 1);
    expect(told).to.deep.equal([[1, 'SM1']]);
  });

  it('are told to another gateway where the one that took them closes before it is done', async () => {
    times.alarmRetryMs = AGAIN_MS;
    const isAsked = defer<undefined>();
    const state = open();
    state.alarms?.onDue(() => {
      times.alarmRetryMs = LATER_MS;
      isAsked.resolve(undefined);
      return new Promise(() => undefined);
    });
    state.alarms?.set('SM1', 10);
    await isAsked.promise;
    await state.close();
    listen(open());
    await until(() => told.length === 1);
    await noAlarmLeft();
    expect(told).to.deep.equal([[1, 'SM1']]);
  });

  it('are told again, to any gateway, where a listener could not attend to them', async () => {
    mustNotShow('+447700900123');
    times.alarmRetryMs = AGAIN_MS;
    let isDraining = true;
    const attend = (): void => {
      if (isDraining) throw new Error('+447700900123');
    };
    const [state] = [listen(open(), attend), listen(open(), attend)];
    state.alarms?.set('SM1', 10);
    await until(() => told.length >= 3);
    expect(await countAlarms(redis)).to.equal(1);
    witness((await redis.dump()).map(({ value }) => value.toString('latin1')));
    isDraining = false;
    await noAlarmLeft();
  });

  it('are told to another hook with the same state, where one that has it was closed', async () => {
    const state = open();
    let refused = 0;
    const refuse = (): Promise<void> => Promise.reject(new Error(`closed ${(refused += 1)}`));
    state.alarms?.onDue(refuse);
    // It has ended that.
    state.alarms?.onDue(() => refuse())?.();
    listen(state);
    state.alarms?.set('SM1', 10);
    await until(() => told.length === 1);
    await noAlarmLeft();
    expect([told, refused]).to.deep.equal([[[0, 'SM1']], 1]);
  });

  it('are told by no more than one look at a time', async () => {
    const listening = defer<undefined>();
    const state = listen(open(), () => listening.promise);
    times.alarmRetryMs = 1;
    state.alarms?.set('SM1', 1);
    await until(() => told.length === 1);
    // It is due again, and another gateway, which looks as often, is told.
    listen(open(), () => {
      if (told.length < 6) throw new Error('once more');
    });
    await until(() => told.length >= 6);
    expect(told.map(([gateway]) => gateway)).to.deep.equal([0, 1, 1, 1, 1, 1]);
    listening.resolve(undefined);
  });

  it('are kept for as long as a code could follow, by the last of them, and no longer', async () => {
    const lives = async (): Promise<readonly number[]> =>
      (await redis.dump()).filter(({ name }) => name.includes(':alarm:')).map((key) => key.expiresInMs);
    const state = open();
    await set(state, 'SM1');
    const [life = 0] = await lives();
    expect(life).to.be.within(900_000, 900_000 + LATER_MS);
    state.alarms?.set('SM2', 1);
    await until(async () => (await countAlarms(redis)) === 2);
    // Not shortened by one that is due sooner.
    expect((await lives())[0]).to.be.within(life - 20_000, life);
    state.alarms?.set('SM3', 2 * LATER_MS);
    await until(async () => (await countAlarms(redis)) === 3);
    expect((await lives())[0]).to.be.greaterThan(life);
    expect(await lives()).to.have.length(1);
  });

  it('leave no connection behind when the state is closed, though a listener is still at work', async () => {
    let isAsked = false;
    const listening = defer<undefined>();
    const state = open();
    state.alarms?.onDue(() => {
      isAsked = true;
      return listening.promise;
    });
    state.alarms?.set('SM1', 10);
    await until(() => isAsked);
    // One for the codes and the alarms.
    expect(await clients()).to.have.length(1);
    await state.close();
    state.alarms?.set('SM2', 10);
    await until(async () => (await clients()).length === 0);
    listening.resolve(undefined);
  });

  it('do not keep a process alive', async function () {
    const scene = closers.add(await startScene(), (opened) => opened.close());
    const run = await runBeside(
      scene,
      `
      const { redisState } = await import('#lib/state/redis/index.js');
      const make = (connection) => {
        const state = redisState({ connection, encryptionKeys: [${JSON.stringify(KEY)}] });
        state.alarms.onDue(() => Promise.resolve());
        return state;
      };
      const state = make(${JSON.stringify(redis.url)});
      state.alarms.set('SM1', 60_000);
      await state.check();
      await state.close();
      // Nor one that is not closed, and has no connection.
      make('redis://127.0.0.1:9');
      console.log('closed one of two');
    `,
    );
    expect(run).to.deep.equal({ code: 0, output: 'closed one of two\n' });
  });

  it('are set and told again when Redis was away, by the same gateway; those that were set before are gone', async () => {
    const state = listen(open());
    await state.check();
    await set(state, 'lost with Redis');
    for (const id of ['SM1', 'SM2']) {
      told.length = 0;
      await redis.kill();
      await until(() => state.health === 'lost');
      await redis.restart();
      expect(await redis.dump()).to.be.empty;
      await state.check();
      await set(state, id);
      await makeAlarmsDue(redis);
      await until(() => told.length === 1);
      expect(told).to.deep.equal([[0, id]]);
      await noAlarmLeft();
      await set(state, 'lost with Redis');
    }
  });

  it('find out, though no code comes, that the primary has become a replica', async () => {
    const state = open();
    await set(state, 'SM1');
    await makeAlarmsDue(redis);
    await redis.admin.replicaof('127.0.0.1', 9);
    try {
      listen(state);
      await until(() => state.health === 'lost');
      expect(news.map(({ reason }) => reason)).to.deep.equal(['READONLY']);
    } finally {
      await redis.admin.replicaof('NO', 'ONE');
    }
    await state.check();
    await until(() => told.length === 1);
  });

  it('are told by a client of the user’s own with a prefix, of either version of ioredis', async () => {
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
      await until(() => told.length === 1);
      await noAlarmLeft();
      await state.close();
      expect(own.status).to.equal('wait');
      told.length = 0;
      await redis.admin.flushall();
    }
  });

  it('leave nothing in Redis, nor on the way there, that tells of which message', async () => {
    const traffic = await watchTraffic(redis);
    const state = listen(open());
    await set(state, 'SM-of-ana');
    const during = await redis.dump();
    await makeAlarmsDue(redis);
    await until(() => told.length === 1);
    await noAlarmLeft();
    traffic.end();
    const keys = [...during, ...(await redis.dump())];
    const seen = [...traffic.lines, ...keys.flatMap(({ name, value }) => [name, value.toString('latin1')])];
    expect(seen.some((text) => text.includes('SM-of-ana'))).to.equal(false);
    for (const { expiresInMs } of keys) expect(expiresInMs).to.be.greaterThan(0);
    witness(seen);
  });

  it('are told on a cluster, under one slot', async () => {
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
    await until(() => told.length === 1);
    await until(async () => (await countAlarms(node)) === 0);
    expect(told).to.deep.equal([[0, 'SM1']]);
    expect(cluster.status).to.equal('wait');
  });

  it('are dropped where they do not open', async () => {
    const first = open();
    await set(first, 'SM1');
    const [name = ''] = await redis.admin.keys('*:alarm:*');
    await first.close();
    await redis.admin.zadd(name, '1', 'no alarm');
    await makeAlarmsDue(redis);
    const next = Buffer.alloc(32, 2).toString('base64');
    // Gateways agree on names by the last key.
    listen(open({ encryptionKeys: [next, KEY] }));
    await until(() => told.length === 1);
    await noAlarmLeft();
    expect(told).to.deep.equal([[1, 'SM1']]);
  });

  describe('of a user of an ACL', () => {
    const BASIC = '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select'.split(' ');
    const ALARMS = '+zadd +zrangebyscore +zrem'.split(' ');
    const allow = async (...commands: readonly string[]): Promise<string> => {
      mustNotShow('acl-password');
      const rules = ['reset', 'on', '>acl-password', '~{okta-telephony-hook}:*', ...commands];
      await redis.admin.call('ACL', 'SETUSER', 'gateway', ...rules);
      return `redis://gateway:acl-password@127.0.0.1:${redis.port}/0`;
    };
    afterEach(() => redis.admin.call('ACL', 'DELUSER', 'gateway'));

    it('need no more rights than the guide to Redis names', async () => {
      const connection = await allow(...BASIC, ...ALARMS);
      const state = listen(open({ connection }), () => {
        times.alarmRetryMs = LATER_MS;
        if (told.length === 1) throw new Error('once more');
      });
      times.alarmRetryMs = AGAIN_MS;
      await state.check();
      state.alarms?.set('SM1', 10);
      await until(() => told.length === 2);
      await noAlarmLeft();
      expect(news).to.be.empty;
    });

    for (const missing of ALARMS) {
      it(`need ${missing}: without it that is warned of, once, and codes are claimed as before`, async () => {
        const connection = await allow(...BASIC, ...ALARMS.filter((right) => right !== missing));
        const state = listen(open({ connection }));
        await state.check();
        state.alarms?.set('SM1', 10);
        await until(() => news.length > 0);
        state.alarms?.set('SM2', 10);
        const claim = await state.claim('event', { nowMs: Date.now(), rememberMs: 60_000, buckets: [] });
        expect(claim).to.include({ isFirst: true });
        await state.check();
        expect(news.map(({ type, reason }) => [type, reason])).to.deep.equal([['warned', 'ALARMS_NOPERM']]);
        expect(state.health).to.equal('ok');
      });
    }
  });

  describe('while Redis is stopped', () => {
    afterEach(() => {
      redis.continue();
    });

    it('do not keep close() waiting, and leave no connection behind', async () => {
      const state = listen(open());
      await set(state, 'SM1');
      redis.stop();
      loseSoon(times);
      await state.close();
      redis.continue();
      await until(async () => (await clients()).length === 0);
    });

    it('are not set, and those that were are told when it is back, though it was asked for them meanwhile', async () => {
      const state = open();
      await set(state, 'SM1');
      await makeAlarmsDue(redis);
      redis.stop();
      loseSoon(times);
      times.alarmRetryMs = AGAIN_MS;
      listen(state);
      await until(() => state.health === 'lost');
      state.alarms?.set('SM2', 10);
      times.alarmRetryMs = LATER_MS;
      bePatient(times);
      redis.continue();
      await state.check();
      await until(() => told.length === 1);
      await noAlarmLeft();
      expect(told).to.deep.equal([[0, 'SM1']]);
    });
  });
});
