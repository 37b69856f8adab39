import { setTimeout as wait } from 'node:timers/promises';
import type { RedisServer } from '#harness/redis-server.js';
import type { OutageFact } from './facts.js';
import type { Fleet } from './fleet.js';
import type { ProcessFault } from './schedule.js';

/** The time until every gateway has found Redis again, milliseconds. */
const FOUND_AGAIN_MS = 2_000;

/** Plays the faults of a schedule. Resolves after the last one, with the outages of Redis. */
export async function playFaults(
  schedule: readonly ProcessFault[],
  parts: { readonly fleet: Fleet; readonly redis: RedisServer },
): Promise<readonly OutageFact[]> {
  const { fleet, redis } = parts;
  const outages: OutageFact[] = [];
  const play = async ({ kind, atMs, forMs, gateway = 0, offByMs = 0 }: ProcessFault): Promise<void> => {
    await wait(atMs);
    const from = Date.now();
    switch (kind) {
      case 'kill a gateway':
        return fleet.kill(gateway, forMs);
      case 'stop a gateway':
        return fleet.stop(gateway, forMs);
      case 'drain a gateway':
        return fleet.drain(gateway);
      case 'set a clock':
        fleet.setClock(gateway, offByMs);
        return;
      case 'kill Redis':
        await redis.kill();
        await wait(forMs);
        await redis.restart();
        break;
      case 'stop Redis':
        redis.stop();
        await wait(forMs);
        redis.continue();
        break;
    }
    outages.push({ gateway: undefined, from, to: Date.now() + FOUND_AGAIN_MS });
  };
  await Promise.all(schedule.map(play));
  return outages;
}
