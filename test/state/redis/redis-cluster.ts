import { Cluster } from 'ioredis';
import type { Closers } from '#harness/closers.js';
import { freePort } from '#harness/free-port.js';
import { startRedis, type RedisServer } from '#harness/redis-server.js';
import { until } from '#harness/until.js';

/** A Redis Cluster for one test, with each node in its own process. */
export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  /** The replicas, each at the index of its master; may be empty. */
  readonly replicas: readonly RedisServer[];
  /** A client that connects on first use. */
  readonly connection: Cluster;
}

const SLOTS = 16_384;
/** The time without an answer after which another node replaces a node, milliseconds. */
const NODE_TIMEOUT_MS = 1_000;

export async function startCluster(
  closers: Closers,
  { masters: masterCount, replicas: replicaCount = 0 }: { masters: number; replicas?: number },
): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  for (let at = 0; at < masterCount + replicaCount; at += 1) {
    const node = await startRedis(
      ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
      ...['--cluster-port', String(await freePort()), '--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
      ...['--cluster-replica-validity-factor', '0', '--cluster-require-full-coverage', 'no'],
    );
    nodes.push(closers.add(node, (server) => server.close()));
  }
  const masters = nodes.slice(0, masterCount);
  const replicas = nodes.slice(masterCount);
  for (const [at, { admin }] of masters.entries()) {
    const [from, to] = [at, at + 1].map((place) => Math.floor((place * SLOTS) / masterCount));
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from ?? 0, (to ?? 0) - 1);
  }
  const [first] = masters;
  const [, busPort = ''] = await (first?.admin.config('GET', 'cluster-port') as Promise<string[]>);
  for (const { admin } of nodes.slice(1)) {
    await admin.call('CLUSTER', 'MEET', '127.0.0.1', first?.port ?? 0, busPort);
  }
  const knows = async ({ admin }: RedisServer): Promise<boolean> => {
    const info = await admin.cluster('INFO');
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
  };
  for (const node of nodes) await until(() => knows(node));
  for (const [at, { admin }] of replicas.entries()) {
    await admin.call('CLUSTER', 'REPLICATE', await idOf(masters[at]));
    await until(async () => (await admin.info('replication')).includes('master_link_status:up'));
  }
  const connection = closers.add(
    new Cluster(
      nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { lazyConnect: true },
    ),
    (made) => {
      made.disconnect();
    },
  );
  return { masters, replicas, connection };
}

async function idOf(node: RedisServer | undefined): Promise<string> {
  return String(await node?.admin.call('CLUSTER', 'MYID'));
}

/** The slot of all keys of a prefix. */
export async function slotOf(
  node: RedisServer | undefined,
  keyPrefix = 'okta-telephony-hook',
): Promise<number> {
  return Number(await node?.admin.call('CLUSTER', 'KEYSLOT', `{${keyPrefix}}`));
}

/** Whether this node serves a slot, by its own answer. */
export async function isOwner(node: RedisServer, slot: number): Promise<boolean> {
  const own = String(await node.admin.call('CLUSTER', 'NODES'))
    .split('\n')
    .find((line) => line.includes('myself'));
  const ranges = own?.split(' ').slice(8) ?? [];
  return ranges.some((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return from <= slot && slot <= to;
  });
}

/** Begins to move a slot, as `redis-cli --cluster reshard` does. Returns a function that moves all keys and ends it. */
export async function beginReshard(
  from: RedisServer,
  to: RedisServer,
  slot: number,
): Promise<{ end(): Promise<void> }> {
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  return {
    end: async () => {
      for (;;) {
        const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
        if (keys.length === 0) break;
        await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
      }
      for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    },
  };
}
