import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { exportJWK } from 'jose';
import { startTestServer } from '../testing/local.js';
import { ANA, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { callApi, telephonyHook } from '../testing/okta/client.js';
import { grant, openWard, READ_SCOPES, type Ward } from './doctor/scene.js';
import { expectKept, shownRun } from './kept-output.js';
import { patientTime, run, type RunOptions } from './runs.js';

const NEW_SECRET = 'hook-secret-b27c01d9';
const COMMANDS = [
  'init',
  'setup attribute',
  'setup hook',
  'setup event-hook',
  'setup whatsapp-template',
  'doctor',
  'preview',
  'demo',
];

describe('the complete output equals its file in test/cli/outputs', () => {
  let scene: Scene;
  const closing: (() => unknown)[] = [];
  beforeEach(async () => {
    scene = await startScene({
      hook: { credentials: { hook: { scheme: 'header', secrets: [HOOK_SECRET, NEW_SECRET] } } },
    });
    mustNotShow(NEW_SECRET);
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await scene.close();
  });

  /** One run, in the format of the files in `outputs/`. */
  const shown = async (args: string, options: RunOptions = {}): Promise<string> => {
    const env = { PUBLIC_URL: scene.url, HOOK_SECRET, ...options.env };
    return shownRun(args, await run(scene.okta, args, { ...options, env }));
  };

  it('of --help', async () => {
    const all = ['--help', 'setup -h', ...COMMANDS.map((name) => `${name} --help`)];
    const runs: string[] = [];
    for (const args of all) runs.push(await shown(args));
    expectKept('help', ...runs);
  });

  it('of wrong commands and options', async () => {
    const runs: string[] = [];
    for (const args of [
      ...['', 'setup', 'deploy --json', '--version --yes', 'setup hook --name', 'doctor --nothing --json'],
      ...['setup hook --yes=1', 'preview words', 'doctor --timeout 0', 'setup hook --header a:b --yes'],
    ]) {
      runs.push(await shown(args));
    }
    runs.push(await shown('deploy', { answers: [] }));
    expectKept('bad-use', ...runs);
  });

  it('of setup attribute', async () => {
    const runs = [
      await shown('setup attribute', { answers: ['n'] }),
      await shown('setup attribute --json'),
      await shown('setup attribute', { answers: ['y'] }),
      await shown('setup attribute', { answers: [] }),
      await shown('setup attribute --json'),
      await shown('setup attribute --read-only --yes --json'),
      await shown('setup attribute --yes', { env: { OPT_IN_ATTRIBUTE: 'viaWhatsApp' } }),
      await shown('setup attribute --yes', { env: { OPT_IN_ATTRIBUTE: 'mobilePhone' } }),
      await shown('setup attribute', { env: { OKTA_ORG_URL: '', OKTA_API_TOKEN: '' } }),
    ];
    scene.okta.fault({ fault: { kind: 'status', status: 429, body: {} }, match: () => true });
    runs.push(await shown('setup attribute --yes --json'));
    expectKept('setup-attribute', ...runs);
  });

  it('of setup hook', async () => {
    scene.okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
    const runs = [
      await shown('setup hook', { answers: ['y'] }),
      await shown('setup hook --json'),
      await shown('setup hook --rotate --yes', { env: { HOOK_SECRET: NEW_SECRET } }),
      await shown('setup hook --yes --json --name Codes --header x-token'),
      await shown('setup hook --yes --skip-check --name Codes --header x-token'),
    ];
    const other = await callApi(
      scene.okta,
      'POST',
      '/api/v1/inlineHooks',
      telephonyHook('https://a.example'),
    );
    expect(other.status).to.equal(400);
    expectKept('setup-hook', ...runs);
  });

  it("of setup hook in an org with another vendor's hook, and with secrets that the gateway refuses", async () => {
    const { body } = await callApi(
      scene.okta,
      'POST',
      '/api/v1/inlineHooks',
      telephonyHook('https://otp.vendor.example/hook'),
    );
    const id = String(body['id']);
    const runs = [
      await shown('setup hook --yes --json'),
      await shown(`setup hook --yes --replace ${id}`, { env: { HOOK_SECRET: 'short-one' } }),
      await shown(`setup hook --yes --replace ${id}`, { env: { PUBLIC_URL: 'http://127.0.0.1:9/hook' } }),
      await shown(`setup hook --yes --replace ${id}`),
    ];
    expectKept('setup-hook-of-others', ...runs);
  });

  it('of setup hook in a new org if the gateway is not reachable or has another secret', async () => {
    const runs = [await shown('setup hook --yes --json', { env: { HOOK_SECRET: 'short-one' } })];
    const [made] = scene.okta.inlineHooks;
    await callApi(scene.okta, 'POST', `/api/v1/inlineHooks/${made?.id ?? ''}/lifecycle/deactivate`);
    await callApi(scene.okta, 'DELETE', `/api/v1/inlineHooks/${made?.id ?? ''}`);
    runs.push(await shown('setup hook --yes', { env: { PUBLIC_URL: 'http://127.0.0.1:9/hook' } }));
    expectKept('setup-hook-unsure', ...runs);
  });

  it('of setup event-hook', async () => {
    const runs = [
      await shown('setup event-hook', { answers: ['y'] }),
      await shown('setup event-hook --json'),
      await shown('setup event-hook --rotate --yes --json', { env: { HOOK_SECRET: NEW_SECRET } }),
      await shown('setup event-hook --yes', { env: { PUBLIC_URL: 'http://127.0.0.1:9/okta/telephony/' } }),
      await shown('setup event-hook --yes --json', { env: { PUBLIC_URL: '', HOOK_SECRET: '' } }),
    ];
    expectKept('setup-event-hook', ...runs);
  });

  for (const via of ['okta', 'gateway'] as const) {
    it(`of preview via ${via}`, async () => {
      const { okta, twilio } = scene;
      okta.addUser({
        id: '00u1k7f3h9p2s5d8a4q6',
        login: 'cleo.reis@example.com',
        firstName: 'Cleopatra',
        lastName: 'Reisinger',
        profile: { whatsAppOptIn: true, locale: 'en_GB', mobilePhone: ANA.phone },
        phoneFactors: [{ factorType: 'sms', phoneNumber: ANA.phone }],
        status: 'SUSPENDED',
      });
      const hook = telephonyHook(scene.url, HOOK_SECRET);
      await callApi(okta, 'POST', '/api/v1/inlineHooks', hook);
      const usual = `preview --user cleo.reis@example.com --via ${via}`;
      const nowMs = Date.now();
      const time = { now: () => nowMs, sleep: () => Promise.resolve() };
      const previewed = (args: string, answers?: RunOptions['answers']): Promise<string> =>
        shown(args, { time, ...(answers === undefined ? {} : { answers }) });
      const runs = [
        await previewed(usual, ['n']),
        await previewed(usual, ['y']),
        await previewed(`${usual} --yes`),
        await previewed(`${usual} --yes --json`),
        await previewed(`${usual} --json`),
      ];
      twilio.refuseWith({ code: 63016, times: 1 });
      runs.push(await previewed(`${usual} --yes`));
      twilio.refuseWith({ code: 21606 });
      runs.push(await previewed(`${usual} --yes --channel voice --request-type account-unlock --json`));
      runs.push(await previewed(`${usual} --yes`, []));
      runs.push(await previewed(`preview --user nobody@example.com --yes --json --via ${via}`));
      expectKept(`preview-via-${via}`, ...runs);
    });
  }

  it('of preview if the hook is missing or inactive, or if there are many', async () => {
    const { okta } = scene;
    const usual = `preview --user ${ANA.login} --yes`;
    const runs = [await shown(`${usual} --json`)];
    const hook = telephonyHook(scene.url, HOOK_SECRET);
    const { body } = await callApi(okta, 'POST', '/api/v1/inlineHooks', hook);
    const id = String(body['id']);
    runs.push(await shown(`${usual} --hook calnobodys`));
    await callApi(okta, 'POST', `/api/v1/inlineHooks/${id}/lifecycle/deactivate`);
    runs.push(await shown(usual), await shown(`${usual} --hook ${id}`));
    const list = {
      kind: 'status',
      status: 200,
      body: [hook, hook].map((one) => ({ ...body, ...one, status: 'ACTIVE' })),
    } as const;
    okta.fault({ fault: list, match: ({ path }) => path.startsWith('/api/v1/inlineHooks?'), times: 1 });
    runs.push(await shown(usual));
    expectKept('preview-of-hooks', ...runs);
  });

  describe('of doctor', () => {
    let ward: Ward;
    const doctor = async (words: string, options: RunOptions = {}): Promise<string> =>
      shownRun(`doctor ${words}`.trim(), await ward.doctor(words, options));

    it('if all is well', async () => {
      ward = await openWard();
      closing.push(() => ward.close());
      const env = await grant(ward.scene, READ_SCOPES);
      expectKept(
        'doctor-well',
        await doctor('', { env, answers: [] }),
        await doctor('', { env }),
        await doctor('--json', { env }),
      );
    });

    it('if nearly everything is wrong', async () => {
      ward = await openWard({ setups: [] });
      closing.push(() => ward.close());
      const { okta, twilio } = ward.scene;
      okta.setRateLimit({ limit: 100_000, remaining: 6_000, resetInSeconds: 30 });
      okta.setPhoneAuthenticator('INACTIVE');
      okta.setTelephonyProviders([{ providerName: 'TWILIO' }]);
      okta.updateUser(ANA.id, { whatsAppOptIn: false });
      const body = { id: '00o1', pipeline: 'v1' };
      okta.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.startsWith('/.well-known'),
      });
      twilio.configureAccount({ status: 'suspended', balance: '-0.40' });
      twilio.setCapabilities(twilio.smsNumber, { sms: false });
      twilio.setCapabilities(twilio.voiceNumber, { voice: false });
      twilio.configureVerify({ customCodeEnabled: false });
      const other = await startTestServer((response) => response.writeHead(301).end());
      closing.push(() => {
        other.close();
      });
      const env = {
        ...(await grant(ward.scene, [...READ_SCOPES, 'okta.users.manage', 'okta.policies.manage'])),
        PUBLIC_URL: `${other.url}/okta/telephony`,
        UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone',
        TWILIO_SANDBOX_NUMBER: '+14155550102',
        REDIS_URL: 'redis://127.0.0.1:9',
        STATE_ENCRYPTION_KEY: 'c2hvcnQ=',
        HTTPS_PROXY: 'http://proxy.acme.example:3128',
        NODE_TLS_REJECT_UNAUTHORIZED: '0',
      };
      expectKept(
        'doctor-ill',
        await doctor('', { env, answers: [] }),
        await doctor('', { env }),
        await doctor('--json', { env }),
      );
    });

    it('if nothing is configured', async () => {
      const env = { OKTA_ORG_URL: '', PUBLIC_URL: '', TWILIO_ACCOUNT_SID: '', OKTA_API_TOKEN: '' };
      expectKept(
        'doctor-unconfigured',
        await shown('doctor', { env }),
        await shown('doctor --json', { env }),
      );
    });
  });

  it('of each command with a credential without permissions, and the scopes that it requests', async () => {
    const { okta } = scene;
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const publicJwk = await exportJWK(keys.publicKey);
    const apiToken = okta.addApiToken(['READ_ONLY_ADMIN']);
    mustNotShow(pem, apiToken);
    const byApp = { OKTA_API_TOKEN: '', OKTA_CLIENT_ID: '0oasetup', OKTA_PRIVATE_KEY: pem };
    const runs: string[] = [];
    const requested: string[] = [];
    const nowMs = Date.now();
    const time = { now: () => nowMs, sleep: () => Promise.resolve() };
    for (const args of [
      ...['setup attribute --yes', 'setup hook --yes', 'setup event-hook --yes'],
      ...[`preview --user ${ANA.login} --yes`, `preview --user ${ANA.login} --yes --via gateway`],
    ]) {
      okta.registerServiceApp({ clientId: '0oasetup', publicJwk, scopes: [] });
      okta.requests.length = 0;
      runs.push(await shown(args, { env: byApp, time }));
      const scopes = okta.requests.flatMap(({ form }) => form?.['scope'] ?? []);
      requested.push(`${args}\n  ${scopes.join('\n  ')}\n`);
      runs.push(await shown(args, { env: { OKTA_API_TOKEN: apiToken }, time }));
    }
    expectKept('not-allowed', ...runs, ...requested);

    // A custom administrator role with one permission is enough for each hook.
    for (const [args, permission] of [
      ['setup hook', 'okta.inlinehooks.manage'],
      ['setup event-hook', 'okta.eventhooks.manage'],
    ] as const) {
      const custom = okta.addApiToken([permission]);
      mustNotShow(custom);
      const env = { PUBLIC_URL: scene.url, HOOK_SECRET, OKTA_API_TOKEN: custom };
      const { code, stderr } = await run(okta, `${args} --yes`, { env });
      expect(code, stderr).to.equal(0);
    }
  });

  it('of a command that waits for the rate limit', async () => {
    const time = patientTime();
    const date = new Date(time.now()).toUTCString();
    const headers = { date, 'x-rate-limit-reset': String(Math.floor(time.now() / 1000) + 20) };
    scene.okta.fault({
      fault: { kind: 'status', status: 429, body: {}, headers },
      times: 1,
      match: () => true,
    });
    expectKept('rate-limit', await shown('setup attribute --yes', { time }));
  });
});
