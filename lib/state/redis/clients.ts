import { Redis, type Cluster, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisClient } from './options.js';
import type { RedisTimes } from './times.js';

/** Clients of ours to the Redis that the options name. One of the user's own is duplicated, and left as it is. */

/** A client, of either kind. */
export type Client = Redis | Cluster;

/** Data on an idle connection, so that a firewall does not forget it, milliseconds. */
const KEEP_ALIVE_MS = 10_000;

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
  clusterRetryStrategy: () => null,
  // A shard that moved is followed; for one that is gone nothing waits.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
} as const satisfies ClusterOptions;

/** While a slot moves, a command with several of its keys is refused, and asked again so often. */
const TRIES_AGAIN = 5;

/** What is used of a client of the user's own, by what it says of itself: the class is that of the user's copy. */
interface SingleClient {
  duplicate(overrides: RedisOptions): Redis;
}
interface ClusterClient {
  readonly options: Pick<ClusterOptions, 'redisOptions'>;
  duplicate(startupNodes: [], overrides: ClusterOptions): Cluster;
}

function timeoutsBy({ connectMs, disconnectMs }: RedisTimes): {
  readonly connectTimeout: number;
  readonly disconnectTimeout: number;
} {
  return { connectTimeout: connectMs, disconnectTimeout: disconnectMs };
}

export function openClient(connection: string | RedisClient, times: RedisTimes): Client {
  const options = { ...CLIENT_OPTIONS, ...timeoutsBy(times) };
  if (typeof connection === 'string') return new Redis(connection, options);
  if (!connection.isCluster) return (connection as unknown as SingleClient).duplicate(options);
  const cluster = connection as unknown as ClusterClient;
  const redisOptions = Object.assign({}, cluster.options.redisOptions, options, {
    // Of a node: a command waits there until the node is connected.
    enableOfflineQueue: true,
  });
  return cluster.duplicate([], {
    ...CLUSTER_OPTIONS,
    slotsRefreshTimeout: times.connectMs,
    maxRedirections: TRIES_AGAIN,
    // Over in half the time of a command: it is known then that Redis has not done it.
    retryDelayOnTryAgain: times.commandMs / 2 / TRIES_AGAIN,
    redisOptions,
  });
}
