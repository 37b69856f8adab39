import { createRequire } from 'node:module';
import type * as PromClient from 'prom-client';
import type { BreakerState, HookEventListener } from '../core/events.js';
import { ConfigurationError } from '../core/errors.js';
import { countEvents } from './counting.js';
import { LabelValues } from './metric-labels.js';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX, type Instruments, type MetricRow } from './metric-table.js';

/** Metrics for Prometheus, in the user's own registry: registered once, however many hooks count in it. */

/** What is needed of a `Registry` of prom-client 15, whichever copy of it the application has. */
export interface MetricsRegistry {
  /** Takes a metric; throws for a name that it has already. */
  registerMetric(metric: unknown): void;
  /** The metric of this name, `undefined` where there is none. */
  getSingleMetric(name: string): unknown;
  /** The page for Prometheus. */
  metrics(): Promise<string>;
}

/** What gauges show of a hook, asked when the page is. */
export interface WatchedStatus {
  readonly inFlight: number;
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly state: 'ok' | 'lost';
}

/** A hook's part in the metrics. */
export interface HookMetrics {
  readonly listener: HookEventListener;
  /** Shows it in the gauges, until `close()`. */
  watch(status: () => WatchedStatus): void;
  close(): void;
}

/** What the hooks of a registry share. */
interface Shared {
  readonly labels: LabelValues;
  readonly watched: Set<() => WatchedStatus>;
}

const sharedBy = new WeakMap<MetricsRegistry, Shared>();
/** Those that were made here: of the same name, they are the same. */
const made = new WeakSet();

/**
 * Registers the metrics, or finds them there.
 * @throws ConfigurationError where prom-client cannot be loaded, or a name is taken.
 */
export function createMetrics(registry: MetricsRegistry): HookMetrics {
  const shared = sharedBy.get(registry) ?? { labels: new LabelValues(), watched: new Set() };
  sharedBy.set(registry, shared);
  const promClient = loadPromClient();
  const listener = countEvents(instrumentsIn(registry, promClient), shared.labels);
  registerGauges(registry, promClient, shared.watched);
  let unwatch = (): void => undefined;
  return {
    listener,
    watch: (status) => {
      shared.watched.add(status);
      unwatch = () => shared.watched.delete(status);
    },
    close: () => {
      unwatch();
    },
  };
}

/** With the first hook that has metrics; at once, so that the factory can say that it is not there. */
function loadPromClient(): typeof PromClient {
  try {
    return createRequire(import.meta.url)('prom-client') as typeof PromClient;
  } catch (cause) {
    const problem =
      'metrics: prom-client cannot be loaded from where this package is installed; npm install prom-client@15';
    throw new ConfigurationError([problem], { cause });
  }
}

function instrumentsIn(registry: MetricsRegistry, promClient: typeof PromClient): Instruments {
  const config = configIn(registry);
  const make = <Table extends Readonly<Record<string, MetricRow>>, Instrument extends object>(
    table: Table,
    makeOne: (row: MetricRow) => Instrument,
  ): Readonly<Record<keyof Table, Instrument>> => {
    const rows = Object.entries(table);
    const made = rows.map(([key, row]) => [key, findOrMake(registry, row.name, () => makeOne(row))]);
    // By the keys of the table, which are all of its own.
    return Object.fromEntries(made) as Readonly<Record<keyof Table, Instrument>>;
  };
  return {
    ...make(COUNTERS, (row) => new promClient.Counter(config(row))),
    ...make(
      HISTOGRAMS,
      (row) => new promClient.Histogram({ ...config(row), buckets: [...(row.buckets ?? [])] }),
    ),
  };
}

const BREAKER_STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

function registerGauges(
  registry: MetricsRegistry,
  promClient: typeof PromClient,
  watched: ReadonlySet<() => WatchedStatus>,
): void {
  const config = configIn(registry);
  const gauge = <Row extends MetricRow>(
    row: Row,
    show: (to: PromClient.Gauge<Row['labels'][number]>, hooks: readonly WatchedStatus[]) => void,
  ): void => {
    findOrMake(registry, row.name, () => {
      const own: PromClient.Gauge<Row['labels'][number]> = new promClient.Gauge({
        ...config(row),
        collect: () => {
          const hooks = Array.from(watched, (status) => status());
          show(own, hooks);
        },
      });
      return own;
    });
  };
  gauge(GAUGES.breakerState, (to, hooks) => {
    // Those of hooks that are closed go with them.
    to.reset();
    const worst = new Map<string, number>();
    for (const [host, state] of hooks.flatMap(({ breakers }) => Object.entries(breakers))) {
      worst.set(host, Math.max(worst.get(host) ?? 0, BREAKER_STATES[state]));
    }
    for (const [host, state] of worst) to.set({ host }, state);
  });
  gauge(GAUGES.stateUp, (to, hooks) => {
    // Without a hook nobody knows, and no value is better than a wrong one.
    if (hooks.length === 0) to.remove();
    else to.set(hooks.some(({ state }) => state === 'lost') ? 0 : 1);
  });
  gauge(GAUGES.callsInFlight, (to, hooks) => {
    to.set(hooks.reduce((sum, { inFlight }) => sum + inFlight, 0));
  });
}

function configIn(registry: MetricsRegistry) {
  // To prom-client one of another copy of it is as good: it only calls `registerMetric`.
  const registers = [registry as unknown as PromClient.Registry];
  return ({ name, help, labels }: MetricRow) => ({
    name: PREFIX + name,
    help,
    labelNames: [...labels],
    registers,
  });
}

/** The one of a hook before, where there was one: prom-client throws on a second registration. */
function findOrMake<Metric extends object>(
  registry: MetricsRegistry,
  name: string,
  make: () => Metric,
): Metric {
  const known = registry.getSingleMetric(PREFIX + name);
  if (known === undefined) {
    const metric = make();
    made.add(metric);
    return metric;
  }
  // Made here, by this name, it is of this kind.
  if (Object(known) === known && made.has(known as Metric)) return known as Metric;
  throw new ConfigurationError([
    `metrics: the registry has a ${PREFIX}${name} that is of somebody else; give the hook a registry of its own, or see by npm ls okta-telephony-hook that there is one copy of it`,
  ]);
}
