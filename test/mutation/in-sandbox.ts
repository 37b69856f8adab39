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

/** The folders with a page; see .ci/build.js. */
const PAGES = ['console', 'testing/phones'];

/** Builds what pages and child processes of tests run: with all mutants, and without types, which no test reads. */
function build(): void {
  const modules = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !PAGES.some((page) => path.startsWith(join(page, 'browser/'))),
  );
  buildSync({ entryPoints: modules.map((path) => join('lib', path)), outbase: 'lib', outdir: 'dist' });
  execFileSync(execPath, ['.ci/build.js', 'pages']);
  for (const page of PAGES) nameMutantIn(join('dist', page, 'page-files.js'));
}

/** Browsers have no environment: the script of a page begins with the mutant of the time at which it is served. */
function nameMutantIn(pageFiles: string): void {
  const text = readFileSync(pageFiles, 'utf8').replace('export const script =', 'const text =');
  const begin = `globalThis.__stryker__ ??= \${JSON.stringify({ activeMutant: globalThis.__stryker__?.activeMutant })};`;
  writeFileSync(
    pageFiles,
    `${text}export const script = { [Symbol.toPrimitive]: () => \`${begin}\` + text };\n`,
  );
}
if (!existsSync('dist')) build();

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
