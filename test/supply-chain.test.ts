import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { manifest, ROOT } from '#harness/consumer.js';

/** The first version without the named vulnerabilities. We install none below it, and our ranges allow none below it. */
const FLOORS: Readonly<Record<string, string>> = {
  // CVE-2026-67320 and the others of 2026; an attacker published 1.14.1.
  axios: '1.18.0',
  // CVE-2026-13697, CVE-2026-9697.
  undici: '7.29.0',
  // CVE-2026-82417, CVE-2026-82562.
  qs: '6.16.0',
  // CVE-2026-84367, CVE-2026-84368: a validated value can set a prototype.
  joi: '18.2.5',
  // CVE-2026-12590: it ignores a limit that it cannot parse.
  'body-parser': '2.3.0',
};

/** Copies below the floor that only development uses: their path, and their own floor. */
const FOR_DEVELOPMENT: Readonly<Record<string, string>> = {
  // A dependency of Express 4, which the tests use. The 1.x line fixes CVE-2026-12590 from this version on.
  'node_modules/express4/node_modules/body-parser': '1.20.6',
};

/**
 * Dependencies whose ranges allow a copy below the floor, in an application with an old lock file. A library cannot
 * prevent this, so SECURITY.md says how to. Users bring Express: the ranges are those of our copies.
 */
const LET_BELOW = [
  'twilio asks for axios ^1.13.5',
  'twilio asks for qs ^6.14.1',
  // The range also allows 1.20.5. Only the application uses this body parser: the hook reads bodies itself.
  'express4 asks for body-parser ~1.20.5',
];

const PERMISSIVE = ['MIT', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0'];

interface Locked {
  /** The package name, if the folder has another name. */
  readonly name?: string;
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { peerDependencies } = JSON.parse(read('package.json')) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};
const { packages } = JSON.parse(read('package-lock.json')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const copies = Object.entries(packages).filter(([path]) => path !== '');
/** The scripts of the pages contain it, so users get it, though nobody installs it. */
const BUNDLED = 'preact';
const shipped = copies.filter(
  ([path, { dev, devOptional }]) =>
    (dev !== true && devOptional !== true) || path === `node_modules/${BUNDLED}`,
);
const folderOf = (path: string): string => path.split('node_modules/').at(-1) ?? path;
const nameOf = ([path, { name }]: [string, Locked]): string => name ?? folderOf(path);
const idOf = (copy: [string, Locked]): string => `${nameOf(copy)}@${copy[1].version}`;

/** `1.2` as [1, 2, 0]; a text that is no version counts as the lowest. */
function parts(version: string): readonly number[] {
  const [, ...numbers] = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(version.trim()) ?? [];
  return [0, 1, 2].map((at) => Number(numbers[at] ?? 0));
}

function isBelow(version: string, floor: string): boolean {
  const [ours, theirs] = [parts(version), parts(floor)];
  const at = ours.findIndex((part, index) => part !== theirs[index]);
  return at !== -1 && (ours[at] ?? 0) < (theirs[at] ?? 0);
}

/** Whether a range such as `^1.2.3 || ~2.0` allows a version below the floor. */
function allowsBelow(range: string, floor: string): boolean {
  return range.split('||').some((choice) => isBelow(choice.trim().replace(/^(\^|~|>=)/, ''), floor));
}

function rangesBelow(asker: string, ranges: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(ranges)
    .filter(([name, range]) => FLOORS[name] !== undefined && allowsBelow(range, FLOORS[name]))
    .map(([name, range]) => `${asker} asks for ${name} ${range}`);
}

describe('the supply chain', () => {
  it('compares versions and ranges as npm does, and treats an unreadable version as the lowest', () => {
    expect(['1.17.9', '0.33.0', '1.18.0-beta.1', 'latest'].map((v) => isBelow(v, '1.18.0'))).to.not.include(
      false,
    );
    expect(['1.18.0', '1.18.10', '1.100.0', '2.0.0'].map((v) => isBelow(v, '1.18.0'))).to.not.include(true);
    expect(['^1.17.0', '~1.9', '^1', '*', '<2', '^2.0.0 || ^1.0.0'].map((r) => allowsBelow(r, '1.18.0'))) //
      .to.not.include(false);
    expect(['^1.18', '>=1.18.1', '1.21.1', '^2 || ~1.18.0'].map((r) => allowsBelow(r, '1.18.0'))) //
      .to.not.include(true);
  });

  it('installs no copy below its floor, except for listed copies that only development uses', () => {
    const held = copies.filter((copy) => FLOORS[nameOf(copy)] !== undefined);
    expect([...new Set(held.map(nameOf))].sort()).to.deep.equal(Object.keys(FLOORS).sort());
    const below = held.filter((copy) => isBelow(copy[1].version, FLOORS[nameOf(copy)] ?? ''));
    expect(below.map(([path]) => path)).to.deep.equal(Object.keys(FOR_DEVELOPMENT));
    for (const [path, { version, dev }] of below) {
      expect(dev, path).to.equal(true);
      expect(isBelow(version, FOR_DEVELOPMENT[path] ?? ''), `${path} ${version}`).to.equal(false);
    }
  });

  it('allows nothing below a floor in our ranges, and lists each dependency whose range does', () => {
    expect(rangesBelow('we', { ...manifest.dependencies, ...peerDependencies })).to.deep.equal([]);
    const brought = copies.filter(([path]) => /^node_modules\/express4?$/.test(path));
    expect(brought).to.have.length(2);
    const others = [...shipped, ...brought].flatMap(([path, { dependencies }]) =>
      rangesBelow(folderOf(path), dependencies),
    );
    expect(others.sort()).to.deep.equal([...LET_BELOW].sort());
  });

  it('gives users the overrides in SECURITY.md for what Twilio allows below a floor', () => {
    const [, block = ''] = /```json\n(.*?)```/s.exec(read('SECURITY.md')) ?? [];
    const held = LET_BELOW.filter((line) => line.startsWith('twilio ')).map(
      (line) => line.split(' ')[3] ?? '',
    );
    const twilio = Object.fromEntries(held.map((name) => [name, `^${FLOORS[name] ?? ''}`]));
    expect(JSON.parse(block)).to.deep.equal({ overrides: { twilio } });
  });

  it('has a hash for each package, and runs no install script', () => {
    const unknown = copies.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true);
    expect(unknown.map(idOf)).to.deep.equal([]);
    expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(idOf)).to.deep.equal([]);
    const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
    expect(scripts.filter((name) => /^(pre|post)?(install|prepare)$/.test(name))).to.deep.equal([]);
  });

  it('lists what the pages contain, and our direct and peer dependencies, with their licences in the page on security', () => {
    const [, section = ''] = /^## What it depends on$(.*)/ms.exec(read('docs/run/security.md')) ?? [];
    const rows = [...section.matchAll(/^\| `([^`]+)` *\| (\S+) *\| \S/gm)].map(([, name, id]) => [name, id]);
    const chosen = [BUNDLED, ...Object.keys({ ...manifest.dependencies, ...peerDependencies })];
    const licences = chosen.map((name) => [name, packages[`node_modules/${name}`]?.license]);
    expect(rows.sort()).to.deep.equal(licences.sort());
  });
});

describe('the bill of materials', () => {
  interface Component {
    readonly 'bom-ref': string;
    readonly purl: string;
    readonly hashes: readonly { alg: string; content: string }[];
    readonly licenses?: readonly { license?: { id?: string; name?: string }; expression?: string }[];
  }
  let text: string;
  let components: readonly Component[];
  before(() => {
    text = execFileSync(process.execPath, ['.ci/sbom.js'], { cwd: ROOT, encoding: 'utf8' });
    ({ components } = JSON.parse(text) as { components: Component[] });
  });

  it('lists exactly the packages that users get, with their hashes', () => {
    const listed = components.map((component) => component['bom-ref']);
    expect(listed.sort()).to.deep.equal([...new Set(shipped.map(idOf))].sort());
    expect(listed.length).to.be.greaterThan(50);
    const inHex = new Map(
      shipped.map((copy) => [
        idOf(copy),
        Buffer.from(copy[1].integrity?.slice(7) ?? '', 'base64').toString('hex'),
      ]),
    );
    for (const { 'bom-ref': id, hashes } of components)
      expect(hashes, id).to.deep.equal([{ alg: 'SHA-512', content: inHex.get(id) }]);
  });

  it("gives the licence of what the pages' scripts contain with them", async () => {
    const licence = read(`node_modules/${BUNDLED}/LICENSE`).trim();
    for (const page of ['console', 'testing/phones']) {
      const path = `${ROOT}/dist/${page}/page-files.js`;
      const { script } = (await import(pathToFileURL(path).href)) as { readonly script: string };
      expect(script, page).to.include(licence);
    }
  });

  it('names a permissive licence for each package, and the page on security names the same licences', () => {
    const others = components
      .map(({ 'bom-ref': id, licenses = [] }) => ({
        id,
        licences: licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression),
      }))
      .filter(
        ({ licences }) => licences.length === 0 || licences.some((id) => !PERMISSIVE.includes(id ?? '')),
      )
      .map(({ id, licences }) => `${id}: ${licences.join(', ') || 'none'}`);
    expect(others).to.deep.equal([]);
    const used = new Set([...text.matchAll(/"license": \{\s*"id": "([^"]+)"/g)].map(([, id]) => id));
    const [, named = ''] = /licences are ([^;]+);/.exec(read('docs/run/security.md')) ?? [];
    expect(named.split(/,\s/).sort()).to.deep.equal([...used].sort());
  });

  it('names the package and its direct dependencies, but no path or host of the build', () => {
    const bom = JSON.parse(text) as {
      metadata: { component: { name: string; 'bom-ref': string } };
      dependencies: { ref: string; dependsOn: string[] }[];
    };
    expect(bom.metadata.component.name).to.equal(manifest.name);
    const ours = bom.dependencies.find(({ ref }) => ref === bom.metadata.component['bom-ref']);
    const needed = ours?.dependsOn.map((id) => id.replace(/@[^@]+$/, '')).sort();
    expect(needed).to.deep.equal([BUNDLED, ...Object.keys(manifest.dependencies)].sort());
    expect(text).to.not.include(ROOT);
    expect([...text.matchAll(/https?:\/\/[^/"]+/g)].map(([host]) => host)).to.deep.equal([
      'http://cyclonedx.org',
    ]);
  });
});
