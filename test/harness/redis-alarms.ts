import type { RedisServer } from './redis-server.js';

/** The alarms that wait in a Redis, under whichever prefix. */

async function nameOfAlarms({ admin }: RedisServer): Promise<string> {
  const [name = 'none'] = await admin.keys('*:alarm:*');
  return name;
}

export async function countAlarms(redis: RedisServer): Promise<number> {
  return redis.admin.zcard(await nameOfAlarms(redis));
}

/** Makes all of them due, however long they would wait. */
export async function makeAlarmsDue(redis: RedisServer): Promise<void> {
  const name = await nameOfAlarms(redis);
  for (const alarm of await redis.admin.zrangeBuffer(name, 0, '-1'))
    await redis.admin.zadd(name, 'XX', 1, alarm);
}
