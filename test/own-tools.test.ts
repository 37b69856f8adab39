import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';

const { scripts } = createRequire(import.meta.url)('../package.json') as {
  readonly scripts: Readonly<Record<string, string>>;
};

describe('npm run for a tool with its own dependencies', function () {
  let bin: string;
  /** The arguments of each call of npm. */
  const npmCalls = (): string =>
    existsSync(join(bin, 'calls')) ? readFileSync(join(bin, 'calls'), 'utf8') : '';
  const run = (name: string, ...args: readonly string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', `${scripts[name] ?? ''} "$@"`, 'sh', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, PATH: [bin, process.env['PATH']].join(delimiter) },
    });
    return { status, output: stdout + stderr };
  };

  before(function () {
    onlyInGate(this, 'it starts each tool of this repository as a process');
    if (process.platform !== 'win32') return;
    process.stdout.write(
      '      skipped: the npm of this test is a shell script, which Windows does not start\n',
    );
    this.skip();
  });
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
    // Replaces npm: it notes its arguments, and fails.
    writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho "$@" >>"$(dirname "$0")/calls"\nexit 7\n');
    chmodSync(join(bin, 'npm'), 0o755);
  });
  afterEach(() => {
    rmSync(bin, { recursive: true, force: true });
  });

  const bad = { bench: ['--nonsense'], contract: [], mutation: ['nonsense'] };
  const good = { bench: ['--quick'], contract: ['no-folder'], mutation: ['delivery'] };
  for (const name of ['bench', 'contract', 'mutation'] as const) {
    it(`prints its help without a call of npm: ${name}`, () => {
      const { status, output } = run(name, '--help');
      expect(output).to.include(`npm run ${name} -- `);
      expect([status, npmCalls()]).to.deep.equal([0, '']);
    });

    it(`reports wrong arguments without a call of npm: ${name}`, () => {
      const { status, output } = run(name, ...bad[name]);
      expect(output).to.match(/Use: npm run|--nonsense/);
      expect(status).to.be.oneOf([1, 2]);
      expect(npmCalls()).to.equal('');
    });

    it(`starts npm first, and exits with npm's status if npm fails: ${name}`, () => {
      const { status } = run(name, ...good[name]);
      expect(status).to.equal(7);
      expect(npmCalls().trim().split('\n')).to.deep.equal([
        name === 'bench' ? 'run build' : `ci --prefix test/${name} --no-audit --no-fund --ignore-scripts`,
      ]);
    });
  }

  it('exits 2 with the list of tools of the gate if the tool is unknown', () => {
    const other = spawnSync(process.execPath, ['--import', 'tsx', 'test/tools/main.ts', 'nonsense'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(other.status).to.equal(2);
    expect(other.stderr).to.include('knip');
  });

  it('exits 2 without a build if there is no redis-server: bench --scale', () => {
    writeFileSync(join(bin, 'redis-server'), '#!/bin/sh\nexit 127\n');
    chmodSync(join(bin, 'redis-server'), 0o755);
    const { status, output } = run('bench', '--scale');
    expect(output).to.include('there is no redis-server on this machine');
    expect([status, npmCalls()]).to.deep.equal([2, '']);
  });
});
