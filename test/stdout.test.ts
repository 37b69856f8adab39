import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { FULL_DISK, needFullDisk } from '#harness/full-disk.js';
import { BUILT, PRELUDE, PROCESS_MS } from '#harness/own-process.js';
import { startScene, usualCredentials, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';

/** The gateway's process: it sends its URL, then runs one command after the other. */
const GATEWAY = `
  ${PRELUDE}
  import { createDefaultLogger } from '#lib/events/default-logger.js';
  const { url, stop } = await listen();
  const { logger } = createDefaultLogger();
  const padding = 'x'.repeat(1_000);
  const commands = {
    // 10 MB, of which the process keeps at most 1 MB.
    flood: async () => {
      for (let line = 0; line < 10_000; line++) {
        logger.info('flood', { padding });
        if (line % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      return process.stdout.writableLength;
    },
    log: () => {
      for (let line = 0; line < 500; line++) logger.info('last', { padding });
    },
    close: async () => {
      stop();
      await hook.close();
      process.exit();
    },
  };
  process.on('message', async (command) => process.send({ done: await commands[command]() }));
  process.send(url);
`;

class Gateway {
  readonly child: ChildProcess;
  url = '';

  constructor(scene: Scene, stdout: 'pipe' | number) {
    const options = {
      credentials: usualCredentials(scene.okta, scene.twilio),
      sandboxNumber: scene.twilio.sandboxNumber,
      senders: { sms: scene.twilio.smsNumber, voice: scene.twilio.voiceNumber },
    };
    this.child = spawn(process.execPath, [...BUILT, '--input-type=module', '-e', GATEWAY], {
      env: { ...process.env, OPTIONS: JSON.stringify(options), SLOW_TIME: '1', DEFAULT_LOG: '1' },
      stdio: ['ignore', stdout, 'inherit', 'ipc'],
    });
  }

  async nextMessage(): Promise<unknown> {
    const ended = once(this.child, 'exit').then(() => {
      throw new Error('the gateway has ended');
    });
    const [message] = (await Promise.race([once(this.child, 'message'), ended])) as [unknown];
    return message;
  }

  async run(command: 'flood' | 'log'): Promise<unknown> {
    const done = this.nextMessage();
    this.child.send(command);
    return done;
  }

  async close(): Promise<unknown> {
    const exit = once(this.child, 'exit');
    this.child.send('close');
    const [code] = (await exit) as [unknown];
    return code;
  }
}

describe('a gateway with a failing stdout', () => {
  let scene: Scene;
  const gateways: Gateway[] = [];

  async function start(stdout: 'pipe' | number): Promise<Gateway> {
    const gateway = new Gateway(scene, stdout);
    gateways.push(gateway);
    gateway.url = String(await gateway.nextMessage());
    return gateway;
  }

  async function expectCodesSent({ url }: Gateway): Promise<void> {
    for (let call = 0; call < 3; call++) {
      expect((await scene.call({ url })).okta.action).to.equal('sent');
    }
  }

  before(async () => {
    scene = await startScene();
  });

  after(async () => {
    for (const { child } of gateways) child.kill('SIGKILL');
    await scene.close();
  });

  it('sends codes and exits 0 if stdout is a full disk', async function () {
    needFullDisk(this);
    const full = openSync(FULL_DISK, 'w');
    const gateway = await start(full);
    closeSync(full);
    await expectCodesSent(gateway);
    expect(await gateway.close()).to.equal(0);
  }).timeout(PROCESS_MS);

  it('sends codes while no process reads the pipe, counts each dropped line, and goes on after it closes', async () => {
    const gateway = await start('pipe');
    const { stdout } = gateway.child;
    if (stdout === null) throw new Error('no stdout');
    const buffered = await gateway.run('flood');
    expect(buffered).to.have.property('done').that.is.a('number').below(1_000_000);
    await expectCodesSent(gateway);

    let output = '';
    stdout.setEncoding('utf8').on('data', (printed: string) => (output += printed));
    await until(() => output.includes('"log.dropped"'));
    await gateway.run('log');
    await until(() => output.split('"last"').length === 501 && output.endsWith('\n'));
    witness(output);
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const count = (message: string): number => lines.filter((line) => line['message'] === message).length;
    const drops = lines.filter(({ event }) => event === 'log.dropped');
    const dropped = drops.reduce((sum, line) => sum + (line['dropped'] as { info: number }).info, 0);
    expect(count('flood') + count('last') + dropped).to.equal(10_500);
    expect(count('last')).to.equal(500);

    stdout.destroy();
    await expectCodesSent(gateway);
    await gateway.run('flood');
    await expectCodesSent(gateway);
    expect(await gateway.close()).to.equal(0);
  }).timeout(PROCESS_MS);
});

describe('a process that logs', () => {
  for (const [how, end, code] of [
    ['ends by process.exit()', 'process.exit(3)', 3],
    ['ends by an uncaught exception', "throw new Error('on purpose')", 1],
    ['has no more work', '', 0],
  ] as const) {
    it(`loses no line if it ${how}`, async () => {
      const script = `
        import { createDefaultLogger } from '#lib/events/default-logger.js';
        const { logger } = createDefaultLogger();
        for (let line = 0; line < 300; line++) logger.info('hello', { line, padding: 'x'.repeat(1_000) });
        ${end}
      `;
      const child = spawn(process.execPath, [...BUILT, '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const closed = once(child, 'close');
      const output = await text(child.stdout);
      const lines = output.trim().split('\n');
      expect(lines).to.have.length(300);
      expect(JSON.parse(lines.at(-1) ?? '')).to.include({ message: 'hello', line: 299 });
      expect(((await closed) as [unknown])[0]).to.equal(code);
    }).timeout(PROCESS_MS);
  }

  it('writes its last line even if it ends while the pipe is full', async () => {
    const script = `
      import { createDefaultLogger } from '#lib/events/default-logger.js';
      const { logger } = createDefaultLogger();
      const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
      const log = async (count) => {
        for (let line = 0; line < count; line++) logger.info('hello', { padding: 'x'.repeat(1_000) });
        await nextTurn();
        await nextTurn();
      };
      // The pipe is full, but stdout's own buffer has room for the last words.
      while (process.stdout.writableLength === 0) await log(8);
      process.send('');
      logger.error('last words');
      throw new Error('on purpose');
    `;
    const child = spawn(process.execPath, [...BUILT, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    const closed = once(child, 'close');
    await once(child, 'message');
    if (child.stdout === null) throw new Error('no stdout');
    const output = await text(child.stdout);
    await closed;
    // Half of a line may come before the whole line.
    const lines = output.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).to.include({ message: 'last words' });
  }).timeout(PROCESS_MS);
});
