import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { build } from 'esbuild';
import { buildIfStale, makeConsumer, manifest, packedFiles, ROOT, type Consumer } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';

describe('a gateway in one file, made by a bundler,', () => {
  let consumer: Consumer;
  /** Has no node_modules beside it. */
  let folder: string;
  before(() => {
    buildIfStale();
    consumer = makeConsumer('express', packedFiles());
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  });
  after(() => {
    consumer.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the bundle without what it was made of. */
  const run = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, file)], { cwd: folder });
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const expectConsole = (report: Readonly<Record<string, unknown>>): void => {
    expect(report).to.deep.include({
      about: 200,
      version: manifest.version,
      files: [
        [200, 'text/html; charset=utf-8', true],
        [200, 'text/javascript; charset=utf-8', true],
        [200, 'text/css; charset=utf-8', true],
      ],
    });
  };
  const runTool = (name: string, args: readonly string[]): void => {
    const main = join(ROOT, 'test/tools/main.ts');
    const tsx = import.meta.resolve('tsx');
    // In a folder without a tsconfig.json, which ncc would obey.
    execFileSync(process.execPath, ['--import', tsx, main, name, ...args], { cwd: folder, stdio: 'pipe' });
  };

  for (const format of ['esm', 'cjs'] as const) {
    it(`serves the console: esbuild, ${format}`, async () => {
      const file = { esm: 'esbuild.mjs', cjs: 'esbuild.cjs' }[format];
      // The usual addition to an ES module: dependencies that are CommonJS call require.
      const js =
        "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
      await build({
        entryPoints: [join(consumer.folder, 'bundled.mjs')],
        outfile: join(folder, file),
        bundle: true,
        platform: 'node',
        format,
        ...(format === 'esm' ? { banner: { js } } : {}),
        // It warns of import.meta.url in CommonJS.
        logLevel: 'error',
      });
      const report = await run(file);
      expectConsole(report);
      const keep = 'keep okta-telephony-hook external, and install it beside the bundle';
      expect(report['metrics']).to.deep.equal([`metrics: a bundle does not have prom-client; ${keep}`]);
      expect(report['redis']).to.deep.equal([
        `connection: a bundle does not have ioredis; pass a client of ioredis, or ${keep}`,
      ]);
    });
  }

  describe('in the gate', () => {
    before(function () {
      onlyInGate(this, 'it runs two more bundlers');
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(join(ROOT, 'node_modules/twilio'), join(folder, 'node_modules/twilio'), 'junction');
    });

    it('serves the console: webpack', async () => {
      writeFileSync(
        join(folder, 'webpack.config.cjs'),
        `module.exports = ${JSON.stringify({
          mode: 'production',
          target: 'node',
          // Takes a minute, and changes nothing that this test looks at.
          optimization: { minimize: false },
          // Most of the bundle.
          externals: { twilio: 'commonjs twilio' },
          context: consumer.folder,
          entry: './bundled.mjs',
          output: { path: folder, filename: 'webpack.cjs' },
        })}`,
      );
      runTool('webpack', ['--config', join(folder, 'webpack.config.cjs')]);
      expectConsole(await run('webpack.cjs'));
    });

    it('serves the console: ncc', async () => {
      runTool('@vercel/ncc', [
        'build',
        join(consumer.folder, 'bundled.mjs'),
        '--out',
        join(folder, 'ncc'),
        '--external',
        'twilio',
      ]);
      expectConsole(await run('ncc/index.mjs'));
    });
  });
});
