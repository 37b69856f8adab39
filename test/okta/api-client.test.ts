import { inspect } from 'node:util';
import { expect } from 'chai';
import { Agent } from 'undici';
import type { OktaApiError } from '#lib/core/errors.js';
import type { OktaApiClient } from '#lib/okta/api-client.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { clientOf, failureOf, httpDate, NOW, startScriptedOkta, type ScriptedOkta } from './scripted-okta.js';
import { SERVICE_APP } from './service-app.js';

const API_TOKEN = '00apiTokenOfTheTests';

describe("Okta's API client with an API token", () => {
  let okta: ScriptedOkta;
  let client: OktaApiClient;
  before(async () => {
    okta = await startScriptedOkta();
    client = clientOf(okta, { orgUrl: okta.origin, apiToken: API_TOKEN });
  });
  after(() => okta.close());

  const get = (path = '/api/v1/users/00u1', timeoutMs = 2_000): ReturnType<OktaApiClient['request']> =>
    client.request({ method: 'GET', path, timeoutMs });

  it('sends the token, User-Agent and Accept, and resolves to the parsed answer', async () => {
    okta.answerWith(() => ({ status: 200, body: { id: '00u1' }, headers: { ETag: 'W/"1"' } }));
    const answer = await get('/api/v1/users/a%40b.example?fields=id');
    expect(answer.status).to.equal(200);
    expect(answer.body).to.deep.equal({ id: '00u1' });
    expect(answer.headers['etag']).to.equal('W/"1"');
    okta.answerWith(() => ({ status: 299 }));
    expect((await get()).status).to.equal(299);
    okta.answerWith(() => ({ status: 200, body: { id: '00u1' } }));
    await get('/api/v1/users/a%40b.example?fields=id');
    const [request] = okta.requests;
    expect(request?.method).to.equal('GET');
    expect(request?.path).to.equal('/api/v1/users/a%40b.example?fields=id');
    expect(request?.headers.authorization).to.equal(`SSWS ${API_TOKEN}`);
    expect(request?.headers.accept).to.equal('application/json');
    expect(request?.headers['user-agent']).to.equal('okta-telephony-hook');
    expect(request?.headers['content-type']).to.equal(undefined);
  });

  it('sends a body as JSON', async () => {
    okta.answerWith(() => ({ status: 200, body: [] }));
    const { body } = await client.request({
      method: 'POST',
      path: '/api/v1/x',
      body: { a: 1 },
      timeoutMs: 2_000,
    });
    expect(body).to.deep.equal([]);
    const [request] = okta.requests;
    expect(request?.body).to.equal('{"a":1}');
    expect(request?.headers['content-type']).to.equal('application/json');
    expect(request?.headers.authorization).to.equal(`SSWS ${API_TOKEN}`);
  });

  it("sends the request's contentType, with or without a body", async () => {
    okta.answerWith(() => ({ status: 200, body: [] }));
    const asked = { path: '/api/v1/x', contentType: 'application/x; a="b"', timeoutMs: 2_000 };
    await client.request({ ...asked, method: 'GET' });
    await client.request({ ...asked, method: 'PUT', body: 1 });
    expect(okta.requests.map(({ headers }) => headers['content-type'])).to.deep.equal([
      asked.contentType,
      asked.contentType,
    ]);
  });

  it("fails with a code for the status and with Okta's errorCode, without its errorSummary", async () => {
    for (const [status, errorCode, code] of [
      [401, 'E0000011', 'OKTA_UNAUTHORIZED'],
      [403, 'E0000006', 'OKTA_FORBIDDEN'],
      [404, 'E0000007', 'OKTA_NOT_FOUND'],
      [404, 'E0000022', 'OKTA_HTTP_ERROR'],
      [429, 'E0000047', 'OKTA_RATE_LIMITED'],
      [400, 'E0000001', 'OKTA_HTTP_ERROR'],
      [500, 'E0000009', 'OKTA_HTTP_ERROR'],
    ] as const) {
      const errorSummary = 'Not found: ana@example.com (User)';
      okta.answerWith(() => ({ status, body: { errorCode, errorSummary } }));
      const error = await failureOf(get());
      expect(error.code).to.equal(code);
      expect(error.status).to.equal(status);
      expect(error.message).to.equal(`Okta's API answered ${status} (${errorCode})`);
      expect(inspect(error, { depth: 9 })).not.to.match(/ana@|SSWS|00apiToken/);
    }
  });

  it('fails with a remedy, also if a proxy answers in place of Okta', async () => {
    for (const [status, remedy] of [
      [302, /check proxies on the way/],
      [401, /^Compare credentials\.okta/],
      [403, /role that may read users/],
      [404, /check proxies on the way/],
      [407, /check proxies on the way/],
      [429, /Reports > Rate Limits/],
      [500, /^Check status\.okta\.com/],
      [503, /^Check status\.okta\.com/],
    ] as const) {
      okta.answerWith(() => ({ status, body: 'a page' }));
      expect((await failureOf(get())).remedy).to.match(remedy);
    }
  });

  it('leaves out an errorCode that does not look like one', async () => {
    for (const body of [
      { errorCode: 'E0000007 ana@example.com' },
      { error: 'ana@example.com' },
      'ana@example.com',
      [],
    ]) {
      okta.answerWith(() => ({ status: 404, body }));
      expect((await failureOf(get())).message).to.equal("Okta's API answered 404");
    }
  });

  it('does not repeat a request whose API token Okta refuses', async () => {
    okta.answerWith(() => ({ status: 401, body: {} }));
    await failureOf(get());
    expect(okta.requests).to.have.length(1);
  });

  it("puts the answer's Date and the rate limit headers that it has on its error, and no other header", async () => {
    for (const [given, shown] of [
      [
        { 'X-Rate-Limit-Limit': '600', 'X-Rate-Limit-Remaining': '0', 'X-Rate-Limit-Reset': '1795608060' },
        { 'x-rate-limit-limit': '600', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1795608060' },
      ],
      [{ 'X-Rate-Limit-Limit': '600' }, { 'x-rate-limit-limit': '600' }],
    ] as const) {
      const others = { 'Set-Cookie': 'sid=secret', 'X-Okta-Request-Id': 'r1' };
      okta.answerWith(() => ({ status: 429, headers: { ...given, ...others } }));
      const { headers = {} } = await failureOf(get());
      expect(Object.entries(headers)).to.have.deep.members([
        ['date', httpDate(NOW)],
        ...Object.entries(shown),
      ]);
    }
  });

  it('follows no redirect', async () => {
    okta.answerWith(() => ({ status: 302, headers: { Location: `${okta.origin}/elsewhere` } }));
    expect(await failureOf(get())).to.include({ code: 'OKTA_HTTP_ERROR', status: 302 });
    expect(okta.requests).to.have.length(1);
  });

  it('fails with OKTA_UNREADABLE if a success contains no JSON object', async () => {
    for (const body of ['', '<html>', '"text"', '1', 'null']) {
      okta.answerWith(() => ({ status: 200, body }));
      expect(await failureOf(get())).to.include({
        code: 'OKTA_UNREADABLE',
        status: 200,
        message: "Okta's API answered 200 without a JSON object",
      });
    }
  });

  it('fails with OKTA_NO_ANSWER after a timeout, OKTA_UNREACHABLE without a connection', async () => {
    okta.answerWith(() => 'hang');
    const clock = stopTime();
    try {
      const failing = failureOf(get('/api/v1/x', 60));
      await until(() => okta.requests.length === 1);
      clock.tick(60);
      expect(await failing).to.include({
        code: 'OKTA_NO_ANSWER',
        message: "Okta's API gave no complete answer (TIMEOUT)",
      });
    } finally {
      clock.restore();
    }

    const unreachable = clientOf(okta, { orgUrl: REFUSING_ORIGIN, apiToken: API_TOKEN });
    const error = await failureOf(
      unreachable.request({ method: 'GET', path: '/api/v1/x', timeoutMs: 2_000 }),
    );
    expect(error.code).to.equal('OKTA_UNREACHABLE');
    expect(error.message).to.contain('ECONNREFUSED');
  });

  it('sends a read once more if its connection is lost, and nothing else', async () => {
    okta.answerWith(() => 'reset');
    await failureOf(get());
    expect(okta.requests).to.have.length(2);
    await failureOf(client.request({ method: 'POST', path: '/api/v1/x', body: {}, timeoutMs: 2_000 }));
    expect(okta.requests).to.have.length(3);
  });
});

describe("the wait for a connection to Okta's API or token endpoint", () => {
  for (const [endpoint, credentials] of [
    ["Okta's API", { orgUrl: 'http://127.0.0.1', apiToken: API_TOKEN }],
    ["Okta's token endpoint", { orgUrl: 'http://127.0.0.1', ...SERVICE_APP }],
  ] as const) {
    it(`of ${endpoint} ends before the time-out of the call`, async () => {
      let isConnecting = false;
      const dispatcher = new Agent({
        connect: () => {
          isConnecting = true;
        },
      });
      const client = clientOf({ dispatcher }, credentials, { connectTimeoutMs: 500 });
      const clock = stopTime();
      try {
        let failure: OktaApiError | undefined;
        const call = client.request({ method: 'GET', path: '/api/v1/users/00u1', timeoutMs: 2_000 });
        const failing = failureOf(call).then((error) => (failure = error));
        await until(() => isConnecting);
        await clock.tickAsync(499);
        expect(failure).to.equal(undefined);
        await clock.tickAsync(1);
        await failing;
        expect(failure).to.include({
          code: 'OKTA_UNREACHABLE',
          message: `${endpoint} could not be reached (CONNECT_TIMEOUT)`,
        });
      } finally {
        clock.restore();
        await dispatcher.destroy();
      }
    });
  }
});
