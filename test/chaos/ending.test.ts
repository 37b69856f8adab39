import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { buildSync, transformSync } from 'esbuild';
import { BUILT, PROCESS_MS } from '#harness/own-process.js';

describe('a chaos run', () => {
  /** Compiled once: tsx takes three times the CPU for each process. */
  const { code: ENDING } = transformSync(readFileSync(new URL('ending.ts', import.meta.url), 'utf8'), {
    loader: 'ts',
  });
  const run = async (
    script: string,
    ...args: readonly string[]
  ): Promise<{ code: unknown; output: string }> => {
    const child = spawn(process.execPath, [...BUILT, '--input-type=module', '-', ...args], {
      // This PATH has no redis-server.
      env: { PATH: '/nowhere' },
    });
    child.stdin.end(script);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), PROCESS_MS);
    const [code] = (await once(child, 'close')) as [unknown];
    clearTimeout(timer);
    return { code, output };
  };

  for (const [title, how, script, code, why] of [
    [
      'exits 1 with the error',
      'a promise rejects',
      "await Promise.reject(new Error('no port'))",
      1,
      /^reason: Error: no port/,
    ],
    [
      'exits 1 with the error',
      'a promise rejects without a handler',
      "void Promise.reject(new Error('unseen')); setInterval(() => 0, 9);",
      1,
      /unseen/,
    ],
    [
      'exits 1 with the reason',
      'the process has no more work',
      'await new Promise(() => undefined)',
      1,
      /^reason: it ended with/,
    ],
    [
      'exits 1 with the reason',
      'it does not end',
      'setInterval(() => 0, 9)',
      1,
      /^reason: it did not end within 0 s/,
    ],
    [
      'keeps the exit code and gives the reason',
      'a signal ends it',
      'process.exit(143)',
      143,
      /^reason: it ended with 143/,
    ],
    [
      'exits 0 without a reason',
      'its report is written',
      'ending.isReported = true; process.exit(0)',
      0,
      /^$/,
    ],
  ] as const) {
    it(`${title} if ${how}`, async () => {
      const atMostMs = how === 'it does not end' ? 20 : PROCESS_MS;
      const whole = `
        ${ENDING}
        const ending = new Ending((why) => console.log('reason: ' + why));
        ending.watch(${atMostMs});
        ${script}
      `;
      const ended = await run(whole);
      const reasons = ended.output.split('\n').filter((line) => line.startsWith('reason: '));
      expect(reasons.join('\n')).to.match(why);
      expect(ended.code).to.equal(code);
    });
  }

  it('prints the command to replay it if redis-server does not start', async () => {
    const { outputFiles } = buildSync({
      ...{ entryPoints: [fileURLToPath(new URL('main.ts', import.meta.url))], write: false },
      ...{ bundle: true, format: 'esm', platform: 'node', packages: 'external', external: ['#lib/*'] },
    });
    const { code, output } = await run(outputFiles[0]?.text ?? '', '--seconds', '1', '--seed', '7');
    expect(output).to.match(/The run failed: Error: redis-server ended/);
    expect(output).to.match(/To replay: npm run chaos -- --seed 7 .+\n$/);
    expect(code).to.equal(1);
  });
});
