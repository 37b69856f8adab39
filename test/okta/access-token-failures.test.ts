import { expect } from 'chai';
import { OktaApiError } from '#lib/core/errors.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import {
  assertionOf,
  clientOf,
  failureOf,
  httpDate,
  isTokenRequest,
  makeGate,
  NOW,
} from './scripted-okta.js';
import {
  MINUTE_MS,
  RSA_KEYS,
  startServiceAppScene,
  tokenAnswer,
  type ServiceAppScene,
} from './service-app.js';

describe("a service app's token request", () => {
  let app: ServiceAppScene;
  before(async () => {
    app = await startServiceAppScene();
  });
  after(() => app.okta.close());
  beforeEach(() => {
    app.reset();
  });
  /** Tokens `t1`, `t2` and so on. */
  const issueNumbered = (seconds?: number): void => {
    app.issue((count) => tokenAnswer(`t${count}`, seconds));
  };

  it('fails with OKTA_UNREADABLE if the answer contains no valid token', async () => {
    const good = { token_type: 'Bearer', expires_in: 3600, access_token: 't' };
    for (const body of [
      {},
      [],
      '<html>',
      { ...good, access_token: undefined },
      { ...good, access_token: '' },
      { ...good, access_token: 'a\nb' },
      { ...good, access_token: ' a' },
      { ...good, access_token: 'a ' },
      { ...good, access_token: 7 },
      { ...good, token_type: 'mac' },
      { ...good, token_type: 'constructor' },
      { ...good, token_type: 'DPoP' },
      { ...good, expires_in: undefined },
      { ...good, expires_in: 0 },
      { ...good, expires_in: '3600' },
    ]) {
      app.now += 10_000;
      app.issue(() => ({ status: 200, body }));
      const { code, message } = await failureOf(app.get());
      expect(code, JSON.stringify(body)).to.equal('OKTA_UNREADABLE');
      expect(message).to.match(/^Okta's token endpoint answered (without a valid access token|200 without)/);
      expect(app.tokensUsed()).to.deep.equal([]);
    }
    app.now += 10_000;
    issueNumbered();
    expect((await app.get()).status).to.equal(200);
  });

  it('goes on if the call that started it times out, and serves the others and the next one', async () => {
    const gate = makeGate();
    app.issue(async (count) => {
      await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    const impatient = failureOf(app.get(30));
    const patient = app.get(2_000);
    expect(await impatient).to.include({
      code: 'OKTA_NO_ANSWER',
      message: "Okta's token endpoint did not answer in time",
    });
    gate.open();
    expect((await patient).status).to.equal(200);
    expect((await app.get()).status).to.equal(200);
    expect(app.tokenRequests()).to.have.length(1);
  });

  it('ends after 3 s with all its attempts together', async () => {
    const late = makeGate();
    app.issue(async (count) => {
      if (count > 1) return 'hang';
      await late.opened;
      // Another attempt follows, with the corrected time.
      const headers = { date: httpDate(NOW + 10 * MINUTE_MS) };
      return { status: 401, body: { error: 'invalid_client' }, headers };
    });
    const clock = stopTime();
    try {
      let failure: OktaApiError | undefined;
      const failing = failureOf(app.get(10_000)).then((error) => (failure = error));
      await app.until(() => app.tokenRequests().length === 1);
      clock.tick(2_000);
      late.open();
      await app.until(() => app.tokenRequests().length === 2);
      await clock.tickAsync(999);
      expect(failure).to.equal(undefined);
      await clock.tickAsync(1);
      expect(failure).to.include({ code: 'OKTA_NO_ANSWER' });
      await failing;
    } finally {
      clock.restore();
    }
  });

  it('is awaited by all calls while it runs, even if the clock is set back behind the last failure', async () => {
    app.issue(() => ({ status: 500 }));
    await failureOf(app.get());
    app.now += 1_000;
    const gate = makeGate();
    app.issue(async (count) => {
      await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    const first = app.get();
    await app.until(() => app.tokenRequests().length === 1);
    app.now -= 500;
    const second = app.get();
    gate.open();
    expect((await Promise.all([first, second])).map(({ status }) => status)).to.deep.equal([200, 200]);
    expect(app.tokenRequests()).to.have.length(1);
  });

  it('is not repeated within a second of a failure: calls fail at once', async () => {
    app.issue(() => ({
      status: 400,
      body: { error: 'invalid_scope', error_description: 'ana@example.com' },
    }));
    expect((await failureOf(app.get())).message).to.equal(
      "Okta's token endpoint answered 400 (invalid_scope)",
    );
    await failureOf(app.get());
    app.now += 999;
    expect(await failureOf(app.get())).to.include({
      code: 'OKTA_HTTP_ERROR',
      status: 400,
      reason: 'invalid_scope',
      message: "Okta's token endpoint answered 400 (invalid_scope), a moment ago",
    });
    expect(app.tokenRequests()).to.have.length(1);
    app.now += 1;
    await failureOf(app.get());
    expect(app.tokenRequests()).to.have.length(2);
    app.now -= 60 * MINUTE_MS;
    await failureOf(app.get());
    expect(app.tokenRequests(), 'a clock that was set back prolongs no pause').to.have.length(3);
  });

  it("waits after a 429 for the end of the window by Okta's clock, at most a minute", async () => {
    const refuse = (resetSeconds: number): void => {
      app.issue(() => ({
        status: 429,
        headers: {
          'X-Rate-Limit-Limit': '300',
          'X-Rate-Limit-Remaining': '0',
          'X-Rate-Limit-Reset': String(NOW / 1000 + resetSeconds),
        },
      }));
    };
    app.now += 6 * MINUTE_MS;
    refuse(20);
    expect((await failureOf(app.get())).code).to.equal('OKTA_RATE_LIMITED');
    app.now += 20_999;
    expect(await failureOf(app.get())).to.include({ code: 'OKTA_RATE_LIMITED', headers: undefined });
    expect(app.tokenRequests()).to.have.length(1);
    app.now += 1;
    refuse(3_000);
    await failureOf(app.get());
    app.now += 60_000;
    await failureOf(app.get());
    expect(app.tokenRequests()).to.have.length(2);
  });

  it('waits for two seconds after a 429 without a window', async () => {
    app.issue(() => ({ status: 429 }));
    await failureOf(app.get());
    app.now += 1_999;
    await failureOf(app.get());
    expect(app.tokenRequests()).to.have.length(1);
    app.now += 1;
    await failureOf(app.get());
    expect(app.tokenRequests()).to.have.length(2);
  });

  it("fails with the answer's error only if that is an error code of OAuth", async () => {
    for (const [error, shown] of [
      ...[
        'invalid_request',
        'invalid_client',
        'invalid_grant',
        'invalid_scope',
        'unauthorized_client',
        'unsupported_grant_type',
        'access_denied',
      ].map((word) => [word, ` (${word})`] as const),
      ['ana@example.com', ''],
    ] as const) {
      app.issue(() => ({ status: 400, body: { error } }));
      expect((await failureOf(app.get())).message).to.equal(`Okta's token endpoint answered 400${shown}`);
      app.now += 10_000;
    }
  });

  it('fails with OKTA_NO_ANSWER if the connection is reset, also for the next call', async () => {
    app.issue(() => 'reset');
    for (const later of ['', ', a moment ago']) {
      const { code, status, message } = await failureOf(app.get());
      expect([code, status]).to.deep.equal(['OKTA_NO_ANSWER', undefined]);
      expect(message).to.match(/^Okta's token endpoint gave no complete answer \([A-Z_]+\)/);
      expect(message.endsWith(', a moment ago')).to.equal(later !== '');
    }
    expect(app.tokenRequests()).to.have.length(1);
  });

  it('fails with the error of a key that does not fit the algorithm, also for the next call', async () => {
    const client = clientOf(app.okta, {
      orgUrl: app.okta.origin,
      clientId: '0oaServiceApp',
      privateKey: RSA_KEYS.privateKey,
      algorithm: 'ES256',
      keyId: undefined,
    });
    app.okta.answerWith(() => 'hang');
    const failures: unknown[] = [];
    for (let call = 0; call < 2; call += 1) {
      const request = client.request({ method: 'GET', path: '/api/v1/x', timeoutMs: 2_000 });
      failures.push(await request.catch((error: unknown) => error));
    }
    expect(failures[0]).to.be.instanceOf(Error).and.not.to.be.instanceOf(OktaApiError);
    expect(failures[1]).to.equal(failures[0]);
    expect(app.okta.requests).to.have.length(0);
  });

  it("succeeds even if the clock is six minutes off: Okta's Date header corrects it", async () => {
    for (const skewMs of [-6 * MINUTE_MS, 6 * MINUTE_MS]) {
      app.reset();
      app.now = NOW + skewMs;
      app.okta.answerWith((request) => {
        if (!isTokenRequest(request)) return { status: 200 };
        const isTimely = Math.abs((assertionOf(request).iat ?? 0) - NOW / 1000) <= 1;
        return isTimely ? tokenAnswer('t') : { status: 401, body: { error: 'invalid_client' } };
      });
      expect((await app.get()).status).to.equal(200);
      expect(app.tokenRequests()).to.have.length(2);
      const [first, second] = app.tokenRequests();
      expect(assertionOf(first).jti).not.to.equal(assertionOf(second).jti);
    }
  });

  it('fails at once if the clock is right, and undoes a correction that does not help', async () => {
    const refuse = (dateMs: number): void => {
      app.okta.answerWith(() => ({
        status: 401,
        body: { error: 'invalid_client' },
        headers: { date: httpDate(dateMs) },
      }));
    };
    for (const isSmall of [60_000, -60_000]) {
      refuse(app.now + isSmall);
      expect((await failureOf(app.get())).code).to.equal('OKTA_UNAUTHORIZED');
      expect(app.okta.requests).to.have.length(1);
      app.now += 10_000;
    }
    app.okta.answerWith(() => ({
      status: 401,
      body: { error: 'invalid_client' },
      headers: { date: 'today' },
    }));
    await failureOf(app.get());
    expect(app.okta.requests).to.have.length(1);
    app.now += 10_000;
    for (const isLarge of [61_000, -61_000]) {
      refuse(app.now + isLarge);
      await failureOf(app.get());
      expect(app.okta.requests).to.have.length(2);
      app.now += 10_000;
    }
    refuse(app.now);
    await failureOf(app.get());
    expect(assertionOf(app.okta.requests[0]).iat).to.equal(app.now / 1000);
  });

  it('shares the timeout of its call: token and API request together take no longer', async () => {
    const gate = makeGate();
    app.issue(
      async () => {
        await gate.opened;
        return tokenAnswer('t');
      },
      () => 'hang',
    );
    const clock = stopTime();
    try {
      const failing = failureOf(app.get(80));
      await until(() => app.okta.requests.length === 1);
      clock.tick(30);
      gate.open();
      await until(() => app.okta.requests.length === 2);
      clock.tick(50);
      expect((await failing).code).to.equal('OKTA_NO_ANSWER');
    } finally {
      clock.restore();
    }
  });
});
