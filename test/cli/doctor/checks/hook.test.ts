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

  for (const [tookMs, status, message] of [
    [999.5, 'ok', /^The hook answered in 1000 ms, over a new connection; Okta waits for 3 s\.$/],
    [1_000, 'warn', / 1000 ms, .*3 s, and the time for sending is added\.$/],
    [2_999, 'warn', / 2999 ms, .*3 s, and the time for sending is added\.$/],
    [3_000, 'fail', / 3000 ms, .*3 s, and then sends the code itself\.$/],
  ] as const) {
    it(`rates an answer after ${tookMs} ms as "${status}"`, async () => {
      takesMs = tookMs;
      const { group } = examine();
      const finding = await group.checks.find(({ name }) => name === 'hook.time')?.run();
      await group.close?.();
      expect(finding?.status).to.equal(status);
      expect(finding?.message).to.match(message);
      if (status !== 'ok') expect(finding?.remedy).to.match(/^Run the gateway near Okta and Twilio, /);
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
});
