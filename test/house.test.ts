import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';
import { filesUnder, ROOT } from '#harness/consumer.js';
import { fakeClock } from '#harness/fake-clock.js';

/** The folders of lib from top to bottom, floor by floor. A file imports from its own folder and from lower floors. */
const FLOORS = [
  ['index', 'cli'],
  ['hook'],
  ['console'],
  ['options'],
  ['okta', 'channels', 'state'],
  ['events'],
  ['guard'],
  ['delivery'],
  ['texts', 'numbers', 'http'],
  ['core'],
];

/** The folders that may import a library. Any folder may import a library that is not listed. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  // The gateway brings Express: the hook is a handler of its application. The emulators are applications themselves.
  express: ['testing'],
  passport: ['okta'],
  joi: ['core', 'options', 'channels', 'state', 'console'],
  twilio: ['channels', 'testing'],
  winston: ['events'],
  jose: ['okta', 'channels', 'testing'],
  'libphonenumber-js': ['numbers'],
  ioredis: ['state'],
  'prom-client': ['events'],
  preact: ['console', 'testing'],
};

interface Import {
  /** Paths under `lib/`, or the package name of a library. */
  readonly from: string;
  readonly to: string;
  readonly isInside: boolean;
}

const lib = filesUnder(join(ROOT, 'lib')).filter((file) => /\.tsx?$/.test(file));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const imports: readonly Import[] = lib.flatMap((from) =>
  [...read(`lib/${from}`).matchAll(/(?:\bfrom|\bimport\(?)\s*'([^']+)'/g)].map(([, target = '']) =>
    target.startsWith('.')
      ? { from, to: sourceOf(posix.join(posix.dirname(from), target)), isInside: true }
      : { from, to: /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target, isInside: false },
  ),
);
/** The source of an imported module. */
function sourceOf(module: string): string {
  const name = module.replace(/\.js$/, '');
  return lib.includes(`${name}.tsx`) ? `${name}.tsx` : `${name}.ts`;
}
const inside = imports.filter(({ isInside }) => isInside);
const show = ({ from, to }: Import): string => `${from} -> ${to}`;

/** The first part of a path: a folder, or a file beside `index.ts`. */
function roomOf(file: string): string {
  return file.split('/')[0]?.replace(/\.tsx?$/, '') ?? '';
}

function floorOf(file: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)));
}

/** The files that import each other in a circle, or stand between two circles. */
function circularFiles(all: readonly Import[]): string[] {
  let left = all;
  for (;;) {
    // A file that imports nothing, or that nothing imports, is in no circle.
    const [importing, imported] = [new Set(left.map(({ from }) => from)), new Set(left.map(({ to }) => to))];
    const next = left.filter(({ from, to }) => imported.has(from) && importing.has(to));
    if (next.length === left.length) return [...new Set(next.map(({ from }) => from))].sort();
    left = next;
  }
}

function trackedFiles(): string[] {
  const command = ['-c', 'safe.directory=*', 'ls-files'];
  return execFileSync('git', command, { cwd: ROOT, encoding: 'utf8' }).split('\n');
}

describe('the structure of the repository', () => {
  it('places every folder of lib on a floor, except for the emulators, and imports only files that exist', () => {
    expect(inside).to.have.length.greaterThan(100);
    const known = [...FLOORS.flat(), 'testing'];
    expect(lib.filter((file) => !known.includes(roomOf(file)))).to.deep.equal([]);
    expect(inside.filter(({ to }) => !lib.includes(to)).map(show)).to.deep.equal([]);
  });

  it('imports one way: no folder of lib imports from a higher floor or from another folder on its floor', () => {
    const wrong = inside.filter(({ from, to }) => {
      if (roomOf(from) === 'testing' || roomOf(from) === 'cli') return false;
      return roomOf(from) !== roomOf(to) && floorOf(to) <= floorOf(from);
    });
    expect(wrong.map(show)).to.deep.equal([]);
  });

  it('separates emulators and hook: emulators import only core and http/page, the hook no emulator', () => {
    const across = inside.filter(
      ({ from, to }) =>
        roomOf(from) !== 'cli' &&
        roomOf(to) !== 'core' &&
        !to.startsWith('http/page/') &&
        (roomOf(from) === 'testing') !== (roomOf(to) === 'testing'),
    );
    expect(across.map(show)).to.deep.equal([]);
  });

  it('imports in no circle', () => {
    expect(circularFiles(inside)).to.deep.equal([]);
    const circle = ['a b', 'b c', 'c b', 'c d'].map((pair) => pair.split(' '));
    const sample = circle.map(([from = '', to = '']) => ({ from, to, isInside: true }));
    expect(circularFiles(sample)).to.deep.equal(['b', 'c']);
  });

  it('sorts the emulators into folders of at most 20 files', () => {
    const folders = lib.filter((file) => roomOf(file) === 'testing').map((file) => posix.dirname(file));
    const full = [...new Set(folders)].filter(
      (folder) => folders.filter((one) => one === folder).length > 20,
    );
    expect(full).to.deep.equal([]);
  });

  // The build fails if a page imports a module that only Node has.
  it('imports browser code only from other browser code', () => {
    const isForBrowsers = (file: string): boolean => file.includes('/browser/');
    const imported = inside.filter(({ from, to }) => isForBrowsers(to) && !isForBrowsers(from));
    expect(imported.map(show)).to.deep.equal([]);
  });

  it('lets no other folder import the command line', () => {
    const down = inside.filter(({ from, to }) => roomOf(to) === 'cli' && roomOf(from) !== 'cli');
    expect(down.map(show)).to.deep.equal([]);
    expect(inside.some(({ from }) => roomOf(from) === 'cli')).to.equal(true);
  });

  it('keeps index.ts for users: no file of lib imports it, and the example imports no file of lib', () => {
    expect(inside.filter(({ to }) => to === 'index.ts').map(show)).to.deep.equal([]);
    const example = filesUnder(join(ROOT, 'example')).filter((file) => file.endsWith('.ts'));
    expect(example.filter((file) => /from '[./]*lib\//.test(read(`example/${file}`)))).to.deep.equal([]);
  });

  it('imports each listed library only in the folders that may import it', () => {
    const misplaced = imports.filter(
      ({ from, to, isInside }) => !isInside && LIBRARIES[to]?.includes(roomOf(from)) === false,
    );
    expect(misplaced.map(show)).to.deep.equal([]);
    // The `imports` of package.json are for tests: the package does not contain their targets.
    expect(imports.filter(({ to }) => to.startsWith('#')).map(show)).to.deep.equal([]);
    const used = new Set(imports.filter(({ isInside }) => !isInside).map(({ to }) => to));
    expect([...used]).to.include.members(['passport', 'joi', 'twilio', 'winston']);
  });

  it('reads process.env only in the command line, and in main.ts and minimal.ts of the example', () => {
    const mentions = (folder: string): string[] =>
      filesUnder(join(ROOT, folder)).filter((file) => read(`${folder}/${file}`).includes('process.env'));
    expect(mentions('lib').filter((file) => roomOf(file) !== 'cli')).to.deep.equal([]);
    expect(mentions('example').filter((file) => file.endsWith('.ts'))).to.deep.equal([
      'main.ts',
      'minimal.ts',
    ]);
  });

  it('makes each fake clock of a test in one place', () => {
    const making = filesUnder(join(ROOT, 'test'))
      .filter((file) => /\.[jt]s$/.test(file) && !file.includes('node_modules'))
      .filter((file) => read(`test/${file}`).includes(`sinon.${'useFakeTimers'}`));
    // Node runs the second one before it can read TypeScript.
    expect(making.sort()).to.deep.equal(['harness/fake-clock.ts', 'harness/slow-time.js']);
  });

  it('lets a fake clock clear the real timers that began before it', async () => {
    let hasFired = false;
    const timer = setTimeout(() => {
      hasFired = true;
    }, 1);
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    clearTimeout(timer);
    clock.restore();
    // A later timer of the same length fires later.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(hasFired).to.equal(false);
  });

  it('has four folders, and a lock file that names no registry', () => {
    const folders = trackedFiles()
      .filter((file) => file.includes('/') && !file.startsWith('.'))
      .map((file) => file.split('/')[0]);
    expect([...new Set(folders)].sort()).to.deep.equal(['docs', 'example', 'lib', 'test']);
    expect(read('package-lock.json')).to.not.match(/"resolved": "https?:/);
  });
});
