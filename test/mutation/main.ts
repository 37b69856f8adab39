import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { installTools } from '../harness/own-tools.js';

/**
 * Changes one folder of `lib/` in small ways, one at a time, and tells which changes no test notices. Run by hand:
 * it takes minutes to hours. Everything it writes is in a folder of its own outside of the repository, which goes
 * when it ends; what was found is printed. Exits with 0 after a whole run, with 2 on bad use.
 */

/** What has tests of its own by the same name. */
const FOLDERS = ['delivery', 'okta', 'twilio'];

/** Tests of the whole hook that know, in seconds, what a folder's own tests cannot: what it means for the answer. */
const WHOLE_HOOK = ['exchange', 'hook', 'mounting', 'repeats', 'extensions'];

/** What no test above reads; left out because every worker would copy it. */
const UNREAD = ['/.ci', '/dist', '/coverage', '/release', '/test/bench', '/test/contract', '/test/hostile'];

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STRYKER = fileURLToPath(new URL('node_modules/@stryker-mutator/core/bin/stryker.js', import.meta.url));
const MOCHA_RUNNER = new URL('node_modules/@stryker-mutator/mocha-runner/dist/src/index.js', import.meta.url);

/** Stryker's options for a file or folder below `lib/`. */
function optionsFor(target: string, temporary: string): Readonly<Record<string, unknown>> {
  const [folder = ''] = target.split('/');
  return {
    mutate: [target.endsWith('.ts') ? `lib/${target}` : `lib/${target}/**/*.ts`],
    plugins: [MOCHA_RUNNER.href],
    testRunner: 'mocha',
    testRunnerNodeArgs: ['--import', 'tsx'],
    mochaOptions: {
      'no-config': true,
      'no-package': true,
      'no-opts': true,
      require: ['test/harness/witness.ts'],
      spec: [`test/${folder}/*.test.ts`, ...WHOLE_HOOK.map((name) => `test/${name}.test.ts`)],
    },
    coverageAnalysis: 'perTest',
    // tsx compiles one file at a time and checks no types.
    disableTypeChecks: false,
    ignorePatterns: UNREAD,
    tempDirName: temporary,
    cleanTempDir: 'always',
    reporters: ['clear-text', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    allowEmpty: false,
    concurrency: 2,
  };
}

async function main(target: string): Promise<number> {
  const temporary = await mkdtemp(join(tmpdir(), 'mutation-'));
  try {
    const configuration = join(temporary, 'stryker.json');
    await writeFile(configuration, JSON.stringify(optionsFor(target, temporary)));
    const stryker = spawn(execPath, [STRYKER, 'run', configuration], { cwd: ROOT, stdio: 'inherit' });
    const [code] = (await once(stryker, 'exit')) as [number | null];
    return code ?? 1;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

// Interrupted by hand, Stryker ends its workers; then what is temporary goes.
process.on('SIGINT', () => undefined);

const USAGE = `Use: npm run mutation -- ${FOLDERS.join('|')}, or one file of these, e.g. delivery/plan.ts\n`;

const [target = '', ...others] = argv.slice(2);
if (target === '--help') {
  stdout.write(USAGE);
  exit(0);
}
if (!FOLDERS.includes(target.split('/')[0] ?? '') || others.length > 0) {
  stderr.write(USAGE);
  exit(2);
}
installTools('mutation');
exit(await main(target));
