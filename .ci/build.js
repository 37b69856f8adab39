// Builds dist/, once: a build that is newer than all that it is made from is left alone.
//   node .ci/build.js          the package
//   node .ci/build.js pages    only what browsers load, which is all that `npm start` needs
// Types are checked by `npm run types`, and not here a second time.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv, execPath, exit } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');

const hasOnlyPages = argv[2] === 'pages';
if (isStale()) build();

/** Folders count, too: a file that was moved or deleted changes its folder. */
function isStale() {
  if (!existsSync(join(DIST, hasOnlyPages ? 'page/browser' : 'index.js'))) return true;
  const lib = readdirSync(join(ROOT, 'lib'), { recursive: true }).map((path) => join('lib', path));
  const sources = [
    'lib',
    ...lib,
    'tsconfig.json',
    'tsconfig.build.json',
    'tsconfig.pages.json',
    '.ci/build.js',
  ];
  const builtAt = statSync(DIST).mtimeMs;
  return sources.some((path) => statSync(join(ROOT, path)).mtimeMs > builtAt);
}

function build() {
  const startedAt = new Date();
  rmSync(DIST, { recursive: true, force: true });
  if (!hasOnlyPages) compile('tsconfig.build.json');
  compile('tsconfig.pages.json');
  copyStyles();
  // What changes while it is built makes it stale again.
  utimesSync(DIST, startedAt, startedAt);
}

function compile(project) {
  const { status } = spawnSync(execPath, [TSC, '-p', project, '--noCheck'], { cwd: ROOT, stdio: 'inherit' });
  if (status === 0) return;
  rmSync(DIST, { recursive: true, force: true });
  exit(status ?? 1);
}

/** Style sheets are published as they are, beside the modules of their page. */
function copyStyles() {
  for (const room of readdirSync(join(ROOT, 'lib'))) {
    const folder = join(ROOT, 'lib', room, 'browser');
    if (!existsSync(folder)) continue;
    const target = join(DIST, room, 'browser');
    mkdirSync(target, { recursive: true });
    for (const file of readdirSync(folder)) {
      if (file.endsWith('.css')) cpSync(join(folder, file), join(target, file));
    }
  }
}
