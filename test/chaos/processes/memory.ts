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
/** Caches fill, and V8 compiles on: the heap may grow by this within a run, bytes. */
const MAX_HEAP_GROWTH = 32 * 1024 * 1024;
/** The process also has what V8 and the system keep for later, bytes. */
const MAX_RSS_GROWTH = 160 * 1024 * 1024;

/** Sends the memory of this process every so often. Needs `--expose-gc`. */
export function watchMemory(everyMs: number, report: (use: MemoryUse) => void): void {
  setInterval(() => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    report({ at: Date.now(), heap: heapUsed + external, rss });
  }, everyMs).unref();
}

/** The processes whose memory has grown, as texts. */
export function memoryProblems(facts: readonly MemoryFact[]): readonly string[] {
  const lives = new Map<string, MemoryFact[]>();
  for (const fact of facts) {
    const life = `${fact.gateway} ${fact.life}`;
    lives.set(life, [...(lives.get(life) ?? []), fact]);
  }
  return [...lives.values()].flatMap((all) => {
    const from = (all[0]?.at ?? 0) + WARM_MS;
    const warm = all.filter(({ at }) => at >= from);
    const [first] = warm;
    if (first === undefined || (warm.at(-1)?.at ?? 0) - from < LONG_LIFE_MS - WARM_MS) return [];
    return (['heap', 'rss'] as const).flatMap((kind) => {
      const growth = medianOf(lastThird(warm), kind) - medianOf(firstThird(warm), kind);
      if (growth <= (kind === 'heap' ? MAX_HEAP_GROWTH : MAX_RSS_GROWTH)) return [];
      return [`the ${kind} of gateway ${first.gateway} has grown by ${Math.round(growth / 1024 / 1024)} MB`];
    });
  });
}

const firstThird = <Item>(items: readonly Item[]): readonly Item[] =>
  items.slice(0, Math.ceil(items.length / 3));
const lastThird = <Item>(items: readonly Item[]): readonly Item[] =>
  items.slice(-Math.ceil(items.length / 3));

function medianOf(uses: readonly MemoryUse[], kind: 'heap' | 'rss'): number {
  const sorted = uses.map((use) => use[kind]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
