import { createHash } from 'node:crypto';
import { expect } from 'chai';
import supertest from 'supertest';
import { CONSOLE_PATH, createGateway, type Gateway, type GatewayOptions } from '../../example/gateway.js';
import type { ExecutionPage, TestResult } from '#lib/console/api.js';
import type { Message } from '#lib/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { LOGIN, signedIn } from '#harness/signed-in.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-gateway-test';
const CODE = '731946';
const PHONE = '+12025550142';
const ADMIN = { id: '00u1admin00000000001', name: 'admin', isAdministrator: true };
const BOB = { id: '00u1bobmontgomery001', name: 'bob' };

const PAYLOAD = {
  eventId: 'event-1',
  requestType: 'com.okta.user.telephony.mfa-verification',
  data: {
    userProfile: { userId: BOB.id },
    messageProfile: { phoneNumber: PHONE, deliveryChannel: 'SMS', otpCode: CODE },
  },
};

describe("the example gateway's console", () => {
  let gateway: Gateway;
  let sent: Message[];

  const serve = (login: GatewayOptions['login'] = LOGIN): Gateway =>
    createGateway({
      hook: {
        credentials: {
          hook: { scheme: 'header', secrets: [HOOK_SECRET] },
          okta: { orgUrl: REFUSING_ORIGIN, apiToken: 'token-of-nobody' },
          twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'auth-token-of-nobody' },
        },
        channels: {
          sms: {
            send: (message) => {
              sent.push(message);
              return Promise.resolve({ status: 'accepted', transactionId: `T${sent.length}` });
            },
          },
        },
        logger: { info: witness, warn: witness, error: witness },
      },
      login,
    });

  beforeEach(() => {
    mustNotShow(CODE, PHONE.slice(1), HOOK_SECRET, LOGIN.clientSecret, LOGIN.sessionSecret);
    sent = [];
    gateway = serve();
  });
  afterEach(() => gateway.hook.close());

  it("is linked from an administrator's account, and sets its own content security policy", async () => {
    const browser = await signedIn(gateway.app, ADMIN);
    const account = await browser.get('/account').expect(200);
    expect(account.text).to.include(`href="${CONSOLE_PATH}/"`);
    await browser.get(CONSOLE_PATH).expect(308).expect('Location', './telephony/');
    const page = await browser.get(`${CONSOLE_PATH}/`).expect(200);
    expect(page.headers['content-security-policy']).to.include("script-src 'self'").and.not.include('sha256');
    await browser.get(`${CONSOLE_PATH}/assets/main.js`).expect(200);
    const about = await browser.get(`${CONSOLE_PATH}/api/about`).expect(200);
    expect(about.body).to.deep.include({ links: [{ title: 'Account', href: '/account' }] });
  });

  it('answers 403 to users and visitors who are not administrators', async () => {
    const bob = await signedIn(gateway.app, BOB);
    expect((await bob.get('/account').expect(200)).text).to.not.include(CONSOLE_PATH);
    await bob.get(`${CONSOLE_PATH}/`).expect(403);
    await bob.get(`${CONSOLE_PATH}/api/executions`).expect(403);
    await bob
      .post(`${CONSOLE_PATH}/api/tester/send`)
      .set('Sec-Fetch-Site', 'same-origin')
      .send({ payload: PAYLOAD })
      .expect(403);
    const visitor = supertest(gateway.app);
    await visitor.get(`${CONSOLE_PATH}/api/executions`).expect(403);
    expect(sent).to.be.empty;
  });

  it('links visitors to the login, on a page whose only script is in its content security policy', async () => {
    const { text, headers } = await supertest(gateway.app).get(`${CONSOLE_PATH}/`).expect(200);
    expect(text).to.include(`href="/login?to=${encodeURIComponent(CONSOLE_PATH)}%2F">Sign in`);
    const [, script = ''] = /<script>(.*)<\/script>/.exec(text) ?? [];
    const digest = createHash('sha256').update(script).digest('base64');
    expect(headers['content-security-policy'])
      .to.match(/^default-src 'none'/)
      .and.include(`script-src 'sha256-${digest}'`);
  });

  it('answers 404 if no administrator group is set', async () => {
    await gateway.hook.close();
    gateway = serve({ ...LOGIN, adminGroup: undefined });
    await (await signedIn(gateway.app, ADMIN)).get(`${CONSOLE_PATH}/`).expect(404);
  });

  it("sends a test code, lists it beside Okta's calls, and refuses tests from another site", async () => {
    const browser = await signedIn(gateway.app, ADMIN);
    await supertest(gateway.app)
      .post('/okta/telephony')
      .set('Authorization', HOOK_SECRET)
      .send(PAYLOAD)
      .expect(200);
    const test = await browser
      .post(`${CONSOLE_PATH}/api/tester/send`)
      .set('Sec-Fetch-Site', 'same-origin')
      .send({ payload: PAYLOAD })
      .expect(200);
    witness(test.body);
    expect((test.body as TestResult).reaction.action).to.equal('sent');
    expect(sent.map(({ to }) => to)).to.deep.equal([PHONE, PHONE]);
    const history = await browser.get(`${CONSOLE_PATH}/api/executions`).expect(200);
    witness(history.body);
    const { executions } = history.body as ExecutionPage;
    expect(executions.map(({ isTest, outcome }) => [isTest, outcome])).to.deep.equal([
      [true, 'sent'],
      [false, 'sent'],
    ]);
    // A page of another site can send the cookie along, but not this header.
    await browser
      .post(`${CONSOLE_PATH}/api/tester/send`)
      .set('Sec-Fetch-Site', 'cross-site')
      .send({ payload: PAYLOAD })
      .expect(403);
    expect(sent).to.have.length(2);
  });
});
