import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ROOT } from './processes.js';

/** A server to measure. */
export interface ServerFile {
  readonly file: string;
  readonly hasLog: boolean;
  /** Whether it runs the build that `--before` names. */
  readonly isBefore?: boolean;
}

/**
 * First the servers that log a line for each code, as users do. `bare again` is the same as `bare`: their ratio is the
 * noise of the run. `limit` is `node:http` without Express.
 */
export const SERVERS: ReadonlyMap<string, ServerFile> = new Map([
  ['bare + log', { file: 'servers/bare.mjs', hasLog: true }],
  ['ours + log', { file: 'servers/ours.mjs', hasLog: true }],
  ['SDKs + log', { file: 'servers/vendor-sdks.mjs', hasLog: true }],
  ['bare', { file: 'servers/bare.mjs', hasLog: false }],
  ['ours', { file: 'servers/ours.mjs', hasLog: false }],
  ['bare again', { file: 'servers/bare.mjs', hasLog: false }],
  ['limit', { file: 'servers/limit.mjs', hasLog: false }],
  ['before + log', { file: 'servers/ours.mjs', hasLog: true, isBefore: true }],
]);

/** The servers of `--quick`. */
const QUICK = new Set(['bare + log', 'ours + log', 'before + log']);

const PARTS = ['servers', 'allocations', 'memory', 'imports'] as const;
type Part = (typeof PARTS)[number];

export const USAGE = `npm run bench -- [options]

  --quick              bare + log and ours + log only, 4 rounds
  --rounds <n>         how often each server has its turn (16)
  --seconds <n>        how long a turn is (1)
  --connections <n,n>  kept-alive connections of the load (1,32)
  --only <a,b>         servers, of: ${[...SERVERS.keys()].join(', ')}
  --parts <a,b>        of: ${PARTS.join(', ')} (all; with --quick or --only: servers)
  --requests <n>       of the memory run (60000)
  --million            the memory run over a million requests
  --scale              nothing but gateways on one Redis: 1, 2 and 4 processes behind one port, beside one on
                       memory state (needs redis-server)
  --profile <file>     nothing but a CPU profile of ours, or the first of --only, at the first of --connections
  --json <file>        everything measured, round by round
  --dist <folder>      another build than dist/
  --before <folder>    also the build of another commit, as 'before + log'
  --node <version>     with this version of Node.js, which the npm package node brings to .nodes/
`;

/** The options of the bench. */
export interface BenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: readonly number[];
  /** Names of `SERVERS`. */
  readonly servers: readonly string[];
  /** Whether the arguments select the servers. */
  readonly isChosen: boolean;
  readonly parts: readonly Part[];
  readonly memoryRequests: number;
  /** Whether the run measures only how gateways on one Redis scale. */
  readonly isScale: boolean;
  readonly profileFile: string | undefined;
  readonly jsonFile: string | undefined;
  /** The URL of the build's folder. */
  readonly dist: string;
  /** Like `dist`, of another commit. */
  readonly before: string | undefined;
  readonly nodeVersion: string | undefined;
  readonly isHelp: boolean;
}

/** @throws Error that says what is wrong with the arguments. */
export function readBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '1' },
      connections: { type: 'string', default: '1,32' },
      only: { type: 'string' },
      parts: { type: 'string' },
      requests: { type: 'string', default: '60000' },
      million: { type: 'boolean', default: false },
      scale: { type: 'boolean', default: false },
      profile: { type: 'string' },
      json: { type: 'string' },
      dist: { type: 'string', default: `${ROOT}/dist` },
      before: { type: 'string' },
      node: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, only, million, scale, before } = values;
  if (scale && (only ?? values.parts ?? values.profile) !== undefined) {
    throw new Error('--scale is a run of its own: without --only, --parts and --profile');
  }
  if (values.node !== undefined && !/^\d+(\.\d+){0,2}$/.test(values.node)) {
    throw new Error(`--node takes a version such as 24, not ${values.node}`);
  }
  const isChosen = quick || only !== undefined;
  const allServers = [...SERVERS.keys()].filter((name) => before !== undefined || name !== 'before + log');
  const quickServers = allServers.filter((name) => !quick || QUICK.has(name));
  return {
    rounds: readCount('rounds', values.rounds ?? (quick ? '4' : '16')),
    seconds: readCount('seconds', values.seconds),
    connections: values.connections.split(',').map((text) => readCount('connections', text)),
    servers: only === undefined ? quickServers : readNames('only', only, allServers),
    isChosen,
    parts:
      values.parts === undefined
        ? PARTS.filter((part) => !isChosen || part === 'servers')
        : readNames('parts', values.parts, PARTS),
    memoryRequests: million ? 1_000_000 : readCount('requests', values.requests),
    isScale: scale,
    profileFile: values.profile,
    jsonFile: values.json,
    dist: pathToFileURL(resolve(values.dist)).href,
    before: before === undefined ? undefined : pathToFileURL(resolve(before)).href,
    nodeVersion: values.node,
    isHelp: values.help,
  };
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (text.trim() === '' || !(count > 0)) throw new Error(`--${name} takes a number above 0, not ${text}`);
  return count;
}

/** In the order of `known`. */
function readNames<Name extends string>(option: string, text: string, known: readonly Name[]): Name[] {
  const unknown = new Set(text.split(',').map((name) => name.trim()));
  const found = known.filter((name) => unknown.delete(name));
  if (unknown.size > 0)
    throw new Error(`--${option} takes ${known.join(', ')}, not ${[...unknown].join(', ')}`);
  return found;
}
