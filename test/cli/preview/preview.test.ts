import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { isProbeMark, PROBE_HEADER } from '#lib/okta/probe-mark.js';
import { PREVIEW_PATH } from '#lib/okta/inline-hook.js';
import type { NewUser, OktaEmulator } from '#lib/testing/index.js';
import { PROGRAM } from '#harness/own-process.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { ROOT } from '#harness/consumer.js';
import { BOB, HOOK_SECRET, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';
import { startTestServer, type TestServer } from '../../testing/local.js';
import { callApi, telephonyHook } from '../../testing/okta/client.js';
import { keptParts } from '../kept-output.js';
import { run, type Run, type RunOptions } from '../runs.js';

const CLEO = {
  id: '00u1k7f3h9p2s5d8a4q6',
  login: 'cleo.reis@example.com',
  firstName: 'Cleopatra',
  lastName: 'Reisinger',
} as const;
const PHONE = '+447700900177';
const CALLED = '+447700900188';
const HOOKS = '/api/v1/inlineHooks';
/** Okta's error text may quote the login from the request. */
const DENIED = { errorCode: 'E0000006', errorSummary: `Not for ${CLEO.login}` };

const OUR_SCHEME = { scheme: 'header', name: 'Authorization', secrets: [HOOK_SECRET] } as const;

describe('preview', () => {
  const expectTexts = keptParts('preview-answers');
  let scene: Scene;
  let okta: OktaEmulator;
  let hookId: string;
  const servers: TestServer[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    return scene.close();
  });

  const start = async (hook?: SceneOptions['hook'], user: Partial<NewUser> = {}): Promise<void> => {
    scene = await startScene({ ...(hook === undefined ? {} : { hook }) });
    okta = scene.okta;
    okta.addUser({
      ...CLEO,
      profile: { whatsAppOptIn: true, locale: 'en_GB' },
      phoneFactors: [
        { factorType: 'sms', phoneNumber: PHONE },
        { factorType: 'call', phoneNumber: CALLED },
      ],
      ...user,
    });
    scene.twilio.joinSandbox(PHONE);
    mustNotShow(CLEO.login, CLEO.firstName, CLEO.lastName, PHONE.slice(1), CALLED.slice(1));
    hookId = await create(scene.url, HOOK_SECRET);
    okta.requests.length = 0;
  };
  const create = async (uri: string, secret: string): Promise<string> =>
    String((await callApi(okta, 'POST', HOOKS, telephonyHook(uri, secret))).body['id']);
  /** A server that Okta, or the command line, calls in place of the gateway. */
  const answerWith = async (...answer: Parameters<typeof startTestServer>): Promise<TestServer> => {
    const server = await startTestServer(...answer);
    servers.push(server);
    return server;
  };
  const json =
    (body: unknown, status = 200): Parameters<typeof startTestServer>[0] =>
    (response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };

  const USUAL = `--user ${CLEO.login} --yes`;
  const TIME = { now: Date.now, sleep: () => Promise.resolve() };
  const previewOf = async (options = USUAL, given: RunOptions = {}): Promise<Run> => {
    const env = { PUBLIC_URL: scene.url, HOOK_SECRET, ...given.env };
    const made = await run(okta, `preview ${options}`.trim(), { time: TIME, ...given, env });
    // No output may show the codes that were sent.
    for (const { payload } of sentPayloads()) mustNotShow(payload.data.messageProfile.otpCode);
    return made;
  };
  const sentPayloads = (): { payload: { data: { messageProfile: { otpCode: string } } } }[] =>
    okta.requests
      .filter(({ path }) => path.endsWith('/execute'))
      .map(({ body }) => ({ payload: JSON.parse(body) as never }));
  const isNothingSent = (): void => {
    expect(scene.twilio.messages).to.be.empty;
    expect(scene.twilio.calls).to.be.empty;
  };

  // Whole outputs are in test/cli/outputs.
  for (const via of ['okta', 'gateway'] as const) {
    describe(`via ${via}`, () => {
      const usual = `${USUAL} --via ${via}`;

      it('sends a real message at each run, by the channel of a user with and without opt-in', async () => {
        await start();
        const other = '+447700900199';
        mustNotShow(other.slice(1));
        const voice = '--channel voice --request-type password-reset --json';
        const runs = [await previewOf(usual), await previewOf(`${usual} ${voice}`)];
        runs.push(await previewOf(`${usual} --phone ${other}`));
        runs.push(await previewOf(`--user ${BOB.login} --yes --via ${via}`));
        for (const { code, stderr } of runs) expect(code, stderr).to.equal(0);
        const sent = scene.twilio.messages.map(({ channel, to }) => `${channel} ${to}`);
        expect(sent).to.deep.equal([`whatsapp ${PHONE}`, `whatsapp ${other}`, `sms ${BOB.phone}`]);
        expect(scene.twilio.calls.map(({ to }) => to)).to.deep.equal([CALLED]);
        expect(runs[1]?.json()).to.deep.nested.include({
          'payload.requestType': 'com.okta.user.telephony.password-reset',
          'payload.data.messageProfile.deliveryChannel': 'voice call',
        });
        expect(runs[2]?.stdout).to.match(/ to the phone …99 of --phone, for the user 00u\w+\.$/m);
        expect(scene.events.find(({ type }) => type === 'request.received')).to.include({ isPreview: true });
      });

      it('exits with 1 if the guard blocked the code, although the result is pending', async () => {
        await start({ guard: { perUser: { points: 1, seconds: 600 } } });
        await previewOf(usual);
        const made = await previewOf(`${usual} --json`);
        expect(made.code).to.equal(1);
        expect(made.json()).to.include({ result: 'pending' });
        expect(made.stderr).to.include('! Nothing was sent: the guard (LIMIT_PER_USER) blocked it');
        expect(JSON.stringify(made.json())).to.include('LIMIT_PER_USER').and.include('raise guard.perUser');
        expect(JSON.stringify(made.json())).to.not.include('nobody knows');
        expect(scene.twilio.messages).to.have.length(1);
      });

      it('says that the outcome is unknown if Twilio gives no answer', async () => {
        await start();
        scene.twilio.fault({ fault: { kind: 'reset' }, match: ({ path }) => path.includes('/Messages') });
        const made = await previewOf(usual);
        expect(made.code, made.stderr).to.equal(0);
        expect(made.stdout)
          .to.match(/^! Answered/m)
          .and.include('it is unknown whether the message went out');
      });

      it('sends nothing after a no, and without a terminal or --yes', async () => {
        await start();
        const asking = `--user ${CLEO.login} --via ${via}`;
        const declined = await previewOf(`${asking} --json`, { answers: ['n'] });
        expect(declined.code).to.equal(1);
        expect(declined.json()).to.include({ result: 'declined' });
        expect((await previewOf(asking)).code).to.equal(2);
        isNothingSent();
      });
    });
  }

  describe('with --user', () => {
    it('does not call the users API with a login that would read another resource', async () => {
      await start();
      for (const user of ['me', '..', 'a/b@example.com']) {
        const made = await previewOf(`--user ${user} --yes`);
        expect(made.code, user).to.equal(1);
        expect(made.stderr, user).to.include('no such user');
      }
      expect(okta.requests.filter(({ path }) => path.startsWith('/api/v1/users'))).to.be.empty;
    });

    it('fails for a short login, because Okta answers with a user of another login', async () => {
      await start();
      const made = await previewOf('--user cleo.reis --yes --json');
      expect(made.code).to.equal(1);
      expect(made.json()).to.deep.nested.include({ 'error.code': 'OKTA_WRONG_USER' });
    });

    it('asks for --phone if the user has no phone', async () => {
      await start(undefined, { phoneFactors: [], profile: {} });
      const made = await previewOf();
      expect(made.code).to.equal(2);
      expect(made.stderr).to.include('data.messageProfile.phoneNumber').and.include('--phone');
      isNothingSent();
    });

    it('warns before it sends that the number has no country code', async () => {
      await start(undefined, { phoneFactors: [], profile: { mobilePhone: '07700 900177' } });
      const made = await previewOf(`--user ${CLEO.login}`, { answers: ['n'] });
      expect(made.stderr).to.include('mobilePhone').and.include('defaultCountry');
    });
  });

  describe('via the hook in Okta', () => {
    const deactivate = (id: string): Promise<unknown> =>
      callApi(okta, 'POST', `${HOOKS}/${id}/lifecycle/deactivate`);

    it('takes the active one of two hooks', async () => {
      await start();
      await deactivate(hookId);
      const second = await create(scene.url, HOOK_SECRET);
      const made = await previewOf(`${USUAL} --json`);
      expect(made.code, made.stderr).to.equal(0);
      expect(made.json()).to.include({ hook: second });
    });

    it('warns of a hook with another URL than PUBLIC_URL, and masks its answer', async () => {
      await start();
      const value = { status: 'SUCCESSFUL', provider: 'X\u001b[31m', transactionId: `to-${PHONE}` };
      const other = await answerWith((response, { body }) => {
        const { otpCode } = (JSON.parse(body) as { data: { messageProfile: { otpCode: string } } }).data
          .messageProfile;
        mustNotShow(otpCode);
        const transactionMetadata = `login=${CLEO.login};code=${otpCode};kept=yes`;
        const commands = [{ type: 'com.okta.telephony.action', value: [{ ...value, transactionMetadata }] }];
        response.writeHead(200).end(JSON.stringify({ commands }));
      });
      await deactivate(hookId);
      await create(other.url, 'theirs');
      const made = await previewOf(`${USUAL} --json`);
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stderr).to.include('a hook with another URL than PUBLIC_URL').and.not.include('\u001b[31m');
      expect(JSON.stringify(made.json())).to.include('kept=yes');
    });

    it('reports a failover if the hook refuses the secret from Okta, and names the next steps', async () => {
      await start();
      await deactivate(hookId);
      await create(scene.url, 'another-secret-than-ours');
      const made = await previewOf(`${USUAL} --json`);
      expect(made.code).to.equal(1);
      expect(made.json()).to.deep.nested.include({
        result: 'failover',
        answer: null,
        'problem.code': 'NO_SUCCESS',
      });
      expect(made.stderr).to.include('401').and.include('--via gateway').and.include('--rotate');
      expect((made.json()['next'] as string[])[0])
        .to.include('twice')
        .and.include('may have gone out nevertheless');
    });

    it('says that a message may have gone out if Okta calls the hook and then gives no answer', async () => {
      await start();
      for (const [index, fault] of (
        [
          { kind: 'reset', delivered: true },
          { kind: 'truncated' },
          { kind: 'malformed' },
          { kind: 'status', status: 500, body: DENIED, delivered: true },
          { kind: 'html', status: 504, delivered: true },
        ] as const
      ).entries()) {
        okta.fault({ fault, times: 1, match: ({ path }) => path.endsWith('/execute') });
        const made = await previewOf(`${USUAL} --json`);
        expect(made.code, fault.kind).to.equal(1);
        expect(scene.twilio.messages, 'the messages that were sent').to.have.length(index + 1);
        expect(made.json(), fault.kind).to.deep.nested.include({
          result: 'unknown',
          answer: null,
          reaction: null,
          'problem.code': 'NO_ANSWER',
        });
        expect(made.json()).to.not.have.property('error');
        expect(made.stderr)
          .to.match(/✘ .*A message may have gone out nevertheless/)
          .and.not.include('run this again');
        expect(JSON.stringify(made.json()['next'])).to.include('Look at the phone');
      }
    });

    it('says that nothing was sent if Okta answers 429 or is not reachable', async () => {
      await start();
      okta.fault({ fault: { kind: 'status', status: 429 }, match: ({ path }) => path.endsWith('/execute') });
      const limited = await previewOf(`${USUAL} --json`);
      expect(limited.json()).to.deep.nested.include({ 'error.code': 'OKTA_RATE_LIMITED' });
      expect(limited.stderr).to.include('run this again: nothing was sent.');
      const env = { OKTA_ORG_URL: REFUSING_ORIGIN };
      const unreached = await previewOf(USUAL, { env });
      expect(unreached.code).to.equal(1);
      expect(unreached.stderr).to.include('run this again: nothing was sent.');
      isNothingSent();
    });

    it('reports a failover if the hook is down, after Okta calls it twice', async () => {
      await start();
      const down = await answerWith((response) => {
        response.destroy();
      });
      await deactivate(hookId);
      await create(down.url, HOOK_SECRET);
      const made = await previewOf();
      expect(made.code).to.equal(1);
      expect(down.received).to.have.length(2);
      expect(made.stdout).to.include('Okta goes on without the hook');
    });
  });

  describe('with --via gateway', () => {
    const direct = `${USUAL} --via gateway`;

    it('says that a value counts only at a gateway that has a channel of that name, and does not show the value', async () => {
      await start(undefined, { profile: { whatsAppOptIn: 'pigeon' } });
      const made = await previewOf(direct);
      expect(made.code, made.stderr).to.equal(0);
      expect(made.stdout).to.include('unusable: the value of whatsAppOptIn names no channel');
      expect(made.stderr).to.match(
        /names no channel of this package: it counts only if the gateway has one of that name\. Check that/,
      );
      expect(made.stdout + made.stderr).to.not.include('pigeon');
    });

    it('needs no hook in Okta, and no permission except to read users', async () => {
      await start();
      const apiToken = okta.addApiToken(['READ_ONLY_ADMIN']);
      mustNotShow(apiToken);
      const made = await previewOf(direct, { env: { OKTA_API_TOKEN: apiToken } });
      expect(made.code, made.stderr).to.equal(0);
      expect(okta.requests.map(({ path }) => path.split('/')[3])).to.not.include('inlineHooks');
    });

    it('fails if the gateway refuses HOOK_SECRET', async () => {
      await start();
      mustNotShow('not-the-secret-at-all');
      const made = await previewOf(direct, { env: { HOOK_SECRET: 'not-the-secret-at-all' } });
      expect(made.code).to.equal(1);
      expect(made.stdout).to.include('401').and.include('credentials.hook.secrets');
      expect(made.stdout).to.include('caller.rejected');
      isNothingSent();
    });

    it('sends the secret in the header of --header', async () => {
      await start({
        credentials: { hook: { scheme: 'header', name: 'x-api-client-token', secrets: [HOOK_SECRET] } },
      });
      expect((await previewOf(direct)).code).to.equal(1);
      const made = await previewOf(`${direct} --header x-api-client-token`);
      expect(made.code, made.stderr).to.equal(0);
    });

    it('fetches an OAuth token with the client secret, and refuses a hook key', async () => {
      const CLIENT_SECRET = 'client-secret-77aa31';
      mustNotShow(CLIENT_SECRET);
      await start(({ okta: org }) => ({
        credentials: {
          hook: {
            scheme: 'oauth2',
            issuer: org.issuer,
            audience: 'api://default',
            clientId: '0oahookclient0001d7',
            scope: 'telephony',
          },
        },
      }));
      okta.registerHookClient({
        clientId: '0oahookclient0001d7',
        clientSecret: CLIENT_SECRET,
        scopes: ['telephony'],
      });
      const env = {
        HOOK_OAUTH_CLIENT_ID: '0oahookclient0001d7',
        HOOK_OAUTH_TOKEN_URL: `${okta.issuer}/v1/token`,
        HOOK_OAUTH_SCOPE: 'telephony',
        HOOK_OAUTH_CLIENT_SECRET: CLIENT_SECRET,
      };
      const made = await previewOf(direct, { env });
      expect(made.code, made.stderr).to.equal(0);
      const wrong = await previewOf(direct, { env: { ...env, HOOK_OAUTH_CLIENT_SECRET: 'of-nobody-here' } });
      expect(wrong.code).to.equal(1);
      expect(wrong.stderr).to.include('does not accept this client');
      const { HOOK_OAUTH_CLIENT_SECRET: _, ...byKey } = { ...env, HOOK_OAUTH_KEY_ID: 'HKYabcdefghijklmnopq' };
      const keyed = await previewOf(direct, { env: byKey });
      expect(keyed.code).to.equal(2);
      expect(keyed.stderr).to.include('Remove --via gateway');
    });

    it("prints Okta's reaction and the next steps for each kind of answer", async () => {
      await start();
      let late = 0;
      const time = { now: () => Date.now() + late, sleep: () => Promise.resolve() };
      type Answer = Parameters<typeof startTestServer>[0];
      const command = (value: object): Answer =>
        json({ commands: [{ type: 'com.okta.telephony.action', value: [value] }] });
      const status =
        (code: number): Answer =>
        (response) =>
          response.writeHead(code, { location: scene.url }).end(`<html>${CLEO.login}</html>`);
      const ownError = { errorSummary: 'No', errorCauses: [{ reason: '63016: x', domain: 'TWILIO' }, {}] };
      const answers: Readonly<Record<string, Answer>> = {
        nothing: undefined,
        'a connection that breaks': (response) => response.destroy(),
        'a late answer': (response, request) => {
          late = 4_000;
          command({ status: 'SUCCESSFUL' })?.(response, request);
        },
        'a redirect': status(302),
        'a bad request': status(400),
        'an unverified caller': status(401),
        'a forbidden call': status(403),
        'no path': status(404),
        'no method': status(405),
        'a fault': status(500),
        'no service': status(503),
        'no command': json({}),
        'a failed command': command({ status: 'FAILED', provider: 'TWILIO' }),
        'a message that was sent after refusals': command({
          status: 'SUCCESSFUL',
          transactionMetadata: 'refused=whatsapp:63016,line:HTTP_401',
        }),
        'an unknown outcome': command({ status: 'PENDING', provider: 'TWILIO' }),
        'a fraud filter': command({ status: 'PENDING', provider: 'GUARD' }),
        'a newer code': command({
          status: 'PENDING',
          provider: 'GUARD',
          transactionMetadata: 'blocked=SUPERSEDED',
        }),
        "an error of the hook's own": json({ error: ownError }),
      };
      for (const [what, answer] of Object.entries(answers)) {
        late = 0;
        const server = answer === undefined ? undefined : await answerWith(answer);
        const env = { PUBLIC_URL: server?.url ?? REFUSING_ORIGIN };
        const made = await previewOf(`${direct} --json`, { env, time });
        const mark = server?.received[0]?.headers[PROBE_HEADER];
        expect(isProbeMark(mark, [OUR_SCHEME], Date.now(), { method: 'POST', route: 'hook' }), what).to.equal(
          server !== undefined,
        );
        const { result, problem, next, reaction, durationMs } = made.json();
        expect(reaction, what).to.include({ action: result });
        expect(durationMs, what).to.be.at.least(late);
        expectTexts(what, JSON.stringify({ code: made.code, result, problem, next }, null, 2));
        // The text output has the same.
        const texts = [(problem as { text: string } | undefined)?.text ?? '', ...(next as string[])];
        for (const text of texts) expect(made.stderr, what).to.include(text);
      }
      isNothingSent();
    });

    it("says that it still waits when Okta's first try would have timed out", async () => {
      await start();
      await previewOf(direct);
      let answer = (): void => undefined;
      let isAsked = false;
      const other = await answerWith((response) => {
        isAsked = true;
        answer = () => response.writeHead(503).end();
      });
      const clock = stopTime();
      try {
        for (const [waitsMs, isShown] of [
          [3_000, true],
          [2_999, false],
        ] as const) {
          isAsked = false;
          const running = previewOf(direct, { env: { PUBLIC_URL: other.url } });
          await until(() => isAsked);
          clock.tick(waitsMs);
          answer();
          const output = '\n… Still waiting: Okta would have given up its first try by now\n';
          expect((await running).stderr.includes(output), String(waitsMs)).to.equal(isShown);
        }
      } finally {
        clock.restore();
      }
    });

    it('names the variables that are missing', async () => {
      await start();
      const made = await previewOf(direct, { env: { PUBLIC_URL: '', HOOK_SECRET: '' } });
      expect(made.code).to.equal(2);
      expect(made.stderr).to.include('PUBLIC_URL is missing').and.include('HOOK_SECRET is missing');
    });
  });

  describe('with a payload', () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'okta-telephony-hook-test-'))));
    afterEach(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const write = (text: string): string => {
      const file = join(folder, 'call.json');
      writeFileSync(file, text);
      return file;
    };
    /** The output of `--print`. It shows the code on purpose, so the witness does not check it. */
    const printed = async (): Promise<Record<string, unknown>> => {
      const { payload } = await printWithoutWitness();
      return payload;
    };
    const printWithoutWitness = async (): Promise<{ payload: Record<string, unknown>; made: Run }> => {
      const made = await run(okta, `preview --user ${CLEO.login} --print`, {
        time: TIME,
        env: { PUBLIC_URL: scene.url, HOOK_SECRET },
        isShownToOwner: true,
      });
      return { payload: JSON.parse(made.stdout) as Record<string, unknown>, made };
    };
    /** A fake editor: a script that gets the path of the file. */
    const editor = (does: string): Record<string, string> => {
      const script = join(folder, 'editor.mjs');
      writeFileSync(
        script,
        `import { readFileSync, statSync, writeFileSync } from 'node:fs';
const file = process.argv.at(-1);
writeFileSync(${JSON.stringify(join(folder, 'seen.json'))}, JSON.stringify({ file, mode: statSync(file).mode & 0o777, words: process.argv.slice(2, -1) }));
let text = readFileSync(file, 'utf8');
${does}
writeFileSync(file, text);`,
      );
      chmodSync(script, 0o700);
      return { VISUAL: `"${process.execPath}" ${script} --wait` };
    };
    const seenByEditor = (): { file: string; mode: number; words: string[] } =>
      JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8')) as never;

    it('prints the payload with --print, sends nothing, and needs no hook', async () => {
      await start();
      const { payload, made } = await printWithoutWitness();
      expect(made.code, made.stderr).to.equal(0);
      expect(payload).to.deep.nested.include({
        'data.messageProfile.phoneNumber': PHONE,
        'data.userProfile.login': CLEO.login,
      });
      expect(okta.requests.map(({ path }) => path.split('/')[3])).to.not.include('inlineHooks');
      isNothingSent();
    });

    it('sends the payload of a file, and a second message in a second run', async () => {
      await start();
      const file = write(JSON.stringify(await printed()));
      for (const [index, via] of ['okta', 'okta', 'gateway', 'gateway'].entries()) {
        const made = await previewOf(`--payload ${file} --yes --via ${via}`);
        expect(made.code, made.stderr).to.equal(0);
        expect(scene.twilio.messages).to.have.length(index + 1);
      }
    });

    it('says that a code grants no access only if preview has made up the code', async () => {
      await start();
      const file = write(JSON.stringify(await printed()));
      const edit = { VISUAL: 'true' };
      for (const [options, isMadeUp] of [
        [`--user ${CLEO.login}`, true],
        [`--payload ${file}`, false],
        [`--user ${CLEO.login} --edit`, false],
      ] as const) {
        const { stdout } = await previewOf(`${options} --yes`, { env: edit });
        expect(stdout.includes('it grants no access'), options).to.equal(isMadeUp);
        expect(stdout.includes('a real one grants access'), options).to.equal(!isMadeUp);
      }
    });

    it('masks the IP address, the user agent and unknown fields of a captured payload with --json', async () => {
      await start();
      const payload = await printed();
      const data = payload['data'] as { context: { request: Record<string, unknown> } };
      Object.assign(data.context.request, {
        ipAddress: '203.0.113.77',
        url: { value: `${PREVIEW_PATH}?phone=+49 170 5550123&from=203.0.113.77&or=2001:db8:0:1::77` },
        userAgent: { raw: 'Theirs/5' },
      });
      Object.assign(payload, { session: { mobile: '01705550123' }, isTest: true });
      mustNotShow('203.0.113.77', '5550123', '2001:db8:0:1::77', 'Theirs/5');
      const made = await previewOf(`--payload ${write(JSON.stringify(payload))} --yes --json`);
      expect(made.code, made.stderr).to.equal(0);
      expect(made.json()).to.deep.nested.include({
        'payload.session': '…',
        'payload.isTest': true,
        'payload.data.context.request.ipAddress': '…',
        'payload.data.context.request.userAgent': '…',
        'payload.data.context.request.method': 'POST',
        'payload.data.context.request.url.value': `${PREVIEW_PATH}?phone=…&from=…&or=…`,
        'payload.data.messageProfile.phoneNumber': '…77',
      });
    });

    it('sends the payload of standard input via gateway without an org URL and a token', async () => {
      await start();
      const input = JSON.stringify(await printed());
      const env = { OKTA_ORG_URL: undefined, OKTA_API_TOKEN: undefined };
      const made = await previewOf('--payload - --yes --via gateway', { input, env });
      expect(made.code, made.stderr).to.equal(0);
      expect(scene.twilio.messages).to.have.length(1);
    });

    it('sends a payload with an expired code', async () => {
      await start();
      const payload = await printed();
      const message = (payload['data'] as { messageProfile: Record<string, unknown> }).messageProfile;
      message['otpExpires'] = '2020-01-01T00:05:00.000Z';
      const made = await previewOf(`--payload ${write(JSON.stringify(payload))} --yes`);
      expect(made.code, made.stderr).to.equal(0);
    });

    it('names line and column of invalid JSON, and shows no part of the file', async () => {
      await start();
      mustNotShow('very-secret-word');
      const file = write('{\n  "eventId": "1",\n  "data": very-secret-word\n}');
      const made = await previewOf(`--payload ${file} --yes --json`);
      expect(made.code).to.equal(2);
      expect(made.json()).to.deep.nested.include({ 'error.code': 'BAD_PAYLOAD' });
      expect(made.stderr).to.include('line 3, column 11');
      isNothingSent();
    });

    it('names the fields that are missing, and refuses a list and a missing file', async () => {
      await start();
      const file = write('{"data":{"messageProfile":{"otpCode":"204981"}}}');
      const made = await previewOf(`--payload ${file} --yes`);
      expect(made.code).to.equal(2);
      expect(made.stderr)
        .to.include('data.messageProfile.phoneNumber')
        .and.include('data.messageProfile.deliveryChannel');
      expect((await previewOf(`--payload ${write('[]')} --yes`)).stderr).to.include('not a JSON object');
      expect((await previewOf(`--payload ${join(folder, 'none')} --yes`)).code).to.equal(2);
      isNothingSent();
    });

    it('edits the payload in a file with mode 600, and deletes the file afterwards', async () => {
      await start();
      const env = editor(`text = text.replace(${JSON.stringify(PHONE)}, '+447700900155');`);
      mustNotShow('447700900155');
      const made = await previewOf(`--user ${CLEO.login} --yes --edit`, { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(scene.twilio.messages.at(-1)?.to).to.equal('+447700900155');
      const { file, mode, words } = seenByEditor();
      expect(mode).to.equal(0o600);
      expect(words).to.deep.equal(['--wait']);
      expect(existsSync(file)).to.equal(false);
      expect(readdirSync(tmpdir())).to.not.include(file.split('/').at(-2));
    });

    it('sends a preview even if the edit changes the request path to that of a sign-in', async () => {
      await start();
      const env = {
        VISUAL: 'f() { sed s/generatePreview/challenge/ "$1" > "$1.new" && mv "$1.new" "$1"; }; f',
      };
      const made = await previewOf(`--user ${CLEO.login} --yes --edit`, { env });
      expect(made.code, made.stderr).to.equal(0);
      expect(scene.events.find(({ type }) => type === 'request.received')).to.include({ isPreview: true });
    });

    it('names the place of invalid JSON after an edit, and asks whether to edit again', async () => {
      await start();
      const env = editor(`text = text.includes('broken') ? text.replace('broken', '') : 'broken' + text;`);
      const unasked = await previewOf(`--user ${CLEO.login} --yes --edit`, { env });
      expect(unasked.code).to.equal(2);
      expect(unasked.stderr).to.include('line 1, column 1');
      expect(existsSync(seenByEditor().file)).to.equal(false);
      isNothingSent();
      const again = await previewOf(`--user ${CLEO.login} --edit`, { env, answers: ['y', 'y'] });
      expect(again.code, again.stderr).to.equal(0);
      expect(scene.twilio.messages).to.have.length(1);
      const ended = await previewOf(`--user ${CLEO.login} --edit`, { env, answers: ['n'] });
      expect(ended.code).to.equal(2);
      expect(scene.twilio.messages).to.have.length(1);
    });

    it('sends nothing if the edited file is empty, or if the editor deletes it or its folder', async () => {
      await start();
      for (const VISUAL of [': >', 'rm', 'f() { rm -r "$(dirname "$1")"; }; f']) {
        const made = await previewOf(`--user ${CLEO.login} --yes --edit --json`, { env: { VISUAL } });
        expect(made.code).to.equal(1);
        expect(made.json()).to.include({ result: 'declined' }).and.not.have.property('error');
        expect(made.stderr).to.include('Nothing was sent');
      }
      isNothingSent();
    });

    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      it(`deletes the edited file on ${signal}`, async () => {
        await start();
        const file = write(JSON.stringify(await printed()));
        // The editor prints the path of its file, and runs until its input ends with the program.
        const program = [PROGRAM, 'preview', '--payload', file, '--edit', '--yes'];
        const child = spawn(process.execPath, [...program, '--via', 'gateway'], {
          cwd: ROOT,
          env: {
            ...{ PATH: process.env['PATH'], PUBLIC_URL: scene.url, HOOK_SECRET },
            VISUAL: 'f() { echo "editing $1."; cat > /dev/null; }; f',
          },
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        child.stdout.setEncoding('utf8');
        let output = '';
        for await (const text of child.stdout) {
          output += String(text);
          if (/editing .*\.\n/.test(output)) break;
        }
        const [, edited = ''] = /editing (.*)\.\n/.exec(output) ?? [];
        expect(existsSync(edited), output).to.equal(true);
        const ended = once(child, 'exit');
        child.kill(signal);
        expect(await ended).to.deep.equal([null, signal]);
        child.stdin.end();
        expect(existsSync(join(edited, '..'))).to.equal(false);
        isNothingSent();
      });
    }

    it('sends nothing if the editor fails or does not exist', async () => {
      await start();
      const failing = await previewOf(`--user ${CLEO.login} --yes --edit`, { env: { VISUAL: 'exit 3;' } });
      expect(failing.code).to.equal(1);
      expect(failing.stderr).to.include('ended with 3');
      // The exit code of a shell for an unknown command.
      const env = { VISUAL: '', EDITOR: 'exit 127;' };
      const missing = await previewOf(`--user ${CLEO.login} --yes --edit`, { env });
      expect(missing.code).to.equal(1);
      expect(missing.stderr).to.include('could not be started').and.include('VISUAL');
      isNothingSent();
    });
  });
});
