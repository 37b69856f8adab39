import { parseArgs } from 'node:util';

export const USAGE = `npm run chaos -- [options]

  --events <n>    codes that users request (10000)
  --seconds <n>   length of the load, instead of --events
  --rate <n>      codes a second (50)
  --gateways <n>  gateways, 2 at least (3)
  --seed <n>      of an earlier run: the same faults at the same times (a new one)
  --node <path>   a program of Node.js for the gateways; given several times, they take them in turn (this one)
  --help

  --schedules <n> random schedules in simulated time, in one process, in place of the load
  --users <n>     users in a schedule, 100 at most (3)
  --state <name>  where schedules remember: redis, or memory with one gateway (each by chance)
  --steps <n,n>   of one schedule: only these of its steps

It needs redis-server on the PATH. Exit 1: a fault; 2: wrong arguments.
`;

/** The options of a run. */
export interface ChaosOptions {
  readonly events: number;
  /** A second. */
  readonly rate: number;
  readonly gateways: number;
  readonly seed: number;
  /** Programs of Node.js for the gateways; none for the one that runs this. */
  readonly nodes: readonly string[];
  /** Random schedules in one process; `undefined` for a load on processes. */
  readonly schedules: number | undefined;
  /** In a schedule. */
  readonly users: number;
  /** Of schedules; `undefined` for both. */
  readonly state: 'memory' | 'redis' | undefined;
  /** The places of the steps that are played; `undefined` for all. */
  readonly steps: readonly number[] | undefined;
  readonly isHelp: boolean;
}

/** @throws Error that says what is wrong with the arguments. */
export function readChaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string' },
      seconds: { type: 'string' },
      rate: { type: 'string', default: '50' },
      gateways: { type: 'string', default: '3' },
      seed: { type: 'string' },
      node: { type: 'string', multiple: true, default: [] },
      schedules: { type: 'string' },
      users: { type: 'string', default: '3' },
      state: { type: 'string' },
      steps: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { events, seconds, seed, schedules, state, steps } = values;
  if (events !== undefined && seconds !== undefined) throw new Error('--events or --seconds, not both');
  if (state !== undefined && state !== 'memory' && state !== 'redis') {
    throw new Error(`--state takes memory or redis, not ${state}`);
  }
  const rate = readCount('rate', values.rate, 1);
  return {
    rate,
    events:
      seconds === undefined
        ? readCount('events', events ?? '10000', 1)
        : readCount('seconds', seconds, 1) * rate,
    // With a single gateway that is down, no call gets an answer.
    gateways: readCount('gateways', values.gateways, 2),
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : readCount('seed', seed, 0),
    schedules: schedules === undefined ? undefined : readCount('schedules', schedules, 1),
    users: Math.min(100, readCount('users', values.users, 1)),
    state,
    steps: steps?.split(',').map((place) => readCount('steps', place, 0)),
    nodes: values.node,
    isHelp: values.help,
  };
}

function readCount(name: string, text: string, atLeast: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < atLeast) {
    throw new Error(`--${name} takes a whole number from ${atLeast} up, not ${text}`);
  }
  return count;
}
