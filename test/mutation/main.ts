import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installTools } from '../harness/own-tools.js';
import type { Mutant, Position } from './mutants.js';
import { ROOT, toolAt } from './root.js';
import { keyOf, SAMPLE, type NamedMutant } from './sampled-only.js';
import { targetsFor, type Target } from './targets.js';

/**
 * Makes small changes in `lib/`, one at a time, and prints those that no test notices: a sample of each folder, or all
 * changes of the named files. A manual run: a sample of one folder takes minutes. It writes only into a temporary folder
 * outside of the repository. Exits with 0 after a whole run, with 1 if Stryker failed or the score is too low, with 2 on
 * wrong arguments.
 */

const USAGE = `Use: npm run mutation -- [folder or file of lib …] [--sample <number>|all] [--seed <text>] [--at-least <percent>]
  npm run mutation                              40 mutants of every folder
  npm run mutation -- delivery --sample 100     100 mutants of lib/delivery
  npm run mutation -- delivery/plan.ts --sample all
  A folder within a folder works too: channels/twilio. Browser code is a separate target, e.g. \`console/browser\`.
  The same seed, which the run prints, chooses the same mutants. With --at-least it exits with 1 below that score.
`;

/** Folders that no test reads, which Stryker need not copy. */
const UNREAD = ['/dist', '/coverage', '/release'];

/** A mutant with its result, by Stryker's names. */
interface Ended {
  readonly mutant: Mutant;
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError';
}

function strykerOptions(target: Target, sample: readonly Mutant[], temporary: string): object {
  return {
    mutate: sample.map(({ file, start, end }) => `${file}:${start.line + 1}-${end.line + 1}`),
    plugins: [
      toolAt('mocha-runner/dist/src/index.js').href,
      new URL('sampled-only.ts', import.meta.url).href,
    ],
    checkers: ['sampled-only'],
    checkerNodeArgs: ['--import', 'tsx'],
    testRunner: 'mocha',
    testRunnerNodeArgs: ['--import', 'tsx'],
    mochaOptions: {
      'no-config': true,
      'no-package': true,
      'no-opts': true,
      require: [fileURLToPath(new URL('in-sandbox.ts', import.meta.url)), 'test/harness/witness.ts'],
      spec: target.tests,
    },
    // Stryker cannot see in the process of the tests which code runs in a browser.
    coverageAnalysis: target.isBrowser ? 'off' : 'perTest',
    concurrency: target.isBrowser ? 1 : 2,
    // The tests run without type checks.
    disableTypeChecks: false,
    ignorePatterns: UNREAD,
    symlinkNodeModules: false,
    tempDirName: temporary,
    cleanTempDir: 'always',
    reporters: ['json'],
    jsonReporter: { fileName: join(temporary, 'report.json') },
    logLevel: 'warn',
    // Long, so that a slow machine does not look like a hanging mutant.
    timeoutMS: 15_000,
    dryRunTimeoutMinutes: 30,
    warnings: false,
  };
}

/** Runs the tests for each mutant of a sample. Returns `undefined` if Stryker failed and printed why. */
async function run(target: Target, sample: readonly Mutant[]): Promise<Ended[] | undefined> {
  if (sample.length === 0) return [];
  const temporary = await mkdtemp(join(tmpdir(), 'mutation-'));
  try {
    const wanted = new Map(sample.map((mutant) => [keyOfMutant(mutant), mutant]));
    const options = strykerOptions(target, sample, temporary);
    await writeFile(join(temporary, 'stryker.json'), JSON.stringify(options));
    await writeFile(join(temporary, 'sample.json'), JSON.stringify([...wanted.keys()]));
    const stryker = spawn(
      execPath,
      [
        '--import',
        'tsx',
        fileURLToPath(toolAt('core/bin/stryker.js')),
        'run',
        join(temporary, 'stryker.json'),
      ],
      { cwd: ROOT, stdio: 'inherit', env: { ...env, [SAMPLE]: join(temporary, 'sample.json') } },
    );
    await once(stryker, 'exit');
    if (!existsSync(join(temporary, 'report.json'))) return undefined;
    return endedOf(join(temporary, 'report.json'), wanted);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Reads Stryker's report: https://github.com/stryker-mutator/mutation-testing-elements, mutation-testing-report-schema. */
function endedOf(path: string, wanted: ReadonlyMap<string, Mutant>): Ended[] {
  const { files } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly files: Readonly<
      Record<string, { readonly mutants: readonly (NamedMutant & { readonly status: Ended['status'] })[] }>
    >;
  };
  return Object.entries(files).flatMap(([fileName, { mutants }]) =>
    mutants.flatMap(({ location, status, ...rest }) => {
      const places = { start: fromZero(location.start), end: fromZero(location.end) };
      const mutant = wanted.get(keyOf({ ...rest, fileName, location: places }));
      return mutant === undefined ? [] : [{ mutant, status }];
    }),
  );
}

/** Reports count from 1. */
const fromZero = ({ line, column }: Position): Position => ({ line: line - 1, column: column - 1 });

function keyOfMutant({ file, start, end, mutator, replacement }: Mutant): string {
  return keyOf({ fileName: file, location: { start, end }, mutatorName: mutator, replacement });
}

const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 100);

function survivorLine({ mutant: { file, start, original, replacement }, status }: Ended): string {
  const unrun = status === 'NoCoverage' ? ' (no test runs it)' : '';
  return `${file}:${start.line + 1}:${start.column + 1}: ${short(original)} -> ${short(replacement)}${unrun}\n`;
}

function row(cells: readonly (string | number)[]): string {
  const [first = '', ...others] = cells.map(String);
  return `${first.padEnd(20)}${others.map((cell) => cell.padStart(10)).join('')}\n`;
}

function rowOf(name: string, ended: readonly Ended[], seconds: number): string {
  const count = (...of: readonly Ended['status'][]) =>
    ended.filter(({ status }) => of.includes(status)).length;
  // A mutant that crashes the process of its tests counts as killed.
  const [killed, timedOut, survived] = [
    count('Killed', 'RuntimeError'),
    count('Timeout'),
    count('Survived', 'NoCoverage'),
  ];
  const score = ended.length === 0 ? '-' : `${((100 * (killed + timedOut)) / ended.length).toFixed(1)} %`;
  return row([name, ended.length, killed, timedOut, survived, score, seconds.toFixed(0)]);
}

async function main({ targets, size, seed, atLeast }: Arguments): Promise<number> {
  // Imported late, because it imports the compiler, which help does not need.
  const { sampleOf } = await import('./mutants.js');
  stdout.write(`seed ${seed}\n`);
  const head = row(['folder', 'mutants', 'killed', 'timed out', 'survived', 'score', 'seconds']);
  const rows: string[] = [];
  const all: Ended[] = [];
  let code = 0;
  const startedAtMs = Date.now();
  for (const target of targets) {
    const beganAtMs = Date.now();
    const sample = await sampleOf(target, size, seed);
    stdout.write(`\n${target.name}: ${sample.length} mutants, ${target.tests.length} test files\n`);
    const ended = await run(target, sample);
    if (ended === undefined) {
      code = 1;
      rows.push(row([target.name, 'failed']));
      continue;
    }
    for (const each of ended) {
      if (each.status === 'Survived' || each.status === 'NoCoverage') stdout.write(survivorLine(each));
    }
    rows.push(rowOf(target.name, ended, (Date.now() - beganAtMs) / 1000));
    stdout.write(head + (rows.at(-1) ?? ''));
    all.push(...ended);
  }
  stdout.write(`\nseed ${seed}\n${head}${rows.join('')}`);
  stdout.write(rowOf('all', all, (Date.now() - startedAtMs) / 1000));
  const noticed = all.filter(({ status }) => status !== 'Survived' && status !== 'NoCoverage').length;
  const isTooLow = 100 * noticed < atLeast * all.length;
  if (isTooLow) stdout.write(`The score is below ${atLeast} %.\n`);
  return isTooLow ? 1 : code;
}

interface Arguments {
  readonly targets: readonly Target[];
  readonly size: number;
  readonly seed: string;
  /** The lowest accepted score, percent. */
  readonly atLeast: number;
}

/** The arguments, or `undefined` if they are wrong. Help needs no targets, which read all tests. */
function readArguments(): Arguments | 'help' | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        sample: { type: 'string', default: '40' },
        seed: { type: 'string', default: String(randomInt(1_000_000)) },
        'at-least': { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (values.sample !== 'all' && !/^[1-9]\d*$/.test(values.sample)) return undefined;
    const atLeast = Number(values['at-least']);
    if (!(atLeast >= 0 && atLeast <= 100)) return undefined;
    const size = values.sample === 'all' ? Infinity : Number(values.sample);
    const found = positionals.map((path) => targetsFor([path]));
    if (found.some(({ length }) => length === 0)) return undefined;
    const targets = positionals.length === 0 ? targetsFor([]) : found.flat();
    return { targets, size, seed: values.seed, atLeast };
  } catch {
    return undefined;
  }
}

const given = readArguments();
if (given === undefined) {
  stderr.write(USAGE);
  exit(2);
}
if (given === 'help') {
  stdout.write(USAGE);
  exit(0);
}
installTools('mutation');
// After Ctrl-C, Stryker ends its workers; then this process removes the temporary folder.
process.on('SIGINT', () => undefined);
exit(await main(given));
