import { makeAccount } from '../account/account.js';
import type { ChaosOptions } from '../options.js';
import { describeProblem, timelinesOf } from '../account/report.js';
import { FINDINGS, findingsOf } from './findings.js';
import { play, type World } from './play.js';
import { SimulatedRedis } from './redis.js';
import { makeScript } from './script.js';
import { shrink, withSteps } from './shrink.js';
import { describeStep } from './steps.js';
import { SimulatedTime } from './time.js';

/** Plays random schedules, one after the other, and reports each kind of fault with the smallest schedule that has it. */

const PROGRESS_EVERY = 500;
/** The seeds that the report names for each kind of fault. */
const NAMED = 5;

type RunOptions = Pick<ChaosOptions, 'seed' | 'gateways' | 'steps'> & { readonly schedules: number };

/** @returns whether no schedule has a fault. */
export async function runSchedules(options: RunOptions, print: (text: string) => void): Promise<boolean> {
  const redis = await SimulatedRedis.start();
  const world = { redis, time: new SimulatedTime(redis) };
  const seeds = new Map<string, number[]>();
  for (let played = 0; played < options.schedules; played += 1) {
    const seed = options.seed + played;
    const facts = await play(withSteps(makeScript(seed, options.gateways), options.steps), world);
    for (const kind of findingsOf(makeAccount(facts))) seeds.set(kind, [...(seeds.get(kind) ?? []), seed]);
    if ((played + 1) % PROGRESS_EVERY === 0) print(`${played + 1} schedules, ${countOf(seeds)} faults`);
  }
  print(`\n${options.schedules} schedules of ${options.gateways} gateways in simulated time`);
  for (const [kind, found] of seeds) print(await describeFinding(kind, found, options, world));
  print(seeds.size === 0 ? 'Nothing happened that must not.' : '');
  world.time.end();
  return seeds.size === 0;
}

function countOf(seeds: ReadonlyMap<string, readonly number[]>): number {
  return [...seeds.values()].reduce((sum, { length }) => sum + length, 0);
}

/** The smallest schedule with a fault of this kind, what happened in it, and how to replay it. */
async function describeFinding(
  kind: string,
  seeds: readonly number[],
  { gateways, steps }: RunOptions,
  world: World,
): Promise<string> {
  const [seed = 0] = seeds;
  const whole = makeScript(seed, gateways);
  const places = steps ?? (await shrink(whole, kind, world));
  const script = withSteps(whole, places);
  const facts = await play(script, world);
  const account = makeAccount(facts);
  const { steps: left, ...settings } = script;
  return [
    `\n== ${FINDINGS[kind] ?? kind} (${kind}): ${seeds.length}, of seeds ${seeds.slice(0, NAMED).join(' ')}`,
    `To replay: npm run chaos -- --schedules 1 --seed ${seed} --gateways ${gateways} --steps ${places.join(',')}`,
    JSON.stringify(settings),
    ...left.map(describeStep),
    ...account.problems.filter((problem) => problem.kind === kind).map(describeProblem),
    ...timelinesOf(account, facts, (violation) => violation.kind === kind).slice(0, 1),
  ].join('\n');
}
