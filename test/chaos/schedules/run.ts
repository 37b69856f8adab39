import { makeAccount } from '../account/account.js';
import type { ChaosOptions } from '../options.js';
import { describeProblem, timelinesOf } from '../account/report.js';
import { FINDINGS, findingsOf } from './findings.js';
import { play, type World } from './play.js';
import { SimulatedRedis } from './redis.js';
import { makeScript, type Script } from './script.js';
import { shrink, withSteps } from './shrink.js';
import { describeStep } from './steps.js';
import { SimulatedTime } from './time.js';

/** Plays random schedules, one after the other, and reports each kind of fault with the smallest schedule that has it. */

const PROGRESS_EVERY = 100;
/** The seeds that the report names for each kind of fault. */
const NAMED = 5;

type RunOptions = Pick<ChaosOptions, 'seed' | 'gateways' | 'users' | 'state' | 'steps'> & {
  readonly schedules: number;
};

/** @returns whether no schedule has a fault. */
export async function runSchedules(options: RunOptions, print: (text: string) => void): Promise<boolean> {
  const redis = await SimulatedRedis.start();
  const world = { redis, time: new SimulatedTime(redis) };
  const seeds = new Map<string, number[]>();
  const codes = { redis: 0, memory: 0 };
  for (let played = 0; played < options.schedules; played += 1) {
    const seed = options.seed + played;
    const script = withSteps(makeScript(seed, options), options.steps);
    const facts = await play(script, world);
    codes[script.isInMemory ? 'memory' : 'redis'] += facts.events.length;
    for (const kind of findingsOf(makeAccount(facts))) {
      print(`seed ${seed}: ${kind}`);
      seeds.set(kind, [...(seeds.get(kind) ?? []), seed]);
    }
    if ((played + 1) % PROGRESS_EVERY === 0)
      print(`${played + 1} schedules, ${describeCodes(codes)}, ${countOf(seeds)} faults`);
  }
  print(`\n${options.schedules} schedules in simulated time, ${describeCodes(codes)}`);
  for (const [kind, found] of seeds) print(await describeFinding(kind, found, options, world));
  print(seeds.size === 0 ? 'Nothing happened that must not.' : '');
  world.time.end();
  return seeds.size === 0;
}

function describeCodes({ redis, memory }: Readonly<Record<'redis' | 'memory', number>>): string {
  return `${redis} codes with Redis, ${memory} in memory`;
}

function countOf(seeds: ReadonlyMap<string, readonly number[]>): number {
  return [...seeds.values()].reduce((sum, { length }) => sum + length, 0);
}

/** The smallest schedule with a fault of this kind, what happened in it, and how to replay it. */
async function describeFinding(
  kind: string,
  seeds: readonly number[],
  { steps, ...size }: RunOptions,
  world: World,
): Promise<string> {
  const [seed = 0] = seeds;
  const whole = makeScript(seed, size);
  const hasFinding = async (smaller: Script): Promise<boolean> =>
    findingsOf(makeAccount(await play(smaller, world))).has(kind);
  const places = steps ?? (await shrink(whole, hasFinding));
  const script = withSteps(whole, places);
  const facts = await play(script, world);
  const account = makeAccount(facts);
  const { steps: left, ...settings } = script;
  const { gateways, users, state } = size;
  const ofSize = `--gateways ${gateways} --users ${users}${state === undefined ? '' : ` --state ${state}`}`;
  return [
    `\n== ${FINDINGS[kind] ?? kind} (${kind}): ${seeds.length}, of seeds ${seeds.slice(0, NAMED).join(' ')}`,
    `To replay: npm run chaos -- --schedules 1 --seed ${seed} ${ofSize} --steps ${places.join(',')}`,
    JSON.stringify(settings),
    ...left.map(describeStep),
    ...account.problems.filter((problem) => problem.kind === kind).map(describeProblem),
    ...timelinesOf(account, facts, (violation) => violation.kind === kind).slice(0, 1),
  ].join('\n');
}
