import { setTimeout as wait } from 'node:timers/promises';
import type { RedisServer } from '#harness/redis-server.js';
import type { OutageFact, WipeFact } from '../account/facts.js';
import type { Fleet } from './fleet.js';
import type { FaultKind, ProcessFault } from './schedule.js';
import type { Disturbance } from './shortage.js';
import type { Way } from './way.js';

const FORGETS: ReadonlySet<FaultKind> = new Set(['kill Redis', 'flush Redis', 'let Redis evict']);
/** The time until every gateway has found Redis again, milliseconds. */
const FOUND_AGAIN_MS = 2_000;
/** The longest time until a gateway sends a command or a code that a fault waits for, milliseconds. */
const COMES_MS = 3_000;
/** A slow way takes longer than usual, and less than a command may take, milliseconds. */
const SLOWEST_MS = 120;

export interface FaultParts {
  readonly fleet: Fleet;
  readonly redis: RedisServer;
  /** Resolves to the gateway whose message Twilio gets next. */
  readonly nextSender: () => Promise<number | undefined>;
}

/** What a run knows of its faults of Redis. */
export interface RedisFaults {
  /** Redis was down or silent for all gateways. */
  readonly outages: readonly OutageFact[];
  readonly wipes: readonly WipeFact[];
  /** A gateway may have lost Redis. */
  readonly disturbances: readonly Disturbance[];
}

/** Plays the faults of a schedule. Resolves after the last one. */
export async function playFaults(schedule: readonly ProcessFault[], parts: FaultParts): Promise<RedisFaults> {
  const facts = { outages: [] as OutageFact[], wipes: [] as WipeFact[], disturbances: [] as Disturbance[] };
  const play = async (fault: ProcessFault): Promise<void> => {
    await wait(fault.atMs);
    const from = Date.now();
    const { kind, gateway } = fault;
    if (gateway === undefined) await playOnRedis(fault, parts.redis);
    else await playOnGateway({ ...fault, gateway }, parts);
    const to = Date.now() + FOUND_AGAIN_MS;
    facts.disturbances.push({ gateway, from, to });
    if (kind === 'kill Redis' || kind === 'stop Redis') facts.outages.push({ gateway, from, to });
    if (FORGETS.has(kind)) facts.wipes.push({ from, to: Date.now() });
  };
  await Promise.all(schedule.map(play));
  return facts;
}

async function playOnGateway(
  { kind, forMs, gateway, size, offByMs = 0 }: ProcessFault & { readonly gateway: number },
  { fleet, nextSender }: FaultParts,
): Promise<void> {
  const way = fleet.wayOf(gateway);
  switch (kind) {
    case 'kill a gateway':
      return fleet.kill(gateway, forMs);
    case 'kill a gateway at a command':
      await nextCommand(way, size);
      return fleet.kill(gateway, forMs);
    case 'cut the way of a gateway at a command':
      await nextCommand(way, size);
      way.cut();
      return;
    case 'kill a gateway at a send': {
      const sender = await Promise.race([nextSender(), wait(COMES_MS, undefined)]);
      return fleet.kill(sender ?? gateway, forMs);
    }
    case 'stop a gateway':
      return fleet.stop(gateway, forMs);
    case 'drain a gateway':
      return fleet.drain(gateway);
    case 'set a clock':
      return fleet.setClock(gateway, offByMs);
    case 'cut the way of a gateway':
      way.cut();
      return;
    case 'cut the way of a gateway within some bytes':
      way.cutAfterBytes = size * 20;
      return;
    case 'slow the way of a gateway': {
      const to = size % SLOWEST_MS;
      way.delayMs = { to, from: SLOWEST_MS - to };
      await wait(forMs);
      way.delayMs = { to: 0, from: 0 };
      return;
    }
    case 'slow the connections of a gateway':
      way.connectMs = 100 + size * 5;
      way.cut();
      await wait(forMs);
      way.connectMs = 0;
      return;
    default:
      throw new Error(`${kind} is no fault of a gateway`);
  }
}

/** Resolves at one of the next commands: before it is passed on, or right after. */
async function nextCommand(way: Way, size: number): Promise<void> {
  await new Promise<void>((resolve) => {
    way.trap = { skip: size % 6, isBefore: size % 2 === 0, onCommand: resolve };
    setTimeout(resolve, COMES_MS);
  });
  way.trap = undefined;
}

async function playOnRedis({ kind, forMs, size }: ProcessFault, redis: RedisServer): Promise<void> {
  const { admin } = redis;
  switch (kind) {
    case 'kill Redis':
      await redis.kill();
      await wait(forMs);
      await redis.restart();
      return;
    case 'stop Redis':
      redis.stop();
      await wait(forMs);
      redis.continue();
      return;
    case 'pause Redis':
      await admin.call('CLIENT', 'PAUSE', String(size % 2 === 0 ? forMs : Math.min(forMs, 100)));
      await wait(forMs);
      return;
    case 'fill Redis':
      await admin.config('SET', 'maxmemory', '1');
      await wait(forMs);
      await admin.config('SET', 'maxmemory', '0');
      return;
    case 'make Redis read-only':
      // Of a server that is not there.
      await admin.replicaof('127.0.0.1', 1);
      await wait(forMs);
      await admin.replicaof('NO', 'ONE');
      return;
    case 'let Redis evict': {
      await admin.config('SET', 'maxmemory-policy', 'allkeys-random');
      await admin.config('SET', 'maxmemory', String(await usedMemory(redis)));
      await wait(forMs);
      await admin.config('SET', 'maxmemory', '0');
      await admin.config('SET', 'maxmemory-policy', 'noeviction');
      return;
    }
    case 'flush Redis':
      await admin.flushall();
      return;
    case 'close all connections of Redis':
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      return;
    default:
      throw new Error(`${kind} is no fault of Redis`);
  }
}

async function usedMemory({ admin }: RedisServer): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))?.[1] ?? 0);
}
