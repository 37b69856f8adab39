import type * as PromClient from 'prom-client';
import type { BreakerState } from '../core/events.js';
import { ConfigurationError } from '../core/errors.js';
import { loadPeer, problemOfPeer } from '../core/peers.js';
import type { LearnStatus } from '../guard/learning-guard.js';
import { countEvents, countryLabel, LabelValues } from './counting.js';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX, type Instruments, type MetricRow } from './metric-table.js';

/** Metrics for Prometheus, in the user's registry. They are registered once, however many hooks use the registry. */

/** The part of a `Registry` of prom-client 15 that the hook uses. It may come from any copy of prom-client. */
export interface MetricsRegistry {
  /** Adds a metric. Throws if the name is taken. */
  registerMetric(metric: unknown): void;
  /** The metric of this name; `undefined` if there is none. */
  getSingleMetric(name: string): unknown;
  /** The page for Prometheus. */
  metrics(): Promise<string>;
}

/** What the gauges show of a hook. It is read when Prometheus scrapes. */
export interface WatchedStatus {
  readonly inFlight: number;
  readonly breakers: Readonly<Record<string, BreakerState>>;
  readonly state: 'ok' | 'lost';
  /** `undefined` if the guard does not learn. */
  readonly learning?: LearnStatus | undefined;
}

/** What the hooks of a registry share. */
interface Shared {
  readonly labels: LabelValues;
  readonly watched: Set<() => WatchedStatus>;
}

const sharedBy = new WeakMap<MetricsRegistry, Shared>();
/** The metrics that this module made: one of the same name is the same metric. */
const made = new WeakSet();

/**
 * Registers the metrics of one hook, or finds them in the registry.
 *
 * @throws ConfigurationError if prom-client cannot be loaded, or a name is taken.
 */
export function createMetrics(registry: MetricsRegistry) {
  const shared = sharedBy.get(registry) ?? { labels: new LabelValues(), watched: new Set() };
  sharedBy.set(registry, shared);
  const promClient = loadPromClient();
  const listener = countEvents(instrumentsIn(registry, promClient), shared.labels);
  registerGauges(registry, promClient, shared.watched);
  let unwatch = (): void => undefined;
  return {
    listener,
    /** Shows the hook in the gauges until `close()`. */
    watch: (status: () => WatchedStatus): void => {
      shared.watched.add(status);
      unwatch = () => shared.watched.delete(status);
    },
    close: (): void => unwatch(),
  };
}

/** Loaded by the first hook with metrics, synchronously, so that the factory can report that it is missing. */
function loadPromClient(): typeof PromClient {
  try {
    return loadPeer('prom-client') as typeof PromClient;
  } catch (cause) {
    const problem = `metrics: ${problemOfPeer('prom-client', { install: 'prom-client@15' })}`;
    throw new ConfigurationError([problem], { cause });
  }
}

function instrumentsIn(registry: MetricsRegistry, promClient: typeof PromClient): Instruments {
  const config = configIn(registry);
  const make = <Table extends Readonly<Record<string, MetricRow>>, Instrument extends object>(
    table: Table,
    makeOne: (name: string, row: MetricRow) => Instrument,
  ): Readonly<Record<keyof Table, Instrument>> => {
    const rows = Object.entries(table);
    const made = rows.map(([name, row]) => [name, findOrMake(registry, name, () => makeOne(name, row))]);
    // The entries have exactly the keys of the table.
    return Object.fromEntries(made) as Readonly<Record<keyof Table, Instrument>>;
  };
  return {
    ...make(COUNTERS, (name, row) => new promClient.Counter(config(name, row))),
    ...make(
      HISTOGRAMS,
      (name, row) => new promClient.Histogram({ ...config(name, row), buckets: [...(row.buckets ?? [])] }),
    ),
  };
}

type GaugeOf<Name extends keyof typeof GAUGES> = PromClient.Gauge<(typeof GAUGES)[Name]['labels'][number]>;

const BREAKER_STATES: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

function registerGauges(
  registry: MetricsRegistry,
  promClient: typeof PromClient,
  watched: ReadonlySet<() => WatchedStatus>,
): void {
  const config = configIn(registry);
  const gauge = <Name extends keyof typeof GAUGES>(
    name: Name,
    show: (to: GaugeOf<Name>, hooks: readonly WatchedStatus[]) => void,
  ): void => {
    findOrMake(registry, name, () => {
      const own: GaugeOf<Name> = new promClient.Gauge({
        ...config(name, GAUGES[name]),
        collect: () => {
          const hooks = Array.from(watched, (status) => status());
          show(own, hooks);
        },
      });
      return own;
    });
  };
  gauge('breaker_state', (to, hooks) => {
    // Removes the hosts of closed hooks.
    to.reset();
    const worst = new Map<string, number>();
    for (const [host, state] of hooks.flatMap(({ breakers }) => Object.entries(breakers))) {
      worst.set(host, Math.max(worst.get(host) ?? 0, BREAKER_STATES[state]));
    }
    for (const [host, state] of worst) to.set({ host }, state);
  });
  gauge('state_up', (to, hooks) => {
    // Without a hook the state is unknown, and no value is better than a wrong one.
    if (hooks.length === 0) to.remove();
    else to.set(hooks.some(({ state }) => state === 'lost') ? 0 : 1);
  });
  gauge('guard_level', (to, hooks) => {
    to.reset();
    const highest = new Map<string, number>();
    for (const { rule, country, level } of hooks.flatMap(({ learning }) => learning?.levels ?? [])) {
      const labels = `${rule} ${countryLabel(country)}`;
      highest.set(labels, Math.max(highest.get(labels) ?? 0, level));
    }
    for (const [labels, level] of highest) {
      const [rule = '', country = ''] = labels.split(' ');
      to.set({ rule, country }, level);
    }
  });
  gauge('guard_blind', (to, hooks) => {
    const learning = hooks.flatMap(({ learning }) => learning ?? []);
    if (learning.length === 0) to.remove();
    else to.set(learning.some(({ isBlind }) => isBlind) ? 1 : 0);
  });
  gauge('calls_in_flight', (to, hooks) => to.set(hooks.reduce((sum, { inFlight }) => sum + inFlight, 0)));
}

function configIn(registry: MetricsRegistry) {
  // A registry of another copy of prom-client works, too: prom-client only calls `registerMetric`.
  const registers = [registry as unknown as PromClient.Registry];
  return (name: string, { help, labels }: MetricRow) => ({
    name: PREFIX + name,
    help,
    labelNames: [...labels],
    registers,
  });
}

/** Returns the metric that an earlier hook registered, if any: prom-client throws on a second registration. */
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
  // This module made it under this name, so it has this type.
  if (Object(known) === known && made.has(known as Metric)) return known as Metric;
  throw new ConfigurationError([
    `metrics: the registry has a ${PREFIX}${name} that is of somebody else; give the hook a registry of its own, or see by npm ls okta-telephony-hook that there is one copy of it`,
  ]);
}
