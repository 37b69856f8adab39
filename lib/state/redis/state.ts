import { LocalClaims } from '../../delivery/local-claims.js';
import { LocalOrder } from '../../delivery/order.js';
import type { StatePort } from '../../delivery/state.js';
import { RedisAlarms } from './alarms.js';
import { RedisClaims } from './claims.js';
import { loadIoredis } from './clients.js';
import { RedisConnection } from './connection.js';
import { RedisHistory } from './history.js';
import { readRedisOptions, type RedisStateOptions, DEFAULT_TIMES, type RedisTimes } from './options.js';
import { RedisLearning } from './learning.js';
import { Outbox } from './outbox.js';
import { probeBy } from './scripts.js';
import { RedisRecords } from './records.js';
import { RedisRekeying } from './rekeying.js';
import { createSealing } from './sealing.js';

/**
 * Assembles the parts of a Redis state.
 *
 * @param times - other times for tests.
 * @throws ConfigurationError
 */
export function openRedisState(options: RedisStateOptions, times: RedisTimes = DEFAULT_TIMES): StatePort {
  const { connection, keys, keyPrefix } = readRedisOptions(options);
  if (typeof connection === 'string') loadIoredis();
  const sealings = keys.map((key) => createSealing(key, keyPrefix));
  const redis = new RedisConnection({ connection, probe: probeBy(keyPrefix), times });
  const outbox = new Outbox(redis);
  const records = new RedisRecords(redis, sealings, outbox);
  const rekeying = new RedisRekeying(sealings, { redis, keyPrefix, records, times });
  const claims = new RedisClaims(redis, sealings, { records, outbox, times });
  const alarms = new RedisAlarms(redis, sealings, times);
  return {
    claim: (event) => {
      rekeying.start();
      return claims.claim(event);
    },
    isCurrent: (person, event) => claims.isCurrent(person, event),
    useCode: (person, usedAtMs) => {
      claims.useCode(person, usedAtMs);
    },
    learning: new RedisLearning(redis, sealings, outbox),
    local: { claims: new LocalClaims(), order: new LocalOrder() },
    update: (names, transition) => records.update(names, transition),
    read: (names, read) => records.read(names, read),
    recall: (name) => records.recall(name),
    isShared: true,
    alarms,
    history: new RedisHistory(redis, sealings, keyPrefix),
    check: async () => {
      await redis.check();
      await rekeying.checkNow();
    },
    get health() {
      return redis.health;
    },
    watch: (onNews) => redis.watch(onNews),
    close: async () => {
      rekeying.close();
      alarms.close();
      await outbox.close(times.commandMs);
      await redis.close();
    },
  };
}
