import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { mustNotShow, witness } from '../harness/witness.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const hasCurl = spawnSync('curl', ['--version']).status === 0;

const GATEWAY = [process.execPath, '--import', 'tsx', 'example/main.ts'];

/** `npm start` with nothing in its environment but what is given. */
class Run {
  readonly child: ChildProcess;
  readonly #exit: Promise<unknown[]>;
  readonly #waiting: (() => void)[] = [];
  stdout = '';
  stderr = '';

  constructor(env: Readonly<Record<string, string>>, command: readonly string[] = GATEWAY) {
    const [program = '', ...words] = command;
    const child = spawn(program, words, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.#exit = once(child, 'close');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const look of this.#waiting) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** What the pattern finds on stdout, as soon as it is there. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.stdout);
        if (match !== null) resolve(match);
      };
      this.#waiting.push(look);
      look();
    });
    const ended = this.#exit.then(() => {
      throw new Error(`ended before it printed ${String(pattern)}: ${this.stderr}`);
    });
    return Promise.race([found, ended]);
  }

  async exitCode(): Promise<unknown> {
    const [code] = await this.#exit;
    return code;
  }
}

/** All that is needed, of vendors that are not there. */
const WHOLE = {
  OKTA_ORG_URL: 'http://127.0.0.1:9',
  OKTA_API_TOKEN: 'api-token-of-main-test',
  HOOK_SECRET: 'hook-secret-of-main-test',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'auth-token-of-main-test',
  TWILIO_BASE_URL: 'http://127.0.0.1:9',
  TWILIO_SMS_FROM: '+12025550177',
  PORT: '0',
};

/** What whoever pastes the command sees. */
async function paste(command: string): Promise<string> {
  if (hasCurl) return (await promisify(execFile)('sh', ['-c', command])).stdout;
  const [, url = ''] = /(http:\S+)/.exec(command) ?? [];
  const [, authorization = ''] = /'Authorization: ([^']+)'/.exec(command) ?? [];
  const [, json = ''] = /-d '(.*)'$/s.exec(command) ?? [];
  const body = json.replace(`'"$(date +%s%N)"'`, String(Date.now()));
  const headers = { authorization, 'content-type': 'application/json' };
  return (await fetch(url, { method: 'POST', headers, body })).text();
}

const CURL = /^curl [\s\S]*? -d '.*'$/gm;

describe('npm start', () => {
  let run: Run;

  afterEach(() => {
    run.child.kill('SIGKILL');
  });

  it('runs on the emulators: a pasted curl delivers the code to the phone; SIGTERM drains', async () => {
    run = new Run({ PORT: '0' });
    await run.printed(/Ctrl-C ends it/);
    const [toAna = '', toBob = '', callToBob = ''] = run.stdout.match(CURL) ?? [];

    expect(await paste(toAna)).to.match(/"status":"SUCCESSFUL","provider":"TWILIO".*channel=whatsapp/);
    await run.printed(/Ana's phone \+447700900123 -- WhatsApp\n.*042917/);
    expect(await paste(toBob)).to.match(/"status":"SUCCESSFUL".*channel=sms/);
    await run.printed(/Bob's phone \+12025550142 -- SMS\n.*360485/);
    expect(await paste(callToBob)).to.match(/"status":"SUCCESSFUL".*channel=voice/);
    await run.printed(/Bob's phone \+12025550142 -- call\n.*7, 1, 8, 2, 0, 4/);
    // Pasted again it is another event: the phone gets another message.
    expect(await paste(toAna)).to.include('"status":"SUCCESSFUL"');
    await run.printed(/(?:WhatsApp[\s\S]*){2}/);

    const [, origin = ''] = await run.printed(/Open +(http:\S+)/);
    expect((await fetch(`${origin}/health/ready`)).status).to.equal(200);
    run.child.kill('SIGTERM');
    await run.printed(/SIGTERM: finishing/);
    expect((await fetch(`${origin}/health/ready`)).status).to.equal(503);
    expect((await fetch(`${origin}/health/live`)).status).to.equal(200);
    expect(await paste(toAna)).to.include('"status":"SUCCESSFUL"');
    expect(await run.exitCode()).to.equal(0);
    expect(run.stderr).to.equal('');
  });

  it('drains, too, when npm is ended by a SIGTERM that its shell does not hand on', async () => {
    run = new Run({ PORT: '0', HOME: tmpdir() }, ['npm', 'start']);
    await run.printed(/Ctrl-C ends it/);
    const [, origin = ''] = await run.printed(/Open +(http:\S+)/);
    run.child.kill('SIGTERM');
    await run.printed(/SIGTERM: finishing/);
    expect((await fetch(`${origin}/health/live`)).status).to.equal(200);
    // The pipe closes when the last of them has ended.
    await run.exitCode();
    expect(await fetch(origin).catch(() => 'gone')).to.equal('gone');
  });

  it('ends at once for a person at the keyboard', async () => {
    run = new Run({ PORT: '0' });
    await run.printed(/Ctrl-C ends it/);
    run.child.kill('SIGINT');
    expect(await run.exitCode()).to.equal(0);
  });

  it('exits 2 with a part of the environment, names what is missing and echoes no value', async () => {
    const given = {
      HOOK_SECRET: 'hook-secret-of-main-test',
      TWILIO_API_KEY_SECRET: 'key-secret-of-main-test',
      TWILIO_SMS_FROM: '+12025550177',
    };
    mustNotShow(...Object.values(given));
    run = new Run(given);
    expect(await run.exitCode()).to.equal(2);
    witness(run.stdout + run.stderr);
    expect(run.stderr)
      .to.match(/OKTA_ORG_URL is missing/)
      .and.match(/OKTA_API_TOKEN is missing/)
      .and.match(/TWILIO_ACCOUNT_SID is missing/)
      .and.match(/TWILIO_API_KEY_SID is missing/)
      .and.not.match(/HOOK_SECRET is missing/);
  });

  it('exits 2 in production without DEMO=1', async () => {
    run = new Run({ NODE_ENV: 'production', PORT: '0' });
    expect(await run.exitCode()).to.equal(2);
    expect(run.stderr)
      .to.match(/DEMO=1/)
      .and.match(/OKTA_ORG_URL is missing/);
  });

  it('exits 2 with a whole environment that the hook refuses, by its problems', async () => {
    const given = {
      OKTA_ORG_URL: 'http://acme.okta.example',
      OKTA_API_TOKEN: 'api-token-of-main-test',
      HOOK_SECRET: 'hook-secret-of-main-test',
      TWILIO_ACCOUNT_SID: 'AC-not-a-sid-of-main-test',
      TWILIO_AUTH_TOKEN: 'auth-token-of-main-test',
      TWILIO_SMS_FROM: '+12025550177',
    };
    mustNotShow(...Object.values(given));
    run = new Run({ ...given, PORT: '0' });
    expect(await run.exitCode()).to.equal(2);
    witness(run.stdout + run.stderr);
    expect(run.stderr)
      .to.match(/orgUrl/)
      .and.match(/accountSid/)
      .and.not.match(/at .*\.ts/);
  });

  it('exits 2 where the shared state cannot be configured, and echoes no key', async () => {
    mustNotShow('key-of-main-test', 'redis-password-of-main-test');
    run = new Run({
      ...WHOLE,
      REDIS_URL: 'redis://:redis-password-of-main-test@127.0.0.1:9',
      STATE_ENCRYPTION_KEY: 'key-of-main-test',
    });
    expect(await run.exitCode()).to.equal(2);
    witness(run.stdout + run.stderr);
    expect(run.stderr).to.match(/encryptionKeys\[0\] must be 32 bytes/);
  });

  it('starts without the Redis that gateways share, and says so', async () => {
    mustNotShow('redis-password-of-main-test');
    run = new Run({
      ...WHOLE,
      REDIS_URL: 'redis://:redis-password-of-main-test@127.0.0.1:9',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
    });
    const [, port = ''] = await run.printed(/listens on port (\d+)/);
    const health = async (): Promise<Record<string, unknown>> =>
      (await (await fetch(`http://127.0.0.1:${port}/health/ready`)).json()) as Record<string, unknown>;
    while ((await health())['ready'] !== true);
    expect(await health()).to.include({ state: 'lost' });
    run.child.kill('SIGINT');
    expect(await run.exitCode()).to.equal(0);
    witness(run.stdout + run.stderr);
    expect(run.stderr).to.match(/state: Redis cannot be used: ECONNREFUSED\. \w/);
    expect(run.stdout).to.match(/"level":"error".*"reason":"ECONNREFUSED"/);
  });

  it('starts on a whole environment, and tells of a vendor that is not there', async () => {
    run = new Run(WHOLE);
    const [, port = ''] = await run.printed(/listens on port (\d+)/);
    await run.printed(/state: ok/);
    expect(run.stdout).to.match(/TWILIO_VOICE_FROM is not set/);
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).to.equal(200);
    // Nobody can log in where no login was built in.
    expect((await fetch(`http://127.0.0.1:${port}/login`)).status).to.equal(200);
    run.child.kill('SIGINT');
    expect(await run.exitCode()).to.equal(0);
    expect(run.stderr)
      .to.match(/127\.0\.0\.1:9: /)
      .and.match(/Twilio: .*egress/);
  });
});
