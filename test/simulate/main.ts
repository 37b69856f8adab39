import { MemoryLearning } from '#lib/state/memory/memory-learning.js';
import { EnforcingGuard } from './guard.js';
import { readSimulateOptions, USAGE, type SimulateOptions } from './options.js';
import { CASES, playResends, problemsOf } from './resend.js';
import { simulateGuard } from './simulate.js';
import { attackTable, honestTable, numberOf, resendTable } from './tables.js';

/** As Redis does, it keeps the numbers of all users: an organisation with 100,000 codes a day has half a million. */
const KNOWN_NUMBERS = 1_000_000;
/** Sign-ins of each case of a resend. */
const SIGN_INS = 1000;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runGuard(options: SimulateOptions): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const size of options.sizes) {
    const guard = new EnforcingGuard(new MemoryLearning(KNOWN_NUMBERS), options.learn);
    const result = await simulateGuard({ ...options, size }, guard);
    print(`\n${numberOf(size)} codes a day, seed ${options.seed}`);
    print(`\n${honestTable(result.honest)}\n\n${attackTable(result.attacks, options.prices)}`);
    problems.push(...result.problems.map((problem) => `${numberOf(size)} codes a day: ${problem}`));
  }
  return problems;
}

async function runResends({ seed }: SimulateOptions): Promise<readonly string[]> {
  const results = [];
  for (const which of CASES) results.push(await playResends(which, SIGN_INS, seed));
  print(`\n${resendTable(results)}`);
  return problemsOf(results);
}

async function run(options: SimulateOptions): Promise<boolean> {
  const { parts } = options;
  const problems = [
    ...(parts.includes('guard') ? await runGuard(options) : []),
    ...(parts.includes('resend') ? await runResends(options) : []),
  ];
  print(['', ...problems].join('\n'));
  return problems.length === 0;
}

function readOptions(): SimulateOptions {
  try {
    return readSimulateOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = readOptions();
if (options.isHelp) print(USAGE);
else process.exitCode = (await run(options)) ? 0 : 1;
