import { expect } from 'chai';
import { CHECK_DESCRIPTIONS } from '#lib/cli/doctor/check-descriptions.js';
import { callApi, telephonyHook } from '../../testing/okta/client.js';
import { grant, lineOf, linesOf, openWard, READ_SCOPES, type Line, type Ward } from './scene.js';
import { writesTo, type RunOptions } from '../runs.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { PROBE_HEADER } from '#lib/okta/probe-mark.js';
import { startTestServer } from '../../testing/local.js';

const THEIRS = 'https://otp.vendor.example/hook';

const withoutHosts = (text: string): string => text.replace(/127\.0\.0\.1:\d+/g, 'HOST');

/** Every check in order, with its message if all is well. HOST replaces each host. */
const WELL: readonly (readonly [check: string, message: string])[] = [
  ['okta.variables', 'Set, by a service app.'],
  ['okta.org', 'HOST answers as an Okta org.'],
  ['okta.engine', 'The org has Identity Engine.'],
  ['okta.credential', 'The org accepts the credential, and it may read users.'],
  ['okta.privileges', 'The service app has none of the 28 scopes that can change the org.'],
  ['okta.rate-limit', '100 % of 10000000 reads of users are left in this minute.'],
  ['okta.attribute', 'whatsAppOptIn is a boolean that users may change, mastered by Okta.'],
  ['okta.opted-in', '1 active user has opted in.'],
  ['okta.phone-authenticator', 'The phone authenticator is active.'],
  ['okta.hook', 'The telephony hook is active, and its URL is PUBLIC_URL.'],
  ['okta.native-telephony', "None of the org's own telephony providers is active."],
  ['okta.event-hook', 'The event hook is active and verified, and gets sign-ins and enrollments.'],
  ['hook.variables', 'Set, by a header.'],
  ['hook.answers', "The hook answers at HOST, and refuses a caller without Okta's credentials."],
  [
    'hook.secret',
    'The gateway accepts HOOK_SECRET in the header Authorization. Okta shows its own secret to no one; preview shows whether it fits.',
  ],
  ['hook.time', 'The hook answered in 0 ms, over a new connection; Okta waits for 3 s.'],
  ['hook.events', 'PUBLIC_URL + /events returns the challenge with which Okta verifies an event hook.'],
  ['hook.event-secret', 'The gateway accepts HOOK_SECRET from the event hook.'],
  [
    'hook.callbacks',
    'The gateway accepts callbacks signed with TWILIO_AUTH_TOKEN for PUBLIC_URL, and no others.',
  ],
  ['way.url', 'PUBLIC_URL is on this machine, as the org is.'],
  ['way.name', 'It is this machine.'],
  ['way.tls', 'This machine itself needs no TLS.'],
  ['way.redirect', 'PUBLIC_URL does not redirect.'],
  ['twilio.variables', 'Set, by an API key.'],
  ['twilio.credential', 'Twilio accepts the API key.'],
  ['twilio.auth-token', 'TWILIO_AUTH_TOKEN belongs to the account.'],
  ['twilio.account', 'The account is active, and no trial account.'],
  ['twilio.balance', 'The balance is 100.00 USD.'],
  ['twilio.sms', 'The number in TWILIO_SMS_FROM belongs to the account, and can send SMS.'],
  ['twilio.voice', 'The number in TWILIO_VOICE_FROM belongs to the account, and can make calls.'],
  [
    'twilio.whatsapp',
    'WhatsApp uses the sandbox, for trials: it sends only to phones that have joined it, within 24 hours of their last message.',
  ],
  ['twilio.verify', "The Verify service accepts custom codes, such as Okta's."],
  ['redis.variables', 'Not set: each process keeps its own state, which is enough for one gateway.'],
  ['machine.node', `Node is ${process.versions.node}.`],
  ['machine.clock', "The clock agrees with Okta's."],
  ['machine.proxy', 'No egress proxy is named in the environment.'],
  ['machine.tls', "Node checks servers' certificates."],
];

describe('doctor', () => {
  /** For tests that do not change it. */
  let shared: Ward;
  let ward: Ward | undefined;
  before(async () => {
    shared = await openWard();
  });
  after(() => shared.close());
  const open = async (options?: Parameters<typeof openWard>[0]): Promise<Ward> =>
    (ward = await openWard(options));
  afterEach(async () => {
    await ward?.close();
    ward = undefined;
  });

  it('prints an "ok" line for each check, in groups, if all is well', async () => {
    const { doctor, scene } = shared;
    scene.events.length = 0;
    const made = await doctor();
    // The first call has no mark. The gateway logs the others as probes.
    const seen = scene.events.flatMap((event) =>
      event.type.endsWith('.rejected') && 'count' in event ? [`${event.type} ${event.count}`] : [],
    );
    expect(seen[0]).to.equal('caller.rejected 1');
    expect(new Set(seen.slice(1))).to.deep.equal(new Set(['probe.rejected 1']));
    const rejections = scene.log.filter(({ fields }) => fields['event'] === 'probe.rejected');
    expect(new Set(rejections.map(({ level }) => level))).to.deep.equal(new Set(['info']));
    expect(made.code, made.stdout).to.equal(0);
    const groups = ['Okta', 'The hook', 'Reachability', 'Twilio', 'Redis', 'This machine'];
    const titles = made.stdout.split('\n').filter((line) => groups.includes(line));
    expect(titles).to.deep.equal(groups);
    const lines = made.stdout
      .split('\n')
      .filter((line) => /^\w+ +(okta|hook|way|twilio|redis|machine)\./.test(line));
    const width = Math.max(...WELL.map(([check]) => check.length));
    expect(lines.map(withoutHosts)).to.deep.equal(
      WELL.map(([check, message]) => `ok   ${check.padEnd(width)}  ${message}`),
    );
    expect(made.stdout).to.include(`${lines.length} checks: ${lines.length} ok, 0 warnings, 0 failed.`);
  });

  it('sends neither the secret nor a mark made with it to a host that is not the gateway', async () => {
    const server = await startTestServer((response) => response.writeHead(404).end());
    try {
      const lines = await shared.lines({ PUBLIC_URL: server.url });
      expect(lineOf(lines, 'hook.answers').status).to.equal('fail');
      expect(server.received).to.not.be.empty;
      for (const { headers } of server.received) {
        expect(headers).to.not.have.any.keys(PROBE_HEADER, 'authorization');
      }
    } finally {
      server.close();
    }
  });

  it('prints only a JSON array of all checks with --json, in the same order every time', async () => {
    const { doctor } = shared;
    const first = linesOf(await doctor('--json'));
    const plain = first.map((line) => ({ ...line, message: withoutHosts(line.message) }));
    expect(plain).to.deep.equal(
      WELL.map(([check, message]) => ({ check, status: 'ok', message, remedy: null })),
    );
    expect(Object.keys(first[0] ?? {})).to.deep.equal(['check', 'status', 'message', 'remedy']);
    const second = linesOf(await doctor('--json'));
    expect(second.map(({ check }) => check)).to.deep.equal(first.map(({ check }) => check));
  });

  it('skips the opt-in attribute, with the reason, if no channel needs an opt-in', async () => {
    const { lines, byToken, scene } = shared;
    const optIn = async (env: RunOptions['env']): Promise<readonly string[]> =>
      (await lines({ ...byToken, ...env })).flatMap(({ check, status, message }) =>
        check === 'okta.attribute' || check === 'okta.opted-in' ? [`${check} ${status} ${message}`] : [],
      );
    const skipped = await optIn({ TWILIO_SANDBOX_NUMBER: '' });
    expect(skipped).to.deep.equal([
      'okta.attribute ok Skipped, with okta.opted-in: no WhatsApp sender is set, so users need no attribute to opt in.',
    ]);
    const noSender = {
      TWILIO_SANDBOX_NUMBER: '',
      TWILIO_SMS_FROM: '',
      TWILIO_VOICE_FROM: '',
      TWILIO_VERIFY_SERVICE_SID: '',
    };
    for (const env of [
      { TWILIO_SANDBOX_NUMBER: '', TWILIO_VERIFY_CHANNELS: 'sms,whatsapp' },
      { TWILIO_SANDBOX_NUMBER: '', TWILIO_WHATSAPP_FROM: scene.twilio.smsNumber },
      {
        TWILIO_SANDBOX_NUMBER: '',
        LINE_CHANNEL_ACCESS_TOKEN: 'a-token-of-line-0123',
        LINE_BASE_URL: REFUSING_ORIGIN,
      },
      { TWILIO_SANDBOX_NUMBER: '', OPT_IN_ATTRIBUTE: 'whatsAppOptIn' },
      // The gateway has its senders in code.
      noSender,
    ]) {
      expect(await optIn(env), JSON.stringify(Object.keys(env))).to.have.length(2);
    }
  });

  it('does not hide a check name that contains a secret', async () => {
    const { lines, byToken } = shared;
    const usual = (await lines(byToken)).map(({ check }) => check);
    const others = await lines({
      ...byToken,
      HOOK_SECRET: 'variables',
      REDIS_URL: 'redis://:redis@127.0.0.1:1',
      STATE_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    });
    expect(others.map(({ check }) => check)).to.include.members(usual);
  });

  it('lists the same checks if the variables of Okta, the hook, Twilio and Redis are wrong', async () => {
    const few = ['okta.opted-in', 'hook.callbacks', 'twilio.verify'];
    const usual = WELL.map(([check]) => check).filter(
      (check) => !few.includes(check) && !/^(way|machine)/.test(check),
    );
    const wrong = { OKTA_ORG_URL: 'acme', PUBLIC_URL: 'acme', TWILIO_ACCOUNT_SID: 'acme', REDIS_URL: 'acme' };
    const found = await shared.lines({ ...shared.byToken, ...wrong });
    const skipped = found.filter(({ check }) => !/^(way|machine|redis)/.test(check));
    expect(skipped.map(({ check }) => check)).to.deep.equal(
      usual.filter((check) => !check.startsWith('redis')),
    );
    expect(found.filter(({ check }) => check.startsWith('redis'))).to.have.length(9);
  });

  it('names every check in its help, and describes it for its page', async () => {
    const { doctor, lines, byToken } = shared;
    const help = (await doctor('--help')).stdout;
    const more = {
      UNVERIFIED_PHONE_ATTRIBUTE: 'mobilePhone',
      LINE_CHANNEL_ACCESS_TOKEN: 'a-token-of-line-0123',
      LINE_BASE_URL: REFUSING_ORIGIN,
    };
    const names = (await lines({ ...byToken, ...more })).map(({ check }) => check);
    expect(names).to.include.members(WELL.map(([check]) => check));
    for (const [group, name] of names.map((check) => check.split('.') as [string, string])) {
      const own = new RegExp(`^  ${group}\\.[^.]*\\b${name}\\b`, 'm');
      expect(help, `${group}.${name}`).to.match(own);
      expect(CHECK_DESCRIPTIONS[group]?.checks).to.have.property(name);
    }
  });

  it('changes nothing in Okta and Twilio, and sends no message', async () => {
    const { scene, doctor } = shared;
    const before = JSON.stringify([scene.okta.inlineHooks, scene.okta.eventHooks, scene.okta.userSchema]);
    scene.events.length = 0;
    await doctor();
    expect(writesTo(scene.okta)).to.deep.equal([]);
    expect(JSON.stringify([scene.okta.inlineHooks, scene.okta.eventHooks, scene.okta.userSchema])).to.equal(
      before,
    );
    expect(scene.twilio.requests).to.have.length.greaterThan(3);
    expect(scene.twilio.requests.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
    expect([scene.twilio.messages, scene.twilio.calls, scene.twilio.verifications]).to.deep.equal([
      [],
      [],
      [],
    ]);
    // The gateway counts no callback as one of Twilio's.
    expect(scene.events.filter(({ type }) => type === 'message.reported')).to.deep.equal([]);
  });

  it('prints colours and symbols at a terminal, and words without one', async () => {
    const { doctor, byToken: env } = shared;
    const seen = await doctor('', { env, answers: [] });
    expect(seen.stdout).to.include('\u001b[').and.include('✔ okta.org');
    expect((await doctor('', { env })).stdout)
      .to.match(/^ok {3}okta\.org/m)
      .and.not.include('\u001b[');
  });

  it('exits with 0 if there are only warnings', async () => {
    const { doctor } = shared;
    const made = await doctor('--json', { env: { TWILIO_VOICE_FROM: '', TWILIO_VERIFY_SERVICE_SID: '' } });
    expect(lineOf(linesOf(made), 'twilio.voice')).to.include({ status: 'warn' });
    expect(made.code).to.equal(0);
  });

  it('skips the checks of Okta, the hook or Twilio with a warning if that is not configured', async () => {
    const { lines, scene, byToken } = shared;
    const nothing = { OKTA_ORG_URL: '', TWILIO_ACCOUNT_SID: '', TWILIO_AUTH_TOKEN: '' };
    const found = await lines(nothing);
    for (const side of ['okta', 'twilio']) {
      expect(found.filter(({ check }) => check.startsWith(`${side}.`))).to.have.length(1);
      expect(lineOf(found, `${side}.variables`)).to.include({ status: 'warn' });
    }
    expect(lineOf(found, 'hook.answers')).to.include({ status: 'ok' });
    expect(lineOf(found, 'machine.clock').remedy).to.equal('See okta.variables.');
    const withoutHook = await lines({ ...byToken, PUBLIC_URL: '' });
    expect(withoutHook.filter(({ check }) => /^(hook|way)\./.test(check))).to.have.length(1);
    expect(lineOf(withoutHook, 'okta.hook')).to.include({ status: 'warn' });
    expect(scene.okta.requests).to.not.be.empty;
  });

  for (const words of ['1', '120', '0.5', '007']) {
    it(`accepts --timeout ${words}`, async () => {
      const { doctor } = shared;
      const env = { OKTA_ORG_URL: '', TWILIO_ACCOUNT_SID: '' };
      expect((await doctor(`--timeout ${words} --json`, { env })).stdout).to.match(/^\[/);
    });
  }

  for (const [words, env] of [
    ['--timeout 120.1', {}],
    ['--timeout 121', {}],
    ['--timeout 1000', {}],
    ['--timeout 1.', {}],
    ['--timeout .5', {}],
    ['--timeout 1s', {}],
    ['--timeout x1', {}],
    ['', { OKTA_ORG_URL: '', PUBLIC_URL: '', TWILIO_ACCOUNT_SID: '' }],
    ['--timeout never', {}],
    ['--timeout 0', {}],
    ['--user ana', {}],
  ] as const) {
    it(`exits with 2 for "${words}"${'PUBLIC_URL' in env ? ' if nothing is configured' : ''}`, async () => {
      const { doctor } = shared;
      expect((await doctor(words, { env })).code).to.equal(2);
    });
  }

  it('asks for missing secrets at a terminal', async () => {
    const { doctor, scene } = shared;
    const env = {
      OKTA_CLIENT_ID: '',
      OKTA_PRIVATE_KEY: '',
      TWILIO_API_KEY_SID: '',
      TWILIO_API_KEY_SECRET: '',
      TWILIO_AUTH_TOKEN: '',
    };
    const made = await doctor('--json', { env, answers: [scene.okta.apiToken, scene.twilio.authToken] });
    expect(made.stderr).to.include('OKTA_API_TOKEN (').and.include('TWILIO_AUTH_TOKEN (');
    expect(lineOf(linesOf(made), 'okta.credential')).to.include({ status: 'ok' });
    expect(lineOf(linesOf(made), 'twilio.auth-token')).to.include({ status: 'ok' });
  });

  describe('for each state of the org', () => {
    const statuses = (lines: readonly Line[], ...checks: string[]): string[] =>
      checks.map((check) => lineOf(lines, check).status);

    it('names the setup commands if nothing is set up', async () => {
      const { lines } = await open({ isSetUp: false });
      const found = await lines();
      expect(statuses(found, 'okta.attribute', 'okta.hook', 'okta.event-hook')).to.deep.equal([
        'fail',
        'fail',
        'warn',
      ]);
      expect(lineOf(found, 'okta.attribute').remedy).to.include('setup attribute');
      expect(lineOf(found, 'okta.hook').remedy).to.include('setup hook');
      expect(lineOf(found, 'okta.event-hook').remedy).to.include('setup event-hook');
    });

    it("fails and names --replace if another vendor's hook is active", async () => {
      const { lines, scene } = await open({ isSetUp: false });
      await callApi(scene.okta, 'POST', '/api/v1/inlineHooks', telephonyHook(THEIRS));
      const hook = lineOf(await lines(), 'okta.hook');
      expect(hook).to.include({ status: 'fail' });
      expect(hook.message).to.include('otp.vendor.example');
      expect(hook.remedy).to.include(`--replace ${scene.okta.inlineHooks[0]?.id ?? ''}`);
    });

    it('warns of what a credential with only okta.users.read cannot check, and exits with 0', async () => {
      const { doctor, scene } = await open();
      await grant(scene, ['okta.users.read']);
      const made = await doctor('--json');
      const found = linesOf(made);
      expect(made.code, made.stdout).to.equal(0);
      const hidden = [
        'okta.attribute',
        'okta.phone-authenticator',
        'okta.hook',
        'okta.event-hook',
        'okta.native-telephony',
      ];
      expect(statuses(found, ...hidden)).to.deep.equal(hidden.map(() => 'warn'));
      expect(lineOf(found, 'okta.hook').remedy).to.include('okta.inlineHooks.read');
      expect(statuses(found, 'okta.credential', 'okta.privileges', 'okta.opted-in')).to.deep.equal([
        'ok',
        'ok',
        'ok',
      ]);
    });

    it('warns of an API token of a super administrator, and of one whose roles it cannot read', async () => {
      const { lines, scene } = await open();
      const by = async (token: string): Promise<Line> =>
        lineOf(
          await lines({ OKTA_API_TOKEN: token, OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '' }),
          'okta.privileges',
        );
      expect(await by(scene.okta.apiToken)).to.include({ status: 'warn' });
      const other = await by(scene.okta.addApiToken(['READ_ONLY_ADMIN']));
      expect(other).to.include({ status: 'warn' });
      expect(other.message).to.include('may not read its own');
      const roles = { kind: 'status', status: 200, body: [{ type: 'READ_ONLY_ADMIN' }] } as const;
      scene.okta.fault({ fault: roles, match: ({ path }) => path.endsWith('/roles') });
      expect(await by(scene.okta.apiToken)).to.include({ status: 'ok' });
    });

    it('counts the users with a value in an attribute of channel names', async () => {
      const { lines, scene } = await open();
      scene.okta.setAttribute('whatsAppOptIn', null);
      scene.okta.setAttribute('whatsAppOptIn', { title: 'Ours', type: 'string' });
      scene.okta.addUser({ login: 'cleo@example.com', profile: { whatsAppOptIn: 'whatsapp' } });
      const line = lineOf(await lines(), 'okta.opted-in');
      expect(line).to.include({ status: 'ok' });
      expect(line.message).to.include('a value in whatsAppOptIn');
    });

    it('counts at most 200 users who have opted in', async () => {
      const { lines, scene, byToken } = await open();
      for (let index = 0; index < 210; index += 1) {
        scene.okta.addUser({ login: `user${index}@example.com`, profile: { whatsAppOptIn: true } });
      }
      expect(lineOf(await lines(byToken), 'okta.opted-in').message).to.include('More than 200');
    });
  });

  describe('if a server hangs or is not reachable', () => {
    it('fails the checks of an org that hangs, and makes all the others', async () => {
      const { lines, scene } = await open();
      scene.okta.fault({ fault: { kind: 'hang' }, match: () => true });
      // Long enough for the other checks, even on a busy machine.
      const found = await lines({}, '--timeout 5');
      expect(lineOf(found, 'okta.org')).to.include({ status: 'fail' });
      expect(lineOf(found, 'okta.hook').message).to.include('okta.org');
      expect(lineOf(found, 'machine.clock')).to.include({ status: 'warn' });
      for (const check of ['hook.answers', 'hook.callbacks', 'twilio.credential', 'twilio.sms']) {
        expect(lineOf(found, check), check).to.include({ status: 'ok' });
      }
    });

    it('names the checks that it still waits for', async () => {
      const { doctor, scene } = await open();
      scene.twilio.fault({ fault: { kind: 'hang' }, match: ({ path }) => path.includes('Balance') });
      const made = await doctor('--json --timeout 3');
      expect(made.stderr).to.match(/still waiting for .*twilio\.balance/);
      expect(lineOf(linesOf(made), 'twilio.balance')).to.include({ status: 'fail' });
      expect(lineOf(linesOf(made), 'twilio.sms')).to.include({ status: 'ok' });
    });

    it('fails one check each for Okta, the gateway and Twilio', async () => {
      const { lines } = shared;
      const found = await lines({
        OKTA_ORG_URL: REFUSING_ORIGIN,
        PUBLIC_URL: `${REFUSING_ORIGIN}/okta/telephony`,
        TWILIO_BASE_URL: REFUSING_ORIGIN,
      });
      for (const check of ['okta.org', 'hook.answers', 'twilio.credential']) {
        expect(lineOf(found, check), check).to.include({ status: 'fail' });
        expect(lineOf(found, check).message).to.include('ECONNREFUSED');
      }
      const causes = found.filter(({ status }) => status === 'fail').map(({ check }) => check);
      expect(causes).to.deep.equal(['okta.org', 'hook.answers', 'twilio.credential']);
    });
  });

  it('requests scopes that can change the org only to see whether it has them', async () => {
    const { lines, scene } = await open();
    await grant(scene, [...READ_SCOPES, 'okta.users.manage']);
    const line = lineOf(await lines(), 'okta.privileges');
    expect(line).to.include({ status: 'warn' });
    expect(line.message).to.include('okta.users.manage').and.not.include('okta.apps.manage');
    expect(writesTo(scene.okta)).to.deep.equal([]);
  });
});
