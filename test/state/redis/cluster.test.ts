import { expect } from 'chai';
import { Cluster } from 'ioredis';
import type { Claim, StatePort } from '#lib/delivery/state.js';
import { openClient } from '#lib/state/redis/clients.js';
import { failureOf } from '#lib/state/redis/failure.js';
import type { RedisClient } from '#lib/state/redis/options.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { USUAL_TIMES, type RedisTimes } from '#lib/state/redis/times.js';
import { Closers } from '#harness/closers.js';
import { beginReshard, isOwner, slotOf, startCluster, type RedisCluster } from '#harness/redis-cluster.js';
import { needRedis, type RedisServer } from '#harness/redis-server.js';
import { startSentinelPair, type SentinelPair } from '#harness/redis-sentinel.js';
import { patientTimes } from '#harness/redis-times.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';

const KEY = Buffer.alloc(32, 6).toString('base64');
const NOW = 1_700_000_000_000;
const ANSWER = { commands: [] };
const life = (bucket: string) => ({
  nowMs: NOW,
  rememberMs: 600_000,
  buckets: [{ key: bucket, points: 1_000, seconds: 600 }],
});

/** A gateway's state, and what it has told. */
interface Opened {
  readonly state: StatePort;
  readonly news: string[];
}

function open(closers: Closers, connection: RedisClient, times: RedisTimes): Opened {
  const state = closers.add(openRedisState({ connection, encryptionKeys: [KEY] }, times), (opened) =>
    opened.close(),
  );
  const news: string[] = [];
  state.watch?.(({ type, reason }) => news.push(`${type} ${reason}`));
  return { state, news };
}

describe('a Redis Cluster whose slot moves', function () {
  const closers = new Closers();
  before(function () {
    needRedis(this);
  });
  after(() => closers.closeAll());

  it('is asked again, several times within the time of a command', () => {
    const connection = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
    const { options } = openClient(connection, USUAL_TIMES) as Cluster;
    expect((options.retryDelayOnTryAgain ?? NaN) * 5).to.be.below(USUAL_TIMES.commandMs);
    connection.disconnect();
  });

  it('is lost once for as long as it moves, and used again', async () => {
    const cluster = await startCluster(closers, { masters: 2 });
    const slot = await slotOf(cluster.masters[0]);
    const isFirst = await isOwner(cluster.masters[0]!, slot);
    const [from, to] = isFirst ? cluster.masters : [...cluster.masters].reverse();
    const [one, two] = [
      open(closers, cluster.connection, patientTimes()),
      open(closers, cluster.connection, patientTimes()),
    ];
    await one.state.claim('before', life('limit'));
    const move = await beginReshard(from!, to!, slot);
    expect(await one.state.claim('meanwhile', life('limit'))).to.include({ isFirst: true });
    expect(one.news).to.deep.equal(['lost TRYAGAIN']);
    // Not before the others can be used as well.
    for (let look = 0; look < 3; look += 1) {
      expect(await one.state.check().catch(failureOf)).to.include({ reason: 'TRYAGAIN' });
    }
    await move.end();
    await one.state.check();
    expect(one.news).to.deep.equal(['lost TRYAGAIN', 'recovered TRYAGAIN']);
    expect(await two.state.claim('before', life('limit'))).to.include({ isFirst: false });
    expect(two.news).to.be.empty;
  });
});

let count = 0;

/** As gateways have them, but that they look more often whether Redis is back. */
const TIMES = { ...USUAL_TIMES, probeEveryMs: 100 };

/** What all of these show: codes go out all the while, and afterwards the gateways know each other's again. */
class Traffic {
  readonly #gateways: readonly Opened[];
  readonly #working: Promise<void>;
  /** What a claim took at most, milliseconds. */
  longestMs = 0;
  #isOver = false;

  constructor(gateways: readonly Opened[]) {
    this.#gateways = gateways;
    this.#working = this.#work();
    // Told at its end.
    this.#working.catch(() => undefined);
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(
        this.#gateways.map(async ({ state }) => {
          const beganAtMs = performance.now();
          const claim = await state.claim(`event-${(count += 1)}`, life('limit'));
          this.longestMs = Math.max(this.longestMs, performance.now() - beganAtMs);
          if (!claim.isFirst) throw new Error('a code did not go out');
          claim.settle(ANSWER);
        }),
      );
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  /** Resolves once each gateway gets the answers of the others. */
  async agrees(): Promise<void> {
    await until(() => this.#gateways.every(({ state }) => state.health === 'ok'));
    const answers = async (holder: StatePort, asking: StatePort): Promise<boolean> => {
      const event = `agreed-${(count += 1)}`;
      const claim: Claim = await holder.claim(event, life('limit'));
      if (claim.isFirst) claim.settle(ANSWER);
      const repeat = await asking.claim(event, life('limit'));
      return !repeat.isFirst && (await repeat.answer.catch(() => undefined)) !== undefined;
    };
    for (const holder of this.#gateways) {
      for (const asking of this.#gateways) {
        if (holder !== asking) await until(() => answers(holder.state, asking.state));
      }
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }
}

describe('gateways on a Redis that moves', function () {
  this.timeout(180_000);
  const servers = new Closers();
  const closers = new Closers();
  let traffic: Traffic;
  let gateways: readonly Opened[];
  before(function () {
    needRedis(this);
    if (isNightly) return;
    process.stdout.write('      skipped: takes a minute of real failovers; NIGHTLY=1 runs it\n');
    this.skip();
  });
  const begin = async (connection: RedisClient): Promise<void> => {
    gateways = [0, 1].map(() => open(closers, connection, TIMES));
    for (const { state } of gateways) await state.check();
    traffic = new Traffic(gateways);
    await traffic.agrees();
  };
  const losses = (): readonly number[] =>
    gateways.map(({ news }) => news.filter((word) => word.startsWith('lost')).length);
  afterEach(async () => {
    await traffic.end();
    await closers.closeAll();
    // A command, and the look after it, on a machine that has other things to do.
    expect(traffic.longestMs).to.be.below(1_500);
  });
  after(() => servers.closeAll());

  describe('of three masters', () => {
    let cluster: RedisCluster;
    let nodes: readonly RedisServer[];
    let slot: number;
    before(async () => {
      cluster = await startCluster(servers, { masters: 3, replicas: 3 });
      nodes = [...cluster.masters, ...cluster.replicas];
      slot = await slotOf(nodes[0]);
    });
    const owner = async (among = nodes): Promise<RedisServer> => {
      for (;;) {
        for (const node of among) {
          const role = await node.admin.info('replication');
          if (role.includes('role:master') && (await isOwner(node, slot))) return node;
        }
      }
    };
    const others = (node: RedisServer): readonly RedisServer[] => nodes.filter((one) => one !== node);
    /** Every master has a replica that has all it has. */
    const isWhole = async (node: RedisServer): Promise<boolean> => {
      const info = await node.admin.info('replication');
      return info.includes('role:master')
        ? /state=online/.test(info)
        : info.includes('master_link_status:up');
    };

    it('send all the while a slot is moved, and agree afterwards', async () => {
      await begin(cluster.connection);
      const from = await owner();
      const to = cluster.masters.find((node) => node !== from);
      const move = await beginReshard(from, to!, slot);
      await until(() => losses().every((count) => count === 1));
      await move.end();
      await traffic.agrees();
      expect(losses()).to.deep.equal([1, 1]);
    });

    it('send all the while a replica takes over by request', async () => {
      await begin(cluster.connection);
      const before = await owner();
      const id = String(await before.admin.call('CLUSTER', 'MYID'));
      const replica = await (async () => {
        for (;;) {
          for (const node of others(before)) {
            const known = String(await node.admin.call('CLUSTER', 'NODES'));
            if (known.split('\n').some((line) => line.includes('myself,slave') && line.includes(id)))
              return node;
          }
        }
      })();
      await until(() => isWhole(replica));
      await replica.admin.call('CLUSTER', 'FAILOVER');
      await until(() => isOwner(replica, slot));
      await traffic.agrees();
    });

    it('send all the while their master is frozen and its replica takes over', async () => {
      await begin(cluster.connection);
      const before = await owner();
      await until(() => isWhole(before));
      before.stop();
      try {
        expect(await owner(others(before))).to.not.equal(before);
        await traffic.agrees();
      } finally {
        before.continue();
      }
      await until(() => isWhole(before));
      await traffic.agrees();
    });

    it('send all the while their master is killed and its replica takes over', async () => {
      await begin(cluster.connection);
      const before = await owner();
      await until(() => isWhole(before));
      await before.kill();
      expect(await owner(others(before))).to.not.equal(before);
      await traffic.agrees();
    });
  });

  describe('of a Sentinel', () => {
    let pair: SentinelPair;
    before(async () => {
      pair = await startSentinelPair(servers);
    });
    const isPrimary = async ({ admin }: RedisServer): Promise<boolean> =>
      (await admin.info('replication')).includes('role:master');
    const hasReplica = async ({ admin }: RedisServer): Promise<boolean> =>
      /state=online/.test(await admin.info('replication'));
    /** What the Sentinel knows of both, after it has changed them. */
    const isSettled = async (primary: RedisServer): Promise<void> => {
      await until(() => hasReplica(primary));
      await until(async () => {
        const [replica] = (await pair.sentinel.call('SENTINEL', 'REPLICAS', 'main')) as string[][];
        const flags = replica?.[replica.indexOf('flags') + 1];
        const link = replica?.[replica.indexOf('master-link-status') + 1];
        return flags === 'slave' && link === 'ok';
      });
    };

    it('send all the while the replica takes over by request', async () => {
      const { primary, replica, sentinel } = pair;
      await begin(pair.connection);
      await isSettled(primary);
      await until(async () => (await sentinel.call('SENTINEL', 'FAILOVER', 'main').catch(() => '')) === 'OK');
      await until(() => isPrimary(replica));
      await traffic.agrees();
    });

    it('send all the while the primary is frozen, and the other one takes over', async () => {
      const { primary, replica } = pair;
      await begin(pair.connection);
      await isSettled(replica);
      replica.stop();
      try {
        await until(() => isPrimary(primary));
        await traffic.agrees();
      } finally {
        replica.continue();
      }
      await isSettled(primary);
      await traffic.agrees();
    });

    it('send all the while the primary is killed, and the other one takes over', async () => {
      const { primary, replica } = pair;
      await begin(pair.connection);
      await isSettled(primary);
      await primary.kill();
      await until(() => isPrimary(replica));
      await traffic.agrees();
    });
  });
});
