import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { compactVerify } from 'jose';
import { createOktaApiClient, type OktaApiClient } from '../../lib/okta/api-client.js';
import { startOktaEmulator } from '../../lib/testing/index.js';
import {
  assertionOf,
  failureOf,
  httpDate,
  isTokenRequest,
  makeGate,
  NOW,
  startScriptedOkta,
  type Answer,
  type ScriptedOkta,
  type SeenRequest,
} from './scripted-okta.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const SERVICE_APP = { clientId: '0oaServiceApp', privateKey, algorithm: 'RS256', keyId: 'key-1' } as const;
const MINUTE_MS = 60_000;

const tokenAnswer = (value: string, seconds = 3600): Answer => ({
  status: 200,
  body: { token_type: 'Bearer', expires_in: seconds, access_token: value },
});

describe("a service app's access token", () => {
  let okta: ScriptedOkta;
  let client: OktaApiClient;
  let now: number;
  before(async () => {
    okta = await startScriptedOkta();
  });
  after(() => okta.close());
  beforeEach(() => {
    now = NOW;
    client = createOktaApiClient({
      credentials: { orgUrl: okta.origin, ...SERVICE_APP },
      dispatcher: okta.dispatcher,
      clock: () => now,
      connectTimeoutMs: 500,
    });
  });

  const get = (timeoutMs = 2_000): ReturnType<OktaApiClient['request']> =>
    client.request({ method: 'GET', path: '/api/v1/users/00u1', timeoutMs });
  const tokenRequests = (): SeenRequest[] => okta.requests.filter(isTokenRequest);
  /** Tokens `t1`, `t2` and so on; the API answers as the function says, by default with 200. */
  const issue = (
    onToken: (count: number) => Answer | Promise<Answer>,
    onApi: (token: string) => Answer | Promise<Answer> = () => ({ status: 200 }),
  ): void => {
    okta.answerWith((request) =>
      isTokenRequest(request)
        ? onToken(tokenRequests().length)
        : onApi((request.headers.authorization ?? '').replace(/^Bearer /, '')),
    );
  };
  const issueNumbered = (seconds?: number): void => {
    issue((count) => tokenAnswer(`t${count}`, seconds));
  };
  const tokensUsed = (): (string | undefined)[] =>
    okta.requests.filter((request) => !isTokenRequest(request)).map(({ headers }) => headers.authorization);
  /** Until what goes on in the background has come to this. */
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  };

  it('is asked for with an assertion that the key has signed', async () => {
    issueNumbered();
    await get();
    const [request] = okta.requests;
    expect(request?.method).to.equal('POST');
    expect(request?.headers['content-type']).to.equal('application/x-www-form-urlencoded');
    expect(request?.headers['dpop']).to.equal(undefined);
    const form = new URLSearchParams(request?.body);
    expect(form.get('grant_type')).to.equal('client_credentials');
    expect(form.get('scope')).to.equal('okta.users.read');
    expect(form.get('client_assertion_type')).to.match(/client-assertion-type:jwt-bearer$/);
    await compactVerify(form.get('client_assertion') ?? '', publicKey);
    const { jti, ...claims } = assertionOf(request);
    expect(jti).to.be.a('string').with.length.above(20);
    expect(claims).to.deep.equal({
      alg: 'RS256',
      kid: 'key-1',
      iss: '0oaServiceApp',
      sub: '0oaServiceApp',
      aud: `${okta.origin}/oauth2/v1/token`,
      iat: NOW / 1000,
      exp: NOW / 1000 + 300,
    });
  });

  it('is asked for with the scopes that are wanted', async () => {
    issueNumbered();
    client = createOktaApiClient({
      credentials: { orgUrl: okta.origin, ...SERVICE_APP },
      dispatcher: okta.dispatcher,
      clock: () => now,
      connectTimeoutMs: 500,
      scopes: ['okta.schemas.read', 'okta.users.read'],
    });
    await get();
    expect(new URLSearchParams(okta.requests[0]?.body).get('scope')).to.equal('okta.schemas.read okta.users.read');
  });

  it('is one for many calls at once, and for the calls after them', async () => {
    issueNumbered();
    await Promise.all(Array.from({ length: 20 }, () => get()));
    now += 54 * MINUTE_MS;
    await get();
    expect(tokenRequests()).to.have.length(1);
    expect(new Set(tokensUsed())).to.deep.equal(new Set(['Bearer t1']));
  });

  it('is renewed in the background five minutes before its end', async () => {
    const gate = makeGate();
    issue(async (count) => {
      if (count === 2) await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    await get();
    now += 56 * MINUTE_MS;
    await Promise.all([get(), get()]);
    expect(tokensUsed()).to.deep.equal(['Bearer t1', 'Bearer t1', 'Bearer t1']);
    await until(() => tokenRequests().length === 2);
    gate.open();
    while (tokensUsed().at(-1) !== 'Bearer t2') await get();
    expect(tokenRequests()).to.have.length(2);
  });

  it('is renewed after nine tenths of a short life', async () => {
    issueNumbered(100);
    await get();
    now += 89_000;
    await get();
    expect(tokenRequests()).to.have.length(1);
    now += 2_000;
    await get();
    await until(() => tokenRequests().length === 2);
  });

  it('serves to its end where the renewal fails, and is not used after it', async () => {
    issue((count) => (count === 1 ? tokenAnswer('t1') : { status: 503 }));
    await get();
    now += 59 * MINUTE_MS;
    await get();
    await until(() => tokenRequests().length === 2);
    await get();
    now += 2 * MINUTE_MS;
    expect(await failureOf(get())).to.include({ code: 'OKTA_HTTP_ERROR', status: 503 });
    expect(tokensUsed()).to.deep.equal(['Bearer t1', 'Bearer t1', 'Bearer t1']);
  });

  it('is asked for again once when the API refuses it', async () => {
    issue(
      (count) => tokenAnswer(`t${count}`),
      (token) => ({ status: token === 't1' ? 401 : 200 }),
    );
    expect((await get()).status).to.equal(200);
    expect(tokensUsed()).to.deep.equal(['Bearer t1', 'Bearer t2']);
  });

  it('is not given up for another one that was refused', async () => {
    const gate = makeGate();
    let refused = 0;
    issue(
      (count) => tokenAnswer(`t${count}`),
      async (token) => {
        if (token !== 't1') return { status: 200 };
        // The second call learns of its refusal when the first one has a new token already.
        refused += 1;
        if (refused === 2) await gate.opened;
        return { status: 401 };
      },
    );
    const late = [get(), get()];
    await Promise.race(late);
    gate.open();
    await Promise.all(late);
    expect(tokenRequests()).to.have.length(2);
  });

  it('is not asked for with every call where new ones are refused too', async () => {
    issue(
      (count) => tokenAnswer(`t${count}`),
      () => ({ status: 401 }),
    );
    for (let call = 0; call < 5; call += 1) {
      expect((await failureOf(get())).code).to.equal('OKTA_UNAUTHORIZED');
    }
    expect(tokenRequests()).to.have.length(2);
    now += 10_000;
    await failureOf(get());
    expect(tokenRequests()).to.have.length(3);
  });

  it('is never taken from an answer that holds no proper one', async () => {
    const good = { token_type: 'Bearer', expires_in: 3600, access_token: 't' };
    for (const body of [
      {},
      [],
      '<html>',
      { ...good, access_token: undefined },
      { ...good, access_token: '' },
      { ...good, access_token: 'a\nb' },
      { ...good, access_token: 7 },
      { ...good, token_type: 'mac' },
      { ...good, token_type: 'constructor' },
      { ...good, token_type: 'DPoP' },
      { ...good, expires_in: undefined },
      { ...good, expires_in: 0 },
      { ...good, expires_in: '3600' },
    ]) {
      now += 10_000;
      issue(() => ({ status: 200, body }));
      expect((await failureOf(get())).code, JSON.stringify(body)).to.equal('OKTA_UNREADABLE');
      expect(tokensUsed()).to.deep.equal([]);
    }
    now += 10_000;
    issueNumbered();
    expect((await get()).status).to.equal(200);
  });

  it('is fetched for those who wait, whoever of them gives up', async () => {
    const gate = makeGate();
    issue(async (count) => {
      await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    const patient = get(2_000);
    expect((await failureOf(get(30))).code).to.equal('OKTA_NO_ANSWER');
    gate.open();
    expect((await patient).status).to.equal(200);
    expect(tokenRequests()).to.have.length(1);
  });

  it('serves the next call when the one that asked for it has given up', async () => {
    const gate = makeGate();
    issue(async (count) => {
      await gate.opened;
      return tokenAnswer(`t${count}`);
    });
    await failureOf(get(30));
    gate.open();
    await get();
    expect(tokenRequests()).to.have.length(1);
  });

  it('is not asked for again within a second of a failure: callers fail at once', async () => {
    issue(() => ({ status: 400, body: { error: 'invalid_scope', error_description: 'ana@example.com' } }));
    expect((await failureOf(get())).message).to.equal("Okta's token endpoint answered 400 (invalid_scope)");
    now += 999;
    expect(await failureOf(get())).to.include({ code: 'OKTA_HTTP_ERROR', status: 400 });
    expect(tokenRequests()).to.have.length(1);
    now += 1;
    await failureOf(get());
    expect(tokenRequests()).to.have.length(2);
    now -= 60 * MINUTE_MS;
    await failureOf(get());
    expect(tokenRequests(), 'a clock that was set back prolongs no pause').to.have.length(3);
  });

  it("waits for the end of Okta's window after a 429, by Okta's clock, and a minute at most", async () => {
    const refuse = (resetSeconds: number): void => {
      issue(() => ({
        status: 429,
        headers: {
          'X-Rate-Limit-Limit': '300',
          'X-Rate-Limit-Remaining': '0',
          'X-Rate-Limit-Reset': String(NOW / 1000 + resetSeconds),
        },
      }));
    };
    now += 6 * MINUTE_MS;
    refuse(20);
    expect((await failureOf(get())).code).to.equal('OKTA_RATE_LIMITED');
    now += 20_999;
    expect(await failureOf(get())).to.include({ code: 'OKTA_RATE_LIMITED', headers: undefined });
    expect(tokenRequests()).to.have.length(1);
    now += 1;
    refuse(3_000);
    await failureOf(get());
    now += 60_000;
    await failureOf(get());
    expect(tokenRequests()).to.have.length(2);
  });

  it("is had in spite of a clock that is six minutes off: Okta's Date corrects it", async () => {
    for (const skewMs of [-6 * MINUTE_MS, 6 * MINUTE_MS]) {
      now = NOW + skewMs;
      okta.answerWith((request) => {
        if (!isTokenRequest(request)) return { status: 200 };
        const isTimely = Math.abs((assertionOf(request).iat ?? 0) - NOW / 1000) <= 1;
        return isTimely ? tokenAnswer('t') : { status: 401, body: { error: 'invalid_client' } };
      });
      client = createOktaApiClient({
        credentials: { orgUrl: okta.origin, ...SERVICE_APP },
        dispatcher: okta.dispatcher,
        clock: () => now,
        connectTimeoutMs: 500,
      });
      expect((await get()).status).to.equal(200);
      expect(tokenRequests()).to.have.length(2);
      const [first, second] = tokenRequests();
      expect(assertionOf(first).jti).not.to.equal(assertionOf(second).jti);
    }
  });

  it('is refused at once where the clock is right, and a correction that does not help is undone', async () => {
    const refuse = (dateMs: number): void => {
      okta.answerWith(() => ({
        status: 401,
        body: { error: 'invalid_client' },
        headers: { date: httpDate(dateMs) },
      }));
    };
    refuse(NOW + 30_000);
    expect((await failureOf(get())).code).to.equal('OKTA_UNAUTHORIZED');
    expect(okta.requests).to.have.length(1);
    now += 10_000;
    refuse(NOW + 600_000);
    await failureOf(get());
    expect(okta.requests).to.have.length(2);
    now += 10_000;
    refuse(now);
    await failureOf(get());
    expect(assertionOf(okta.requests[0]).iat).to.equal(now / 1000);
  });

  it('is kept within the time of the call, the token and the call together', async () => {
    okta.answerWith((request) => (isTokenRequest(request) ? tokenAnswer('t') : 'hang'));
    const startedAt = performance.now();
    expect((await failureOf(get(80))).code).to.equal('OKTA_NO_ANSWER');
    expect(performance.now() - startedAt).to.be.lessThan(1_000);
  });

  it('is taken by the emulator from an RSA and an EC key', async () => {
    const emulator = await startOktaEmulator();
    try {
      const user = emulator.addUser({ login: 'ana@example.com' });
      const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' });
      for (const [clientId, keys, algorithm] of [
        ['0oaRsa', { privateKey, publicKey }, 'RS256'],
        ['0oaEc', ec, 'ES384'],
      ] as const) {
        const publicJwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k' };
        emulator.registerServiceApp({ clientId, publicJwk });
        const app = createOktaApiClient({
          credentials: {
            orgUrl: emulator.orgUrl,
            clientId,
            privateKey: keys.privateKey,
            algorithm,
            keyId: 'k',
          },
          dispatcher: okta.dispatcher,
          clock: Date.now,
          connectTimeoutMs: 500,
        });
        const path = `/api/v1/users/${user.id}`;
        expect((await app.request({ method: 'GET', path, timeoutMs: 2_000 })).status).to.equal(200);
        emulator.revokeTokens();
        expect((await app.request({ method: 'GET', path, timeoutMs: 2_000 })).status).to.equal(200);
      }
    } finally {
      await emulator.close();
    }
  });
});
