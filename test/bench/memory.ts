import { runLoad } from './load.js';
import type { Process } from './processes.js';
import { formatTable } from './report.js';

/** After a collection of garbage. */
export interface MemorySample {
  readonly requests: number;
  readonly rss: number;
  readonly heapUsed: number;
  /** The highest value until now, before garbage collections. */
  readonly highestRss: number;
}

const SAMPLES = 12;

/**
 * Samples the memory of a server under load. Every request has another user and event, so its caches fill and then
 * evict. Growth after that is a leak.
 *
 * @param server - a new server with `--expose-gc`.
 */
export async function sampleMemory(
  server: Process<{ readonly port: number }>,
  requests: number,
): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  for (let served = 0; ;) {
    samples.push({ requests: served, ...(await server.ask<Omit<MemorySample, 'requests'>>('memory')) });
    if (served >= requests) return samples;
    const next = Math.ceil((requests * samples.length) / SAMPLES);
    await runLoad(server.started.port, { connections: 32, requests: next - served });
    served = next;
  }
}

/** Growth in the second half of the run. In a long run, caches of tens of thousands of entries are full by then. */
export function growthOfLaterHalf(samples: readonly MemorySample[]): {
  readonly rss: number;
  readonly heapUsed: number;
} {
  const last = samples.at(-1);
  const half = samples.find(({ requests }) => requests >= (last?.requests ?? 0) / 2);
  return {
    rss: (last?.rss ?? NaN) - (half?.rss ?? NaN),
    heapUsed: (last?.heapUsed ?? NaN) - (half?.heapUsed ?? NaN),
  };
}

/** Each row has the samples of all servers after the same number of requests. */
export function tableOfMemory(samples: ReadonlyMap<string, readonly MemorySample[]>): string {
  const [first = []] = samples.values();
  return formatTable([
    ['after requests', ...[...samples.keys()].flatMap((name) => [`${name}: resident`, 'heap'])],
    ...first.map(({ requests }, index) => [
      requests.toLocaleString('en'),
      ...[...samples.values()].flatMap((all) => [
        inMegabytes(all[index]?.rss ?? NaN),
        inMegabytes(all[index]?.heapUsed ?? NaN),
      ]),
    ]),
  ]);
}

export const inMegabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
