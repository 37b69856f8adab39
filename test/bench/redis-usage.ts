import type { Redis } from 'ioredis';

/** The counters of a Redis since its start. */
export interface RedisUsage {
  /** The calls of each command, including those in scripts. */
  readonly calls: ReadonlyMap<string, number>;
  /** Received from clients. */
  readonly bytesIn: number;
  /** Sent to clients. */
  readonly bytesOut: number;
  readonly cpuMicroseconds: number;
  readonly memoryBytes: number;
}

/** The cost of a code for Redis. */
export interface RedisCost {
  readonly calls: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cpuMicroseconds: number;
  /** While the code is valid. */
  readonly memoryBytes: number;
}

/** @param info - the answer to INFO with the sections stats, cpu, memory and commandstats. */
export function readUsage(info: string): RedisUsage {
  const fields = new Map<string, string>();
  const calls = new Map<string, number>();
  for (const line of info.split(/\r?\n/)) {
    const [, name, value] = /^([^#:]+):(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    fields.set(name, value);
    const [, command] = /^cmdstat_(.+)$/.exec(name) ?? [];
    const [, count] = /^calls=(\d+)/.exec(value) ?? [];
    if (command !== undefined && count !== undefined) calls.set(command, Number(count));
  }
  const numberOf = (name: string): number => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`this Redis's INFO has no ${name}`);
    return Number(value);
  };
  return {
    calls,
    bytesIn: numberOf('total_net_input_bytes'),
    bytesOut: numberOf('total_net_output_bytes'),
    cpuMicroseconds: Math.round(1e6 * (numberOf('used_cpu_user') + numberOf('used_cpu_sys'))),
    memoryBytes: numberOf('used_memory'),
  };
}

export async function askUsage(redis: Redis): Promise<RedisUsage> {
  return readUsage(await redis.info('stats', 'cpu', 'memory', 'commandstats'));
}

/**
 * The difference of the last two per code, without the cost of INFO itself: that is the difference of the first two,
 * between which nothing else runs.
 */
export function costPerCode(
  [first, second, last]: readonly [first: RedisUsage, second: RedisUsage, last: RedisUsage],
  codes: number,
): RedisCost {
  const perCode = (of: (usage: RedisUsage) => number): number =>
    (of(last) - of(second) - (of(second) - of(first))) / codes;
  const calls = [...last.calls.keys()].map(
    (name) => [name, perCode((usage) => usage.calls.get(name) ?? 0)] as const,
  );
  return {
    calls: Object.fromEntries(calls.filter(([, count]) => count > 0)),
    bytesIn: perCode(({ bytesIn }) => bytesIn),
    bytesOut: perCode(({ bytesOut }) => bytesOut),
    cpuMicroseconds: perCode(({ cpuMicroseconds }) => cpuMicroseconds),
    // INFO itself uses no memory.
    memoryBytes: (last.memoryBytes - second.memoryBytes) / codes,
  };
}
