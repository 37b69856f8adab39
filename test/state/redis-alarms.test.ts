import { expect } from 'chai';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis5';
import type { State, StateNews } from '#lib/delivery/state.js';
import { redisState, type RedisStateOptions } from '#lib/state/redis.js';
import { PROCESS_MS, runBeside } from '#harness/own-process.js';
import { Closers } from '#harness/closers.js';
import { needRedis, startRedis, watchTraffic, type RedisServer } from '#harness/redis-server.js';
import { startScene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const KEY = Buffer.alloc(32, 1).toString('base64');

describe('the alarms of redisState', () => {
  let redis: RedisServer;
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
    told.length = 0;
    news.length = 0;
  });
  afterEach(() => {
    states.length = 0;
    return closers.closeAll();
  });
  after(() => servers.closeAll());

  const open = (options: Partial<RedisStateOptions> = {}): State => {
    const state = redisState({ connection: redis.url, encryptionKeys: [KEY], ...options });
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
  const set = async (state: State, ids: readonly string[], dueInMs: number): Promise<void> => {
    for (const id of ids) state.alarms?.set(id, dueInMs);
    let count = 0;
    while (count < new Set(ids).size) count = (await jobs()).length;
  };

  it('are told to one of all gateways each, once, and leave no job', async () => {
    const [one] = [listen(open()), listen(open())];
    const ids = Array.from({ length: 12 }, (_, at) => `SM${at}`);
    await set(one, [...ids, ...ids], 1_000);
    expect(told).to.be.empty;
    await until(() => told.length >= ids.length);
    while ((await jobs()).length > 0);
    expect(told.map(([, id]) => id).sort()).to.deep.equal([...ids].sort());
  });

  it('are told to another gateway where the one that set them is gone', async () => {
    const one = listen(open());
    await set(one, ['SM1'], 500);
    await one.close();
    await new Promise((resolve) => setTimeout(resolve, 600));
    listen(open());
    await until(() => told.length === 1);
    expect(told).to.deep.equal([[1, 'SM1']]);
  });

  it('are told again where a listener could not attend to them', async () => {
    mustNotShow('+447700900123');
    let count = 0;
    const state = listen(open(), () => {
      count += 1;
      if (count === 1) throw new Error('+447700900123');
    });
    await set(state, ['SM1'], 10);
    await until(() => told.length === 1);
    witness((await redis.dump()).map(({ value }) => value.toString('latin1')));
    await until(() => told.length === 2);
    while ((await jobs()).length > 0);
    expect(told).to.have.length(2);
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
    await set(state, ['SM-of-ana'], 300);
    const during = await redis.dump();
    await until(() => told.length === 1);
    while ((await jobs()).length > 0);
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
    await set(one, ['SM1'], 300);
    await one.close();
    listen(open({ encryptionKeys: [Buffer.alloc(32, 2).toString('base64')] }));
    while ((await jobs()).length > 0);
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
    await set(state, ['SM1'], 100);
    await until(() => told.length === 2);
    while ((await jobs()).length > 0);
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

    it('do not keep close() waiting', async () => {
      const state = listen(open());
      await set(state, ['SM1'], 60_000);
      redis.stop();
      let isClosed = false;
      const closing = state.close().then(() => (isClosed = true));
      await until(() => isClosed);
      await closing;
    });

    it('are not set, and those that were are told when it is back', async () => {
      const state = listen(open());
      await state.check();
      await set(state, ['SM1'], 500);
      redis.stop();
      await state.claim('event', { nowMs: Date.now(), rememberMs: 60_000, buckets: [] });
      expect(state.health).to.equal('lost');
      state.alarms?.set('SM2', 10);
      redis.continue();
      await until(() => told.length === 1);
      expect(told).to.deep.equal([[0, 'SM1']]);
    });
  });
});
