import type { RedisCost } from './redis-usage.js';
import { formatTable, spreadOf, type Measurement } from './report.js';

/** One turn of this number of gateways. */
export interface ScaleMeasurement extends Measurement {
  readonly processes: number;
  /** Awaited answers of the state, per code. */
  readonly waits: number;
  readonly redis: RedisCost;
  /** CPU time of the load and the vendors' stand-ins, per code. */
  readonly drivingMicroseconds: number;
  /** The cores that all processes of this run used. */
  readonly coresUsed: number;
  /** The busy cores of the machine, including other work. */
  readonly coresBusy: number;
}

/** The share of a core that a process gets if it never waits. */
const FULL = 0.9;

/** Describes the limit of the median turn's throughput. */
export function limitOf(turns: readonly ScaleMeasurement[], cores: number): string {
  const medianOf = (of: (turn: ScaleMeasurement) => number): number => spreadOf(turns.map(of)).median;
  const coresUsed = medianOf((turn) => turn.coresUsed);
  const shareOf = (microseconds: (turn: ScaleMeasurement) => number): number =>
    medianOf((turn) => (microseconds(turn) * turn.requestsPerSecond) / 1e6);
  const gateway = shareOf((turn) => turn.cpuMicroseconds / turn.processes);
  const redis = shareOf((turn) => turn.redis.cpuMicroseconds);
  const standIns = medianOf((turn) => turn.standInShare);
  const others = Math.max(
    0,
    medianOf((turn) => turn.coresBusy - turn.coresUsed),
  );
  const used = `${coresUsed.toFixed(2)} of ${cores} cores`;
  if (coresUsed + others >= FULL * cores) {
    const beside = others >= 0.1 ? `, and ${others.toFixed(2)} were used by what else the machine did` : '';
    return `the machine's cores: this run used ${used}${beside}`;
  }
  if (redis >= FULL) return `Redis, which uses one core: ${percent(redis)} of it`;
  if (standIns >= FULL) return `the stand-ins for Okta and Twilio: ${percent(standIns)} of a core`;
  if (gateway >= FULL) return `the gateway's process: ${percent(gateway)} of a core (${used} used)`;
  return `the load, which waits for each answer (${used} used)`;
}

/** Medians of the rounds, by contestant. */
export function tableOfScale(turns: readonly ScaleMeasurement[], connections: number): string {
  const rows = namesOf(turns).map((name) => {
    const own = turnsOf(turns, name, connections);
    const median = (of: (turn: ScaleMeasurement) => number, digits: number): string =>
      spreadOf(own.map(of)).median.toFixed(digits);
    return [
      name,
      median((turn) => turn.requestsPerSecond, 0),
      median((turn) => turn.p50Ms, 2),
      median((turn) => turn.p99Ms, 2),
      median((turn) => turn.cpuMicroseconds, 0),
      median((turn) => turn.redis.cpuMicroseconds, 0),
      median((turn) => turn.drivingMicroseconds, 0),
      median((turn) => turn.coresUsed, 2),
    ];
  });
  const head = [
    'state, processes',
    'codes/s',
    'p50 ms',
    'p99 ms',
    'gateways',
    'Redis',
    'load + stand-ins',
    'cores',
  ];
  return formatTable([head, ...rows]);
}

/** The Redis commands of a code. They must not depend on the number of gateways. */
export function tableOfRedis(turns: readonly ScaleMeasurement[], connections: number): string {
  const rows = namesOf(turns).flatMap((name) => {
    const own = turnsOf(turns, name, connections);
    const median = (of: (turn: ScaleMeasurement) => number): number => spreadOf(own.map(of)).median;
    if (own.every(({ redis }) => Object.keys(redis.calls).length === 0)) return [];
    return [
      [
        name,
        median((turn) => turn.waits).toFixed(2),
        median((turn) => turn.redis.bytesIn).toFixed(0),
        median((turn) => turn.redis.bytesOut).toFixed(0),
        median((turn) => turn.redis.memoryBytes).toFixed(0),
        commandsOf(own),
      ],
    ];
  });
  const head = [
    'per code',
    'awaited',
    'bytes in',
    'bytes out',
    'bytes kept',
    'commands, those in scripts too',
  ];
  return formatTable([head, ...rows]);
}

/** Each command of a code, the most frequent first. */
function commandsOf(turns: readonly ScaleMeasurement[]): string {
  const names = [...new Set(turns.flatMap(({ redis }) => Object.keys(redis.calls)))];
  return names
    .map((name) => ({ name, count: spreadOf(turns.map(({ redis }) => redis.calls[name] ?? 0)).median }))
    .filter(({ count }) => count >= 0.01)
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))
    .map(({ name, count }) => `${name} ${count.toFixed(2)}`)
    .join(', ');
}

export function turnsOf<T extends Measurement>(turns: readonly T[], name: string, connections: number): T[] {
  return turns.filter((turn) => turn.name === name && turn.connections === connections);
}

const namesOf = (turns: readonly ScaleMeasurement[]): string[] => [...new Set(turns.map(({ name }) => name))];

const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
