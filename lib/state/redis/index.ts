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
 * Remembers in Redis, for many gateways: one event is sent once, whichever of them is asked; limits count across all of
 * them. Nothing that it writes can be read there, and everything it writes expires.
 *
 * All keys lie in one slot, so that one script claims an event and takes its points: in a cluster one shard carries them
 * all. `close()` closes its own connection, never a client that it was given.
 *
 * While Redis cannot be reached every code goes out; limits count within this process, and what is a repeat there is
 * known to the hook.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function redisState(options: RedisStateOptions): State {
  return openRedisState(options);
}
