import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import sinon from 'sinon';
import supertest from 'supertest';
import { createGateway, type Gateway, type GatewayOptions } from '../../example/gateway.js';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { visitOkta } from '#harness/okta-sign-in.js';
import { ANA, BOB } from '#harness/scene.js';
import { LOGIN } from '#harness/signed-in.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-login-test';

type Browser = ReturnType<typeof supertest.agent>;

describe('the login of the example', () => {
  let okta: OktaEmulator;
  let gateway: Gateway;
  let server: Server;
  let codes: string[];
  let errors: sinon.SinonStub;

  const serve = async (login: Partial<GatewayOptions['login']> = {}): Promise<void> => {
    const before = gateway as Gateway | undefined;
    gateway = createGateway({
      hook: {
        credentials: {
          hook: { scheme: 'header', secrets: [HOOK_SECRET] },
          okta: { orgUrl: okta.orgUrl, apiToken: okta.apiToken },
          twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'auth-token-of-nobody' },
        },
        channels: {
          sms: {
            send: ({ request }) => {
              codes.push(request.otpCode);
              return Promise.resolve({ status: 'accepted', transactionId: `T${codes.length}` });
            },
          },
        },
        logger: { info: witness, warn: witness, error: witness },
      },
      login: { ...LOGIN, issuer: okta.orgUrl, ...login },
    });
    server.removeAllListeners('request').on('request', gateway.app);
    await before?.hook.close();
  };

  beforeEach(async () => {
    codes = [];
    errors = sinon.stub(console, 'error').callsFake((...words: unknown[]) => witness(words));
    okta = await startOktaEmulator();
    okta.addUser({ ...ANA, profile: { mobilePhone: ANA.phone }, groups: ['Administrators'] });
    okta.addUser({ ...BOB, profile: { mobilePhone: BOB.phone }, groups: ['Administrators of printers'] });
    okta.registerApp(LOGIN);
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    await serve();
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/okta/telephony`;
    const channel = {
      type: 'HTTP',
      version: '1.0.0',
      config: { uri, authScheme: { type: 'HEADER', key: 'Authorization', value: HOOK_SECRET } },
    };
    const created = await fetch(`${okta.orgUrl}/api/v1/inlineHooks`, {
      method: 'POST',
      headers: { authorization: `SSWS ${okta.apiToken}` },
      body: JSON.stringify({ name: 'Codes', type: 'com.okta.telephony.provider', version: '1.0.0', channel }),
    });
    expect(created.status).to.equal(200);
    mustNotShow(LOGIN.clientSecret, LOGIN.sessionSecret, ANA.login, BOB.login);
  });
  afterEach(async () => {
    errors.restore();
    server.closeAllConnections();
    server.close();
    await Promise.all([gateway.hook.close(), okta.close()]);
  });

  const cookiesOf = (response: supertest.Response): string =>
    JSON.stringify(response.headers['set-cookie'] ?? []);
  /** Signs the user in at Okta. Resolves to the URL to which Okta redirects the browser. */
  const goToOkta = async (browser: Browser, login: string, path = '/login'): Promise<string> => {
    const { headers } = await browser.get(path).expect(302);
    const page = await visitOkta(headers['location'] ?? '');
    await page.post({ username: login });
    await page.post({ by: 'sms' });
    return ofGateway(await page.post({ code: codes.at(-1) ?? '' }));
  };
  const ofGateway = (back: string): string => {
    const { origin, pathname, search } = new URL(back);
    expect(origin + pathname).to.equal(LOGIN.redirectUri);
    return pathname + search;
  };
  const signIn = async (login: string, path?: string): Promise<Browser> => {
    const browser = supertest.agent(server);
    await browser.get(await goToOkta(browser, login, path)).expect(302);
    return browser;
  };

  it('requests a code from Okta with PKCE, state and nonce, and reads the user from the ID token', async () => {
    const browser = supertest.agent(server);
    const { headers } = await browser.get('/login').expect(302);
    const { origin, searchParams } = new URL(headers['location'] ?? '');
    expect(origin).to.equal(okta.orgUrl);
    expect(Object.fromEntries(searchParams)).to.include({
      response_type: 'code',
      client_id: LOGIN.clientId,
      redirect_uri: LOGIN.redirectUri,
      scope: 'openid profile groups',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(searchParams.get(name)).to.match(/^[\w-]{43}$/);
    const back = await goToOkta(browser, BOB.login);
    await browser.get(back).expect(302).expect('Location', '/account');
    await browser.get('/account').expect(200, new RegExp(`account of ${BOB.login}`));
    // The code is used.
    await browser.get(back).expect(401);
  });

  it('opens the console only to members of the administrator group', async () => {
    await (await signIn(ANA.login)).get('/admin/telephony/').expect(200);
    await (await signIn(BOB.login)).get('/admin/telephony/').expect(403);
    await serve({ adminGroup: undefined });
    const { headers } = await supertest(server).get('/login').expect(302);
    expect(new URL(headers['location'] ?? '').searchParams.get('scope')).to.equal('openid profile');
    await serve({ adminGroup: 'Administrators of printers' });
    await (await signIn(BOB.login)).get('/admin/telephony/').expect(200);
  });

  it('redirects to the page that the user requested, and never to another site', async () => {
    for (const [to, landing] of [
      ['/preferences?waiting', '/preferences?waiting'],
      ['/admin/telephony/#/history/e1', '/admin/telephony/#/history/e1'],
      ['//evil.example/', '/account'],
      ['/\\evil.example', '/account'],
      ['/%09/evil.example', '/%09/evil.example'],
      ['/\t/evil.example', '/account'],
      ['/.//evil.example', '/account'],
      ['https://evil.example', '/account'],
      ['javascript:alert(1)', '/account'],
      ['', '/'],
    ] as const) {
      const browser = supertest.agent(server);
      const back = await goToOkta(browser, ANA.login, `/login?to=${encodeURIComponent(to)}`);
      await browser.get(back).expect('Location', landing);
    }
  });

  it('sets HttpOnly and SameSite cookies, which are Secure if the redirect URI is https', async () => {
    const browser = supertest.agent(server);
    expect(cookiesOf(await browser.get('/'))).to.equal('[]');
    const pending = cookiesOf(await browser.get('/login'));
    const session = cookiesOf(await browser.get(await goToOkta(browser, ANA.login)));
    expect(pending)
      .to.match(/^\["gateway-login=/)
      .and.not.match(/gateway-session/);
    expect(session)
      .to.match(/gateway-login=;[^"]*Max-Age=0/)
      .and.match(/gateway-session=Fe26/);
    for (const cookies of [pending, session]) {
      expect(cookies)
        .to.match(/HttpOnly/)
        .and.match(/SameSite=Lax/)
        .and.match(/Path=\//)
        .and.not.match(/Secure/);
      expect(cookies).not.to.include(ANA.id);
    }
    await serve({ redirectUri: 'https://id.acme.example/login/callback' });
    expect(cookiesOf(await supertest(server).get('/login')))
      .to.match(/^\["__Host-gateway-login=[^"]*Path=\/[^"]*"\]$/)
      .and.match(/HttpOnly/)
      .and.match(/Secure/);
  });

  it('refuses a sign-in that another browser started', async () => {
    const attacker = supertest.agent(server);
    const back = await goToOkta(attacker, BOB.login);
    const victim = supertest.agent(server);
    await victim.get(back).expect(401);
    await victim.get('/login').expect(302);
    expect(cookiesOf(await victim.get(back).expect(502))).not.to.include('gateway-session');
    await victim.get('/account').expect(303);
  });

  it('signs each browser in as its own user if two sign-ins overlap', async () => {
    const [ana, bob] = [supertest.agent(server), supertest.agent(server)];
    const [anas, bobs] = [await goToOkta(ana, ANA.login), await goToOkta(bob, BOB.login)];
    await Promise.all([ana.get(anas).expect(302), bob.get(bobs).expect(302)]);
    await Promise.all([
      ana.get('/account').expect(200, new RegExp(ANA.login)),
      bob.get('/account').expect(200, new RegExp(BOB.login)),
    ]);
  });

  it('still redirects to the requested page if the first sign-in fails and the next succeeds', async () => {
    const browser = supertest.agent(server);
    const { headers } = await browser.get('/login?to=%2Fpreferences%3Fwaiting');
    const page = await visitOkta(headers['location'] ?? '');
    const failed = await browser.get(ofGateway(await page.post({ cancel: 'yes' }))).expect(401);
    const [, again = ''] = /href="(\/login[^"]*)">Please try again/.exec(failed.text) ?? [];
    await browser.get(await goToOkta(browser, ANA.login, again)).expect('Location', '/preferences?waiting');
  });

  it('shows a page without the cause if a sign-in fails, and logs only errors of Okta', async () => {
    const browser = supertest.agent(server);
    const { headers } = await browser.get('/login');
    const page = await visitOkta(headers['location'] ?? '');
    const { text } = await browser.get(ofGateway(await page.post({ cancel: 'yes' }))).expect(401);
    expect(text).to.match(/You are not signed in/);
    expect(errors.callCount).to.equal(0);
    okta.registerApp({ ...LOGIN, clientSecret: 'another one' });
    const refused = await browser.get(await goToOkta(browser, ANA.login)).expect(502);
    witness(refused.text);
    expect(errors.lastCall.args).to.include('invalid_client');
  });

  it('starts while Okta is unreachable, and signs users in once Okta answers again', async () => {
    await serve({ issuer: REFUSING_ORIGIN });
    await supertest(server).get('/').expect(200);
    await supertest(server)
      .get('/login')
      .expect(502, /Please try again/);
    await serve();
    okta.fault({
      fault: { kind: 'status', status: 503 },
      match: ({ path }) => path.includes('openid'),
      times: 1,
    });
    await supertest(server).get('/login').expect(502);
    await supertest(server).get('/login').expect(302);
  });
});
