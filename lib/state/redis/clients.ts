import type * as Ioredis from 'ioredis';
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis';
import { ConfigurationError } from '../../core/errors.js';
import { loadPeer, problemOfPeer } from '../../core/peers.js';
import type { RedisClient, RedisTimes } from './options.js';

/** Opens ioredis clients with our own time-outs. A client of the options is duplicated and never changed. */

/** A single or cluster client. */
export type Client = Redis | Cluster;

/** TCP keep-alive, so that firewalls do not forget an idle connection, milliseconds. */
const KEEP_ALIVE_MS = 10_000;

/**
 * Each client connects once and is dropped after a failure. It queues nothing and resends nothing that Redis
 * may have done. The connection limits the time of a command itself, because it reads the socket once more
 * before it gives up.
 */
const CLIENT_OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // ioredis checks by INFO, which a strict ACL forbids. Our own check is a write.
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
  // Redirections are followed; for a missing shard no command waits.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
} as const satisfies ClusterOptions;

/** Retries of a command whose keys lie in a slot that moves between shards. */
const MAX_REDIRECTIONS = 5;

/**
 * The part of a given client that is used. Its class comes from the application's copy of ioredis, so
 * `instanceof` does not work.
 */
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

/**
 * The installed ioredis. It is an optional peer, which only a URL needs, and is loaded synchronously, so that the state can report
 * that it is missing when it is made.
 *
 * @throws ConfigurationError
 */
export function loadIoredis(): typeof Ioredis {
  try {
    return loadPeer('ioredis') as typeof Ioredis;
  } catch (cause) {
    const problem = problemOfPeer('ioredis', { install: 'ioredis', orElse: 'pass a client of ioredis' });
    throw new ConfigurationError([`connection: ${problem}`], { cause, of: 'redisState' });
  }
}

export function openClient(connection: string | RedisClient, times: RedisTimes): Client {
  const options = { ...CLIENT_OPTIONS, ...timeoutsBy(times) };
  if (typeof connection === 'string') return new (loadIoredis().Redis)(connection, options);
  if (!connection.isCluster) return (connection as unknown as SingleClient).duplicate(options);
  const cluster = connection as unknown as ClusterClient;
  // In a cluster, ioredis turns the queue of each node on by itself: a command waits until its node is connected.
  const redisOptions = { ...cluster.options.redisOptions, ...options };
  return cluster.duplicate([], {
    ...CLUSTER_OPTIONS,
    slotsRefreshTimeout: times.connectMs,
    maxRedirections: MAX_REDIRECTIONS,
    // All retries end in half of the time for a command: it is certain then that Redis has not run it.
    retryDelayOnTryAgain: times.commandMs / 2 / MAX_REDIRECTIONS,
    redisOptions,
  });
}
