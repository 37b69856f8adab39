import { expect } from 'chai';
import { compactVerify } from 'jose';
import { assertionOf, failureOf, httpDate, makeGate, NOW } from './scripted-okta.js';
import {
  MINUTE_MS,
  RSA_KEYS,
  startServiceAppScene,
  tokenAnswer,
  type ServiceAppScene,
} from './service-app.js';

describe("a service app's access token", () => {
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

  /** Calls one after the other, so that the last one sees a renewal that the first one starts. */
  const callSeveralTimes = async (): Promise<void> => {
    for (let call = 0; call < 40; call += 1) await app.get();
  };

  it('is requested with an assertion that the key has signed', async () => {
    issueNumbered();
    await app.get();
    const [request] = app.okta.requests;
    expect(request?.method).to.equal('POST');
    expect(request?.headers['content-type']).to.equal('application/x-www-form-urlencoded');
    expect(request?.headers.accept).to.equal('application/json');
    expect(request?.headers['user-agent']).to.equal('okta-telephony-hook');
    expect(request?.headers['dpop']).to.equal(undefined);
    const form = new URLSearchParams(request?.body);
    expect(form.get('grant_type')).to.equal('client_credentials');
    expect(form.get('scope')).to.equal('okta.users.read');
    expect(form.get('client_assertion_type')).to.match(/client-assertion-type:jwt-bearer$/);
    await compactVerify(form.get('client_assertion') ?? '', RSA_KEYS.publicKey);
    const { jti, ...claims } = assertionOf(request);
    expect(jti).to.be.a('string').with.length.above(20);
    expect(claims).to.deep.equal({
      alg: 'RS256',
      kid: 'key-1',
      iss: '0oaServiceApp',
      sub: '0oaServiceApp',
      aud: `${app.okta.origin}/oauth2/v1/token`,
      iat: NOW / 1000,
      exp: NOW / 1000 + 300,
    });
  });

  it('is requested with the given scopes', async () => {
    issueNumbered();
    app.reset(['okta.schemas.read', 'okta.users.read']);
    await app.get();
    expect(new URLSearchParams(app.okta.requests[0]?.body).get('scope')).to.equal(
      'okta.schemas.read okta.users.read',
    );
  });

  it('is requested once for 20 calls at once, and serves later calls too', async () => {
    issueNumbered();
    await Promise.all(Array.from({ length: 20 }, () => app.get()));
    app.now += 55 * MINUTE_MS - 1;
    await callSeveralTimes();
    expect(app.tokenRequests()).to.have.length(1);
    expect(new Set(app.tokensUsed())).to.deep.equal(new Set(['Bearer t1']));
  });

  it('is renewed in the background five minutes before it expires', async () => {
    const gate = makeGate();
    app.issue(async (count) => {
      if (count === 2) await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    await app.get();
    app.now += 55 * MINUTE_MS;
    await Promise.all([app.get(), app.get()]);
    expect(app.tokensUsed()).to.deep.equal(['Bearer t1', 'Bearer t1', 'Bearer t1']);
    await app.until(() => app.tokenRequests().length === 2);
    gate.open();
    while (app.tokensUsed().at(-1) !== 'Bearer t2') await app.get();
    expect(app.tokenRequests()).to.have.length(2);
  });

  it('is renewed after nine tenths of a short lifetime', async () => {
    issueNumbered(100);
    await app.get();
    app.now += 89_999;
    await callSeveralTimes();
    expect(app.tokenRequests()).to.have.length(1);
    app.now += 1;
    await app.get();
    await app.until(() => app.tokenRequests().length === 2);
  });

  it('serves until the last millisecond of its lifetime', async () => {
    app.issue((count) => (count === 1 ? tokenAnswer('t1') : { status: 503 }));
    await app.get();
    app.now += 60 * MINUTE_MS - 1;
    await app.get();
    await app.until(() => app.tokenRequests().length === 2);
    await callSeveralTimes();
    app.now += 1;
    expect(await failureOf(app.get())).to.include({ status: 503 });
    expect(app.tokenRequests(), 'one renewal within a second').to.have.length(2);
    expect(new Set(app.tokensUsed())).to.deep.equal(new Set(['Bearer t1']));
  });

  it('is read from a success even if that also contains an error', async () => {
    for (const error of ['use_dpop_nonce', 'invalid_client']) {
      app.reset();
      app.issue(() => {
        const { body } = tokenAnswer('t') as { body: object };
        return { status: 200, body: { ...body, error }, headers: { date: httpDate(NOW + 10 * MINUTE_MS) } };
      });
      await app.get();
      expect(app.tokenRequests()).to.have.length(1);
      expect(app.tokensUsed()).to.deep.equal(['Bearer t']);
    }
  });

  it('is kept if the API refuses an older token', async () => {
    const gate = makeGate();
    let refused = 0;
    app.issue(
      (count) => tokenAnswer(`t${count}`),
      async (token) => {
        if (token !== 't1') return { status: 200 };
        // The second call gets its refusal after the first one has a new token.
        refused += 1;
        if (refused === 2) await gate.opened;
        return { status: 401 };
      },
    );
    const late = [app.get(), app.get()];
    await Promise.race(late);
    gate.open();
    await Promise.all(late);
    expect(app.tokenRequests()).to.have.length(2);
  });

  it('is not requested again within ten seconds if the API refuses new tokens too', async () => {
    let status = 401;
    app.issue(
      (count) => tokenAnswer(`t${count}`),
      () => ({ status }),
    );
    const expectRefused = async (requests: number): Promise<void> => {
      for (let call = 0; call < 3; call += 1) {
        expect((await failureOf(app.get())).code).to.equal('OKTA_UNAUTHORIZED');
      }
      expect(app.tokenRequests()).to.have.length(requests);
    };
    await expectRefused(2);
    app.now += 10_000;
    await expectRefused(3);
    app.now -= 60 * MINUTE_MS;
    await expectRefused(4);
    status = 200;
    await app.get();
    status = 401;
    await expectRefused(5);
  });
});
