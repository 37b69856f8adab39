import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { build, type BuildOptions } from 'esbuild';
import { buildIfStale, builtFiles, makeConsumer, manifest, ROOT, type Consumer } from '#harness/consumer.js';
import { onlyInGate } from '#harness/only-gate.js';

describe('a gateway in one file, made by a bundler,', () => {
  let consumer: Consumer;
  /** Has only twilio beside it. */
  let folder: string;
  before(() => {
    buildIfStale();
    consumer = makeConsumer('express', builtFiles());
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(ROOT, 'node_modules/twilio'), join(folder, 'node_modules/twilio'), 'junction');
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

  const bundle = async (file: string, options: BuildOptions): Promise<void> => {
    await build({
      entryPoints: [join(consumer.folder, 'bundled.mjs')],
      outfile: join(folder, file),
      bundle: true,
      platform: 'node',
      // It warns of import.meta.url in CommonJS.
      logLevel: 'error',
      ...options,
    });
  };
  /** The usual addition to an ES module: dependencies that are CommonJS call require. */
  const ESM: BuildOptions = {
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  };

  for (const [format, options] of [
    ['esm', ESM],
    ['cjs', { format: 'cjs' }],
  ] as const) {
    it(`serves the console: esbuild, ${format}`, async () => {
      const file = { esm: 'esbuild.mjs', cjs: 'esbuild.cjs' }[format];
      // Most of the bundle.
      await bundle(file, { ...options, external: ['twilio'] });
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
    });

    it('serves the console: esbuild, with twilio in the bundle', async () => {
      await bundle('whole.mjs', ESM);
      expectConsole(await run('whole.mjs'));
    });

    it('serves the console: webpack', async () => {
      writeFileSync(
        join(folder, 'webpack.config.cjs'),
        `module.exports = ${JSON.stringify({
          mode: 'production',
          target: 'node',
          // Takes a minute, and changes nothing that this test looks at.
          optimization: { minimize: false },
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
