import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { startOktaEmulator, type HookCall, type OktaEmulator } from '#lib/testing/index.js';
import { stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { startTestServer, type TestServer } from '../../local.js';

const successful = {
  commands: [{ type: 'com.okta.telephony.action', value: [{ status: 'SUCCESSFUL', transactionId: 'SM1' }] }],
};
const withStatus = (status: unknown) => ({
  commands: [{ type: 'com.okta.telephony.action', value: [{ status }] }],
});

describe('startOktaEmulator: callHook', () => {
  let okta: OktaEmulator;
  let hook: TestServer;
  let answer: (response: ServerResponse) => void;
  const answerJson = (body: unknown, status = 200): void => {
    answer = (response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
  };

  beforeEach(async () => {
    okta = await startOktaEmulator();
    hook = await startTestServer((response) => {
      answer(response);
    });
    answerJson(successful);
  });
  afterEach(async () => {
    hook.close();
    await okta.close();
  });

  it('posts the payload of the telephony hook for a user of the org', async () => {
    const user = okta.addUser({ login: 'ana@example.com', profile: { mobilePhone: '+4915112345678' } });
    const call = await okta.callHook({ url: `${hook.url}/hook`, headers: { Authorization: 'secret' } });
    const [request] = hook.received;
    expect(request).to.include({ url: '/hook' });
    expect(request?.headers).to.include({
      authorization: 'secret',
      accept: 'application/json',
      'content-type': 'application/json',
    });
    expect(JSON.parse(request?.body ?? '')).to.deep.equal(call.payload);
    expect(call.payload).to.have.nested.include({
      eventType: 'com.okta.telephony.provider',
      requestType: 'com.okta.user.telephony.mfa-verification',
      'data.userProfile.userId': user.id,
      'data.userProfile.login': 'ana@example.com',
      'data.messageProfile.phoneNumber': '+4915112345678',
      'data.messageProfile.deliveryChannel': 'SMS',
      'data.messageProfile.otpCode': call.otpCode,
      'data.messageProfile.msgTemplate': `Your code is ${call.otpCode}`,
    });
    expect(call).to.include({ httpStatus: 200 });
    expect(call.body).to.deep.equal(successful);
    expect(call.headers['content-type']).to.equal('application/json');
    expect(call.okta).to.deep.equal({ action: 'sent', reason: 'SUCCESSFUL' });
  });

  it('puts every given field into the payload, and no text into that of a voice call', async () => {
    const { payload, otpCode } = await okta.callHook({
      url: hook.url,
      userId: '00uunknown',
      requestType: 'pre-enrollment',
      deliveryChannel: 'voice call',
      phoneNumber: 9876543210,
      otpCode: 12345,
      locale: 'pt-BR',
      eventId: 'e1',
      eventTime: new Date(0),
      ipAddress: '198.51.100.1',
    });
    expect(otpCode).to.equal('12345');
    expect(payload).to.have.nested.include({
      eventId: 'e1',
      eventTime: '1970-01-01T00:00:00.000Z',
      requestType: 'com.okta.user.telephony.pre-enrollment',
      'data.context.request.ipAddress': '198.51.100.1',
      'data.userProfile.userId': '00uunknown',
      'data.messageProfile.phoneNumber': 9876543210,
      'data.messageProfile.otpCode': 12345,
      'data.messageProfile.otpExpires': '1970-01-01T00:05:00.000Z',
      'data.messageProfile.locale': 'pt-BR',
    });
    expect(payload).to.not.have.nested.property('data.messageProfile.msgTemplate');
  });

  it('sends the URL, the IP address and the code of a preview with preview: true', async () => {
    const { payload } = await okta.callHook({ url: hook.url, preview: true });
    expect(payload).to.have.nested.include({
      'data.context.request.ipAddress': '127.0.0.1',
      'data.context.request.url.value':
        '/api/internal/v1/inlineHooks/com.okta.telephony.provider/generatePreview',
      'data.messageProfile.otpCode': '11111',
    });
  });

  it('sends the payload that change() makes, JSON or not', async () => {
    await okta.callHook({
      url: hook.url,
      change: (payload) => {
        delete payload['data'];
      },
    });
    expect(JSON.parse(hook.received[0]?.body ?? '')).to.not.have.property('data');
    await okta.callHook({ url: hook.url, change: () => ({ other: 1 }) });
    expect(hook.received[1]?.body).to.equal('{"other":1}');
    await okta.callHook({ url: hook.url, change: () => '{"cut' });
    expect(hook.received[2]?.body).to.equal('{"cut');
  });

  it('expects no code after a call whose payload names no user', async () => {
    const user = okta.addUser({ login: 'ana@example.com' });
    const { otpCode } = await okta.callHook({ url: hook.url, change: () => ({ data: {} }) });
    expect((await okta.enterCode(user.id, otpCode)).problem).to.equal('not-awaited');
  });

  it('returns the reaction of Okta to each answer: sent, pending, error or failover', async () => {
    // The tests of the console's reactions have every other answer.
    for (const [body, status, action] of [
      [successful, 200, 'sent'],
      [withStatus('PENDING'), 200, 'pending'],
      [withStatus('FAILED'), 200, 'failover'],
      [successful, 201, 'failover'],
      [{ error: { errorSummary: 'no' } }, 200, 'error'],
    ] as const) {
      answerJson(body, status);
      const { okta: verdict } = await okta.callHook({ url: hook.url });
      expect(verdict.action, JSON.stringify(body)).to.equal(action);
    }
    answerJson({ error: {} });
    expect((await okta.callHook({ url: hook.url })).okta.errorSummary).to.equal(
      'The callback service returned an error',
    );
  });

  it('fails over if the body is not JSON, the connection breaks, or the server is closed', async () => {
    answer = (response) => response.writeHead(200).end('{"commands"');
    const malformed = await okta.callHook({ url: hook.url });
    expect(malformed).to.include({ httpStatus: 200, body: '{"commands"' });
    expect(malformed.okta.action).to.equal('failover');
    answer = (response) => response.socket?.destroy();
    expect((await okta.callHook({ url: hook.url })).okta.action).to.equal('failover');
    hook.close();
    const unanswered = await okta.callHook({ url: hook.url });
    expect(unanswered.httpStatus).to.equal(undefined);
    expect(unanswered.okta).to.deep.equal({ action: 'failover', reason: 'no answer: ECONNREFUSED' });
  });

  it('fails over without a retry if the body does not end within three seconds', async () => {
    answer = (response) => {
      response.writeHead(200).write('{');
    };
    const clock = stopTime();
    try {
      let call: HookCall | undefined;
      void okta.callHook({ url: hook.url }).then((made) => (call = made));
      await until(() => hook.received.length === 1);
      await clock.tickAsync(2999);
      expect(call).to.equal(undefined);
      await clock.tickAsync(1);
      await until(() => call !== undefined);
      expect(call).to.deep.include({
        okta: { action: 'failover', reason: 'no answer within 3 s' },
        durationMs: 3000,
      });
      expect(hook.received).to.have.length(1);
    } finally {
      clock.restore();
    }
  });

  it('rejects an unknown member by its name, with the nearest known one and all that are allowed', async () => {
    const misspelt: object = { url: hook.url, requestTyp: 'pre-enrollment', colour: 'red' };
    const problem = await okta.callHook(misspelt).catch((error: unknown) => error);
    expect(problem).to.be.an.instanceOf(TypeError);
    expect(problem).to.have.property(
      'message',
      'callHook() does not take requestTyp (did you mean requestType?), colour. It takes userId, login, requestType, ' +
        'deliveryChannel, phoneNumber, otpCode, msgTemplate, locale, eventId, preview, eventTime, otpExpires, ipAddress, ' +
        'url, headers, change.',
    );
    expect(hook.received).to.have.length(0);
  });

  describe('repeat', () => {
    it('sends the same request again, byte for byte, and returns what Okta does with the new answer', async () => {
      const first = await okta.callHook({
        url: `${hook.url}/hook`,
        headers: { Authorization: 'secret' },
        change: (payload) => ({ ...payload, added: 1 }),
      });
      // The sent bytes count, whatever a test does with its copy of the payload.
      if (typeof first.payload === 'object' && first.payload !== null)
        Object.assign(first.payload, { added: 2 });
      answerJson(withStatus('PENDING'));
      const again = await okta.repeat(first);
      const [one, other] = hook.received;
      expect(other).to.deep.equal(one);
      expect(JSON.parse(other?.body ?? '')).to.deep.include({ added: 1 });
      expect(again.okta.action).to.equal('pending');
      expect(again.otpCode).to.equal(first.otpCode);
      expect(again).to.have.all.keys(first);
      // A repeat can be repeated.
      await okta.repeat(again);
      expect(hook.received[2]).to.deep.equal(one);
    });

    it('sends what is not JSON again, and repeats a call without an answer', async () => {
      answer = (response) => response.socket?.destroy();
      const first = await okta.callHook({ url: hook.url, change: () => '{"cut' });
      expect(first.okta.action).to.equal('failover');
      answerJson(successful);
      expect((await okta.repeat(first)).okta.action).to.equal('sent');
      expect(hook.received.map(({ body }) => body)).to.deep.equal(['{"cut', '{"cut']);
    });

    it('changes no code: neither is a used code right again, nor replaces an older code a newer one', async () => {
      const user = okta.addUser({ login: 'ana@example.com' });
      const first = await okta.callHook({ url: hook.url });
      expect((await okta.enterCode(user.id, first.otpCode)).isRight).to.equal(true);
      await okta.repeat(first);
      expect((await okta.enterCode(user.id, first.otpCode)).problem).to.equal('not-awaited');
      const second = await okta.callHook({ url: hook.url });
      await okta.repeat(first);
      expect((await okta.enterCode(user.id, second.otpCode)).isRight).to.equal(true);
    });

    it('is no news for the listeners, who may change what is sent', async () => {
      let heard = 0;
      okta.onHookCall((payload) => {
        heard += 1;
        if (typeof payload === 'object' && payload !== null) Object.assign(payload, { eventId: `e${heard}` });
        return () => undefined;
      });
      const call = await okta.callHook({ url: hook.url });
      await okta.repeat(call);
      expect(heard).to.equal(1);
      expect(hook.received.map(({ body }) => body)).to.deep.equal([
        JSON.stringify(call.payload),
        JSON.stringify(call.payload),
      ]);
      expect(hook.received[1]?.body).to.include('"eventId":"e1"');
    });

    it('rejects a call that this emulator did not make', async () => {
      const call = await okta.callHook({ url: hook.url });
      const problem = await okta.repeat({ ...call }).catch((error: unknown) => error);
      expect(problem).to.be.an.instanceOf(TypeError);
      expect(problem).to.have.property(
        'message',
        'repeat() takes a result of callHook() or repeat() of this emulator.',
      );
      expect(hook.received).to.have.length(1);
    });
  });
});
