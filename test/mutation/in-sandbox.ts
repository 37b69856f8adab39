import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, execPath, stdout } from 'node:process';
import { buildSync } from 'esbuild';
import { ROOT } from './root.js';

/** Runs in each process that tests mutants, in Stryker's copy of the checkout. */

// Stryker would do this, but not if they are already a link.
if (!existsSync('node_modules')) symlinkSync(join(ROOT, 'node_modules'), 'node_modules', 'junction');

/** Stryker's global object in each process. */
const stryker = ((
  globalThis as { __stryker__?: { activeMutant?: string; currentTestId?: string } }
).__stryker__ ??= {});

const ACTIVE_MUTANT = '__STRYKER_ACTIVE_MUTANT__';

/** The folders of browser code. */
const pages = readdirSync('lib')
  .map((folder) => join(folder, 'browser'))
  .filter((folder) => existsSync(join('lib', folder, 'tsconfig.json')));

/** Builds what pages and child processes of tests run: with all mutants, and without types, which no test reads. */
function build(): void {
  const modules = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !pages.some((page) => path.startsWith(join(page, '/'))),
  );
  buildSync({ entryPoints: modules.map((path) => join('lib', path)), outbase: 'lib', outdir: 'dist' });
  execFileSync(execPath, ['.ci/build.js', 'pages']);
}
if (!existsSync('dist')) build();

/** Browsers have no environment, so the first line of each module sets the mutant. */
function nameMutantToBrowsers(): void {
  for (const folder of pages) {
    for (const file of readdirSync(join('dist', folder)).filter((name) => name.endsWith('.js'))) {
      const path = join('dist', folder, file);
      const text = readFileSync(path, 'utf8');
      if (!text.includes('__stryker__')) continue;
      const line = `globalThis.__stryker__ ??= ${JSON.stringify({ activeMutant: stryker.activeMutant })};//mutant\n`;
      writeFileSync(path, line + text.replace(/^.*\/\/mutant\n/, ''));
    }
  }
}

const LEFT_OUT = 'left-out.json';

/** The full titles of tests that failed without a mutant. */
function leftOut(): readonly string[] {
  return existsSync(LEFT_OUT) ? (JSON.parse(readFileSync(LEFT_OUT, 'utf8')) as string[]) : [];
}

function leaveOutIfFailing(test: Mocha.Runnable): void {
  const run = test.fn as ((this: Mocha.Context) => unknown) | undefined;
  test.fn = async function (this: Mocha.Context) {
    try {
      await run?.call(this);
    } catch (error) {
      if (this.test?.isPending() === true) throw error;
      writeFileSync(LEFT_OUT, JSON.stringify([...leftOut(), test.fullTitle()]));
      stdout.write(`left out, for it fails without a mutant: ${test.fullTitle()}\n`);
      this.skip();
    } finally {
      test.fn = run as Mocha.AsyncFunc;
    }
  };
}

export const mochaHooks = {
  beforeAll(): void {
    // Child processes of tests get the mutant, too.
    if (stryker.activeMutant === undefined) Reflect.deleteProperty(env, ACTIVE_MUTANT);
    else env[ACTIVE_MUTANT] = stryker.activeMutant;
    nameMutantToBrowsers();
  },
  // Stryker would end at the first test that fails without a mutant, such as a time-out on a busy machine.
  beforeEach(this: Mocha.Context): void {
    const test = this.currentTest;
    if (test === undefined) return;
    if (leftOut().includes(test.fullTitle())) this.skip();
    else if (stryker.activeMutant === undefined) leaveOutIfFailing(test);
  },
  // Stryker assigns the coverage of a suite's `before` to the last test of another suite, but the next test needs it.
  afterEach(this: Mocha.Context): void {
    const next = this.currentTest === undefined ? undefined : testAfter(this.currentTest);
    if (next !== undefined) stryker.currentTestId = next.fullTitle();
  },
};

/** The next test over all files. */
function testAfter(test: Mocha.Runnable): Mocha.Test | undefined {
  let suite = test.parent;
  while (suite?.parent !== undefined) suite = suite.parent;
  let isNext = false;
  let found: Mocha.Test | undefined;
  suite?.eachTest((other) => {
    if (isNext) found ??= other;
    isNext ||= other === test;
  });
  return found;
}
