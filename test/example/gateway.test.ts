import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import supertest from 'supertest';
import { createGateway, type Gateway, type GatewayOptions } from '../../example/gateway.js';
import { stop } from '../../example/stop.js';
import { ConfigurationError, type OktaTelephonyHookOptions, type Outcome } from '#lib/index.js';
import { fakeClock } from '#harness/fake-clock.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { openRaw } from '#harness/raw-http.js';
import { until } from '#harness/until.js';
import { LOGIN, sessionCookie, signedIn } from '#harness/signed-in.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-gateway-test';
const CODE = '731946';

/** A gateway that cannot reach Okta: a missing profile never stops a code. */
function makeGateway(options: Partial<GatewayOptions> = {}): Gateway {
  const send = (): Promise<Outcome> => Promise.resolve({ status: 'accepted', transactionId: 'T1' });
  const hook: OktaTelephonyHookOptions = {
    credentials: {
      hook: { scheme: 'header', secrets: [HOOK_SECRET] },
      okta: { orgUrl: REFUSING_ORIGIN, apiToken: 'token-of-nobody' },
      twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'auth-token-of-nobody' },
    },
    channels: { sms: { send } },
    logger: { info: witness, warn: witness, error: witness },
  };
  return createGateway({ hook, login: LOGIN, ...options });
}

const PAYLOAD = {
  eventId: 'event-1',
  requestType: 'com.okta.user.telephony.mfa-verification',
  data: {
    userProfile: { userId: '00u1anasilveira00001' },
    messageProfile: { phoneNumber: '+12025550142', deliveryChannel: 'SMS', otpCode: CODE },
  },
};

/** The token of the form on a page. */
function csrfTokenIn(html: string): string {
  return /name="csrfToken" value="([^"]+)"/.exec(html)?.[1] ?? expect.fail('the page has no token');
}

function cookiesOf(response: supertest.Response): string {
  // superagent types every header as a string, but returns this one as a list.
  return JSON.stringify(response.headers['set-cookie'] ?? []);
}

describe('the example gateway', () => {
  let gateway: Gateway;

  beforeEach(() => {
    mustNotShow(CODE, HOOK_SECRET, LOGIN.clientSecret, LOGIN.sessionSecret);
    gateway = makeGateway();
  });

  afterEach(() => gateway.hook.close());

  it('serves the metrics and the state of its hook on the app for monitoring only', async () => {
    await supertest(gateway.app)
      .post('/okta/telephony')
      .set('Authorization', HOOK_SECRET)
      .send(PAYLOAD)
      .expect(200);
    for (const path of ['/metrics', '/status']) await supertest(gateway.app).get(path).expect(404);
    const state = await supertest(gateway.monitoring).get('/status').expect(200);
    witness(state.text);
    const body: unknown = state.body;
    expect(body).to.deep.include({ isReady: false, closing: false, inFlight: 0, state: 'ok' });
    expect(body).to.include.keys('breakers', 'lastSuccess', 'detached');
    const response = await supertest(gateway.monitoring).get('/metrics').expect(200);
    expect(response.headers['content-type']).to.match(/^text\/plain; version=0\.0\.4/);
    expect(response.headers).to.not.have.property('set-cookie');
    expect(response.text).to.match(/^okta_telephony_hook_codes_total\{.*outcome="accepted".*\} 1$/m);
    witness(response.text);
  });

  it('shows the account, and signs the user out', async () => {
    const browser = await signedIn(gateway.app, { name: '<demo>' });
    await browser.get('/').expect(200, /Signed in as &lt;demo&gt;/);
    const { text } = await browser.get('/account').expect(200, /account of &lt;demo&gt;/);
    await browser
      .post('/logout')
      .type('form')
      .send({ csrfToken: csrfTokenIn(text) })
      .expect(302)
      .expect('Location', '/');
    await browser.get('/').expect(200, /You are not signed in/);
    await browser.get('/account').expect(303).expect('Location', '/login?to=%2Faccount');
  });

  it('links all pages from its first page, and shows the console to administrators only', async () => {
    const links = [{ title: 'Phones', href: '/phones/', purpose: 'Read <codes>.' }];
    const whole = makeGateway({ links });
    const { text } = await supertest(whole.app).get('/').expect(200);
    expect(text)
      .to.include('<a href="/phones/">Phones</a><br>Read &lt;codes&gt;.')
      .and.include('<a href="/admin/telephony">Console</a>')
      .and.include('<a href="/login">');
    const bob = await signedIn(whole.app, { name: 'bob@example.com' });
    const refused = await bob.get('/admin/telephony/').expect(403, /bob@example.com is no administrator/);
    expect(refused.text).to.include('<a href="/account">Account</a>').and.include('<a href="/">');
    const lost = await bob.get('/nowhere').expect(404);
    expect(lost.text).to.include('<a href="/">Home</a>');
    await whole.hook.close();
  });

  it('refuses a form without the CSRF token of its session', async () => {
    const browser = await signedIn(gateway.app, { csrfToken: 'of-this-session' });
    for (const csrfToken of [undefined, '', 'of-another-one', ['of-this-session', 'x']]) {
      await browser.post('/logout').type('form').send({ csrfToken }).expect(403);
    }
    await browser.get('/account').expect(200);
    await supertest(gateway.app).post('/logout').expect(303).expect('Location', '/login');
  });

  it('refuses a session cookie that is altered, forged or expired', async () => {
    const cookie = await sessionCookie({});
    const asVisitor = (value: string): supertest.Test =>
      supertest(gateway.app).get('/account').set('Cookie', value).redirects(0);
    await asVisitor(cookie).expect(200);
    await asVisitor(cookie.slice(0, -3)).expect(303);
    await asVisitor('gateway-session=Fe26.2*1*forged').expect(303);
    const clock = fakeClock(['Date'], Date.now() + 8.1 * 3_600_000);
    try {
      await asVisitor(cookie).expect(303);
    } finally {
      clock.restore();
    }
  });

  it('sets no cookie on requests without a session', async () => {
    for (const path of ['/', '/account', '/nowhere', '/admin/telephony', '/health/live']) {
      expect(cookiesOf(await supertest(gateway.app).get(path)), path).to.equal('[]');
    }
    expect(cookiesOf(await supertest(gateway.app).post('/logout'))).to.equal('[]');
  });

  it('answers 404 on the pages of users if no login is set', async () => {
    const closed = makeGateway({ login: undefined });
    await supertest(closed.app)
      .get('/')
      .expect(200, /You are not signed in\. <\/p>/);
    for (const path of ['/login', '/account', '/admin/telephony']) {
      await supertest(closed.app)
        .get(path)
        .set('Cookie', await sessionCookie({}))
        .expect(404);
    }
    await closed.hook.close();
  });

  it('sends strict security headers with each page', async () => {
    for (const path of ['/', '/account', '/nowhere', '/health/live']) {
      const { headers } = await supertest(gateway.app).get(path);
      expect(headers['content-security-policy'])
        .to.match(/default-src 'none'/)
        .and.match(/frame-ancestors 'none'/)
        .and.not.match(/unsafe|script/);
      expect(headers['x-content-type-options']).to.equal('nosniff');
      expect(headers['referrer-policy']).to.equal('no-referrer');
      expect(headers).not.to.have.property('x-powered-by');
    }
  });

  it('answers 413 without a stack trace to a form that is too large', async () => {
    const browser = await signedIn(gateway.app, {});
    const response = await browser.post('/logout').type('form').send('x='.padEnd(10_000, 'x'));
    expect(response.status).to.equal(413);
    expect(response.text)
      .to.match(/did not work/)
      .and.not.match(/Error|node_modules/);
  });

  it('answers hook calls and probes beside its pages, without a session cookie', async () => {
    const response = await supertest(gateway.app)
      .post('/okta/telephony')
      .set('Authorization', HOOK_SECRET)
      .send(PAYLOAD)
      .expect(200, /"status":"SUCCESSFUL"/);
    witness(response.text);
    expect(cookiesOf(response)).to.equal('[]');
    await supertest(gateway.app).post('/okta/telephony').send(PAYLOAD).expect(401);
    expect(cookiesOf(await supertest(gateway.app).get('/health/live'))).to.equal('[]');
  });

  it('answers 200 to both probes once the hook is ready, and tells them nothing else', async () => {
    await supertest(gateway.app).get('/health/live').expect(200, { live: true });
    await supertest(gateway.app).get('/health/ready').expect(503);
    expect(await gateway.hook.ready()).to.have.all.keys('okta', 'twilio', 'hookKeys', 'state', 'channels');
    await supertest(gateway.app).get('/health/ready').expect(200, { isReady: true });
  });

  it('stays live but answers 503 to the ready probe once it drains or the hook closes', async () => {
    await gateway.hook.ready();
    gateway.hook.drain();
    const draining = await supertest(gateway.app).get('/health/ready').expect(503);
    expect(draining.body).to.deep.equal({ isReady: false });
    expect(draining.headers['connection']).to.equal('close');
    await supertest(gateway.app).get('/').expect(200);
    await supertest(gateway.app)
      .post('/okta/telephony')
      .set('Authorization', HOOK_SECRET)
      .send(PAYLOAD)
      .expect(200, /SUCCESSFUL/);

    await gateway.hook.close();
    await supertest(gateway.app).get('/health/ready').expect(503, { isReady: false });
    expect(gateway.hook.status().closing).to.equal(true);
    await supertest(gateway.app).get('/health/live').expect(200);
  });

  it('throws a ConfigurationError on hook options that are not valid', () => {
    const hook = { credentials: {} } as unknown as OktaTelephonyHookOptions;
    expect(() => makeGateway({ hook })).to.throw(ConfigurationError);
  });

  it('closes the connection of an unfinished request 10 s after its stop', async () => {
    const server = createServer(gateway.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const slow = await openRaw(server);
    const [socket] = await connected;
    slow.socket.write('POST /okta/telephony HTTP/1.1\r\n');
    await until(() => socket.bytesRead > 0);
    const clock = fakeClock(['setTimeout', 'clearTimeout']);
    try {
      const stopped = stop({ server, gateway }, 0);
      clock.tick(9_999);
      expect(slow.socket.destroyed).to.equal(false);
      clock.tick(1);
      await slow.closed;
      await stopped;
    } finally {
      clock.restore();
      server.closeAllConnections();
    }
  });
});
