import type { RedisServer } from './redis-server.js';

/** The number of waiting alarms in a Redis, with any prefix and key. */

export async function countAlarms({ admin }: RedisServer): Promise<number> {
  const names = await admin.keys('*:alarm:*');
  const counts = await Promise.all(names.map((name) => admin.zcard(name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Makes all alarms due now. */
export async function makeAlarmsDue({ admin }: RedisServer): Promise<void> {
  for (const name of await admin.keys('*:alarm:*')) {
    for (const alarm of await admin.zrangeBuffer(name, 0, '-1')) await admin.zadd(name, 'XX', 1, alarm);
  }
}
