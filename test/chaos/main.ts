import { makeAccount, type Account } from './account/account.js';
import type { RunFacts } from './account/facts.js';
import { describeProblem, tableOf, timelinesOf } from './account/report.js';
import { Ending } from './ending.js';
import { readChaosOptions, USAGE, type ChaosOptions } from './options.js';
import { leaveNothingBehind } from './processes/children.js';
import { runProcesses } from './processes/run.js';
import { runSchedules } from './schedules/run.js';

/** The longest time of a run beside the load: the start, the last faults, the drains, milliseconds. */
const LONGEST_AFTER_MS = 180_000;
/** One user of a schedule takes a tenth of this at most on a machine with nothing else to do, milliseconds. */
const LONGEST_USER_MS = 1_000;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What happens depends on all of these. */
function replayOf({ seed, events, rate, gateways, schedules, users, state, nodes }: ChaosOptions): string {
  const ofSchedules = `--schedules ${schedules} --users ${users}${state === undefined ? '' : ` --state ${state}`}`;
  const load = schedules === undefined ? `--events ${events} --rate ${rate}` : ofSchedules;
  const programs = nodes.length === 0 ? '' : ` --node ${nodes.join(' --node ')}`;
  return `npm run chaos -- --seed ${seed} ${load} --gateways ${gateways}${programs}`;
}

async function run(options: ChaosOptions): Promise<boolean> {
  print(`To replay: ${replayOf(options)}`);
  const { schedules } = options;
  if (schedules !== undefined) return runSchedules({ ...options, schedules }, print);
  const { facts, problems } = await runProcesses(options, print);
  return report(makeAccount(facts), facts, problems);
}

function report(account: Account, facts: RunFacts, problems: readonly string[]): boolean {
  print(`\n${tableOf(account, facts)}`);
  const all = [...problems, ...account.problems.map(describeProblem)];
  for (const problem of all) print(`\n${problem}`);
  for (const timeline of timelinesOf(account, facts)) print(`\n${timeline}`);
  const isGood = account.violations.length === 0 && all.length === 0;
  print(isGood ? '\nNothing happened that must not.' : `\nTo replay: ${replayOf(options)}`);
  return isGood;
}

function longestMsOf({ schedules, users, events, rate }: ChaosOptions): number {
  const loadMs = schedules === undefined ? (events / rate) * 1000 : schedules * users * LONGEST_USER_MS;
  return loadMs + LONGEST_AFTER_MS;
}

function readOptions(): ChaosOptions {
  try {
    return readChaosOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = readOptions();
if (options.isHelp) {
  print(USAGE);
} else {
  leaveNothingBehind();
  const ending = new Ending((why) => {
    print(`\nThe run failed: ${why}\n\nTo replay: ${replayOf(options)}`);
  });
  ending.watch(longestMsOf(options));
  const isGood = await run(options);
  ending.isReported = true;
  process.exit(isGood ? 0 : 1);
}
