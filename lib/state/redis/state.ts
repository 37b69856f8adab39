import { waitAtMost } from '../../core/time.js';
import type { StatePort } from '../../delivery/state.js';
import { RedisAlarms } from './alarms.js';
import { RedisClaims } from './claims.js';
import { loadIoredis } from './clients.js';
import { RedisConnection } from './connection.js';
import { RedisHistory } from './history.js';
import { readRedisOptions, type RedisStateOptions } from './options.js';
import { probeBy } from './probe.js';
import { RedisReceipts } from './receipts.js';
import { RedisRekeying } from './rekeying.js';
import { RedisSuppressions } from './suppressions.js';
import { RedisSentCodes } from './sent-codes.js';
import { DEFAULT_TIMES, type RedisTimes } from './times.js';
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
  const suppressions = new RedisSuppressions(redis, sealings);
  const rekeying = new RedisRekeying(sealings, { redis, keyPrefix, suppressions, times });
  const claims = new RedisClaims(redis, sealings, { suppressions, times });
  const receipts = new RedisReceipts(redis, sealings);
  const sentCodes = new RedisSentCodes(redis, sealings);
  const alarms = new RedisAlarms(redis, sealings, times);
  return {
    claim: (key, life) => {
      rekeying.start();
      return claims.claim(key, life);
    },
    overtake: (person, event) => {
      receipts.overtake(person, event);
    },
    isNewest: (person, eventKey) => receipts.isNewest(person, eventKey),
    keepReceipt: (messageKey, receipt, nowMs) => receipts.keepReceipt(messageKey, receipt, nowMs),
    takeReceipt: (...args) => receipts.takeReceipt(...args),
    isDelivered: (messageKeys, nowMs) => receipts.isDelivered(messageKeys, nowMs),
    suppress: (...args) => suppressions.suppress(...args),
    lift: (...args) => suppressions.lift(...args),
    pair: (externalUserId, recipient) => suppressions.pair(externalUserId, recipient),
    numberOf: (externalUserId) => suppressions.numberOf(externalUserId),
    suppressionsOf: (recipient, nowMs) => suppressions.of(recipient, nowMs),
    keepSent: (person, sent, life) => {
      sentCodes.keepSent(person, sent, life);
    },
    takeSent: (person, use) => sentCodes.takeSent(person, use),
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
      // Its changes take two commands each.
      await waitAtMost(suppressions.idle(), times.commandMs);
      await redis.close();
    },
  };
}
