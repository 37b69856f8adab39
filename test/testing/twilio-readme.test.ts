import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '../harness/consumer.js';

/** The TypeScript under a heading of the README. */
function codeUnder(readme: string, heading: string): string {
  const section = readme.slice(readme.indexOf(`\n${heading}\n`));
  return /```ts\n(.*?)```/s.exec(section)?.[1] ?? '';
}

describe("the README's bad day", () => {
  const file = join(ROOT, 'test', `bad-day-${process.pid}.tmp.ts`);
  afterEach(() => {
    rmSync(file, { force: true });
  });

  it('runs in the test above it, and every phase is answered in time', async function () {
    // Another process, and in some phases vendors that keep the hook waiting.
    this.timeout(60_000);
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [before, after] = codeUnder(readme, '## Test your gateway').split('\nserver.close();');
    const parts = [before, codeUnder(readme, '### Twilio emulator'), `server.close();${after ?? ''}`];
    const onAnyPort = parts
      .join('\n')
      .replace('.listen(3100', '.listen(0')
      .replaceAll(/'http:\/\/localhost:3100([^']*)'/g, '`http://localhost:${server.address().port}$1`');
    expect(onAnyPort).to.not.include('3100');
    writeFileSync(file, onAnyPort);
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: ROOT });
    const lines = (await run).stdout.split('\n').filter((line) => !line.startsWith('{"'));
    const phases = lines.flatMap((line) => /^([a-z-]+) (?:sent|pending|error)$/.exec(line)?.[1] ?? []);
    expect(phases).to.have.length(8);
    expect(phases[0]).to.equal('all-well');
    expect(lines.join('\n')).to.match(/\d+ \[ 'You will get no more messages/);
  });
});
