import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { startRedis, watchTraffic, type RedisServer } from '../harness/redis-server.js';
import { coresFor, keepTo } from './cores.js';
import { runLoad, type LoadLimits } from './load.js';
import type { BenchOptions } from './options.js';
import { startProcess, type Process } from './processes.js';
import { askUsage, costPerCode } from './redis-usage.js';
import { compareByRound, formatSpread, spreadOf, tableOfRatios } from './report.js';
import { measureServer, runRounds, type Contestant } from './rounds.js';
import { limitOf, tableOfRedis, tableOfScale, turnsOf, type ScaleMeasurement } from './scale-report.js';
import type { StandInsArgument } from './stand-ins.js';

/** The ratios that the report shows. */
const PAIRS = [
  ['Redis, 1', 'memory, 1'],
  ['Redis, 2', 'Redis, 1'],
  ['Redis, 4', 'Redis, 1'],
] as const;

/** A number of processes on one kind of state. */
const FLEETS = [
  { name: 'memory, 1', processes: 1, hasRedis: false },
  { name: 'Redis, 1', processes: 1, hasRedis: true },
  { name: 'Redis, 2', processes: 2, hasRedis: true },
  { name: 'Redis, 4', processes: 4, hasRedis: true },
] as const;

/** The time for writes after the last answers, milliseconds. */
const WRITTEN_BEHIND_MS = 50;
/** Enough to tell the commands of gateways from those of their scripts. */
const TRACED_CODES = 50;

interface Fleet extends Contestant {
  readonly processes: number;
}

interface Usage {
  readonly cpuMicroseconds: number;
  readonly waits: number;
}

/** The parts of a run beside the gateways. */
interface Bench {
  readonly redis: RedisServer;
  readonly standIns: Process<unknown>;
}

/**
 * Gateways on one Redis, behind one port, in 1, 2 and 4 processes, each on its own core. Every user opted in: these
 * codes cost most, because each leaves a receipt. Without `taskset` all processes share the cores, and the report also
 * shows what used the cores.
 *
 * @returns everything measured, for JSON.
 */
export async function compareScale(options: BenchOptions): Promise<object> {
  const { rounds, seconds, dist } = options;
  const { chosen, cores } = divideCores();
  const argument: StandInsArgument = { optedIn: 'all' };
  const standIns = await startProcess<{ oktaPort: number; twilioPort: number }>('stand-ins.ts', {
    argument,
    execArgv: ['--import', 'tsx'],
  });
  const redis = await startRedis('--maxmemory-policy', 'noeviction');
  const { oktaPort, twilioPort } = standIns.started;
  const shared = {
    oktaUrl: `http://127.0.0.1:${oktaPort}`,
    twilioUrl: `http://127.0.0.1:${twilioPort}`,
    ...{ dist, hasLog: false },
  };
  const redisOfFleets = { url: redis.url, key: randomBytes(32).toString('base64') };
  const fleets: Fleet[] = [];
  for (const { name, processes, hasRedis } of chosen) {
    const own = { ...shared, processes, cores, ...(hasRedis ? { redis: redisOfFleets } : {}) };
    fleets.push({ name, processes, server: await startProcess('servers/gateways.mjs', { argument: own }) });
  }
  print(`${rounds} rounds, in each ${seconds} s of: ${fleets.map(({ name }) => name).join('; ')}`);
  const sent = await traceCommands(fleets, redis);
  const { warm: turns } = await runRounds(fleets, options, (fleet, turn) =>
    measureFleet(fleet, { redis, standIns }, turn),
  );
  await Promise.all(fleets.map(({ server }) => server.stop()));
  await redis.close();
  await standIns.stop();
  for (const connections of options.connections) printTurns(turns, connections);
  print(`\nA gateway sends, by code: ${sent}.`);
  return { measurements: turns, sent };
}

/** The fleets that this machine has enough cores for. Without `taskset`: all fleets, on any core. */
function divideCores(): {
  readonly chosen: readonly (typeof FLEETS)[number][];
  readonly cores?: readonly number[];
} {
  const chosen = FLEETS.filter(({ processes }) => coresFor(processes) !== undefined);
  const cores = coresFor(Math.max(0, ...chosen.map(({ processes }) => processes)));
  if (cores === undefined || chosen.length === 0 || !keepTo(cores.rest, process.pid)) {
    print(
      'All processes share the cores, so this run does not show how gateways with their own cores scale.',
    );
    return { chosen: FLEETS };
  }
  print(
    `Each gateway has a core of its own (${cores.measured.join(', ')}); the load, the stand-ins and Redis have the others.`,
  );
  const leftOut = FLEETS.filter((fleet) => !chosen.includes(fleet)).map(({ name }) => name);
  if (leftOut.length > 0)
    print(`Left out: ${leftOut.join('; ')}. Each gateway needs its own core, and the rest one more.`);
  return { chosen, cores: cores.measured };
}

function printTurns(turns: readonly ScaleMeasurement[], connections: number): void {
  const names = new Set(turns.map(({ name }) => name));
  print(
    `\nAt ${connections} connection${connections === 1 ? '' : 's'}, medians of the rounds; CPU in µs/code:\n`,
  );
  print(tableOfScale(turns, connections));
  const pairs = PAIRS.filter((pair) => pair.every((name) => names.has(name)));
  print(`\n${tableOfRatios(turns, pairs, connections)}`);
  print(`\n${tableOfRedis(turns, connections)}\n`);
  for (const name of names) {
    print(`${name}: limited by ${limitOf(turnsOf(turns, name, connections), cpus().length)}.`);
  }
  const addedMs = compareByRound(
    turns,
    { of: 'Redis, 1', to: 'memory, 1', connections },
    (shared, alone) => shared.p50Ms - alone.p50Ms,
  );
  print(`What Redis adds to the p50 of one process, ms: ${formatSpread(spreadOf(addedMs))}`);
  const most = Math.max(
    ...turns.filter((turn) => turn.connections === connections).map(({ standInShare }) => standInShare),
  );
  print(`The stand-ins for Okta and Twilio used at most ${(100 * most).toFixed(0)} % of a core.`);
}

async function measureFleet(
  fleet: Fleet,
  { redis, standIns }: Bench,
  turn: LoadLimits,
): Promise<Omit<ScaleMeasurement, 'round'>> {
  // Without codes of other turns: Redis would grow from turn to turn.
  await redis.admin.flushall();
  const first = await askUsage(redis.admin);
  const second = await askUsage(redis.admin);
  const waitsBefore = (await fleet.server.ask<Usage>('usage')).waits;
  const ownBefore = process.cpuUsage();
  const busyBefore = busyMilliseconds();
  const startedAt = performance.now();
  const measured = await measureServer(fleet, standIns, turn, 1);
  const elapsedMs = performance.now() - startedAt;
  const busyMs = busyMilliseconds() - busyBefore;
  const own = process.cpuUsage(ownBefore);
  await wait(WRITTEN_BEHIND_MS);
  const waits = (await fleet.server.ask<Usage>('usage')).waits - waitsBefore;
  const { requestsPerSecond, standInShare, requests } = measured;
  const cost = costPerCode([first, second, await askUsage(redis.admin)], requests);
  const drivingMicroseconds = (own.user + own.system) / requests + (standInShare * 1e6) / requestsPerSecond;
  const perCode = measured.cpuMicroseconds + cost.cpuMicroseconds + drivingMicroseconds;
  return {
    ...measured,
    processes: fleet.processes,
    waits: waits / requests,
    redis: cost,
    drivingMicroseconds,
    coresUsed: (perCode * requestsPerSecond) / 1e6,
    coresBusy: busyMs / elapsedMs,
  };
}

/** The busy time of all cores since the machine started, of all programs. */
function busyMilliseconds(): number {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
}

/** Watches the traffic to Redis, because Redis counts commands in scripts like all others. */
async function traceCommands(fleets: readonly Fleet[], redis: RedisServer): Promise<string> {
  const fleet = fleets.find(({ name }) => name === 'Redis, 1');
  if (fleet === undefined) return '';
  const { port } = fleet.server.started;
  // The first codes open the connection, and send whole scripts.
  await runLoad(port, { connections: 1, requests: TRACED_CODES });
  await wait(WRITTEN_BEHIND_MS);
  const traffic = await watchTraffic(redis);
  await runLoad(port, { connections: 1, requests: TRACED_CODES });
  await wait(WRITTEN_BEHIND_MS);
  traffic.end();
  const counts = new Map<string, number>();
  for (const line of traffic.lines.filter((words) => !words.startsWith('lua: '))) {
    const [command = ''] = line.split(' ', 1);
    counts.set(command, (counts.get(command) ?? 0) + 1);
  }
  return [...counts].map(([command, count]) => `${command} ${(count / TRACED_CODES).toFixed(2)}`).join(', ');
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
