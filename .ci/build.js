// Builds dist/. A build that is newer than its sources is left as it is.
//   node .ci/build.js          the package
//   node .ci/build.js pages    only what browsers load, which is all that `npm start` and most tests need
// `npm run types` checks the types; this does not check them again.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { argv, chdir, execPath, exit, pid } from 'node:process';
import { fileURLToPath, URL } from 'node:url';

chdir(fileURLToPath(new URL('..', import.meta.url)));

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const CONFIGURATION = [
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.pages.json',
  'package-lock.json',
  '.ci/build.js',
];
/** The folders of lib that browsers load. */
const PAGES = readdirSync('lib', { recursive: true })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('/browser'));

const target =
  argv[2] === 'pages'
    ? { projects: ['tsconfig.pages.json'], folders: PAGES, built: 'http/page/browser', sources: PAGES }
    : {
        projects: ['tsconfig.build.json', 'tsconfig.pages.json'],
        folders: ['.'],
        built: 'index.js',
        sources: ['.'],
      };
const BUILT = join('dist', target.built);
/** It takes the place of dist/ when it is whole: no test, and no package, sees half a build. */
const NEXT = `.dist-${pid}`;
if (isStale()) build();

/** Folders count, too: they change when a file is moved or deleted. */
function isStale() {
  if (!existsSync(BUILT)) return true;
  const sources = target.sources.flatMap((folder) => [
    join('lib', folder),
    ...readdirSync(join('lib', folder), { recursive: true }).map((path) => join('lib', folder, path)),
  ]);
  const builtAt = statSync(BUILT).mtimeMs;
  return [...sources, ...CONFIGURATION].some((path) => existsSync(path) && statSync(path).mtimeMs > builtAt);
}

function build() {
  const startedAt = new Date();
  for (const project of target.projects) compile(project);
  copyStyles();
  // A source that changes during the build makes it stale.
  for (const built of new Set([target.built, 'http/page/browser']))
    utimesSync(join(NEXT, built), startedAt, startedAt);
  for (const folder of target.folders) {
    const place = join('dist', folder);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(dirname(place), { recursive: true });
    renameSync(join(NEXT, folder), place);
  }
  rmSync(NEXT, { recursive: true, force: true });
}

function compile(project) {
  const words = ['-p', project, '--noCheck', '--outDir', NEXT];
  const { status } = spawnSync(execPath, [TSC, ...words], { stdio: 'inherit' });
  if (status === 0) return;
  rmSync(NEXT, { recursive: true, force: true });
  exit(status ?? 1);
}

/** Style sheets are published as they are, beside the modules of their page. */
function copyStyles() {
  for (const page of PAGES) {
    mkdirSync(join(NEXT, page), { recursive: true });
    for (const file of readdirSync(join('lib', page))) {
      if (file.endsWith('.css')) cpSync(join('lib', page, file), join(NEXT, page, file));
    }
  }
}
