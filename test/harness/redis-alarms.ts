import type { RedisServer } from './redis-server.js';

/** The alarms that wait in a Redis, under whichever prefix and key. */

export async function countAlarms({ admin }: RedisServer): Promise<number> {
  const names = await admin.keys('*:alarm:*');
  const counts = await Promise.all(names.map((name) => admin.zcard(name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Makes all of them due, however long they would wait. */
export async function makeAlarmsDue({ admin }: RedisServer): Promise<void> {
  for (const name of await admin.keys('*:alarm:*')) {
    for (const alarm of await admin.zrangeBuffer(name, 0, '-1')) await admin.zadd(name, 'XX', 1, alarm);
  }
}
