import { writeFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { cpus } from 'node:os';
import { coresFor, keepTo, type Cores } from './cores.js';
import { measureImports } from './import-time.js';
import { runLoad } from './load.js';
import { growthOfLaterHalf, inMegabytes, sampleMemory, tableOfMemory, type MemorySample } from './memory.js';
import { SERVERS, type BenchOptions } from './options.js';
import { startProcess, type Process } from './processes.js';
import { summarizeProfile } from './profile.js';
import {
  compareByRound,
  formatSpread,
  formatTable,
  spreadOf,
  tableOfRatios,
  tableOfServers,
  type Measurement,
} from './report.js';
import {
  COLD_REQUESTS,
  measureServer,
  runRounds,
  WARM_UP_CONNECTIONS,
  WARM_UP_REQUESTS,
  type Contestant,
} from './rounds.js';
import { compareScale } from './scale.js';

/** The ratios that the bench prints. */
const PAIRS = [
  ['ours + log', 'bare + log'],
  ['ours + log', 'SDKs + log'],
  ['ours', 'bare'],
  ['bare again', 'bare'],
  ['limit', 'bare'],
  ['ours + log', 'before + log'],
] as const;

/** The servers whose memory the bench measures. */
const REMEMBERING = ['bare + log', 'ours + log', 'SDKs + log'];

/** With so many requests, the sampled bytes of two runs differ by less than 2 %. */
const ALLOCATING_REQUESTS = 4_000;

type Server = Process<{ readonly port: number }>;
type StandInsProcess = Process<{ readonly oktaPort: number; readonly twilioPort: number }>;

/** The stand-ins of the vendors, and the cores of the run. */
interface StandIns extends StandInsProcess {
  /** `undefined` if all processes share the cores. */
  readonly cores: Cores | undefined;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @param execArgv - options of Node. */
async function startServer(
  name: string,
  parts: {
    readonly standIns: StandIns;
    readonly options: BenchOptions;
    readonly execArgv?: readonly string[];
  },
): Promise<Server> {
  const server = SERVERS.get(name);
  if (server === undefined) throw new Error(`no server is called ${name}`);
  const { oktaPort, twilioPort } = parts.standIns.started;
  const { dist, before = dist } = parts.options;
  const argument = {
    oktaUrl: `http://127.0.0.1:${oktaPort}`,
    twilioUrl: `http://127.0.0.1:${twilioPort}`,
    ...{ dist: server.isBefore === true ? before : dist, hasLog: server.hasLog },
  };
  const started: Server = await startProcess(server.file, { argument, execArgv: parts.execArgv ?? [] });
  const { cores } = parts.standIns;
  if (cores !== undefined && !keepTo(cores.measured, started.pid))
    throw new Error('taskset could not give the server a core of its own');
  return started;
}

/** Starts the stand-ins. They and the load, which is this process, leave one core to the measured server. */
async function startStandIns(): Promise<StandIns> {
  const cores = coresFor(1);
  const isDivided = cores !== undefined && keepTo(cores.rest, process.pid);
  print(
    isDivided
      ? `Each server has core ${cores.measured.join()} in its turn; the load and the stand-ins have the others.`
      : 'All processes share the cores.',
  );
  const standIns: StandInsProcess = await startProcess('stand-ins.ts', { execArgv: ['--import', 'tsx'] });
  return { ...standIns, cores: isDivided ? cores : undefined };
}

async function compareServers(options: BenchOptions, standIns: StandIns): Promise<object> {
  const { rounds, seconds, servers, connections } = options;
  print(`${rounds} rounds, in each ${seconds} s of: ${servers.join(', ')}`);
  const contestants: Contestant[] = [];
  for (const name of servers)
    contestants.push({ name, server: await startServer(name, { standIns, options }) });
  const { cold, warm } = await runRounds(contestants, options, (contestant, turn) =>
    measureServer(contestant, standIns, turn),
  );
  await Promise.all(contestants.map(({ server }) => server.stop()));

  const pairs = PAIRS.filter((pair) => pair.every((name) => servers.includes(name)));
  const printTables = (title: string, measurements: readonly Measurement[], count: number): void => {
    print(`\n${title}:\n\n${tableOfServers(measurements, count)}`);
    if (pairs.length > 0) print(`\n${tableOfRatios(measurements, pairs, count)}`);
  };
  const title = `Cold: the first ${COLD_REQUESTS} codes of each server, at ${WARM_UP_CONNECTIONS} connections`;
  printTables(title, cold, WARM_UP_CONNECTIONS);
  for (const count of connections) {
    const load = `at ${count} connection${count === 1 ? '' : 's'}`;
    printTables(`Warm: ${load}, medians of the rounds`, warm, count);
  }
  const addedMs = compareByRound(
    warm,
    { of: 'ours + log', to: 'bare + log', connections: 1 },
    (ours, bare) => ours.p50Ms - bare.p50Ms,
  );
  print('');
  if (addedMs.length > 0) {
    print(
      `What ours + log adds to the p50 of bare + log at 1 connection, ms: ${formatSpread(spreadOf(addedMs))}`,
    );
  }
  const standInShare = Math.max(...warm.map((one) => one.standInShare));
  print(`The stand-ins for Okta and Twilio used at most ${(100 * standInShare).toFixed(0)} % of a core.`);
  return { cold, measurements: warm, addedMs };
}

/** Measures how much each server allocates for a code. Garbage collection is a large part of the CPU time. */
async function compareAllocations(options: BenchOptions, standIns: StandIns): Promise<object> {
  const perCode: Record<string, number> = {};
  for (const name of options.servers) {
    const server = await startServer(name, { standIns, options });
    await runLoad(server.started.port, { connections: 32, requests: ALLOCATING_REQUESTS });
    await server.ask('startAllocations');
    await runLoad(server.started.port, { connections: 32, requests: ALLOCATING_REQUESTS });
    const { bytes } = await server.ask<{ readonly bytes: number }>('stopAllocations');
    await server.stop();
    perCode[name] = bytes / ALLOCATING_REQUESTS;
  }
  print('\nAllocated for each code, kilobytes, by sampling:\n');
  const rows = Object.entries(perCode).map(([name, bytes]) => [name, (bytes / 1000).toFixed(1)]);
  print(formatTable([['server', 'KB/code'], ...rows]));
  return perCode;
}

async function compareMemory(options: BenchOptions, standIns: StandIns): Promise<object> {
  const { memoryRequests } = options;
  const names = options.servers.filter((name) => REMEMBERING.includes(name));
  print(`\nMemory over ${memoryRequests.toLocaleString('en')} requests, after collecting garbage`);
  print('(--million for a million, --requests for another number):\n');
  const samples = new Map<string, MemorySample[]>();
  for (const name of names) {
    const server = await startServer(name, { standIns, options, execArgv: ['--expose-gc'] });
    samples.set(name, await sampleMemory(server, memoryRequests));
    await server.stop();
  }
  print(tableOfMemory(samples));
  print('');
  for (const [name, all] of samples) {
    const { rss, heapUsed } = growthOfLaterHalf(all);
    print(`${name}, growth in the later half: resident ${inMegabytes(rss)}, heap ${inMegabytes(heapUsed)}`);
    print(`${name}, at any moment at most: resident ${inMegabytes(all.at(-1)?.highestRss ?? NaN)}`);
  }
  return Object.fromEntries(samples);
}

async function compareImports({ dist, rounds }: BenchOptions): Promise<object> {
  const times = await measureImports(
    new Map([
      ['okta-telephony-hook', [`${dist}/index.js`]],
      ['express and twilio', ['express', 'twilio']],
    ]),
    rounds,
  );
  print('\nImport in a fresh process, ms:\n');
  const rows = [...times].map(([name, all]) => [name, formatSpread(spreadOf(all), 0)]);
  print(formatTable([['import', 'median (min to max)'], ...rows]));
  const [ours = [], others = []] = [...times.values()];
  const ratios = ours.map((time, round) => time / (others[round] ?? NaN));
  print(`\nratio by round: ${formatSpread(spreadOf(ratios))}`);
  return Object.fromEntries(times);
}

async function profileServer(options: BenchOptions, standIns: StandIns, file: string): Promise<void> {
  const { rounds, seconds, dist } = options;
  const [name = 'ours + log'] = options.isChosen ? options.servers : [];
  const load = { connections: options.connections[0] ?? 1 };
  const server = await startServer(name, { standIns, options });
  await runLoad(server.started.port, { connections: WARM_UP_CONNECTIONS, requests: WARM_UP_REQUESTS });
  await server.ask('startProfile');
  const { requests } = await runLoad(server.started.port, { ...load, seconds: seconds * rounds });
  const profile = await server.ask<Profiler.Profile>('stopProfile');
  await server.stop();
  writeFileSync(file, JSON.stringify(profile));
  print(`${name}: ${summarizeProfile(profile, requests, dist)}`);
  print(`\nThe whole profile, for a browser's developer tools: ${file}`);
}

/** Measures the selected parts, and prints the results. */
export async function runBench(options: BenchOptions): Promise<void> {
  const { parts, profileFile, jsonFile, isScale } = options;
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown' };
  print(`Node ${machine.node}, ${machine.cpus} × ${machine.model}`);
  const writeJson = (result: object): void => {
    if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(result, null, 2)}\n`);
  };
  if (isScale) {
    writeJson({ machine, options, scale: await compareScale(options) });
    return;
  }
  const standIns = await startStandIns();
  if (profileFile === undefined) {
    const servers = parts.includes('servers') ? await compareServers(options, standIns) : undefined;
    const allocations = parts.includes('allocations')
      ? await compareAllocations(options, standIns)
      : undefined;
    const memory = parts.includes('memory') ? await compareMemory(options, standIns) : undefined;
    // A starting gateway may use all cores.
    if (standIns.cores !== undefined)
      keepTo([...standIns.cores.measured, ...standIns.cores.rest], process.pid);
    const imports = parts.includes('imports') ? await compareImports(options) : undefined;
    writeJson({ machine, options, servers, allocations, memory, imports });
  } else {
    await profileServer(options, standIns, profileFile);
  }
  await standIns.stop();
}
