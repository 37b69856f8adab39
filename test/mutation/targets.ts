import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { ROOT } from './root.js';

/** Finds the parts of lib to mutate, and their tests, by rules: a new or moved file needs no change here. */

/** A part of `lib/` with its files and the test files for its mutants. Paths are relative to the checkout. */
export interface Target {
  readonly name: string;
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  /** Whether its files run in a browser: the run must build its pages, and Node.js cannot see which test runs which code. */
  readonly isBrowser: boolean;
}

/** Folders of `test/` that do not test `lib/`, or test all of it in another way. */
const OTHER_TESTS = /^test\/(bench|chaos|consumers|contract|docs|example|hostile|mutation)\//;

/** Tests that drive the whole hook. */
const OF_THE_HOOK = /^test\/(hook\/.*|[^/]+)$/;

/** Whether a test is about the whole checkout or its documents: it starts npm, compilers or builds, or reads every file. */
function isOfTheCheckout(file: string, text: string): boolean {
  return file.endsWith('readme.test.ts') || (OF_THE_HOOK.test(file) && text.includes('harness/consumer.js'));
}

/** The files that users import, without the emulators. */
const ENTRIES = [
  'lib/index.ts',
  'lib/channels/index.ts',
  'lib/options/environment.ts',
  'lib/state/redis/index.ts',
];

/** Reads the checkout. Without paths, every folder of `lib/` is a target. */
export function targetsFor(paths: readonly string[]): Target[] {
  const lib = files('lib').filter((file) => /\.tsx?$/.test(file));
  const texts = new Map(lib.map((file) => [file, read(file)]));
  const tests = files('test')
    .filter((file) => file.endsWith('.test.ts') && !OTHER_TESTS.test(file))
    .map((file) => ({ file, text: read(file) }))
    .filter(({ file, text }) => !isOfTheCheckout(file, text));
  const folders = [...new Set(lib.map(folderOf))].filter((folder) => folder !== 'index.ts');
  const reached = new Set(ENTRIES.flatMap((entry) => [...reachedFrom(entry, texts)]));

  /** For code that the hook does not run, such as set-up by Okta's API: the tests of its importers, such as a command. */
  const testsOfUsers = (folder: string): typeof tests => {
    const apart = lib.filter((file) => folderOf(file) === folder && !reached.has(file));
    const users = lib.filter(
      (file) =>
        folderOf(file) !== folder &&
        !folderOf(file).endsWith('/browser') &&
        importsOf(file, texts).some((to) => apart.includes(to)),
    );
    // The tests in `test/cli/doctor/` run `lib/cli/doctor/checks/redis.ts`.
    const rooms = users.map((file) => ['test', ...dirname(file).split('/').slice(1, 3), ''].join('/'));
    return tests.filter(({ file }) => rooms.some((room) => file.startsWith(room)));
  };

  const testsOf = (folder: string): string[] => {
    const own = tests.filter(({ file }) => file.startsWith(`test/${folder}/`));
    if (folder.endsWith('/browser')) {
      // The tests in a real browser come last: they are slow, and most mutants are killed before.
      const room = folder.split('/').at(-2) ?? '';
      const pages = tests.filter(({ file, text }) => file.startsWith('test/browser/') && text.includes(room));
      return names([...own, ...pages]);
    }
    const inNode = tests.filter(({ file }) => !file.startsWith('test/browser/'));
    const ofTheHook = inNode.filter(({ file }) => OF_THE_HOOK.test(file));
    const isReached = [...reached].some((file) => folderOf(file) === folder);
    // Tests that serve a whole hook run its steps, for example the console's.
    const serving = inNode.filter(
      ({ text }) =>
        folder === 'hook' && /harness\/scene\.js|served-console\.js|\boktaTelephonyHook\(/.test(text),
    );
    if (own.length > 0)
      return names([...own, ...serving, ...(isReached ? ofTheHook : []), ...testsOfUsers(folder)]);
    // A folder without its own tests gets the tests that import it, or else the tests of the folders that import it.
    const direct = inNode.filter(({ text }) => text.includes(`lib/${folder}/`));
    if (direct.length > 0) return names([...direct, ...ofTheHook]);
    const users = folders.filter((user) =>
      lib.some(
        (file) => folderOf(file) === user && importsOf(file, texts).some((to) => folderOf(to) === folder),
      ),
    );
    return names(inNode.filter(({ file }) => users.some((user) => file.startsWith(`test/${user}/`))));
  };

  const target = (name: string, sources: readonly string[]): Target => ({
    name,
    sources,
    tests: testsOf(folderOf(sources[0] ?? '')),
    isBrowser: folderOf(sources[0] ?? '').endsWith('/browser'),
  });
  const all = folders.map((folder) =>
    target(
      folder,
      lib.filter((file) => folderOf(file) === folder),
    ),
  );
  if (paths.length === 0) return all;
  return paths.flatMap((given) => {
    const path = given.replace(/^(\.\/)?lib\//, '').replace(/\/$/, '');
    if (lib.includes(`lib/${path}`)) return [target(path, [`lib/${path}`])];
    const named = all.filter(({ name }) => name === path || name.startsWith(`${path}/`));
    if (named.length > 0) return named;
    const within = lib.filter((file) => file.startsWith(`lib/${path}/`));
    return within.length > 0 ? [target(path, within)] : [];
  });
}

/** `lib/cli/doctor/way.ts` belongs to `cli`; browser code has its own folder, e.g. `console/browser`. */
function folderOf(file: string): string {
  const [, folder = ''] = file.split('/');
  const [, page] = /^lib\/(.*\/browser)\//.exec(file) ?? [];
  return page ?? folder;
}

/** Every file of `lib/` that a file imports, also indirectly or late. */
function reachedFrom(start: string, texts: ReadonlyMap<string, string>): Set<string> {
  const reached = new Set([start]);
  for (const file of reached) for (const to of importsOf(file, texts)) reached.add(to);
  return reached;
}

function importsOf(file: string, texts: ReadonlyMap<string, string>): string[] {
  const specifiers = (texts.get(file) ?? '').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)\.js'/g);
  return [...specifiers].map(([, path = '']) => `${join(dirname(file), path).split(sep).join('/')}.ts`);
}

function names(tests: readonly { readonly file: string }[]): string[] {
  return [...new Set(tests.map(({ file }) => file))];
}

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.split(sep).includes('node_modules'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
