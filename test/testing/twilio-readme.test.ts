import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { freePort } from '#harness/free-port.js';

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

  it('runs in the test above it: every call is answered in time, and not every code arrives', async function () {
    // Another process, and in some phases vendors that keep the hook waiting.
    this.timeout(60_000);
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const [before, after] = codeUnder(readme, '## Test your gateway').split('\nserver.close();');
    const parts = [before, codeUnder(readme, '### Twilio emulator'), `server.close();${after ?? ''}`];
    writeFileSync(file, parts.join('\n').replaceAll('3100', String(await freePort())));
    const run = promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: ROOT });
    const lines = (await run).stdout.split('\n').filter((line) => !line.startsWith('{"'));
    const phases = lines.flatMap((line) => {
      const [, name = '', counts] = /^([a-z-]+) (\{.*\})$/.exec(line) ?? [];
      return counts === undefined ? [] : [{ name, counts: JSON.parse(counts) as Record<string, number> }];
    });
    const told = new Map(phases.map(({ name, counts }) => [name, Object.keys(counts).join('; ')]));
    expect([...told.keys()]).to.have.length(6);
    for (const { counts } of phases) expect(Object.values(counts).reduce((a, b) => a + b)).to.equal(20);
    // It is bad, but for its beginning.
    expect(told.get('all-well')).to.match(/^sent, got whatsapp/);
    expect(told.get('all-well')).to.not.match(/pending|error|nothing/);
    expect(told.get('okta-slow')).to.include('sent, got sms');
    expect(told.get('twilio-brown-out')).to.include('pending, got nothing yet');
    // WhatsApp to some, and an SMS to those whom it failed.
    expect(told.get('whatsapp-fails-late'))
      .to.match(/sent, got whatsapp/)
      .and.match(/sent, got sms/);
    expect(told.get('connections-reset')).to.include('pending');
    expect(told.get('okta-rate-limit')).to.equal('sent, got sms');
    expect(lines.join('\n')).to.match(/\d+ \[ 'You will get no more messages/);
  });
});
