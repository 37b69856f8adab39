/** One server's turn. */
export interface Measurement {
  readonly name: string;
  readonly connections: number;
  readonly round: number;
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server's process, per request. */
  readonly cpuMicroseconds: number;
  /** The share of one core that the vendors' stand-ins used: they must not be the limit. */
  readonly standInShare: number;
}

/** The metrics that the report compares. */
export type Metric = 'requestsPerSecond' | 'p50Ms' | 'p99Ms' | 'cpuMicroseconds';

/** The spread over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param sorted - ascending. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return { median: (lower + upper) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** One value per round that compares `of` with `to`, which were measured within seconds. */
export function compareByRound(
  measurements: readonly Measurement[],
  pair: { readonly of: string; readonly to: string; readonly connections: number },
  compare: (of: Measurement, to: Measurement) => number,
): number[] {
  const inPair = measurements.filter(({ connections }) => connections === pair.connections);
  return inPair.flatMap((of) => {
    if (of.name !== pair.of) return [];
    const to = inPair.find(({ name, round }) => name === pair.to && round === of.round);
    return to === undefined ? [] : [compare(of, to)];
  });
}

/** The medians of each server. */
export function tableOfServers(measurements: readonly Measurement[], connections: number): string {
  const names = [...new Set(measurements.map(({ name }) => name))];
  const rows = names.map((name) => {
    const own = measurements.filter((one) => one.name === name && one.connections === connections);
    const medianOf = (metric: Metric): number => spreadOf(own.map((one) => one[metric])).median;
    return [
      name,
      medianOf('cpuMicroseconds').toFixed(0),
      medianOf('requestsPerSecond').toFixed(0),
      medianOf('p50Ms').toFixed(2),
      medianOf('p99Ms').toFixed(2),
    ];
  });
  return formatTable([['server', 'CPU µs/code', 'codes/s', 'p50 ms', 'p99 ms'], ...rows]);
}

/** Pairs of servers, by ratios of each round: `median (min-max)`. */
export function tableOfRatios(
  measurements: readonly Measurement[],
  pairs: readonly (readonly [of: string, to: string])[],
  connections: number,
): string {
  const rows = pairs.map(([of, to]) => {
    const ratioOf = (metric: Metric): string => {
      const pair = { of, to, connections };
      return formatSpread(spreadOf(compareByRound(measurements, pair, (a, b) => a[metric] / b[metric])));
    };
    return [
      `${of} / ${to}`,
      ratioOf('cpuMicroseconds'),
      ratioOf('requestsPerSecond'),
      ratioOf('p50Ms'),
      ratioOf('p99Ms'),
    ];
  });
  return formatTable([['ratio by round', 'CPU/code', 'codes/s', 'p50', 'p99'], ...rows]);
}

export function formatSpread({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

/** The first row is the head. The first column is aligned left, the others right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}
