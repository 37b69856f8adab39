import { Redis, type Cluster, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisClient } from './redis-options.js';

/** Clients of ours to the Redis that the options name. One of the user's own is duplicated, and left as it is. */

/** A client, of either kind. */
export type Client = Redis | Cluster;

/** What a connection may take until it is of use, milliseconds. */
export const CONNECT_MS = 1_000;
/** Data on an idle connection, so that a firewall does not forget it, milliseconds. */
const KEEP_ALIVE_MS = 10_000;
/** How often one that waits tries to connect again, milliseconds. */
const RETRY_MS = 1_000;

/** Nobody waits for one that has failed: a socket that does not end is destroyed, milliseconds. */
const DISCONNECT_MS = 200;

/**
 * A client of ours connects once and is not used again after it has failed: nothing is queued, and nothing sent again
 * that Redis may have done. How long a command may take is for us to say, who look at the socket before we give up.
 */
const CLIENT_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // By INFO, which a careful ACL forbids. Our own check is a write.
  enableReadyCheck: false,
  disableClientInfo: true,
  retryStrategy: null,
  reconnectOnError: null,
  sentinelRetryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  connectTimeout: CONNECT_MS,
  disconnectTimeout: DISCONNECT_MS,
  keepAlive: KEEP_ALIVE_MS,
  noDelay: true,
  stringNumbers: false,
} as const satisfies RedisOptions;

const CLUSTER_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  enableAutoPipelining: false,
  scaleReads: 'master',
  slotsRefreshTimeout: CONNECT_MS,
  clusterRetryStrategy: () => null,
  // A shard that moved is followed; for one that is gone nothing waits.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
} as const satisfies ClusterOptions;

/** One that waits for what comes: it connects at once, and again for as long as it takes. */
const WAITING_OPTIONS = {
  ...CLIENT_OPTIONS,
  lazyConnect: false,
  enableOfflineQueue: true,
  retryStrategy: () => RETRY_MS,
  sentinelRetryStrategy: () => RETRY_MS,
  // A primary that has become a replica is left.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  maxRetriesPerRequest: null,
  // The queue has a prefix of its own, and refuses a client that has one.
  keyPrefix: '',
} as const satisfies RedisOptions;

/** What is used of a client of the user's own, by what it says of itself: the class is that of the user's copy. */
interface SingleClient {
  readonly options: Pick<RedisOptions, 'keyPrefix'>;
  duplicate(overrides: RedisOptions): Redis;
}
interface ClusterClient {
  readonly options: Pick<ClusterOptions, 'redisOptions' | 'keyPrefix'>;
  duplicate(startupNodes: [], overrides: ClusterOptions): Cluster;
}

export function openClient(connection: string | RedisClient): Client {
  if (typeof connection === 'string') return new Redis(connection, CLIENT_OPTIONS);
  if (!connection.isCluster) return (connection as unknown as SingleClient).duplicate(CLIENT_OPTIONS);
  const cluster = connection as unknown as ClusterClient;
  const redisOptions = Object.assign({}, cluster.options.redisOptions, CLIENT_OPTIONS, {
    // Of a node: a command waits there until the node is connected.
    enableOfflineQueue: true,
  });
  return cluster.duplicate([], { ...CLUSTER_OPTIONS, redisOptions });
}

/** A client that commands may wait in, and what the keys of the user's own client begin with. */
export function openWaitingClient(connection: string | RedisClient): { client: Client; keyPrefix: string } {
  if (typeof connection === 'string')
    return { client: new Redis(connection, WAITING_OPTIONS), keyPrefix: '' };
  if (!connection.isCluster) {
    const single = connection as unknown as SingleClient;
    return { client: single.duplicate(WAITING_OPTIONS), keyPrefix: single.options.keyPrefix ?? '' };
  }
  const cluster = connection as unknown as ClusterClient;
  const { redisOptions, keyPrefix } = cluster.options;
  const client = cluster.duplicate([], {
    ...CLUSTER_OPTIONS,
    lazyConnect: false,
    enableOfflineQueue: true,
    clusterRetryStrategy: () => RETRY_MS,
    retryDelayOnFailover: RETRY_MS,
    retryDelayOnClusterDown: RETRY_MS,
    keyPrefix: '',
    redisOptions: Object.assign({}, redisOptions, WAITING_OPTIONS),
  });
  return { client, keyPrefix: keyPrefix ?? redisOptions?.keyPrefix ?? '' };
}
