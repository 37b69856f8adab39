import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { runDemo } from '#lib/cli/demo/demo.js';
import { Variables } from '#lib/cli/environment.js';
import { runProgram } from '#lib/cli/program.js';
import { startDemoOrg, type DemoOrg } from '#lib/testing/demo.js';
import { PROGRAM } from '#harness/own-process.js';
import { ExampleRun } from '#harness/example-run.js';
import { freePort } from '#harness/free-port.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';
import { rejection } from '../../testing/local.js';
import { captureTerminal, withStylesNamed } from '../captured-terminal.js';

/** Runs the demo in this process, with its output until now and its exit code. */
function runHere(args: string, settings: { readonly isTTY?: boolean } = {}) {
  const stream = () => Object.assign(new PassThrough(), { isTTY: settings.isTTY === true });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const printed = { stdout: '', stderr: '' };
  stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += withStylesNamed(text)));
  stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += withStylesNamed(text)));
  const signals = new EventEmitter();
  const exitCode = runProgram({
    args: ['demo', ...args.split(' ')],
    env: {},
    streams: { stdin, stdout, stderr },
    time: { now: Date.now, sleep: () => Promise.resolve() },
    signals,
  });
  /** The match of the pattern on standard output, as soon as there is one. */
  const found = async (pattern: RegExp): Promise<RegExpExecArray> => {
    await until(() => pattern.test(printed.stdout));
    const match = pattern.exec(printed.stdout);
    if (match === null) throw new Error('the match is gone');
    return match;
  };
  return { printed, signals, exitCode, found };
}

/** Runs the demo with custom parts. */
function runWith(
  parts: Parameters<typeof runDemo>[1],
  { port, env = {} }: { readonly port?: number; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const captured = captureTerminal();
  const signals = new EventEmitter();
  const { terminal } = captured;
  const options = port === undefined ? {} : { port: String(port) };
  const ended = runDemo({ options, terminal, signals, variables: new Variables(env, terminal) }, parts);
  return { ...captured, signals, ended };
}

/** The code in the pasted command. */
const CODE = '042917';

describe('okta-telephony-hook demo', function () {
  it('serves phones and console, takes the pasted curl, logs no code, and ends on SIGINT', async () => {
    const { printed, signals, exitCode, found } = runHere('--port 0');
    await found(/Ctrl-C ends the demo/);
    const [, phones = ''] = await found(/Phones +(http:\S+)/);
    const [, consoleUrl = ''] = await found(/Console +(http:\S+)/);
    const [command = ''] = await found(/^curl [\s\S]*? -d '.*'$/m);
    const { stdout } = await promisify(execFile)('sh', ['-c', command]);
    expect(stdout).to.match(/"status":"SUCCESSFUL".*channel=whatsapp/);
    const state = await (await fetch(`${phones}api/state`)).text();
    expect(state).to.include(CODE);

    // The two pages link to each other.
    const textOf = async (page: string): Promise<string> => (await fetch(page)).text();
    expect(await textOf(phones)).to.include('<a href="/console/">Console</a>');
    expect(await textOf(`${consoleUrl}api/about`)).to.include(
      '"links":[{"title":"Phones","href":"/phones/"}]',
    );
    const executions = await (await fetch(`${consoleUrl}api/executions`)).text();
    expect(executions)
      .to.match(/"channel":"whatsapp"/)
      .and.not.include(CODE);

    // An open page does not stop the demo from ending.
    const stream = await fetch(`${phones}api/stream`);
    expect(stream.status).to.equal(200);
    signals.emit('SIGINT');
    expect(await exitCode).to.equal(0);
    await stream.text().catch(() => '');
    expect(printed.stderr).to.not.include(CODE);
    expect(printed.stderr).to.match(
      /^okta-telephony-hook: The code was sent by WhatsApp\. {2}channel=whatsapp {2}status=SUCCESSFUL {2}durationMs=\d+$/m,
    );
  });

  it('runs as its own process, goes on if its output pipes are closed, and ends on a real signal', async () => {
    const port = await freePort();
    const command = `exec ${process.execPath} ${PROGRAM} demo --port ${port} > >(true) 2> >(true)`;
    const demo = new ExampleRun({}, ['bash', '-c', command]);
    try {
      const state = `http://127.0.0.1:${port}/phones/api/state`;
      const isServed = (): Promise<boolean> =>
        fetch(state).then(
          () => true,
          () => false,
        );
      await until(async () => demo.child.exitCode !== null || (await isServed()));
      demo.child.kill('SIGTERM');
      expect(await demo.exitCode()).to.equal(0);
    } finally {
      demo.kill();
    }
  });

  it('redirects / to the phones, and answers 404 for unknown paths', async () => {
    const { signals, exitCode, found } = runHere('--port 0');
    const [, phones = '', origin = ''] = await found(/Phones +((http:\/\/[^/]+)\S+)/);
    const answerOf = async (path: string): Promise<readonly [number, string | null]> => {
      const { status, headers } = await fetch(origin + path, { redirect: 'manual' });
      return [status, headers.get('location')];
    };
    expect(phones).to.equal(`${origin}/phones/`);
    expect(await answerOf('/')).to.deep.equal([302, '/phones/']);
    for (const path of ['/favicon.ico', '/phonesome', '/consoles/', '/?x', '/phones/nothing-of-it']) {
      expect(await answerOf(path), path).to.deep.equal([404, null]);
    }
    expect((await fetch(`${origin}/phones/`)).status).to.equal(200);
    for (const path of ['/phones', '/phones?of=a', '/console', '/console?of=a']) {
      expect((await fetch(origin + path)).status, path).to.be.oneOf([200, 301, 302]);
    }
    signals.emit('SIGINT');
    await exitCode;
  });

  it('answers 403 on the console for a Host header other than this machine', async () => {
    const { signals, exitCode, found } = runHere('--port 0');
    const [, port = ''] = await found(/Console +http:\/\/127\.0\.0\.1:(\d+)/);
    const statusFor = async (host: string): Promise<number | undefined> => {
      const asked = request({ port, host: '127.0.0.1', path: '/console/api/about', headers: { host } }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    };
    expect(await statusFor(`127.0.0.1:${port}`)).to.equal(200);
    expect(await statusFor('localhost')).to.equal(200);
    expect(await statusFor(`rebound.example:${port}`)).to.equal(403);
    signals.emit('SIGINT');
    await exitCode;
  });

  it('prints its URLs and the curl command at a terminal, and its log in colours', async () => {
    const { printed, signals, exitCode, found } = runHere('--port 0', { isTTY: true });
    const [, origin = ''] = await found(/Hook +(http:\/\/[^/]+)/);
    const [curl = ''] = await found(/^curl [\s\S]*? -d '.*'$/m);
    await found(/Ctrl-C ends the demo.\n\n$/);
    expect(printed.stdout.replaceAll(curl, 'CURL').replaceAll(origin, 'ORIGIN')).to
      .equal(`Okta, Twilio and the phones run on this machine. Nothing leaves it.

  Phones   ORIGIN/phones/  (sign in, read the code, type it in, turn on faults)
  Console  ORIGIN/console/  (what the hook did with each code)
  Hook     ORIGIN/okta/telephony

To call the hook as Okta does, paste this into another terminal:

CURL

Ctrl-C ends the demo.

`);
    await fetch(`${origin}/okta/telephony`, { method: 'POST', body: '{}' });
    await until(() => printed.stderr !== '');
    expect(printed.stderr).to.match(
      /^<yellow>okta-telephony-hook: A call to the inline hook .* {2}reason=CALLER_NOT_PROVEN {2}count=1 {2}remedy=Compare .*<\/>\n$/,
    );
    signals.emit('SIGTERM');
    expect(await exitCode).to.equal(0);
  });

  it('puts one JSON object on standard output with --json, and goes on running until SIGTERM', async () => {
    const { printed, signals, exitCode } = runHere('--port 0 --json');
    await until(() => printed.stdout.endsWith('}\n'));
    const output = JSON.parse(printed.stdout) as { urls: Record<string, string>; curl: string };
    expect(output).to.have.all.keys('command', 'urls', 'curl').and.to.include({ command: 'demo' });
    expect(output.urls).to.have.all.keys('phones', 'console', 'hook', 'okta', 'twilio');
    expect(output.curl).to.match(/^curl /);
    expect((await fetch(output.urls['phones'] ?? '')).status).to.equal(200);
    expect(signals.emit('SIGTERM')).to.equal(true);
    expect(await exitCode).to.equal(0);
    expect(JSON.parse(printed.stdout)).to.deep.equal(output);
    // The demo has removed its signal listeners.
    expect(signals.eventNames()).to.deep.equal([]);
  });

  it('plays the bad day with --faults, fills the history, and prints its phases', async () => {
    const { printed, signals, exitCode } = runHere('--port 0 --faults');
    await until(() => printed.stdout.includes('! Everything works.'));
    const [, phones = ''] = /Phones +(http:\S+)/.exec(printed.stdout) ?? [];
    const { badDay } = (await (await fetch(`${phones}api/state`)).json()) as { badDay: { current: string } };
    expect(badDay.current).to.equal('all-well');
    // Everybody signs in, so the console's history fills by itself.
    const [, origin = ''] = /Phones +(http:\/\/[^/]+)/.exec(printed.stdout) ?? [];
    await until(async () =>
      /"total":[1-9]/.test(await (await fetch(`${origin}/console/api/executions`)).text()),
    );
    // Stopping it on the page ends it.
    const headers = { 'content-type': 'application/json', origin: new URL(phones).origin };
    await fetch(`${phones}api/bad-day`, { method: 'POST', headers, body: '{"isOn":false}' });
    await until(() =>
      printed.stdout.includes(
        'The bad day is over. The console shows its codes. The page can play it again.\n',
      ),
    );
    signals.emit('SIGINT');
    expect(await exitCode).to.equal(0);
  });

  it('rejects and releases its port and signal listeners if a part of it cannot start', async () => {
    const port = await freePort();
    const { ended, signals } = runWith(
      { startOrg: () => Promise.reject(new Error('no more of them')) },
      { port },
    );
    expect(await rejection(ended)).to.include({ message: 'no more of them' });
    expect(signals.eventNames()).to.deep.equal([]);
    const next = createServer().listen(port, '127.0.0.1');
    await once(next, 'listening');
    next.close();
  });

  it('answers 503 until it is ready, and stops all its servers at the end', async () => {
    const port = await freePort();
    let org: DemoOrg | undefined;
    const early: (readonly [number, string | null])[] = [];
    const startOrg = async (): Promise<DemoOrg> => {
      const { status, headers } = await fetch(`http://127.0.0.1:${port}/console/`);
      early.push([status, headers.get('retry-after')]);
      return (org = await startDemoOrg());
    };
    const { ended, signals, stdout } = runWith({ startOrg }, { port });
    await until(() => stdout().includes('Ctrl-C'));
    expect(early).to.deep.equal([[503, '1']]);
    expect((await fetch(`http://127.0.0.1:${port}/phones/`)).status).to.equal(200);
    signals.emit('SIGINT');
    expect(await ended).to.equal(0);
    for (const url of [`http://127.0.0.1:${port}/`, org?.okta.orgUrl ?? '', org?.twilio.baseUrl ?? '']) {
      expect(await rejection(fetch(url)), url).to.be.instanceOf(TypeError);
    }
  });

  it('fails with PORT_TAKEN and a remedy if the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { printed, exitCode } = runHere(`--port ${port} --json`);
    expect(await exitCode).to.equal(1);
    other.close();
    expect(JSON.parse(printed.stdout)).to.deep.equal({
      result: 'failed',
      error: {
        code: 'PORT_TAKEN',
        message: `Port ${port} is in use.`,
        remedy: 'Use another port: --port 0 takes any free one.',
      },
    });
    witness(printed.stdout + printed.stderr);
  });

  it('takes the next free port if the default one is in use, and says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: defaultPort } = other.address() as AddressInfo;
    const { ended, signals, stdout, stderr } = runWith({ defaultPort });
    try {
      await until(() => stdout().includes('Ctrl-C'));
      const [, phones = '', port = ''] = /Phones +(http:\/\/127\.0\.0\.1:(\d+)\S+)/.exec(stdout()) ?? [];
      expect(Number(port)).to.be.within(defaultPort + 1, defaultPort + 20);
      expect(stderr()).to.include(`! Port ${defaultPort} is in use. The demo takes port ${port}.`);
      expect((await fetch(phones)).status).to.equal(200);
    } finally {
      signals.emit('SIGINT');
      await ended;
      other.close();
    }
  });

  it('listens on PORT, says nothing of another one, and fails if PORT is in use', async () => {
    const port = await freePort();
    const first = runWith({}, { env: { PORT: String(port) } });
    try {
      await until(() => first.stdout().includes('Ctrl-C'));
      expect(first.stdout()).to.include(`http://127.0.0.1:${port}/phones/`);
      expect(first.stderr()).to.not.include('in use');
      const second = runWith({}, { env: { PORT: String(port) } });
      expect(await rejection(second.ended)).to.include({
        code: 'PORT_TAKEN',
        message: `Port ${port} is in use.`,
      });
    } finally {
      first.signals.emit('SIGINT');
      await first.ended;
    }
    const { ended } = runWith({}, { env: { PORT: 'any' } });
    expect(await rejection(ended)).to.include({ message: 'PORT takes a number from 0 to 65535.' });
  });

  it('refuses each --port that is not a number from 0 to 65535', async () => {
    for (const port of ['70000', '65536', '-1', 'any', '1.5', '100000', '000080', '1a', 'a1']) {
      const { printed, exitCode } = runHere(`--port=${port} --json`);
      expect(await exitCode, port).to.equal(2);
      expect(JSON.parse(printed.stdout)).to.deep.equal({
        result: 'failed',
        error: { code: 'BAD_USE', message: '--port takes a number from 0 to 65535.' },
      });
    }
  });
});
