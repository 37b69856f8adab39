// Builds dist/: the modules and their types by tsc; the script and the style sheet of each page, and the style sheet that
// pages share, by esbuild. Their texts are in modules, so that a bundler of a gateway finds them.
//   node .ci/build.js          the package, unless the last build is newer than its sources
//   node .ci/build.js pages    only the pages, which are enough for `npm start` and most tests
// `npm run types` checks the types; this does not check them again.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { argv, chdir, execPath, exit, pid } from 'node:process';
import { fileURLToPath, URL } from 'node:url';
import { build } from 'esbuild';

chdir(fileURLToPath(new URL('..', import.meta.url)));

const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript7/package.json')), 'bin/tsc');
const CONFIGURATION = [
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
  '.ci/build.js',
];
/** The folders with a page: its sources are in `browser/`, and `page-files.js` has its texts. */
const PAGES = ['console', 'testing/phones'];
const STYLE = 'http/page/browser/base.css';

if (argv[2] === 'pages') await buildPages('dist');
else if (isStale()) await buildPackage();

/** Folders count too, because moving or deleting a file changes them. */
function isStale() {
  if (!existsSync('dist/index.js')) return true;
  const sources = ['.', ...readdirSync('lib', { recursive: true })].map((path) => join('lib', path));
  const builtAt = statSync('dist/index.js').mtimeMs;
  return [...sources, ...CONFIGURATION].some((path) => existsSync(path) && statSync(path).mtimeMs > builtAt);
}

async function buildPackage() {
  const startedAt = new Date();
  // Replaces dist/ when it is complete, so that no test or package sees half a build.
  const next = `.dist-${pid}`;
  const words = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', next];
  const { status } = spawnSync(execPath, [TSC, ...words], { stdio: 'inherit' });
  if (status !== 0) {
    rmSync(next, { recursive: true, force: true });
    exit(status ?? 1);
  }
  removeInnerTypes(next);
  await buildPages(next);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  writeModule(join(next, 'core/version.js'), { VERSION: version });
  // If a source changes during the build, the build is stale.
  utimesSync(join(next, 'index.js'), startedAt, startedAt);
  replaceDist(next);
}

/** Keeps the types that the entries of package.json's `exports` reach. The others would publish internals. */
function removeInnerTypes(folder) {
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const imports = readFileSync(file, 'utf8').matchAll(/\b(?:from |import\()['"](\.[^'"]+)\.js['"]/g);
    for (const [, target] of imports) reach(join(dirname(file), `${target}.d.ts`));
  };
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const { types } of Object.values(exports)) {
    if (types !== undefined) reach(join(folder, relative('dist', types)));
  }
  for (const path of readdirSync(folder, { recursive: true })) {
    const file = join(folder, path);
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

/** Two processes may build at once. The one that ends later keeps the other's build, which is just as new. */
function replaceDist(next) {
  const old = `${next}-old`;
  try {
    if (existsSync('dist')) renameSync('dist', old);
    renameSync(next, 'dist');
  } catch (error) {
    if (!existsSync('dist')) throw error;
  } finally {
    for (const folder of [old, next]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes a tenth of a second. */
async function buildPages(folder) {
  // A script contains Preact, whose licence must go with it.
  const licence = readFileSync(new URL('LICENSE', import.meta.resolve('preact/package.json')), 'utf8').trim();
  const { outputFiles } = await build({
    entryPoints: [
      ...PAGES.flatMap((page) => [`lib/${page}/browser/main.tsx`, `lib/${page}/browser/main.css`]),
      `lib/${STYLE}`,
    ],
    outbase: 'lib',
    outdir: '.',
    bundle: true,
    format: 'esm',
    target: 'es2023',
    minifySyntax: true,
    minifyWhitespace: true,
    write: false,
    banner: { js: `/*! Preact\n${licence}\n*/` },
    logLevel: 'warning',
  });
  const texts = new Map(
    outputFiles.map(({ path, text }) => [relative('.', path).split(sep).join('/'), text]),
  );
  for (const page of PAGES) {
    const [script, style] = ['main.js', 'main.css'].map((name) => texts.get(`${page}/browser/${name}`));
    writeModule(join(folder, page, 'page-files.js'), { script, style });
  }
  writeModule(join(folder, 'http/page/style.js'), { pageStyle: texts.get(STYLE) });
}

/** Does not write a file that has not changed, because other processes may read it. */
function writeModule(path, texts) {
  const lines = Object.entries(texts).map(
    ([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`,
  );
  const module = lines.join('');
  if (existsSync(path) && readFileSync(path, 'utf8') === module) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.${pid}`, module);
  renameSync(`${path}.${pid}`, path);
}
