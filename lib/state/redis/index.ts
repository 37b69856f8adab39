/**
 * The state that many gateways share, published as `okta-telephony-hook/redis`.
 *
 * @module okta-telephony-hook/redis
 */
import type { State } from '../../core/state.js';
import type { RedisStateOptions } from './options.js';
import { openRedisState } from './state.js';

export type { RedisClient, RedisStateOptions } from './options.js';

/**
 * A state in Redis that many gateways share: an event is sent once, whichever gateway receives it, and limits
 * count across all of them. Redis holds only encrypted values and keyed digests, and all of them expire.
 *
 * All keys lie in one slot, so that one script claims an event and takes its points; in a cluster one shard
 * holds them all. `close()` closes the state's own connection, never a client that was given.
 *
 * While Redis cannot be reached every code goes out. Limits then count within this process, and the hook
 * recognises repeats of its own events.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function redisState(options: RedisStateOptions): State {
  return openRedisState(options);
}
