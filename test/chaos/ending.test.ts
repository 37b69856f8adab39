import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { transformSync } from 'esbuild';
import { PROCESS_MS } from '#harness/own-process.js';

describe('a chaos run', () => {
  /** Compiled once: tsx takes three times the CPU for each process. */
  const { code: ENDING } = transformSync(readFileSync(new URL('ending.ts', import.meta.url), 'utf8'), {
    loader: 'ts',
  });
  const run = async (...args: readonly string[]): Promise<{ code: unknown; output: string }> => {
    // No redis-server is on this PATH.
    const child = spawn(process.execPath, args, { env: { PATH: '/nowhere' } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), PROCESS_MS);
    const [code] = (await once(child, 'close')) as [unknown];
    clearTimeout(timer);
    return { code, output };
  };

  for (const [how, script, code, why] of [
    ['something fails', "await Promise.reject(new Error('no port'))", 1, /^told: Error: no port/],
    [
      'something fails unseen',
      "void Promise.reject(new Error('unseen')); setInterval(() => 0, 9);",
      1,
      /unseen/,
    ],
    ['nothing is left to wait for', 'await new Promise(() => undefined)', 1, /^told: it ended with/],
    ['it does not end', 'setInterval(() => 0, 9)', 1, /^told: it did not end within 0 s/],
    ['it is ended', 'process.exit(143)', 143, /^told: it ended with 143/],
    ['its report is written', 'ending.isTold = true; process.exit(0)', 0, /^$/],
  ] as const) {
    it(`says why it has no report, and fails, where ${how}`, async () => {
      const atMostMs = how === 'it does not end' ? 20 : PROCESS_MS;
      const whole = `
        ${ENDING}
        const ending = new Ending((why) => console.log('told: ' + why));
        ending.watch(${atMostMs});
        ${script}
      `;
      const ended = await run('--input-type=module', '-e', whole);
      const told = ended.output.split('\n').filter((line) => line.startsWith('told: '));
      expect(told.join('\n')).to.match(why);
      expect(ended.code).to.equal(code);
    });
  }

  it('says what replays it where it could not even begin', async () => {
    const { code, output } = await run(
      ...['--import', 'tsx', 'test/chaos/main.ts'],
      ...['--seconds', '1', '--seed', '7'],
    );
    expect(output).to.match(/The run failed: Error: redis-server ended/);
    expect(output).to.match(/To replay: npm run chaos -- --seed 7 .+\n$/);
    expect(code).to.equal(1);
  });
});
