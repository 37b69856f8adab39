import { expect } from 'chai';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { startTestServer, type TestServer } from '../../local.js';
import { callApi, eventHook } from '../client.js';

describe('startOktaEmulator: enterCode', () => {
  let now = Date.UTC(2026, 2, 1);
  let okta: OktaEmulator;
  let server: TestServer;
  const enter = async (code: string) => {
    const { isRight, deliveries } = await okta.enterCode('ana', code);
    const event = deliveries[0]?.events[0];
    return [isRight, event?.eventType, event?.outcome.result, event?.debugContext.debugData['factor']];
  };

  beforeEach(async () => {
    okta = await startOktaEmulator({ clock: () => now });
    server = await startTestServer((response, { headers }) => {
      const verification = headers['x-okta-verification-challenge'];
      response.writeHead(200).end(JSON.stringify({ verification }));
    });
    okta.addUser({ login: 'ana@example.com' });
    const hook = await callApi(okta, 'POST', '/api/v1/eventHooks', eventHook(server.url));
    await callApi(okta, 'POST', `/api/v1/eventHooks/${String(hook.body['id'])}/lifecycle/verify`);
  });
  afterEach(async () => {
    server.close();
    await okta.close();
  });

  it('accepts a code once, and reports each attempt with its factor to the event hooks', async () => {
    const { otpCode } = await okta.callHook({ url: server.url });
    const signIn = 'user.authentication.auth_via_mfa';
    expect(await enter('000')).to.deep.equal([false, signIn, 'FAILURE', 'SMS_FACTOR']);
    expect(await enter(otpCode)).to.deep.equal([true, signIn, 'SUCCESS', 'SMS_FACTOR']);
    expect(await okta.enterCode('ana', otpCode)).to.deep.equal({
      isRight: false,
      problem: 'not-awaited',
      deliveries: [],
    });
    const byVoice = await okta.callHook({ url: server.url, deliveryChannel: 'voice call' });
    expect(await enter(byVoice.otpCode)).to.deep.equal([true, signIn, 'SUCCESS', 'CALL_FACTOR']);
  });

  it('accepts only the last code of a user, until it expires', async () => {
    const problemOf = async (code: string) => (await okta.enterCode('ana', code)).problem;
    const first = await okta.callHook({ url: server.url, otpCode: '111222' });
    const second = await okta.callHook({ url: server.url, otpCode: '333444' });
    expect((await enter(first.otpCode))[0]).to.equal(false);
    expect(await problemOf(first.otpCode)).to.equal('wrong');
    now += 5 * 60_000;
    expect((await enter(second.otpCode))[0]).to.equal(false);
    expect(await problemOf(second.otpCode)).to.equal('expired');
  });

  it('ends an enrollment with an activation event', async () => {
    const { otpCode } = await okta.callHook({ url: server.url, requestType: 'pre-enrollment' });
    const { deliveries } = await okta.enterCode('ana', otpCode);
    expect(deliveries[0]?.events[0]).to.have.nested.include({
      eventType: 'user.mfa.factor.activate',
      'outcome.reason': 'User set up SMS_FACTOR factor',
    });
  });

  it('refuses the code of a call whose payload names no user', async () => {
    const { otpCode } = await okta.callHook({ url: server.url, change: () => ({ data: {} }) });
    expect((await okta.enterCode('ana', otpCode)).isRight).to.equal(false);
  });
});
