import { expect } from 'chai';
import { examineHook } from '#lib/cli/doctor/checks/hook.js';
import { signWebhook } from '#lib/channels/twilio/signature.js';
import { startTestServer, type TestServer } from '../../../testing/local.js';

const NOW_MS = Date.parse('2026-11-25T12:00:00Z');
const SECRET = 'hook-secret-5f1c9ab2';
const AUTH_TOKEN = 'an-auth-token';
const HOOK_ERROR = '{"error":{"errorSummary":"No"}}';
const FINE = { status: 'ok', message: '', remedy: undefined } as const;

describe('examineHook', () => {
  let server: TestServer;
  let nowMs: number;
  let takesMs: number;
  beforeEach(async () => {
    nowMs = NOW_MS;
    takesMs = 0;
    server = await startTestServer((response, { url, headers }) => {
      nowMs += takesMs;
      const isProven = headers.authorization === SECRET;
      if (url.includes('/twilio/status')) response.writeHead(403).end();
      else response.writeHead(isProven ? 400 : 401).end(HOOK_ERROR);
    });
  });
  afterEach(() => {
    server.close();
  });

  const examine = () => {
    const url = `${server.url}/okta/telephony`;
    const proof = { kind: 'header', headerName: undefined, secret: SECRET } as const;
    return examineHook(
      { finding: FINE, value: { url, proof, secret: SECRET, headerName: undefined } },
      {
        time: { now: () => nowMs, sleep: () => Promise.resolve() },
        callMs: 5_000,
        authToken: AUTH_TOKEN,
        hasCallbacks: true,
        headerName: () => Promise.resolve(undefined),
      },
    );
  };
  const look = async (name: string) => {
    const { group } = examine();
    const check = group.checks.find((one) => one.name === name);
    try {
      return await check?.run();
    } finally {
      await group.close?.();
    }
  };

  const REMEDY =
    'Run the gateway near Okta and Twilio, avoid serverless cold starts, and check the proxies in between.';
  const answeredIn = (ms: number): string =>
    `The hook answered in ${ms} ms, over a new connection; Okta waits for 3 s`;
  for (const [tookMs, finding] of [
    [999.5, { status: 'ok', message: `${answeredIn(1_000)}.`, remedy: undefined }],
    [
      1_000,
      { status: 'warn', message: `${answeredIn(1_000)}, and the time for sending is added.`, remedy: REMEDY },
    ],
    [
      2_999,
      { status: 'warn', message: `${answeredIn(2_999)}, and the time for sending is added.`, remedy: REMEDY },
    ],
    [
      3_000,
      { status: 'fail', message: `${answeredIn(3_000)}, and then sends the code itself.`, remedy: REMEDY },
    ],
  ] as const) {
    it(`rates an answer after ${tookMs} ms as "${finding.status}"`, async () => {
      takesMs = tookMs;
      expect(await look('hook.time')).to.deep.equal(finding);
    });
  }

  it('sends each request once, with and without the secret, the challenge or the signature', async () => {
    const { group, answer } = examine();
    expect(group.title).to.equal('The hook');
    for (const check of group.checks) await check.run();
    await answer();
    await group.close?.();
    const path = '/okta/telephony';
    const status = `${path}/twilio/status?attempt=00000000-0000-0000-0000-000000000000`;
    const asked = server.received.map(({ url, headers, body }) => {
      const { 'content-type': type, authorization, accept, 'user-agent': agent } = headers;
      expect([accept, agent]).to.deep.equal(['application/json', 'okta-telephony-hook']);
      const isChallenged = headers['x-okta-verification-challenge'] !== undefined;
      return [url, type, authorization, body, isChallenged, headers['x-twilio-signature']];
    });
    const json = 'application/json';
    const form = 'application/x-www-form-urlencoded';
    expect(asked).to.deep.equal([
      [path, json, undefined, '{}', false, undefined],
      [path, json, SECRET, '{}', false, undefined],
      [`${path}/events`, undefined, undefined, '', true, undefined],
      [`${path}/events`, json, SECRET, '{}', false, undefined],
      [status, form, undefined, 'AccountSid=doctor', false, undefined],
      [
        status,
        form,
        undefined,
        'AccountSid=doctor',
        false,
        signWebhook({
          authToken: AUTH_TOKEN,
          url: server.url + status,
          params: { AccountSid: 'doctor' },
        }),
      ],
    ]);
  });

  it('fails hook.events and hook.callbacks if the gateway answers them wrongly', async () => {
    expect(await look('hook.events')).to.include({ status: 'fail' });
    expect(await look('hook.callbacks')).to.include({ status: 'fail' });
  });

  it('checks only the variables without a URL', async () => {
    const { group, answer } = examineHook(
      { finding: FINE, value: undefined },
      {
        time: { now: () => nowMs, sleep: () => Promise.resolve() },
        callMs: 1,
        authToken: undefined,
        hasCallbacks: true,
        headerName: () => Promise.resolve(undefined),
      },
    );
    expect(group.title).to.equal('The hook');
    expect(
      await Promise.all(group.checks.map(async ({ name, run: see }) => [name, await see()])),
    ).to.deep.equal([['hook.variables', FINE]]);
    expect(await answer()).to.deep.equal({ kind: 'not-sent', reason: 'UNKNOWN' });
  });
});
