import { expect } from 'chai';
import type { Claim, StatePort } from '#lib/delivery/state.js';
import { failureOf } from '#lib/state/redis/failure.js';
import { type RedisClient, DEFAULT_TIMES, type RedisTimes } from '#lib/state/redis/options.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { eventClaim } from '#harness/event-claim.js';
import { Closers } from '#harness/closers.js';
import { beginReshard, isOwner, slotOf, startCluster, type RedisCluster } from './redis-cluster.js';
import { accept, report } from '#harness/record-updates.js';
import { needRedis, type RedisServer } from '#harness/redis-server.js';
import { startSentinelPair, type SentinelPair } from './redis-sentinel.js';
import { slowTime } from '#harness/slow-time.js';
import { isNightly } from '#harness/thoroughness.js';
import { reasonOf } from '#harness/state-news.js';
import { until } from '#harness/until.js';

const KEY = Buffer.alloc(32, 6).toString('base64');
const NOW = 1_700_000_000_000;
const ANSWER = { commands: [] };
const life = (bucket: string) => ({
  nowMs: NOW,
  rememberMs: 600_000,
  limits: [{ key: bucket, points: 1_000, seconds: 600 }],
});

/** The state of a gateway, and the events it reported. */
interface Opened {
  readonly state: StatePort;
  readonly news: string[];
}

function open(closers: Closers, connection: RedisClient, times: RedisTimes): Opened {
  const state = closers.add(openRedisState({ connection, encryptionKeys: [KEY] }, times), (opened) =>
    opened.close(),
  );
  const news: string[] = [];
  state.watch?.((one) => news.push(`${one.type} ${reasonOf(one)}`));
  return { state, news };
}

describe('a Redis Cluster that moves a slot', function () {
  const closers = new Closers();
  before(function () {
    needRedis(this);
  });
  afterEach(() => closers.closeAll());

  it('is one loss until the move ends, and loses no receipt', async () => {
    const cluster = await startCluster(closers, { masters: 2 });
    const slot = await slotOf(cluster.masters[0]);
    const isFirst = await isOwner(cluster.masters[0]!, slot);
    const [from, to] = isFirst ? cluster.masters : [...cluster.masters].reverse();
    // The gateway uses its normal times, so a refusal of Redis is known before a command times out.
    closers.add(slowTime(), (time) => {
      time.restore();
    });
    // This gateway opens no connection while the slot moves, and has long time-outs: it must not lose Redis by itself.
    const openLooker = (): Opened =>
      open(closers, cluster.connection, { ...DEFAULT_TIMES, connectMs: 60_000, commandMs: 1_500 });
    const one = open(closers, cluster.connection, DEFAULT_TIMES);
    const held = await one.state.claim(eventClaim('event', life('limit')));
    if (!held.isFirst) return expect.fail('it is a repeat');
    expect(await openLooker().state.claim(eventClaim('event', life('limit')))).to.include({ isFirst: false });
    const move = await beginReshard(from!, to!, slot);
    // All in one command: Redis refuses old and new keys until the move ends.
    const keeping = accept(one.state, 'SM1');
    held.settle(ANSWER);
    await until(() => one.news.length > 0);
    expect(one.news).to.deep.equal(['lost TRYAGAIN']);
    expect(await one.state.claim(eventClaim('meanwhile', life('limit')))).to.include({ isFirst: true });
    // The state recovers only when it can use the other keys too.
    expect(await one.state.check().catch(failureOf)).to.include({ reason: 'TRYAGAIN' });
    await move.end();
    await one.state.check();
    expect(one.news).to.deep.equal(['lost TRYAGAIN', 'recovered TRYAGAIN']);
    expect(await keeping).to.deep.equal({ before: undefined });
    const two = openLooker();
    const repeat = await two.state.claim(eventClaim('event', life('limit')));
    // If this fails, `two.news` says why.
    expect(repeat, two.news.join()).to.include({ isFirst: false });
    expect(!repeat.isFirst && (await repeat.answer)).to.deep.equal(ANSWER);
    expect((await report(two.state, 'SM1'))?.follow?.receipt.eventKey).to.equal('SM1');
    expect(two.news).to.be.empty;
  });
});

let count = 0;

/** The times of gateways, with more frequent probes. */
const TIMES = { ...DEFAULT_TIMES, probeEveryMs: 100 };

/** Sends codes all the time. Afterwards each gateway must know the events of the other again. */
class Traffic {
  readonly #gateways: readonly [Opened, Opened];
  readonly #working: Promise<void>;
  /** The longest time of a claim, milliseconds. */
  longestMs = 0;
  /** Codes that went out twice while no gateway had lost Redis. */
  doubled = 0;
  #isOver = false;

  constructor(gateways: readonly [Opened, Opened]) {
    this.#gateways = gateways;
    this.#working = this.#work();
    // `end()` reports it.
    this.#working.catch(() => undefined);
  }

  async #work(): Promise<void> {
    while (!this.#isOver) {
      const [one, two] = this.#gateways;
      await Promise.all([this.#send(one, two), this.#send(two, one)]);
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  /** Okta calls one gateway, then the other. The second one knows the event unless one of them has lost Redis. */
  async #send(first: Opened, second: Opened): Promise<void> {
    const news = (): number => first.news.length + second.news.length;
    const isLost = [first, second].some(({ state }) => state.health === 'lost');
    const newsBefore = news();
    const event = `event-${(count += 1)}`;
    const claim = await this.#claim(first, event);
    if (!claim.isFirst) throw new Error('a code did not go out');
    const repeat = await this.#claim(second, event);
    claim.settle(ANSWER);
    if (repeat.isFirst && !isLost && news() === newsBefore) this.doubled += 1;
  }

  async #claim(gateway: Opened, event: string): Promise<Claim> {
    const beganAtMs = performance.now();
    const claim = await gateway.state.claim(eventClaim(event, life('limit')));
    this.longestMs = Math.max(this.longestMs, performance.now() - beganAtMs);
    return claim;
  }

  /** Resolves when each gateway gets the answers of the other. */
  async agrees(): Promise<void> {
    await until(() => this.#gateways.every(({ state }) => state.health === 'ok'));
    const answers = async (holder: StatePort, asking: StatePort): Promise<boolean> => {
      const event = `agreed-${(count += 1)}`;
      const claim: Claim = await holder.claim(eventClaim(event, life('limit')));
      if (claim.isFirst) claim.settle(ANSWER);
      const repeat = await asking.claim(eventClaim(event, life('limit')));
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

describe('two gateways', function () {
  this.timeout(180_000);
  const servers = new Closers();
  const closers = new Closers();
  let traffic: Traffic;
  let gateways: readonly [Opened, Opened];
  before(function () {
    needRedis(this);
    if (isNightly) return;
    process.stdout.write('      skipped: takes a minute of real failovers; NIGHTLY=1 runs it\n');
    this.skip();
  });
  const begin = async (connection: RedisClient): Promise<void> => {
    // On a busy machine a command would time out.
    closers.add(slowTime(), (time) => {
      time.restore();
    });
    gateways = [open(closers, connection, TIMES), open(closers, connection, TIMES)];
    for (const { state } of gateways) await state.check();
    traffic = new Traffic(gateways);
    await traffic.agrees();
  };
  afterEach(async () => {
    await traffic.end();
    await closers.closeAll();
    // One command and one probe, on a busy machine.
    expect(traffic.longestMs).to.be.below(1_500);
  });
  after(() => servers.closeAll());

  describe('on three masters', () => {
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
    /** Each master has a replica with all its data. */
    const isWhole = async (node: RedisServer): Promise<boolean> => {
      const info = await node.admin.info('replication');
      return info.includes('role:master')
        ? /state=online/.test(info)
        : info.includes('master_link_status:up');
    };

    it('keep sending while a slot moves, and agree afterwards', async () => {
      await begin(cluster.connection);
      const from = await owner();
      const to = cluster.masters.find((node) => node !== from);
      const move = await beginReshard(from, to!, slot);
      await until(() => gateways.every(({ news }) => news.length > 0));
      await move.end();
      await traffic.agrees();
      for (const { news } of gateways) expect(news).to.deep.equal(['lost TRYAGAIN', 'recovered TRYAGAIN']);
    });

    it('keep sending while a replica takes over on request, and no code goes out twice', async () => {
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
      // The replica has all data of the master.
      expect(traffic.doubled).to.equal(0);
    });

    it('keep sending while the master is frozen and its replica takes over', async () => {
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

    it('keep sending while the master is killed and its replica takes over', async () => {
      await begin(cluster.connection);
      const before = await owner();
      await until(() => isWhole(before));
      await before.kill();
      expect(await owner(others(before))).to.not.equal(before);
      await traffic.agrees();
    });
  });

  describe('on a Sentinel pair', () => {
    let pair: SentinelPair;
    before(async () => {
      pair = await startSentinelPair(servers);
    });
    const isPrimary = async ({ admin }: RedisServer): Promise<boolean> =>
      (await admin.info('replication')).includes('role:master');
    const hasReplica = async ({ admin }: RedisServer): Promise<boolean> =>
      /state=online/.test(await admin.info('replication'));
    /** Resolves when the Sentinel knows the roles of both servers after a change. */
    const isSettled = async (primary: RedisServer): Promise<void> => {
      await until(() => hasReplica(primary));
      await until(async () => {
        const [replica] = (await pair.sentinel.call('SENTINEL', 'REPLICAS', 'main')) as string[][];
        const flags = replica?.[replica.indexOf('flags') + 1];
        const link = replica?.[replica.indexOf('master-link-status') + 1];
        return flags === 'slave' && link === 'ok';
      });
    };

    it('keep sending while the replica takes over on request', async () => {
      const { primary, replica, sentinel } = pair;
      await begin(pair.connection);
      await isSettled(primary);
      await until(async () => (await sentinel.call('SENTINEL', 'FAILOVER', 'main').catch(() => '')) === 'OK');
      await until(() => isPrimary(replica));
      await traffic.agrees();
    });

    it('keep sending while the primary is frozen and the other server takes over', async () => {
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

    it('keep sending while the primary is killed and the other server takes over', async () => {
      const { primary, replica } = pair;
      await begin(pair.connection);
      await isSettled(primary);
      await primary.kill();
      await until(() => isPrimary(replica));
      await traffic.agrees();
    });
  });
});
