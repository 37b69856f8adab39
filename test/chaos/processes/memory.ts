/** The memory of the gateways: it must not grow with what they have handled. */

/** The memory of a process, bytes. The heap is measured without garbage. */
export interface MemoryUse {
  readonly at: number;
  readonly heap: number;
  readonly rss: number;
}

export interface MemoryFact extends MemoryUse {
  readonly gateway: number;
  readonly life: number;
}

/** A shorter life says nothing, milliseconds. */
const LONG_LIFE_MS = 20_000;
/** Until V8 has compiled what is used, milliseconds. */
const WARM_MS = 8_000;
const MB = 1024 * 1024;
/** Caches fill, and V8 compiles on: the heap may grow by this within a run, MB. */
const MAX_HEAP_GROWTH = 32;
/** The process also has what V8 and the system keep for later, MB. */
const MAX_RSS_GROWTH = 160;

/** Sends the memory of this process every so often. Needs `--expose-gc`. */
export function watchMemory(everyMs: number, report: (use: MemoryUse) => void): void {
  setInterval(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    report({ at: Date.now(), heap: heapUsed + external, rss });
  }, everyMs).unref();
}

/** How the memory of a process has grown in its life, MB. */
export interface Growth {
  readonly gateway: number;
  readonly seconds: number;
  readonly heap: number;
  readonly rss: number;
}

/** The growth of each process that has lived long enough. */
export function growthsOf(facts: readonly MemoryFact[]): readonly Growth[] {
  const lives = new Map<string, MemoryFact[]>();
  for (const fact of facts) {
    const life = `${fact.gateway} ${fact.life}`;
    lives.set(life, [...(lives.get(life) ?? []), fact]);
  }
  return [...lives.values()].flatMap((all) => {
    const from = (all[0]?.at ?? 0) + WARM_MS;
    const warm = all.filter(({ at }) => at >= from);
    const [first] = warm;
    const lifeMs = (warm.at(-1)?.at ?? 0) - from;
    if (first === undefined || lifeMs < LONG_LIFE_MS - WARM_MS) return [];
    const grown = (kind: 'heap' | 'rss'): number =>
      Math.round((medianOf(lastThird(warm), kind) - medianOf(firstThird(warm), kind)) / MB);
    const seconds = Math.round(lifeMs / 1000);
    return [{ gateway: first.gateway, seconds, heap: grown('heap'), rss: grown('rss') }];
  });
}

/** The processes whose memory has grown too much, as texts. */
export function memoryProblems(growths: readonly Growth[]): readonly string[] {
  return growths
    .filter(({ heap, rss }) => heap > MAX_HEAP_GROWTH || rss > MAX_RSS_GROWTH)
    .map(describeGrowth);
}

export function describeGrowth({ gateway, seconds, heap, rss }: Growth): string {
  return `gateway ${gateway} has grown within ${seconds} s: its heap by ${heap} MB, the process by ${rss} MB`;
}

const firstThird = <Item>(items: readonly Item[]): readonly Item[] =>
  items.slice(0, Math.ceil(items.length / 3));
const lastThird = <Item>(items: readonly Item[]): readonly Item[] =>
  items.slice(-Math.ceil(items.length / 3));

function medianOf(uses: readonly MemoryUse[], kind: 'heap' | 'rss'): number {
  const sorted = uses.map((use) => use[kind]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
