import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';

// Without the variables by which npm and git name the checkout (here it is another one), and without identity tokens.
const ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|GIT_|\w+_ID_TOKEN)/i.test(name)),
);
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
const TARBALL = `${name}-${version}.tgz`;
const REPOSITORY = 'https://git.example/acme/telephony';
const PAGES_WITH_CONTACT = ['README.md', 'SECURITY.md'];
const EXAMPLE_CONTACT = 'security@your-domain.example';
const BOM = `${name}-${version}.cdx.json`;

describe('a release', () => {
  let checkout: string;

  const write = (file: string, text: string): void => {
    writeFileSync(join(checkout, file), text);
  };
  const git = (...args: readonly string[]): void => {
    const author = ['-c', 'user.name=A Maintainer', '-c', 'user.email=maintainer@example.com'];
    execFileSync('git', [...author, '-c', 'commit.gpgsign=false', ...args], {
      cwd: checkout,
      env: ENVIRONMENT,
    });
  };
  const commit = (): void => {
    git('add', '--all');
    git('commit', '--quiet', '--message', 'As it is');
  };
  const release = (
    beside: NodeJS.ProcessEnv = {},
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync('bash', ['.ci/release'], {
      cwd: checkout,
      env: { ...ENVIRONMENT, REPOSITORY_URL: REPOSITORY, ...beside },
      encoding: 'utf8',
    });
  const lastLine = (stdout: string): string | undefined => stdout.trimEnd().split('\n').at(-1)?.trim();

  const checkOut = (): void => {
    checkout = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
    mkdirSync(join(checkout, '.ci'));
    for (const file of [
      '.ci/release',
      '.ci/sbom.js',
      '.ci/link-package.js',
      '.gitignore',
      'LICENSE',
      'package.json',
      'package-lock.json',
    ])
      cpSync(join(ROOT, file), join(checkout, file));
    // A release has a contact of its own in place of the example.
    for (const file of PAGES_WITH_CONTACT) {
      write(file, readFileSync(join(ROOT, file), 'utf8').replaceAll(EXAMPLE_CONTACT, 'security@acme.test'));
    }
    // Replaces the checks: this test is one of them.
    writeFileSync(join(checkout, '.ci/run'), '#!/usr/bin/env bash\necho checked\n', { mode: 0o755 });
    write('CHANGELOG.md', `# Changelog\n\n## ${version} – 2026-01-31\n`);
    git('init', '--quiet');
    commit();
  };
  const replaceInManifest = (text: string, other: string): void => {
    write('package.json', readFileSync(join(ROOT, 'package.json'), 'utf8').replace(text, other));
    commit();
  };
  const remove = (): void => {
    rmSync(checkout, { recursive: true, force: true });
  };

  before(function () {
    onlyInGate(this, 'it makes releases of this repository');
  });

  // Each release replaces the one before.
  describe('from a clean checkout', () => {
    const fileOf = (file: string): Buffer => readFileSync(join(checkout, 'release', file));
    let first: { readonly tarball: Buffer; readonly bom: Buffer };

    before(checkOut);
    after(remove);

    it('writes the package, its bill of materials and their hashes, and prints the command to publish', () => {
      const { status, stdout, stderr } = release();
      expect(status, stderr).to.equal(0);
      expect(readdirSync(join(checkout, 'release')).sort()).to.deep.equal(
        ['SHA512SUMS', BOM, TARBALL].sort(),
      );
      first = { tarball: fileOf(TARBALL), bom: fileOf(BOM) };
      const sums = Object.entries({ [TARBALL]: first.tarball, [BOM]: first.bom }).map(
        ([file, content]) => `${createHash('sha512').update(content).digest('hex')}  ${file}\n`,
      );
      expect(fileOf('SHA512SUMS').toString()).to.equal(sums.join(''));
      expect(stdout)
        .to.match(/^checked$/m)
        .and.to.include(sums.join(''));
      // npm would refuse the command without `./`, or with provenance that it cannot sign.
      expect(lastLine(stdout)).to.equal(`npm publish ./release/${TARBALL} --provenance=false`);
      expect(stdout).to.include('no provenance');
    });

    it('names the repository in the package, and links to it from the README', () => {
      const unpacked = join(checkout, 'release', 'unpacked');
      mkdirSync(unpacked);
      execFileSync('tar', ['-xzf', join(checkout, 'release', TARBALL), '-C', unpacked]);
      const packed = (file: string): string => readFileSync(join(unpacked, 'package', file), 'utf8');
      const { scripts, ...manifest } = JSON.parse(packed('package.json')) as Record<string, unknown>;
      expect(scripts).to.include({ release: 'bash .ci/release' });
      // npm refuses to publish without provenance, unless the command says so.
      expect(manifest['publishConfig']).to.deep.equal({ access: 'public', provenance: true });
      expect(manifest).to.deep.include({
        homepage: `${REPOSITORY}#readme`,
        bugs: `${REPOSITORY}/issues`,
        repository: { type: 'git', url: `git+${REPOSITORY}.git` },
      });
      const readme = packed('README.md');
      const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
      expect(targets).to.have.length.above(30);
      expect(targets.filter((target) => !/^(?:https:|#)/.test(target))).to.deep.equal([]);
      expect(readme)
        .to.include(`](${REPOSITORY}/blob/v${version}/docs/deliver/limits.md)`)
        .and.include(`](${REPOSITORY}/raw/v${version}/docs/screenshots/phones.png)`);
      // The checkout is unchanged.
      expect(readFileSync(join(checkout, 'README.md'), 'utf8')).to.include('](docs/deliver/limits.md)');
    });

    const expectProvenance = ({ status, stdout, stderr }: ReturnType<typeof release>): void => {
      expect(status, stderr).to.equal(0);
      expect(lastLine(stdout)).to.equal(`npm publish ./release/${TARBALL}`);
      expect(stdout).to.not.include('of-the-job').and.not.include('no provenance');
    };

    /** A release with a faster npm: for these commands, it returns the files of the first release. */
    const releaseAgain = (
      given: Readonly<Record<string, string>>,
      beside: NodeJS.ProcessEnv,
    ): ReturnType<typeof release> => {
      const folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
      try {
        writeFileSync(join(folder, TARBALL), first.tarball);
        writeFileSync(join(folder, BOM), first.bom);
        const cases = Object.entries(given).map(([command, script]) => `${command}) ${script} ;;`);
        const script = [
          '#!/bin/sh',
          ...[`given=${folder}`, 'case $1 in', ...cases, '*) PATH=${PATH#*:} exec npm "$@" ;;', 'esac'],
        ];
        writeFileSync(join(folder, 'npm'), script.join('\n'), { mode: 0o755 });
        return release({ PATH: [folder, process.env['PATH']].join(delimiter), ...beside });
      } finally {
        rmSync(folder, { recursive: true });
      }
    };
    const SBOM = `cat "$given/${BOM}"`;
    const PACK = `cp "$given/${TARBALL}" "$5" && echo ${TARBALL}`;

    it('replaces an older release, builds the same package again, and adds provenance in a GitHub job with a token', () => {
      write('release/left-over.tgz', '');
      expectProvenance(
        releaseAgain(
          { sbom: SBOM },
          { ACTIONS_ID_TOKEN_REQUEST_URL: 'of-the-job', REPOSITORY_URL: `${REPOSITORY}.git` },
        ),
      );
      expect(fileOf(TARBALL).equals(first.tarball)).to.equal(true);
      expect(readdirSync(join(checkout, 'release'))).to.have.length(3);
    });

    it('adds provenance to the command in a GitLab job with an identity token', () => {
      expectProvenance(releaseAgain({ sbom: SBOM, pack: PACK }, { SIGSTORE_ID_TOKEN: 'of-the-job' }));
    });
  });

  describe('from a checkout that is not ready', () => {
    beforeEach(checkOut);
    afterEach(remove);

    for (const [state, spoil, message] of [
      [
        'a change is not committed',
        () => {
          write('CHANGELOG.md', 'Something else');
        },
        'CHANGELOG.md',
      ],
      [
        'git does not know a file',
        () => {
          write('notes.txt', '');
        },
        'notes.txt',
      ],
      [
        'the changelog marks the version as unreleased',
        () => {
          write('CHANGELOG.md', `## ${version} – unreleased\n`);
          commit();
        },
        version,
      ],
      [
        'the changelog has another version',
        () => {
          write('CHANGELOG.md', `## ${version}0 – 2026-01-31\n`);
          commit();
        },
        version,
      ],
      [
        'there is no licence',
        () => {
          rmSync(join(checkout, 'LICENSE'));
          commit();
        },
        'LICENSE must be the text',
      ],
      [
        'package.json names another licence than LICENSE has',
        () => {
          replaceInManifest('"license": "MIT"', '"license": "ISC"');
        },
        '"ISC License"',
      ],
      [
        'package.json names no licence',
        () => {
          replaceInManifest('"license": "MIT",', '');
        },
        'package.json names no licence',
      ],
      ...PAGES_WITH_CONTACT.map(
        (file) =>
          [
            `${file} has the contact of the example`,
            () => {
              cpSync(join(ROOT, file), join(checkout, file));
              commit();
            },
            `${file} has the example ${EXAMPLE_CONTACT}`,
          ] as const,
      ),
    ] as const) {
      it(`fails before it runs the checks if ${state}`, () => {
        spoil();
        const { status, stdout, stderr } = release();
        expect(status).to.equal(1);
        expect(stdout).to.equal('');
        expect(stderr).to.include('Not released: ').and.to.include(message);
      });
    }

    for (const url of ['', 'acme/telephony', 'git@git.example:acme/telephony.git', 'https://git.example']) {
      it(`fails without a valid URL of the repository: ${url === '' ? 'none' : url}`, () => {
        const { status, stdout, stderr } = release({ REPOSITORY_URL: url });
        expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
        expect(stderr).to.match(/^Not released: give the repository's URL, .*\n$/);
      });
    }

    it('lists all problems at once', () => {
      write('CHANGELOG.md', `## ${version} – unreleased\n`);
      write('notes.txt', '');
      const { status, stderr } = release({ REPOSITORY_URL: '' });
      expect(status).to.equal(1);
      expect(stderr.match(/^Not released: .*/gm)).to.deep.equal([
        'Not released: commit or remove these first:',
        `Not released: CHANGELOG.md has no line "## ${version} – <year>-<month>-<day>".`,
        `Not released: give the repository's URL, such as https://github.com/acme/${name}: npm run release -- <url>, or REPOSITORY_URL.`,
      ]);
      expect(stderr).to.include(' M CHANGELOG.md').and.to.include('?? notes.txt');
    });

    for (const [state, check, message] of [
      ['a check fails', 'echo it is broken >&2\nexit 1\n', 'it is broken'],
      ['a check changes a file', 'echo >>CHANGELOG.md\n', 'the checks changed these'],
    ] as const) {
      it(`fails before it writes the release if ${state}`, () => {
        appendFileSync(join(checkout, '.ci/run'), check);
        commit();
        const { status, stderr } = release();
        expect(status).to.equal(1);
        expect(stderr).to.include(message);
        expect(readdirSync(checkout)).to.not.include('release');
      });
    }
  });
});
