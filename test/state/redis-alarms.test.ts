import { Queue } from 'bullmq';
import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import type { State, StateNews } from '#lib/delivery/state.js';
import type { RedisStateOptions } from '#lib/state/redis-options.js';
import { openRedisState } from '#lib/state/redis-state.js';
import { PROCESS_MS, runBeside } from '#harness/own-process.js';
import { Closers } from '#harness/closers.js';
import { needRedis, startRedis, watchTraffic, type RedisServer } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { startScene } from '#harness/scene.js';
import { defer, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
/** Longer than any test: it is due when the test says so. */
const LATER_MS = 60_000;

describe('the alarms of redisState', () => {
  let redis: RedisServer;
  let times: ReturnType<typeof patientTimes>;
  const states: State[] = [];
  const news: StateNews[] = [];
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

  const open = (options: Partial<RedisStateOptions> = {}): State => {
    const state = openRedisState({ connection: redis.url, encryptionKeys: [KEY], ...options }, times);
    states.push(closers.add(state, () => state.close()));
    state.watch?.((one) => {
      news.push(one);
      witness(one);
    });
    return state;
  };
  const listen = (state: State, onDue: (transactionId: string) => void = () => undefined): State => {
    const gateway = states.indexOf(state);
    state.alarms?.onDue((transactionId) => {
      told.push([gateway, transactionId]);
      return Promise.resolve(transactionId).then(onDue);
    });
    return state;
  };
  const jobs = async (): Promise<readonly string[]> =>
    (await redis.dump()).map(({ name }) => name).filter((name) => /:alarm:[\w-]{22}$/.test(name));
  /** Sets alarms that are due when `makeDue` says so. */
  const set = async (state: State, ...ids: readonly string[]): Promise<void> => {
    for (const id of ids) state.alarms?.set(id, LATER_MS);
    await until(async () => (await jobs()).length >= new Set(ids).size);
  };
  const makeDue = async (): Promise<void> => {
    const queue = new Queue('alarm', { connection: redis.admin, prefix: '{okta-telephony-hook}' });
    await queue.promoteJobs();
    await queue.close();
  };
  const noJobLeft = (): Promise<void> => until(async () => (await jobs()).length === 0);
  /** All but the test's own. */
  const clients = async (): Promise<readonly string[]> =>
    String(await redis.admin.client('LIST'))
      .trim()
      .split('\n')
      .slice(1);

  it('are told to one of all gateways each, once, and leave no job', async () => {
    const [one] = [listen(open()), listen(open())];
    const ids = Array.from({ length: 12 }, (_, at) => `SM${at}`);
    await set(one, ...ids, ...ids);
    expect(told).to.be.empty;
    await makeDue();
    await until(() => told.length >= ids.length);
    await noJobLeft();
    expect(told.map(([, id]) => id).sort()).to.deep.equal([...ids].sort());
  });

  it('are told when they are due, and not before', async () => {
    const state = listen(open());
    await set(state, 'later');
    state.alarms?.set('soon', 10);
    await until(() => told.length === 1);
    await until(async () => (await jobs()).length === 1);
    expect(told).to.deep.equal([[0, 'soon']]);
  });

  it('are told to another gateway where the one that set them is gone', async () => {
    const one = listen(open());
    await set(one, 'SM1');
    await one.close();
    await makeDue();
    listen(open());
    await until(() => told.length === 1);
    expect(told).to.deep.equal([[1, 'SM1']]);
  });

  it('are told again where a listener could not attend to them', async () => {
    mustNotShow('+447700900123');
    let isTried = (): void => undefined;
    const tried = new Promise<void>((resolve) => (isTried = resolve));
    const state = listen(open(), () => {
      if (told.length > 1) return;
      isTried();
      throw new Error('+447700900123');
    });
    // Long enough to look at what is left in between.
    times.alarmRetryMs = 200;
    state.alarms?.set('SM1', 10);
    await tried;
    witness((await redis.dump()).map(({ value }) => value.toString('latin1')));
    await until(() => told.length === 2);
    await noJobLeft();
    expect(told).to.have.length(2);
  });

  it('open nothing where the state is closed before', async () => {
    const traffic = await watchTraffic(redis);
    await listen(open()).close();
    await redis.admin.set('all-of-it', 'came');
    await until(() => traffic.lines.some((line) => line.includes('all-of-it')));
    traffic.end();
    expect(traffic.lines.filter((line) => line.includes('alarm'))).to.be.empty;
  });

  it('leave no connection behind when the state is closed, though a listener is still at work', async () => {
    times.closeQueueMs = 20;
    let isAsked = false;
    const listening = defer<undefined>();
    const state = open();
    state.alarms?.onDue(() => {
      isAsked = true;
      return listening.promise;
    });
    state.alarms?.set('SM1', 10);
    await until(() => isAsked);
    expect(await clients()).to.not.be.empty;
    await state.close();
    state.alarms?.set('SM2', 10);
    await until(async () => (await clients()).length === 0);
    listening.resolve(undefined);
  });

  it('are set and told again when Redis was away, by the same gateway', async () => {
    const state = listen(open());
    await state.check();
    await set(state, 'lost with Redis');
    for (const id of ['SM1', 'SM2']) {
      told.length = 0;
      await redis.kill();
      await until(() => state.health === 'lost');
      await redis.restart();
      await state.check();
      await set(state, id);
      await makeDue();
      await until(() => told.length === 1);
      expect(told).to.deep.equal([[0, id]]);
    }
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
      state.alarms?.set('SM1', 10);
      await until(() => told.length === 1);
      const names = (await redis.dump()).map(({ name }) => name);
      expect(names.filter((name) => name.includes(':alarm:'))).to.not.be.empty;
      for (const name of names) expect(name).to.match(/^app:\{okta-telephony-hook\}:/);
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
    await makeDue();
    await until(() => told.length === 1);
    await noJobLeft();
    traffic.end();
    const keys = [...during, ...(await redis.dump())];
    const seen = [...traffic.lines, ...keys.flatMap(({ name, value }) => [name, value.toString('latin1')])];
    expect(seen.some((text) => text.includes('SM-of-ana'))).to.equal(false);
    witness(seen);
  });

  it('are warned of where there is no connection for them, and close all the same', async () => {
    const own = new Redis(redis.port, '127.0.0.1', { lazyConnect: true });
    closers.add(own, () => {
      own.disconnect();
    });
    own.duplicate = () => {
      throw new Error('no more connections');
    };
    const state = listen(open({ connection: own }));
    await until(() => news.some(({ reason }) => reason === 'ALARMS'));
    state.alarms?.set('SM1', 10);
    await state.close();
    expect(told).to.be.empty;
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
    expect(told).to.deep.equal([[0, 'SM1']]);
    expect(cluster.status).to.equal('wait');
  });

  it('are nobody’s whose keys do not open them', async () => {
    const one = open();
    one.alarms?.onDue(() => Promise.resolve());
    await set(one, 'SM1');
    await one.close();
    await makeDue();
    listen(open({ encryptionKeys: [Buffer.alloc(32, 2).toString('base64')] }));
    await noJobLeft();
    expect(told).to.be.empty;
  });

  it('need no more rights than the README names', async () => {
    const commands =
      '+eval +evalsha +get +set +del +incr +decr +pexpire +pttl +time +select +exists +@hash +@list +@set +@sortedset +@stream';
    const user = ['ACL', 'SETUSER', 'gateway', 'on', '>acl-password', '~{okta-telephony-hook}:*'] as const;
    await redis.admin.call(...user, ...commands.split(' '));
    const connection = `redis://gateway:acl-password@127.0.0.1:${redis.port}/0`;
    let count = 0;
    const state = listen(open({ connection }), () => {
      count += 1;
      if (count === 1) throw new Error('once more');
    });
    await state.check();
    state.alarms?.set('SM1', 10);
    await until(() => told.length === 2);
    await noJobLeft();
    expect(news).to.be.empty;
    await state.close();
    await redis.admin.call(
      ...user,
      'reset',
      'on',
      '>acl-password',
      '~{okta-telephony-hook}:*',
      '+eval',
      '+set',
    );
    const poor = listen(open({ connection }));
    poor.alarms?.set('SM1', 10);
    await until(() => news.some(({ type }) => type === 'warned'));
    expect(news.find(({ type }) => type === 'warned')?.reason).to.equal('ALARMS_NOPERM');
    await redis.admin.call('ACL', 'DELUSER', 'gateway');
  });

  it('say what is missing where bullmq is not installed, once', async function () {
    this.timeout(PROCESS_MS);
    const scene = await startScene();
    try {
      const { output } = await runBeside(
        scene,
        `
        const { redisState } = await import('#lib/state/redis.js');
        const state = redisState(${JSON.stringify({ connection: redis.url, encryptionKeys: [KEY] })});
        state.watch((news) => console.log(news.type, news.reason, news.remedy));
        state.alarms.onDue(() => Promise.resolve());
        state.alarms.onDue(() => Promise.resolve());
        state.alarms.set('SM1', 1);
        await state.check();
        await state.close();
        await hook.close();
      `,
        ['bullmq'],
      );
      expect(output.trim().split('\n')).to.have.length(1);
      expect(output).to.match(/^warned BULLMQ Install bullmq 6 beside ioredis/);
    } finally {
      await scene.close();
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
      times.closeQueueMs = 20;
      await state.close();
      redis.continue();
      await until(async () => (await clients()).length === 0);
    });

    it('are not set, and those that were are told when it is back', async () => {
      const state = listen(open());
      await state.check();
      await set(state, 'SM1');
      redis.stop();
      loseSoon(times);
      await state.claim('event', { nowMs: Date.now(), rememberMs: 60_000, buckets: [] });
      expect(state.health).to.equal('lost');
      state.alarms?.set('SM2', 10);
      bePatient(times);
      redis.continue();
      await state.check();
      await makeDue();
      await until(() => told.length === 1);
      await noJobLeft();
      expect(told).to.deep.equal([[0, 'SM1']]);
    });
  });
});
