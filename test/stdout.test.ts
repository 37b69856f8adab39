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

/** In a gateway's process: it says where it listens, and then does what it is told, one word at a time. */
const GATEWAY = `
  ${PRELUDE}
  import { createDefaultLogger } from '#lib/events/default-logger.js';
  const { url, stop } = await listen();
  const { logger } = createDefaultLogger();
  const padding = 'x'.repeat(1_000);
  const commands = {
    // 10 MB, of which at most 1 MB may be kept.
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

  async told(): Promise<unknown> {
    const ended = once(this.child, 'exit').then(() => {
      throw new Error('the gateway has ended');
    });
    const [message] = (await Promise.race([once(this.child, 'message'), ended])) as [unknown];
    return message;
  }

  async tell(command: 'flood' | 'log'): Promise<unknown> {
    const told = this.told();
    this.child.send(command);
    return told;
  }

  async close(): Promise<unknown> {
    const exit = once(this.child, 'exit');
    this.child.send('close');
    const [code] = (await exit) as [unknown];
    return code;
  }
}

describe("a gateway's stdout", () => {
  let scene: Scene;
  const gateways: Gateway[] = [];

  async function start(stdout: 'pipe' | number): Promise<Gateway> {
    const gateway = new Gateway(scene, stdout);
    gateways.push(gateway);
    gateway.url = String(await gateway.told());
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

  it('may be a disk that is full', async function () {
    needFullDisk(this);
    const full = openSync(FULL_DISK, 'w');
    const gateway = await start(full);
    closeSync(full);
    await expectCodesSent(gateway);
    expect(await gateway.close()).to.equal(0);
  }).timeout(PROCESS_MS);

  it('may be a pipe that nobody reads for a while, whose dropped lines are counted while the rest is there, and that is closed', async () => {
    const gateway = await start('pipe');
    const { stdout } = gateway.child;
    if (stdout === null) throw new Error('no stdout');
    const buffered = await gateway.tell('flood');
    expect(buffered).to.have.property('done').that.is.a('number').below(1_000_000);
    await expectCodesSent(gateway);

    let output = '';
    stdout.setEncoding('utf8').on('data', (printed: string) => (output += printed));
    await until(() => output.includes('"log.dropped"'));
    await gateway.tell('log');
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
    await gateway.tell('flood');
    await expectCodesSent(gateway);
    expect(await gateway.close()).to.equal(0);
  }).timeout(PROCESS_MS);
});

describe('a process that logs', () => {
  for (const [how, end, code] of [
    ['ends by process.exit()', 'process.exit(3)', 3],
    ['ends by an uncaught exception', "throw new Error('on purpose')", 1],
    ['has nothing more to do', '', 0],
  ] as const) {
    it(`loses no line where it ${how}`, async () => {
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

  it('writes at its end what a full pipe has not taken, once it is read', async () => {
    const script = `
      import { createDefaultLogger } from '#lib/events/default-logger.js';
      const { logger } = createDefaultLogger();
      const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
      const log = async (count) => {
        for (let line = 0; line < count; line++) logger.info('hello', { padding: 'x'.repeat(1_000) });
        await nextTurn();
        await nextTurn();
      };
      // The pipe is full, and stdout's own buffer is not: it takes the last words.
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
    // The first half of a line may stand before the whole one.
    const lines = output.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).to.include({ message: 'last words' });
  }).timeout(PROCESS_MS);
});
