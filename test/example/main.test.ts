import { execFile, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { expect } from 'chai';
import supertest from 'supertest';
import { FULL_DISK, needFullDisk } from '#harness/full-disk.js';
import { freePort, REFUSING_ORIGIN } from '#harness/free-port.js';
import { exampleCommand, ExampleRun } from '#harness/example-run.js';
import { visitOkta } from '#harness/okta-sign-in.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const hasCurl = spawnSync('curl', ['--version']).status === 0;

/** The output of the command in a shell. */
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
  let run: ExampleRun;
  let origin: string;
  let curls: readonly string[];

  before(async () => {
    // Without building the pages again.
    const command = ['npm', 'start', '--ignore-scripts'];
    run = new ExampleRun({ PORT: '0', HOME: tmpdir() }, command);
    await run.printed(/Ctrl-C ends it/);
    [, origin = ''] = await run.printed(/Open +(http:\S+)/);
    curls = run.stdout.match(CURL) ?? [];
  });
  after(() => {
    run.kill();
  });

  it('runs on the emulators, and its printed curl commands deliver codes to the phones', async () => {
    const [toAna = '', toBob = '', callToBob = ''] = curls;
    expect(await paste(toAna)).to.match(/"status":"SUCCESSFUL","provider":"TWILIO".*channel=whatsapp/);
    await run.printed(/Ana's phone \+447700900123 -- WhatsApp\n.*042917/);
    expect(await paste(toBob)).to.match(/"status":"SUCCESSFUL".*channel=sms/);
    await run.printed(/Bob's phone \+12025550142 -- SMS\n.*360485/);
    expect(await paste(callToBob)).to.match(/"status":"SUCCESSFUL".*channel=voice/);
    await run.printed(/Bob's phone \+12025550142 -- call\n.*7, 1, 8, 2, 0, 4/);
    // A second paste is another event: the phone gets another message.
    expect(await paste(toAna)).to.include('"status":"SUCCESSFUL"');
    await run.printed(/(?:WhatsApp[\s\S]*){2}/);
    expect((await fetch(`${origin}/health/ready`)).status).to.equal(200);
    const [, metrics = ''] = /Metrics +(http:\S+)/.exec(run.stdout) ?? [];
    expect(await (await fetch(metrics)).text()).to.include('okta_telephony_hook_codes_total{');
    expect(new URL(metrics).hostname).to.equal('127.0.0.1');
    expect((await fetch(`${origin}/metrics`)).status).to.equal(404);
  });

  it('exits 2 without a stack trace if its port is in use', async () => {
    const second = new ExampleRun({ PORT: new URL(origin).port });
    expect(await second.exitCode()).to.equal(2);
    expect(second.stderr)
      .to.match(/port is in use\. Set PORT or METRICS_PORT/)
      .and.not.match(/^ +at /m);
  });

  it('turns WhatsApp on for Bob after a word from his emulated phone', async () => {
    const bob = supertest.agent(origin);
    const csrfTokenIn = (html: string): string => /csrfToken" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const post = (path: string, form: object): supertest.Test => bob.post(path).type('form').send(form);
    const toOkta = await bob.get('/login?to=/preferences').expect(302);
    const okta = await visitOkta(toOkta.headers['location'] ?? '');
    await okta.post({ username: 'bob@example.com' });
    await okta.post({ by: 'sms' });
    const [, code = ''] = await run.printed(
      /Bob's phone \+12025550142 -- SMS\n(?![^\n]*360485)[^\n]*?(\d{6})/,
    );
    const back = new URL(await okta.post({ code }));
    expect(back.origin).to.equal(origin);
    await bob
      .get(back.pathname + back.search)
      .expect(302)
      .expect('Location', '/preferences');

    const { text } = await bob.get('/preferences').expect(200, /<strong>SMS/);
    const [, textVersion] = /textVersion" value="([^"]+)"/.exec(text) ?? [];
    await post('/preferences', { channel: 'whatsapp', textVersion, csrfToken: csrfTokenIn(text) }).expect(
      303,
    );
    const waiting = await bob.get('/preferences');
    // A link to this machine, not to WhatsApp.
    const [, link = ''] = /<a href="([^"]+)">Open WhatsApp/.exec(waiting.text) ?? [];
    await bob.get(link).expect(200, /<h1>Phones/);
    const word = new URL(link, origin).searchParams.get('text');
    await bob
      .post('/phones/api/write')
      .set('Origin', origin)
      .send({ userId: '00ubob0montgomery001', channel: 'whatsapp', text: word })
      .expect(200, /WhatsApp is on/);
    await run.printed(/Bob's phone \+12025550142 -- WhatsApp\n.*WhatsApp is on/);
    await bob.get('/preferences').expect(200, /<strong>WhatsApp/);
    await run.printed(/"message":"A user chose how codes come","userId":"00ubob0montgomery001"/);
  });

  it('drains when npm ends by a SIGTERM that its shell does not pass on, with a phones page open', async () => {
    const page = await fetch(`${origin}/phones/api/stream`);
    run.child.kill('SIGTERM');
    await run.printed(/SIGTERM: finishing/);
    expect((await fetch(`${origin}/health/ready`)).status).to.equal(503);
    expect((await fetch(`${origin}/health/live`)).status).to.equal(200);
    expect(await paste(curls[0] ?? '')).to.include('"status":"SUCCESSFUL"');
    await page.text();
    // The pipe closes when the last of them has ended.
    await run.exitCode();
    expect(await fetch(origin).catch(() => 'gone')).to.equal('gone');
    // Without npm's own lines.
    expect(run.stderr.replaceAll(/^npm .*\n/gm, '')).to.equal('');
  });
});

describe('the example gateway in its own process', () => {
  let run: ExampleRun | undefined;
  afterEach(() => {
    run?.kill();
  });

  it('exits 2 if variables are missing, names them and prints no value', async () => {
    const given = {
      HOOK_SECRET: 'hook-secret-of-main-test',
      TWILIO_API_KEY_SECRET: 'key-secret-of-main-test',
      TWILIO_SMS_FROM: '+12025550177',
    };
    mustNotShow(...Object.values(given));
    run = new ExampleRun(given);
    expect(await run.exitCode()).to.equal(2);
    witness(run.stdout + run.stderr);
    expect(run.stderr)
      .to.match(/OKTA_ORG_URL is missing/)
      .and.match(/OKTA_API_TOKEN is missing/)
      .and.match(/TWILIO_ACCOUNT_SID is missing/)
      .and.match(/TWILIO_API_KEY_SID is missing/)
      .and.not.match(/HOOK_SECRET is missing/)
      .and.not.match(/^ +at /m);
  });

  it('serves and exits 0 if stdout and stderr are on a full disk', async function () {
    needFullDisk(this);
    const port = await freePort();
    const ready = async (): Promise<number | undefined> =>
      (await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined))?.status;
    const command = ['bash', '-c', `exec "$0" "$@" >${FULL_DISK} 2>&1`, ...exampleCommand()];
    const gateway = (run = new ExampleRun({ PORT: String(port) }, command));
    // A gateway that a failed write ends has exited by then, or exits when it logs the signal.
    await until(async () => gateway.child.exitCode !== null || (await ready()) === 200);
    // After SIGTERM it serves for five more seconds, and goes on logging.
    gateway.child.kill('SIGTERM');
    expect(await gateway.exitCode(), gateway.stderr).to.equal(0);
  });

  it('starts without vendors and Redis, logs what it cannot reach, and exits 0 on SIGINT', async () => {
    mustNotShow('redis-password-of-main-test');
    run = new ExampleRun({
      OKTA_ORG_URL: REFUSING_ORIGIN,
      OKTA_API_TOKEN: 'api-token-of-main-test',
      HOOK_SECRET: 'hook-secret-of-main-test',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'auth-token-of-main-test',
      TWILIO_BASE_URL: REFUSING_ORIGIN,
      TWILIO_SMS_FROM: '+12025550177',
      PORT: '0',
      METRICS_PORT: '0',
      REDIS_URL: 'redis://:redis-password-of-main-test@127.0.0.1:9',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 5).toString('base64'),
    });
    const [, port = ''] = await run.printed(/listens on port (\d+)/);
    // The last line of the readiness checks.
    await run.printed(/hookKeys: ok/);
    expect(run.stdout).to.match(/"event":"configuration.warned".*"senders.voice"/);
    expect((await fetch(`http://127.0.0.1:${port}/preferences`)).status).to.equal(404);
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`);
    expect(ready.status).to.equal(200);
    expect(await ready.json()).to.deep.equal({ isReady: true });
    const [, monitoring = ''] = /Metrics are at (http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(run.stdout) ?? [];
    const state = await fetch(`${monitoring}/status`);
    expect(await state.json()).to.include({ isReady: true, state: 'lost' });
    // Longer than the 60 s of a load balancer.
    expect(ready.headers.get('keep-alive')).to.equal('timeout=75');
    // Without a web app of Okta there is no login.
    expect((await fetch(`http://127.0.0.1:${port}/login`)).status).to.equal(404);
    run.child.kill('SIGINT');
    expect(await run.exitCode()).to.equal(0);
    witness(run.stdout + run.stderr);
    expect(run.stdout)
      .to.match(/"level":"error".*"reason":"ECONNREFUSED"/)
      .and.match(/"part":"state".*"reason":"Redis cannot be used: ECONNREFUSED","remedy":"Check /)
      .and.match(/"part":"okta".*"reason":"127\.0\.0\.1:9: /)
      .and.match(/"part":"twilio".*egress/);
    expect(run.stderr).to.equal('');
  });
});
