import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { makeEnvFile, makeGateway, writeFiles } from '#lib/cli/init/files.js';
import { guardQuestion, URL_QUESTION } from '#lib/cli/init/questions.js';
import { startOktaEmulator, startTwilioEmulator } from '#lib/testing/index.js';
import { buildIfStale, ROOT } from '#harness/consumer.js';
import { ExampleRun } from '#harness/example-run.js';
import { freePort } from '#harness/free-port.js';
import { rsaKeys } from '#harness/rsa-keys.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';
import { startAzure } from '../../channels/azure/emulator.js';
import { run, type Run, type RunOptions } from '../runs.js';

describe('init', () => {
  let okta: Awaited<ReturnType<typeof startOktaEmulator>>;
  let twilio: Awaited<ReturnType<typeof startTwilioEmulator>>;
  let folder: string;
  before(async () => {
    [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator()]);
  });
  after(() => Promise.all([okta.close(), twilio.close()]));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (name: string): string => join(folder, name);
  const init = (words = '', { env, ...options }: RunOptions = {}): Promise<Run> => {
    mustNotShow(twilio.apiKeySecret, twilio.authToken);
    return run(okta, `init --out ${folder} ${words}`.trim(), {
      ...options,
      env: { OKTA_ORG_URL: '', OKTA_API_TOKEN: '', TWILIO_BASE_URL: twilio.baseUrl, ...env },
    });
  };

  /** Runs the gateway that init wrote, until it is ready. */
  const startWritten = async (
    port: number,
    env: Readonly<Record<string, string>> = { METRICS_PORT: '' },
  ): Promise<ExampleRun> => {
    mkdirSync(at('node_modules'));
    for (const name of ['express', 'prom-client'])
      symlinkSync(join(ROOT, 'node_modules', name), at(`node_modules/${name}`), 'junction');
    symlinkSync(ROOT, at('node_modules/okta-telephony-hook'), 'junction');
    const command = [process.execPath, '--env-file=gateway.env', 'gateway.mjs'];
    const gateway = new ExampleRun({ PORT: String(port), ...env }, command, folder);
    await until(async () => {
      if (gateway.child.exitCode !== null) throw new Error(gateway.stderr);
      const probe = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
      return probe?.status === 200;
    });
    return gateway;
  };

  it('asks, checks each answer, and writes a gateway that starts and delivers a code', async function () {
    this.timeout(60_000);
    buildIfStale();
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    mustNotShow('not-the-secret-of-it');
    const credential = [twilio.accountSid, twilio.apiKeySid];
    const senders = [twilio.smsNumber, twilio.voiceNumber];
    const made = await init('', {
      answers: [
        okta.orgUrl,
        okta.apiToken,
        `${origin}/`,
        ...['telex', 'twilio', 'sms,fax', 'sms,voice'],
        ...[...credential, 'not-the-secret-of-it', twilio.authToken, ...senders],
        // Init does not ask again for the auth token and the senders, which are right. Enter keeps the SIDs.
        ...['', '', twilio.apiKeySecret],
        ...['us, uk', ''],
      ],
    });
    expect(made.code, made.stderr).to.equal(0);
    expect(made.stderr).to.include('The provider is one of twilio, vonage, azure, aws, meta, line.');
    expect(made.stderr).to.include('The channels of twilio are sms, voice, whatsapp');
    expect(made.stdout).to.include('Twilio does not accept the API key.');
    expect(made.stderr).to.include(
      'Answer again: TWILIO_ACCOUNT_SID, TWILIO_API_KEY_SID, TWILIO_API_KEY_SECRET.',
    );
    expect(made.stderr)
      .to.include(`; Enter keeps ${twilio.accountSid}, - skips it): `)
      .and.include("TWILIO_API_KEY_SECRET (the API key's secret; Enter keeps the answer, - skips it): ");
    expect(made.stdout.split('\n').filter((line) => /^ {2}\d\. /.test(line))).to.deep.equal([
      `  1. cd ${folder} && npm install --prefix . okta-telephony-hook express prom-client && node --env-file=gateway.env gateway.mjs`,
      "  2. OKTA_API_TOKEN=<an administrator's> npx okta-telephony-hook setup hook --env gateway.env",
      "  3. OKTA_API_TOKEN=<an administrator's> npx okta-telephony-hook setup event-hook --env gateway.env",
      '  4. npx okta-telephony-hook doctor --env gateway.env',
    ]);
    if (process.platform !== 'win32') expect(statSync(at('gateway.env')).mode & 0o777).to.equal(0o600);
    const env = parseEnv(readFileSync(at('gateway.env'), 'utf8'));
    expect(env).to.include({
      OKTA_API_TOKEN: okta.apiToken,
      PUBLIC_URL: `${origin}/okta/telephony`,
      TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
      TWILIO_VOICE_FROM: twilio.voiceNumber,
      GUARD_COUNTRIES: 'US,CA',
    });
    expect(made.stderr).to.include('or * for every country; Enter takes US,CA)').and.include('use GB');
    const secret = env['HOOK_SECRET'] ?? '';
    expect(secret).to.match(/^[\da-f]{64}$/);
    // The value is in the file alone.
    expect(made.stdout + made.stderr).to.not.include(secret);
    const [, line] = /HOOK_SECRET is new: line (\d+) of gateway\.env\. The setup/.exec(made.stderr) ?? [];
    expect(readFileSync(at('gateway.env'), 'utf8').split('\n')[Number(line) - 1]).to.equal(
      `HOOK_SECRET=${secret}`,
    );

    const gateway = await startWritten(port);
    try {
      const setUp = await run(okta, `setup hook --yes --env ${at('gateway.env')}`);
      expect(setUp.code, setUp.stderr).to.equal(0);
      const events = await run(okta, `setup event-hook --yes --env ${at('gateway.env')}`);
      expect(events.code, events.stderr).to.equal(0);
      expect(events.stdout).to.include('Have Okta verify the event hook: done');
      const user = okta.addUser({ login: 'ana.silva@example.com' });
      const call = {
        userId: user.id,
        phoneNumber: '+14155550123',
        otpCode: '204981',
        deliveryChannel: 'SMS',
      };
      expect((await okta.callHook(call)).okta.action).to.equal('sent');
      expect(gateway.stdout).to.include(
        `The gateway listens on port ${port}. The hook is at /okta/telephony.\n`,
      );
      // Ctrl-C.
      gateway.child.kill('SIGINT');
      expect(await gateway.exitCode()).to.equal(0);
    } finally {
      gateway.kill();
    }
  });

  it('writes a gateway that tells the internet only whether it is ready, and that drains on SIGTERM', async function () {
    this.timeout(60_000);
    buildIfStale();
    const secret = 'hook-secret-of-the-written-gateway';
    mustNotShow(secret, okta.apiToken);
    const made = await init('--provider twilio --channels sms --skip-check', {
      env: {
        OKTA_ORG_URL: okta.orgUrl,
        OKTA_API_TOKEN: okta.apiToken,
        HOOK_SECRET: secret,
        TWILIO_ACCOUNT_SID: twilio.accountSid,
        TWILIO_API_KEY_SID: twilio.apiKeySid,
        TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
        TWILIO_SMS_FROM: twilio.smsNumber,
        GUARD_COUNTRIES: 'US',
      },
    });
    expect(made.code, made.stderr).to.equal(0);
    expect(made.stderr).to.not.include('HOOK_SECRET is new');
    expect(parseEnv(readFileSync(at('gateway.env'), 'utf8'))).to.include({ METRICS_PORT: '9464' });
    const [port, metricsPort] = [await freePort(), await freePort()];
    // An empty variable, as compose files set it, is one that is not set.
    const gateway = await startWritten(port, { METRICS_PORT: String(metricsPort), METRICS_HOST: '' });
    const get = (path: string, of = port): Promise<Response> => fetch(`http://127.0.0.1:${of}${path}`);
    const call = (eventId: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/okta/telephony`, {
        method: 'POST',
        headers: { authorization: secret, 'content-type': 'application/json' },
        body: JSON.stringify({
          eventId,
          requestType: 'com.okta.user.telephony.mfa-verification',
          data: {
            userProfile: { userId: '00u1anasilveira00001' },
            messageProfile: { phoneNumber: '+12025550142', deliveryChannel: 'SMS', otpCode: '731946' },
          },
        }),
      });
    try {
      const probe = await get('/health/ready');
      expect(await probe.json()).to.deep.equal({ isReady: true });
      // Longer than the 60 s of a load balancer.
      expect(probe.headers.get('keep-alive')).to.equal('timeout=75');
      expect((await get('/metrics')).status).to.equal(404);
      expect((await get('/status')).status).to.equal(404);
      expect(await (await get('/metrics', metricsPort)).text()).to.include('okta_telephony_hook_codes_total');
      expect(await (await get('/status', metricsPort)).json()).to.include({ isReady: true, state: 'ok' });

      const elsewhere = await fetch(`http://127.0.0.2:${metricsPort}/status`).catch(() => 'not reached');
      expect(elsewhere).to.equal('not reached');

      twilio.fault({ fault: { kind: 'slow', delayMs: 500 }, times: 1 });
      const sent = twilio.requests.length;
      const inFlight = call('in-flight');
      await until(() => twilio.requests.length > sent);
      gateway.child.kill('SIGTERM');
      let refused: Response | undefined;
      await until(async () => {
        refused = await get('/health/ready');
        return refused.status === 503;
      });
      expect(refused?.headers.get('connection')).to.equal('close');
      const answers = [await inFlight, await call('while it drains')];
      for (const answer of answers) expect(await answer.text()).to.include('"status":"SUCCESSFUL"');
      expect(answers[1]?.headers.get('connection')).to.equal('close');
      expect(await gateway.exitCode()).to.equal(0);
      witness(gateway.stdout + gateway.stderr);
    } finally {
      gateway.kill();
      twilio.clearFaults();
    }
  });

  it('asks no question without a terminal, and writes missing variables as comments', async () => {
    const made = await init(
      '--org acme.okta.com --url id.acme.com/codes --provider twilio --json --skip-check',
    );
    expect(made.code, made.stderr).to.equal(0);
    expect(made.json()).to.deep.include({ command: 'init', files: ['gateway.env', 'gateway.mjs'] });
    expect(JSON.stringify(made.json()['problems'])).to.include('OKTA_API_TOKEN is missing');
    const text = readFileSync(at('gateway.env'), 'utf8');
    expect(parseEnv(text)).to.include({
      OKTA_ORG_URL: 'https://acme.okta.com',
      PUBLIC_URL: 'https://id.acme.com/codes',
    });
    for (const name of ['OKTA_API_TOKEN', 'TWILIO_ACCOUNT_SID', 'TWILIO_SMS_FROM', 'GUARD_COUNTRIES'])
      expect(text).to.match(new RegExp(`^# ${name}=$`, 'm'));
    expect(text).to.not.include('TWILIO_VOICE_FROM');
    expect(readFileSync(at('gateway.mjs'), 'utf8')).to.include('path: "/codes"');
  });

  it('names the setup commands as next steps: the attribute for WhatsApp, the event hook unless OAuth is the only credential', async () => {
    const words = '--org https://acme.okta.com --provider twilio --skip-check --force';
    const setups = async (channels: string, env: RunOptions['env'] = {}): Promise<readonly string[]> =>
      (await init(`${words} --channels ${channels}`, { env })).stdout.match(/setup \S+(?= --env)/g) ?? [];
    const hooks = ['setup hook', 'setup event-hook'];
    expect(await setups('sms,voice')).to.deep.equal(hooks);
    expect(await setups('sms,whatsapp')).to.deep.equal(['setup attribute', ...hooks]);
    const env = { TWILIO_SANDBOX_NUMBER: twilio.sandboxNumber };
    expect(await setups('sms', env)).to.deep.equal(['setup attribute', ...hooks]);
    const oauth = { HOOK_SECRET: '', HOOK_OAUTH_ISSUER: 'https://acme.okta.com/oauth2/default' };
    expect(await setups('sms', oauth)).to.deep.equal(['setup hook']);
    expect(await setups('sms', { ...oauth, HOOK_SECRET: 'hook-secret-5f1c9ab2' })).to.deep.equal(hooks);
  });

  it('completes a domain name to a URL, but no other host, and no other scheme', () => {
    const { form } = URL_QUESTION;
    for (const url of ['id.acme.com', 'id.acme.com:8443/x', 'xn--bcher-kva.example', 'http://localhost:8080'])
      expect(form?.test(url), url).to.equal(true);
    for (const url of [
      'localhost',
      'localhost/x',
      '127.0.0.1:8080',
      '[::1]:8080',
      'mailto:ana@acme.com',
      '.com',
    ])
      expect(form?.test(url), url).to.equal(false);
  });

  it("proposes the country of a sender's number as the users' country", () => {
    const preset = (env: Readonly<Record<string, string>>): string | undefined =>
      guardQuestion({ valueOf: (name) => env[name] }).preset;
    expect(preset({ TWILIO_SMS_FROM: '+447700900123' })).to.equal('GB');
    expect(preset({ TWILIO_SMS_FROM: 'ACME', TWILIO_VOICE_FROM: '+493012345678' })).to.equal('DE');
    expect(preset({ VONAGE_SMS_FROM: '447700900123' })).to.equal('GB');
    // Twilio's sandbox number says nothing about the users.
    expect(preset({ TWILIO_SMS_FROM: '12345', TWILIO_SANDBOX_NUMBER: '+14155238886' })).to.equal(undefined);
    const complete = guardQuestion({ valueOf: () => undefined }).complete;
    expect(complete?.(' de, at')).to.equal('DE,AT');
  });

  it('asks again right after a wrong answer, and says what it must be', async () => {
    const made = await init('--provider twilo --channels sms --skip-check', {
      env: { OKTA_API_TOKEN: okta.apiToken, TWILIO_API_KEY_SID: 'of-the-environment' },
      answers: [
        ...['443', 'acme.okta.com', '8080', 'http://8080/codes', 'localhost:8080', 'ftp://id.acme.com'],
        ...['id.acme.com', 'twilio'],
        ...['AC123', twilio.accountSid, twilio.apiKeySid, twilio.apiKeySecret, twilio.authToken],
        ...['+1 415 555 0100', twilio.smsNumber, 'US'],
      ],
    });
    expect(made.code, made.stderr).to.equal(0);
    expect(made.stderr).to.not.include('Answer again');
    const problems = made.stderr.split('\n').filter((line) => line.includes('✘'));
    const [org, url, urlAgain, ofLocalhost, ofFtp, provider, accountSid, keySid, smsFrom, ...others] =
      problems;
    expect(org).to.include("OKTA_ORG_URL must be the org's origin");
    expect(url).to.include('PUBLIC_URL must be the public URL of the hook with its host name, such as https');
    expect(url).to.include('. Without https:// it must begin with a domain name, such as acme.com');
    expect([urlAgain, ofLocalhost, ofFtp]).to.deep.equal([url, url, url]);
    expect(provider).to.include(
      'The provider is one of twilio, vonage, azure, aws, meta, line. Did you mean twilio?',
    );
    expect(accountSid).to.include(
      "TWILIO_ACCOUNT_SID must be the account's SID: 'AC' and 32 hexadecimal digits",
    );
    // Init reports a wrong variable of the environment in its turn.
    expect(keySid).to.include("TWILIO_API_KEY_SID must be the API key's SID");
    expect(smsFrom).to.include('TWILIO_SMS_FROM must be');
    expect(others).to.deep.equal([]);
    expect(parseEnv(readFileSync(at('gateway.env'), 'utf8'))).to.include({
      OKTA_ORG_URL: 'https://acme.okta.com',
      PUBLIC_URL: 'https://id.acme.com/okta/telephony',
      TWILIO_ACCOUNT_SID: twilio.accountSid,
      TWILIO_API_KEY_SID: twilio.apiKeySid,
      TWILIO_SMS_FROM: twilio.smsNumber,
      GUARD_COUNTRIES: 'US',
    });
  });

  it('keeps an answer after Enter although its check fails, and skips its question after -', async () => {
    const token = 'of-another-org-0123456789';
    mustNotShow(token);
    for (const [answer, env] of [
      ['', { OKTA_ORG_URL: okta.orgUrl, OKTA_API_TOKEN: token }],
      ['-', { OKTA_ORG_URL: okta.orgUrl }],
    ] as const) {
      const made = await init('--force', { answers: [okta.orgUrl, token, answer, '', ''] });
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr.match(/Answer again: OKTA_API_TOKEN\./g)).to.have.length(1);
      const written = parseEnv(readFileSync(at('gateway.env'), 'utf8'));
      expect(written).to.include(env);
      expect('OKTA_API_TOKEN' in written).to.equal('OKTA_API_TOKEN' in env);
    }
  });

  it('fails if a wrong value is not one of the answers', async () => {
    const env = { TWILIO_ACCOUNT_SID: twilio.accountSid, TWILIO_BASE_URL: 'http://twilio.example' };
    const made = await init('--org https://acme.okta.com --channels sms --skip-check', {
      env,
      answers: ['', '', twilio.apiKeySid, twilio.apiKeySecret, '', twilio.smsNumber],
    });
    expect(made.code).to.equal(2);
    expect(made.stderr).to.include('- TWILIO_BASE_URL must be');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('fails if a check fails and init does not ask for its variables', async () => {
    const made = await init(`--org ${okta.orgUrl} --url id.acme.com --provider vonage --channels sms`, {
      env: {
        VONAGE_APPLICATION_ID: '78d335fa-323d-0114-9c3d-d6f0d48968cf',
        VONAGE_PRIVATE_KEY: rsaKeys().privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
        VONAGE_SMS_FROM: 'ACME',
        VONAGE_BASE_URL: `http://127.0.0.1:${await freePort()}`,
        OKTA_API_TOKEN: '',
      },
      answers: [''],
    });
    expect(made.stderr).to.include('because vonage.sms failed');
    expect(made.code).to.equal(1);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('asks for the endpoint, the key and the sender of Azure, and checks them', async () => {
    const azure = await startAzure();
    const { endpoint, accessKey } = azure.credential;
    const made = await init(`--org ${okta.orgUrl} --url id.acme.com --provider azure --channels sms`, {
      answers: [okta.apiToken, endpoint, accessKey, azure.number, ''],
    });
    expect(made.code, made.stderr).to.equal(0);
    expect(parseEnv(readFileSync(at('gateway.env'), 'utf8'))).to.include({
      AZURE_SMS_ENDPOINT: endpoint,
      AZURE_SMS_ACCESS_KEY: accessKey,
      AZURE_SMS_FROM: azure.number,
      GUARD_COUNTRIES: 'US,CA',
    });
    expect(azure.requests.map(({ path }) => path)).to.deep.equal([
      '/phoneNumbers?api-version=2022-12-01&top=1',
    ]);
    await azure.close();
  });

  it('asks for the region, the key and the sender of AWS', async () => {
    const secret = 'aws-secret-of-the-answers';
    mustNotShow(secret);
    const made = await init(
      `--org ${okta.orgUrl} --url id.acme.com --provider aws --channels sms --skip-check`,
      { answers: [okta.apiToken, 'eu-central-1', 'AKIDEXAMPLE', secret, '+4915550100100', ''] },
    );
    expect(made.code, made.stderr).to.equal(0);
    expect(parseEnv(readFileSync(at('gateway.env'), 'utf8'))).to.include({
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_SMS_ORIGINATION_IDENTITY: '+4915550100100',
      GUARD_COUNTRIES: 'DE',
    });
  });

  it("names the callback URL that Meta's app needs", async () => {
    const meta = ['token-of-the-answers', 'secret-of-the-answers', 'verify-token-of-the-answers'];
    mustNotShow(...meta);
    const made = await init(
      `--org ${okta.orgUrl} --url id.acme.com/codes --provider meta --channels whatsapp --skip-check`,
      { answers: [okta.apiToken, ...meta, '106540352242922', 'okta_code', 'DE'] },
    );
    expect(made.code, made.stderr).to.equal(0);
    expect(made.stderr).to.include(
      "In Meta's app, under WhatsApp > Configuration, enter META_VERIFY_TOKEN and the callback URL https://id.acme.com/codes/callbacks/whatsapp.",
    );
  });

  it('writes nothing if the input ends before the last question', async () => {
    for (const answers of [
      [],
      [okta.orgUrl],
      ['443'],
      [okta.orgUrl, '', '', 'twilio', 'sms', twilio.accountSid],
    ]) {
      const made = await init('--skip-check', { answers });
      expect(made.code, made.stderr).to.equal(2);
      expect(made.stderr).to.include('Nothing was written, because the input ended or was interrupted');
      expect(readdirSync(folder)).to.deep.equal([]);
    }
  });

  it('writes nothing without a terminal and a provider', async () => {
    const made = await init('--org https://acme.okta.com --skip-check --json', { input: '' });
    expect(made.code).to.equal(2);
    expect(made.json()).to.have.nested.property('error.code', 'NOBODY_TO_ASK');
    expect(made.stderr).to.include('Name it with --provider: twilio, vonage, azure, aws, meta, line.');
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('skips every question that the user answers with Enter', async () => {
    const made = await init('', { env: { TWILIO_BASE_URL: '' }, answers: ['', '', '', ''] });
    expect(made.code, made.stderr).to.equal(0);
    expect(Object.keys(parseEnv(readFileSync(at('gateway.env'), 'utf8')))).to.deep.equal([
      'HOOK_SECRET',
      'METRICS_PORT',
    ]);
  });

  it('writes TypeScript beside a tsconfig.json', async () => {
    writeFileSync(at('tsconfig.json'), '{}');
    const made = await init('--org https://acme.okta.com --provider twilio --skip-check');
    // `npx tsx` does not pass SIGTERM on.
    expect(made.stdout)
      .to.include(' prom-client tsx && ')
      .and.include('node --env-file=gateway.env --import tsx gateway.ts');
    expect(existsSync(at('gateway.ts'))).to.equal(true);
  });

  it('overwrites no file without --force, and gives the new file mode 600', async () => {
    writeFileSync(at('gateway.env'), 'HOOK_SECRET=kept\n', { mode: 0o644 });
    const refused = await init('--org https://acme.okta.com --provider twilio --skip-check --json');
    expect(refused.code).to.equal(2);
    expect(refused.json()).to.have.nested.property('error.code', 'FILE_EXISTS');
    expect(readFileSync(at('gateway.env'), 'utf8')).to.equal('HOOK_SECRET=kept\n');
    expect(existsSync(at('gateway.mjs'))).to.equal(false);
    expect((await init('--org https://acme.okta.com --provider twilio --skip-check --force')).code).to.equal(
      0,
    );
    if (process.platform !== 'win32') expect(statSync(at('gateway.env')).mode & 0o777).to.equal(0o600);
  });

  it('keeps every old gateway.env with --force, and says so', async () => {
    const forced = (words = ''): Promise<Run> =>
      init(`--org https://acme.okta.com --provider twilio --skip-check --force ${words}`.trim());
    const isPrivate = (name: string): boolean =>
      process.platform === 'win32' || (statSync(at(name)).mode & 0o777) === 0o600;
    expect((await forced('--json')).json()).to.not.have.property('kept');
    writeFileSync(at('gateway.env'), 'HOOK_SECRET=first\n');
    chmodSync(at('gateway.env'), 0o644);
    const made = await forced();
    expect(made.stderr)
      .to.include('The old gateway.env is kept as gateway.env.bak')
      .and.include('The setup commands below give it to Okta, with --rotate if Okta has the hooks already.');
    const second = readFileSync(at('gateway.env'), 'utf8');
    expect((await forced('--json')).json()).to.have.property('kept', 'gateway.env.bak2');
    expect(readFileSync(at('gateway.env.bak'), 'utf8')).to.equal('HOOK_SECRET=first\n');
    expect(readFileSync(at('gateway.env.bak2'), 'utf8')).to.equal(second);
    expect(['gateway.env', 'gateway.env.bak', 'gateway.env.bak2'].filter(isPrivate)).to.have.length(3);
  });

  it('keeps a gateway.env that is a symbolic link with --force, and leaves its target as it is', async function () {
    if (process.platform === 'win32') {
      process.stdout.write('      skipped: Windows lets only administrators make symbolic links\n');
      this.skip();
    }
    const forced = '--org https://acme.okta.com --provider twilio --skip-check --force';
    writeFileSync(at('shared'), 'HOOK_SECRET=shared\n');
    chmodSync(at('shared'), 0o644);
    for (const [target, kept] of [
      [at('shared'), 'gateway.env.bak'],
      [at('missing'), 'gateway.env.bak2'],
    ] as const) {
      rmSync(at('gateway.env'), { force: true });
      symlinkSync(target, at('gateway.env'));
      expect((await init('--org https://acme.okta.com --provider twilio --skip-check')).code).to.equal(2);
      expect((await init(`${forced} --json`)).json()).to.have.property('kept', kept);
      expect(statSync(at('shared')).mode & 0o777).to.equal(0o644);
      expect(readlinkSync(at(kept))).to.equal(target);
      expect(statSync(at('gateway.env')).mode & 0o777).to.equal(0o600);
    }
    expect(readFileSync(at('shared'), 'utf8')).to.equal('HOOK_SECRET=shared\n');
    expect(existsSync(at('missing'))).to.equal(false);
  });

  it('leaves the old gateway.env in its place if a file cannot be written', async () => {
    mkdirSync(at('gateway.mjs')); // A folder: no file can replace it.
    const words = '--org https://acme.okta.com --provider twilio --skip-check --force';
    expect((await init(words)).stderr).to.include('gateway.mjs cannot be written');
    expect(readdirSync(folder)).to.deep.equal(['gateway.mjs']);
    writeFileSync(at('gateway.env'), 'HOOK_SECRET=kept\n');
    expect((await init(words)).code).to.equal(1);
    // In the other order the failure comes after the new gateway.env.
    const files = [makeEnvFile({ HOOK_SECRET: 'new' }, []), makeGateway('gateway.mjs', undefined)];
    expect(() => writeFiles(folder, files, true)).to.throw('gateway.mjs cannot be written');
    expect(readFileSync(at('gateway.env'), 'utf8')).to.equal('HOOK_SECRET=kept\n');
    expect(readdirSync(folder)).to.have.members(['gateway.mjs', 'gateway.env']);
  });

  it('makes a folder that is missing, once the answers are right', async () => {
    const out = at('new/gateway');
    const words = `--out ${out} --provider twilio --skip-check`;
    expect((await init(`${words} --channels voce`)).code).to.equal(2);
    expect(existsSync(out)).to.equal(false);
    expect((await init(words)).code).to.equal(0);
    expect(readdirSync(out)).to.have.members(['gateway.env', 'gateway.mjs']);
  });

  it('writes nothing if a value is wrong and there is no terminal', async () => {
    mustNotShow('of-another-org-0123456789');
    const org = { OKTA_ORG_URL: okta.orgUrl };
    for (const [words, env, code, message] of [
      ['', { ...org, OKTA_API_TOKEN: 'of-another-org-0123456789' }, 1, 'okta.credential failed'],
      ['--org http://127.0.0.1:9', {}, 1, 'okta.org failed'],
      ['--url http://acme.example', {}, 2, 'PUBLIC_URL must be'],
      ['--url 8080', {}, 2, '- PUBLIC_URL must be the public URL of the hook with its host name'],
      ['--url localhost:8080', {}, 2, '. Without https:// it must begin with a domain name'],
      ['--provider telex', {}, 2, 'The provider is one of twilio, vonage, azure, aws, meta, line.\n'],
      ['--provider twilio,vonage', {}, 2, 'one of twilio, vonage, azure, aws, meta, line.\n'],
      ['--provider twilo', {}, 2, 'one of twilio, vonage, azure, aws, meta, line. Did you mean twilio?\n'],
      ['--provider twilio --channels sms,voce', {}, 2, 'between them. Did you mean voice?\n'],
      ['--provider line --channels sms', {}, 2, 'The channels of line are line'],
      [`--out ${process.execPath}`, {}, 2, `${process.execPath} is not a folder, and nothing was written`],
      [
        '',
        { TWILIO_ACCOUNT_SID: twilio.accountSid, TWILIO_AUTH_TOKEN: 'of-another-org-0123456789' },
        1,
        'twilio.credential failed',
      ],
      [
        '',
        {
          TWILIO_ACCOUNT_SID: twilio.accountSid,
          TWILIO_API_KEY_SID: twilio.apiKeySid,
          TWILIO_API_KEY_SECRET: twilio.apiKeySecret,
          TWILIO_AUTH_TOKEN: 'of-another-org-0123456789',
        },
        1,
        'twilio.auth-token failed',
      ],
    ] as const) {
      const made = await init(words, { env });
      expect(made.code, words + made.stderr).to.equal(code);
      expect(made.stderr).to.include(message);
      expect(existsSync(at('gateway.env')), message).to.equal(false);
    }
  });

  it('writes values so that Node reads them as given, and a PEM on one line', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n';
    const values = { HOOK_SECRET: 'Bearer a b', TWILIO_AUTH_TOKEN: 'with#hash', OKTA_PRIVATE_KEY: pem };
    const { text } = makeEnvFile(values, [{ name: 'PUBLIC_URL', what: 'the URL' }]);
    expect(text).to.include('\nHOOK_SECRET=Bearer a b\n').and.include('\n# the URL\n# PUBLIC_URL=\n');
    expect(parseEnv(text)).to.deep.equal({
      HOOK_SECRET: 'Bearer a b',
      TWILIO_AUTH_TOKEN: 'with#hash',
      OKTA_PRIVATE_KEY: pem.trim().replaceAll('\n', String.raw`\n`),
    });
  });

  it('quotes a value only if Node reads it differently without quotes', () => {
    for (const [value, quote] of [
      ["it's-plain", ''],
      ['a\'b"c`d', ''],
      ['with # hash', "'"],
      ['"begins-with-a-quote', "'"],
      ["it's#a-secret", '"'],
      [String.raw`it's#a\nliteral`, '`'],
      ['{\n"kty": "RSA"\n}', "'"],
    ] as const) {
      // The comments of skipped variables can have quotes.
      const { text } = makeEnvFile({ HOOK_SECRET: value }, [
        { name: 'PUBLIC_URL', what: 'the "hook\'s" URL' },
      ]);
      expect(text).to.include(`\nHOOK_SECRET=${quote}${value}${quote}\n`);
      expect(parseEnv(text), value).to.deep.equal({ HOOK_SECRET: value });
    }
    const pem = '-----BEGIN PRIVATE KEY-----\r\nMIIE\r\n-----END PRIVATE KEY-----\r\n';
    expect(makeEnvFile({ OKTA_PRIVATE_KEY: pem }, []).text).to.include(String.raw`KEY-----\nMIIE\n-----END`);
  });

  it('refuses a value that Node cannot read back, by its name alone', async () => {
    for (const value of [
      'a\rb-0123456789-refused',
      'a-0123456789-refused\r',
      'a\'b"c`d#-0123456789-refused',
    ]) {
      const made = await init('--provider twilio --skip-check --json', { env: { HOOK_SECRET: value } });
      expect(made.code, JSON.stringify(value)).to.equal(2);
      expect(made.json()).to.have.nested.property('error.code', 'BAD_ENVIRONMENT');
      expect(made.stdout + made.stderr)
        .to.include('the value of HOOK_SECRET')
        .and.not.include('0123456789');
      expect(readdirSync(folder)).to.deep.equal([]);
    }
  });

  it('writes the option path only for another path than the default one', () => {
    const { text } = makeGateway('gateway.mjs', 'https://id.acme.com/okta/telephony');
    expect(text).to.not.include('path:');
    expect(text.trimEnd().split('\n')).to.have.length.below(65);
  });
});
