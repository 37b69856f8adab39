import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';
import { filesUnder, ROOT } from '#harness/consumer.js';

/** The floors of the house: a file imports from its own room, and from the floors below it. */
const FLOORS = [
  ['index', 'cli'],
  ['hook'],
  ['options'],
  ['okta', 'channels', 'state', 'console'],
  ['events'],
  ['guard'],
  ['delivery'],
  ['texts', 'numbers', 'http'],
  ['core'],
];

/** The rooms that may import a library. Any room may import one that is not listed. */
const LIBRARIES: Readonly<Record<string, readonly string[]>> = {
  // The gateway's own: the hook is a handler of its application, and needs nothing of it. The emulators are applications.
  express: ['testing'],
  passport: ['okta'],
  joi: ['core', 'options', 'channels', 'state', 'console'],
  twilio: ['channels', 'testing'],
  winston: ['events'],
  jose: ['okta', 'channels', 'testing'],
  'libphonenumber-js': ['numbers'],
  ioredis: ['state'],
  'prom-client': ['events'],
};

interface Import {
  /** Both under `lib/`; an outside library by its package's name. */
  readonly from: string;
  readonly to: string;
  readonly isInside: boolean;
}

const lib = filesUnder(join(ROOT, 'lib')).filter((file) => file.endsWith('.ts'));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const imports: readonly Import[] = lib.flatMap((from) =>
  [...read(`lib/${from}`).matchAll(/(?:\bfrom|\bimport\(?)\s*'([^']+)'/g)].map(([, target = '']) =>
    target.startsWith('.')
      ? { from, to: posix.join(posix.dirname(from), target).replace(/\.js$/, '.ts'), isInside: true }
      : { from, to: /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target, isInside: false },
  ),
);
const inside = imports.filter(({ isInside }) => isInside);
const show = ({ from, to }: Import): string => `${from} -> ${to}`;

/** The first part of a path: a folder, or a file beside `index.ts`. */
function roomOf(file: string): string {
  return file.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}

function floorOf(file: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(file)));
}

function trackedFiles(): string[] {
  const command = ['-c', 'safe.directory=*', 'ls-files'];
  return execFileSync('git', command, { cwd: ROOT, encoding: 'utf8' }).split('\n');
}

describe('the house', () => {
  it('has a floor for every room, but for those that stand apart', () => {
    expect(inside).to.have.length.greaterThan(100);
    const known = [...FLOORS.flat(), 'testing'];
    expect(lib.filter((file) => !known.includes(roomOf(file)))).to.deep.equal([]);
    // What is imported is there.
    expect(inside.filter(({ to }) => !lib.includes(to)).map(show)).to.deep.equal([]);
  });

  it('imports one way, and no room from its neighbour', () => {
    const wrong = inside.filter(({ from, to }) => {
      if (roomOf(from) === 'testing' || roomOf(from) === 'cli') return false;
      return roomOf(from) !== roomOf(to) && floorOf(to) <= floorOf(from);
    });
    expect(wrong.map(show)).to.deep.equal([]);
  });

  it('keeps the emulators apart: they import nothing of the hook but core and what pages are made of, and the hook nothing of them', () => {
    const across = inside.filter(
      ({ from, to }) =>
        roomOf(from) !== 'cli' &&
        roomOf(to) !== 'core' &&
        !to.startsWith('http/page/') &&
        (roomOf(from) === 'testing') !== (roomOf(to) === 'testing'),
    );
    expect(across.map(show)).to.deep.equal([]);
  });

  // The build fails where a page imports what only Node has.
  it('runs in browsers alone what is made for them', () => {
    const isForBrowsers = (file: string): boolean => file.includes('/browser/');
    const imported = inside.filter(({ from, to }) => isForBrowsers(to) && !isForBrowsers(from));
    expect(imported.map(show)).to.deep.equal([]);
  });

  it('has the command line above everything: nothing imports it', () => {
    const down = inside.filter(({ from, to }) => roomOf(to) === 'cli' && roomOf(from) !== 'cli');
    expect(down.map(show)).to.deep.equal([]);
    expect(inside.some(({ from }) => roomOf(from) === 'cli')).to.equal(true);
  });

  it('goes in by the front door from outside only', () => {
    expect(inside.filter(({ to }) => to === 'index.ts').map(show)).to.deep.equal([]);
    const example = filesUnder(join(ROOT, 'example')).filter((file) => file.endsWith('.ts'));
    expect(example.filter((file) => /from '[./]*lib\//.test(read(`example/${file}`)))).to.deep.equal([]);
  });

  it('has each outside library in its place', () => {
    const misplaced = imports.filter(
      ({ from, to, isInside }) => !isInside && LIBRARIES[to]?.includes(roomOf(from)) === false,
    );
    expect(misplaced.map(show)).to.deep.equal([]);
    // Names of package.json's `imports` are for tests: what they name is not published.
    expect(imports.filter(({ to }) => to.startsWith('#')).map(show)).to.deep.equal([]);
    const used = new Set(imports.filter(({ isInside }) => !isInside).map(({ to }) => to));
    expect([...used]).to.include.members(['passport', 'joi', 'twilio', 'winston']);
  });

  it('reads the environment in the example and the command line only', () => {
    const mentions = (folder: string): string[] =>
      filesUnder(join(ROOT, folder)).filter((file) => read(`${folder}/${file}`).includes('process.env'));
    expect(mentions('lib').filter((file) => roomOf(file) !== 'cli')).to.deep.equal([]);
    expect(mentions('example').filter((file) => file.endsWith('.ts'))).to.deep.equal([
      'main.ts',
      'minimal.ts',
    ]);
  });

  it('has three folders, and a lock file that names no registry', () => {
    const folders = trackedFiles()
      .filter((file) => file.includes('/') && !file.startsWith('.'))
      .map((file) => file.split('/')[0]);
    expect([...new Set(folders)].sort()).to.deep.equal(['example', 'lib', 'test']);
    expect(read('package-lock.json')).to.not.match(/"resolved": "https?:/);
  });
});
