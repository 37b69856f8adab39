import type { Redis } from 'ioredis';

/** What a Redis has done since it started, by its own count. */
export interface RedisUsage {
  /** By command, those that scripts call too. */
  readonly calls: ReadonlyMap<string, number>;
  /** From its clients. */
  readonly bytesIn: number;
  /** To its clients. */
  readonly bytesOut: number;
  readonly cpuMicroseconds: number;
  readonly memoryBytes: number;
}

/** What a code costs Redis. */
export interface RedisCost {
  readonly calls: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly cpuMicroseconds: number;
  /** As long as the code lives. */
  readonly memoryBytes: number;
}

/** @param info - what INFO answers, of the sections stats, cpu, memory and commandstats. */
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
 * What lies between the last two, by code, less what looking costs: what lies between the first two, with nothing but a
 * look.
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
    // A look leaves nothing.
    memoryBytes: (last.memoryBytes - second.memoryBytes) / codes,
  };
}
