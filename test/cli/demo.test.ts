import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { runProgram } from '#lib/cli/program.js';
import { ExampleRun } from '#harness/example-run.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';

const PROGRAM = [process.execPath, '--import', 'tsx', 'lib/cli/main.ts', 'demo'];
/** Something that happens at the moment when an emulator begins to listen, after the demo's own port. */
const withEmulator = (does: string): string[] => {
  const source = `import { Server } from 'node:net';
    const listen = Server.prototype.listen;
    const ports = [];
    Server.prototype.listen = function (...words) {
      const goOn = () => listen.apply(this, words);
      if (ports.push(this) === 1) return goOn();
      const fail = () => setImmediate(() => this.emit('error', new Error('no more of them')));
      const fetchEarly = () => fetch('http://127.0.0.1:' + ports[0].address().port + '/console/');
      ${does}
      return this;
    };`;
  const [node = '', ...words] = PROGRAM;
  return [node, '--import', `data:text/javascript,${encodeURIComponent(source)}`, ...words, '--port', '0'];
};

/** The program within this process: what it has printed until now, and how it ends. */
function runHere(...args: readonly string[]) {
  const printed = { stdout: '', stderr: '' };
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const signals = new EventEmitter();
  const exitCode = runProgram({
    args: ['demo', ...args],
    env: {},
    streams: { stdin, stdout, stderr },
    time: { now: Date.now, sleep: () => Promise.resolve() },
    signals,
  });
  return { printed, signals, exitCode };
}

/** Of the pasted command. */
const CODE = '042917';

describe('okta-telephony-hook demo', function () {
  this.timeout(60_000);
  let demo: ExampleRun;

  const start = (...args: string[]): ExampleRun => {
    demo = new ExampleRun({}, [...PROGRAM, ...args]);
    return demo;
  };

  afterEach(() => {
    demo.kill();
  });

  it('serves phones and console, takes the pasted curl, logs no code, and ends on SIGINT', async () => {
    start('--port', '0');
    await demo.printed(/Ctrl-C ends it/);
    const [, phones = ''] = await demo.printed(/Phones +(http:\S+)/);
    const [, consoleUrl = ''] = await demo.printed(/Console +(http:\S+)/);
    const [command = ''] = await demo.printed(/^curl [\s\S]*? -d '.*'$/m);
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    expect(stdout).to.match(/"status":"SUCCESSFUL".*channel=whatsapp/);
    const state = await (await fetch(`${phones}api/state`)).text();
    expect(state).to.include(CODE);

    // The two pages lead to each other.
    const links = async (page: string): Promise<unknown> =>
      ((await (await fetch(`${page}api/about`)).json()) as { links: unknown }).links;
    expect(await links(phones)).to.deep.equal([{ title: 'Console', href: '/console/' }]);
    expect(await links(consoleUrl)).to.deep.equal([{ title: 'Phones', href: '/phones/' }]);
    const executions = await (await fetch(`${consoleUrl}api/executions`)).text();
    expect(executions)
      .to.match(/"channel":"whatsapp"/)
      .and.not.include(CODE);
    expect((await fetch(phones.replace('phones/', ''))).url).to.equal(phones);
    expect((await fetch(phones.replace('/phones/', '/phonesome'))).status).to.equal(404);

    // An open page does not keep it from ending.
    const stream = await fetch(`${phones}api/stream`);
    expect(stream.status).to.equal(200);
    demo.child.kill('SIGINT');
    expect(await demo.exitCode()).to.equal(0);
    await stream.text().catch(() => '');
    expect(demo.stderr)
      .to.match(/a code was sent/)
      .and.not.include(CODE);
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`puts one JSON object on standard output with --json, and goes on running until ${signal}`, async () => {
      const { printed, signals, exitCode } = runHere('--port', '0', '--json');
      await until(() => printed.stdout.endsWith('}\n'));
      const told = JSON.parse(printed.stdout) as { urls: Record<string, string>; curl: string };
      expect(told).to.have.all.keys('command', 'urls', 'curl').and.to.include({ command: 'demo' });
      expect(told.urls).to.have.all.keys('phones', 'console', 'hook', 'okta', 'twilio');
      expect(told.curl).to.match(/^curl /);
      expect((await fetch(told.urls['phones'] ?? '')).status).to.equal(200);
      expect(signals.emit(signal)).to.equal(true);
      expect(await exitCode).to.equal(0);
      expect(JSON.parse(printed.stdout)).to.deep.equal(told);
      // The next signal is no more its own.
      expect(signals.eventNames()).to.deep.equal([]);
    });
  }

  it('plays the bad day, and tells its phases', async () => {
    const { printed, signals, exitCode } = runHere('--port', '0', '--faults');
    await until(() => printed.stdout.includes('! Everything works.'));
    const [, phones = ''] = /Phones +(http:\S+)/.exec(printed.stdout) ?? [];
    const { badDay } = (await (await fetch(`${phones}api/state`)).json()) as { badDay: { current: string } };
    expect(badDay.current).to.equal('all-well');
    // Stopped on the page, it is over.
    const headers = { 'content-type': 'application/json', origin: new URL(phones).origin };
    await fetch(`${phones}api/bad-day`, { method: 'POST', headers, body: '{"isOn":false}' });
    await until(() => printed.stdout.includes('The bad day is over'));
    signals.emit('SIGINT');
    expect(await exitCode).to.equal(0);
  });

  it('ends by itself, and lets go of its port, where something of it cannot start', async () => {
    demo = new ExampleRun({}, withEmulator('fail();'));
    expect(await demo.exitCode()).to.equal(1);
    expect(demo.stderr).to.include('no more of them');
  });

  it('answers 503 until it is ready', async () => {
    demo = new ExampleRun(
      {},
      withEmulator(
        `if (ports.length > 2) return goOn(); void fetchEarly().then(({ status }) => { console.log('early: ' + status); goOn(); });`,
      ),
    );
    await demo.printed(/early: 503/);
    const [, phones = ''] = await demo.printed(/Phones +(http:\S+)/);
    expect((await fetch(phones)).status).to.equal(200);
  });

  it('says that a port is taken, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { printed, exitCode } = runHere('--port', String(port), '--json');
    expect(await exitCode).to.equal(1);
    other.close();
    expect(JSON.parse(printed.stdout)).to.deep.equal({
      result: 'failed',
      error: {
        code: 'PORT_TAKEN',
        message: `Port ${port} is taken.`,
        remedy: 'Give it another one: --port 0 takes any that is free.',
      },
    });
    witness(printed.stdout + printed.stderr);
  });

  it('takes nothing for a port that is none', async () => {
    for (const port of ['70000', '65536', '-1', 'any', '1.5', '100000']) {
      const { printed, exitCode } = runHere(`--port=${port}`);
      expect(await exitCode, port).to.equal(2);
      expect(printed.stderr).to.include('--port takes a number from 0 to 65535');
    }
  });
});
