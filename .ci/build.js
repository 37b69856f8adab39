// Builds dist/. A build that is newer than its sources is left as it is.
//   node .ci/build.js          the package
//   node .ci/build.js pages    only what browsers load, which is all that `npm start` and most tests need
// `npm run types` checks the types; this does not check them again.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv, chdir, execPath, exit } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

chdir(fileURLToPath(new URL('..', import.meta.url)));

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const CONFIGURATION = ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.pages.json', '.ci/build.js'];
/** The rooms of lib that have a page. */
const ROOMS = readdirSync('lib').filter((room) => existsSync(`lib/${room}/browser`));
const PAGES = ROOMS.map((room) => `${room}/browser`);

const targets =
  argv[2] === 'pages'
    ? { built: 'dist/page/browser', removed: PAGES.map((page) => `dist/${page}`), sources: PAGES }
    : { built: 'dist/index.js', removed: ['dist'], sources: ['.'] };
if (isStale()) build();

/** Folders count, too: they change when a file is moved or deleted. */
function isStale() {
  if (!existsSync(targets.built)) return true;
  const sources = targets.sources.flatMap((folder) => [
    join('lib', folder),
    ...readdirSync(join('lib', folder), { recursive: true }).map((path) => join('lib', folder, path)),
  ]);
  const builtAt = statSync(targets.built).mtimeMs;
  return [...sources, ...CONFIGURATION].some((path) => statSync(path).mtimeMs > builtAt);
}

function build() {
  const startedAt = new Date();
  remove();
  if (argv[2] !== 'pages') compile('tsconfig.build.json');
  compile('tsconfig.pages.json');
  copyStyles();
  // A source that changes during the build makes it stale.
  for (const built of [targets.built, 'dist/page/browser']) utimesSync(built, startedAt, startedAt);
}

function remove() {
  for (const path of targets.removed) rmSync(path, { recursive: true, force: true });
}

function compile(project) {
  const { status } = spawnSync(execPath, [TSC, '-p', project, '--noCheck'], { stdio: 'inherit' });
  if (status === 0) return;
  remove();
  exit(status ?? 1);
}

/** Style sheets are published as they are, beside the modules of their page. */
function copyStyles() {
  for (const page of PAGES) {
    mkdirSync(`dist/${page}`, { recursive: true });
    for (const file of readdirSync(`lib/${page}`)) {
      if (file.endsWith('.css')) cpSync(`lib/${page}/${file}`, `dist/${page}/${file}`);
    }
  }
}
