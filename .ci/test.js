// npm test                      builds, then runs every test with coverage
// npm test -- <pattern> …       runs the test files whose path has one of the patterns; no build, no coverage
// Words that begin with - go to mocha, e.g. npm test -- receipt --grep expires
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { argv, chdir, execPath, exit, stderr } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

chdir(fileURLToPath(new URL('..', import.meta.url)));

const MOCHA = 'node_modules/mocha/bin/mocha.js';
const C8 = 'node_modules/c8/bin/c8.js';

const words = argv.slice(2);
const firstOption = words.findIndex((word) => word.startsWith('-'));
const patterns = firstOption === -1 ? words : words.slice(0, firstOption);
const options = firstOption === -1 ? [] : words.slice(firstOption);

if (patterns.length === 0) {
  run('.ci/build.js');
  run(C8, execPath, MOCHA, ...options);
} else {
  const files = readdirSync('test', { recursive: true })
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .filter((path) => patterns.some((pattern) => path.includes(pattern)));
  if (files.length === 0) {
    stderr.write(`No test file has ${patterns.join(' or ')} in its path.\n`);
    exit(2);
  }
  run(MOCHA, ...options, ...files);
}

function run(script, ...args) {
  const { status } = spawnSync(execPath, [script, ...args], { stdio: 'inherit' });
  if (status !== 0) exit(status ?? 1);
}
