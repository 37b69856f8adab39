// Runs the tests; see USAGE.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { argv, chdir, env, execPath, exit, stderr, stdout, versions } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

chdir(fileURLToPath(new URL('..', import.meta.url)));

const MOCHA = 'node_modules/mocha/bin/mocha.js';
const C8 = 'node_modules/c8/bin/c8.js';

/**
 * Lets V8 compile fewer functions for speed, because tests end before they gain by it: about a tenth less CPU time for all of them.
 * Later versions of Node have no such option. More room for short-lived objects saves another twentieth.
 */
const QUICKER = [
  ...(versions.node.startsWith('20.') ? ['--node-option', 'interrupt-budget=2000000'] : []),
  ...['--node-option', 'max-semi-space-size=32', '--node-option', 'min-semi-space-size=16'],
];

/** Mocha gives whole files to its workers, so a long file must not begin last. */
const LONG = ['test/browser/', 'test/testing/phones/'];

const USAGE = `Use: npm test                     build, then run every test
     COVERAGE=1 npm test          the same, and measure the coverage, as .ci/run does
     npm test -- <pattern> …      run the test files whose path has one of the patterns
     npm test -- receipt --grep twice   words from the first - on go to mocha
`;

const words = argv.slice(2);
if (words[0] === '--help' || words[0] === '-h') {
  stdout.write(USAGE);
  exit(0);
}
const firstOption = words.findIndex((word) => word.startsWith('-'));
// The tests of lib/delivery are in test/delivery.
const patterns = (firstOption === -1 ? words : words.slice(0, firstOption)).map((word) =>
  word.toLowerCase().replace(/^lib\//, 'test/'),
);
const options = firstOption === -1 ? [] : words.slice(firstOption);

const files = readdirSync('test', { recursive: true })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'));

if (patterns.length === 0) {
  run('.ci/build.js');
  const isLong = (file) => LONG.some((start) => file.startsWith(start));
  const longFirst = files.toSorted((one, other) => isLong(other) - isLong(one));
  if (env.COVERAGE === '1') run(C8, execPath, MOCHA, ...QUICKER, ...options, ...longFirst);
  else run(MOCHA, ...QUICKER, ...options, ...longFirst);
} else {
  const wanted = files.filter((path) => patterns.some((pattern) => path.toLowerCase().includes(pattern)));
  if (wanted.length === 0) {
    stderr.write(`No test file has ${patterns.join(' or ')} in its path.\n`);
    exit(2);
  }
  run(MOCHA, ...options, ...wanted);
}

function run(script, ...args) {
  const { status } = spawnSync(execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) exit(status ?? 1);
}
