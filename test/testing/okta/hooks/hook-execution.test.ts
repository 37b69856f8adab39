import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { rejection, startTestServer, type TestServer } from '../../local.js';
import { callApi, telephonyHook, type ApiAnswer } from '../client.js';

const answerOf = (value: object): object => ({
  commands: [{ type: 'com.okta.telephony.action', value: [value] }],
});
const SENT = answerOf({
  status: 'SUCCESSFUL',
  provider: 'TWILIO',
  transactionId: 'SM1',
  transactionMetadata: 'a=b',
});

describe('startOktaEmulator: calls of registered inline hooks', () => {
  let okta: OktaEmulator;
  let hook: TestServer;
  let answers: ((response: ServerResponse) => void)[];
  const json =
    (body: unknown, status = 200) =>
    (response: ServerResponse): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
  const hang = (): void => undefined;
  const create = async (body: unknown = telephonyHook(`${hook.url}/hook`)): Promise<string> => {
    const answer = await callApi(okta, 'POST', '/api/v1/inlineHooks', body);
    expect(answer.status).to.equal(200);
    return String(answer.body['id']);
  };
  const payload = (): Record<string, unknown> =>
    makeHookPayload({ preview: true }, undefined, { orgUrl: okta.orgUrl, now: Date.now() });
  const execute = (id: string, body: unknown = payload()): Promise<ApiAnswer> =>
    callApi(okta, 'POST', `/api/v1/inlineHooks/${id}/execute`, body);

  beforeEach(async function () {
    // Short only for the test without an answer: a busy machine needs the time for the others.
    const hookTimeoutMs = this.currentTest?.title.includes('no answer in time') === true ? 500 : 60_000;
    okta = await startOktaEmulator({ hookTimeoutMs });
    answers = [];
    hook = await startTestServer((response) => {
      (answers.shift() ?? json(SENT))(response);
    });
  });
  afterEach(async () => {
    hook.close();
    await okta.close();
  });

  describe('execute', () => {
    it('calls the hook with the given payload and its secret, and returns the answer of the hook', async () => {
      const id = await create();
      const body = payload();
      const answer = await execute(id, body);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.deep.equal({ error: null, ...SENT, debugContext: {} });
      expect(hook.received).to.have.length(1);
      expect(hook.received[0]).to.include({ url: '/hook' });
      expect(hook.received[0]?.headers).to.include({
        authorization: 'hook-secret',
        'content-type': 'application/json',
        accept: 'application/json',
      });
      expect(JSON.parse(hook.received[0]?.body ?? '')).to.deep.equal(body);
    });

    it('answers 200 with the commands or the error of a valid answer, also for FAILED', async () => {
      const id = await create();
      const failed = answerOf({ status: 'FAILED' });
      answers = [json({ ...failed, debugContext: { a: '1' } })];
      expect((await execute(id)).body).to.deep.equal({ error: null, ...failed, debugContext: { a: '1' } });
      const error = { errorSummary: 'We could not send your code.' };
      answers = [json({ error })];
      expect((await execute(id)).body).to.deep.equal({ error, commands: [], debugContext: {} });
      expect(hook.received).to.have.length(2);
    });

    for (const [why, first, problem] of [
      ['after a 5xx', json({}, 503), /status 503/],
      ['after no answer in time', hang, /no answer within 0\.5 s/],
      ['after a broken connection', (response: ServerResponse) => response.socket?.destroy(), /no answer: /],
    ] as const) {
      it(`calls the hook once more ${why}, and answers 400 with the cause if that fails, too`, async () => {
        const id = await create();
        answers = [first];
        expect((await execute(id)).status).to.equal(200);
        expect(hook.received).to.have.length(2);
        expect(hook.received[1]?.body, 'the same event').to.equal(hook.received[0]?.body);
        answers = [first, first];
        const failed = await execute(id);
        expect(failed.status).to.equal(400);
        expect(failed.causes).to.match(problem);
        expect(hook.received).to.have.length(4);
      });
    }

    it('answers 400 with the cause for an invalid answer, without a second call', async () => {
      const id = await create();
      for (const [answer, cause] of [
        [json({}, 401), /status 401/],
        [json({ commands: [] }), /no commands/],
        [(response: ServerResponse) => response.writeHead(200).end('<html>'), /not a JSON object/],
      ] as const) {
        const before = hook.received.length;
        answers = [answer];
        const refused = await execute(id);
        expect(refused.status).to.equal(400);
        expect(refused.causes).to.match(cause);
        expect(hook.received).to.have.length(before + 1);
      }
    });

    it('does not call an inactive hook, or any hook with a payload of another type', async () => {
      const id = await create();
      expect((await execute(id, { eventType: 'com.okta.other' })).status).to.equal(400);
      await callApi(okta, 'POST', `/api/v1/inlineHooks/${id}/lifecycle/deactivate`);
      expect((await execute(id)).status).to.equal(403);
      expect(hook.received).to.be.empty;
    });
  });

  describe('callHook without a URL', () => {
    it('calls the active telephony hook with its secret and headers, and names it as the source', async () => {
      const config = {
        uri: `${hook.url}/hook`,
        headers: [{ key: 'X-Env', value: 'prod' }],
        authScheme: { type: 'HEADER', key: 'X-Api-Key', value: 'hook-secret' },
      };
      const id = await create({ ...telephonyHook(''), channel: { type: 'HTTP', config } });
      const call = await okta.callHook();
      expect(call.okta.action).to.equal('sent');
      expect(call.payload).to.have.property('source', `${okta.orgUrl}/api/v1/inlineHooks/${id}`);
      expect(hook.received[0]?.headers).to.include({ 'x-env': 'prod', 'x-api-key': 'hook-secret' });
      await okta.callHook({ headers: { 'x-api-key': 'other' } });
      expect(hook.received[1]?.headers).to.include({ 'x-env': 'prod', 'x-api-key': 'other' });
    });

    it('sends to the enrolled phone of the channel, else to the mobile phone of the profile', async () => {
      await create();
      okta.addUser({
        login: 'ana@example.com',
        profile: { mobilePhone: '+4915100000000' },
        phoneFactors: [{ factorType: 'sms', phoneNumber: '+4915112345678' }],
      });
      const byText = await okta.callHook();
      expect(byText.payload).to.have.nested.property('data.messageProfile.phoneNumber', '+4915112345678');
      const byVoice = await okta.callHook({ deliveryChannel: 'voice call' });
      expect(byVoice.payload).to.have.nested.property('data.messageProfile.phoneNumber', '+4915100000000');
    });

    it('rejects if no telephony hook is active', async () => {
      expect(await rejection(okta.callHook()))
        .to.have.property('message')
        .that.includes('no active telephony hook');
      const id = await create();
      await callApi(okta, 'POST', `/api/v1/inlineHooks/${id}/lifecycle/deactivate`);
      expect(await rejection(okta.callHook())).to.be.instanceOf(Error);
    });
  });

  describe('with an OAuth 2.0 scheme', () => {
    // The first token waits for a new key, which can take longer than the time limit of the hook.
    beforeEach(() => okta.issueHookToken());

    const config = (more: object): object => ({
      ...telephonyHook(''),
      channel: {
        type: 'OAUTH',
        version: '1.0.0',
        config: {
          uri: `${hook.url}/hook`,
          clientId: '0oaHook',
          tokenUrl: `${okta.issuer}/v1/token`,
          scope: 'telephony',
          ...more,
        },
      },
    });
    const tokenSent = (): unknown => {
      const [, token = ''] = hook.received[0]?.headers.authorization?.split(' ') ?? [];
      return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    };

    it('calls the hook with an access token that Okta gets with the client secret', async () => {
      okta.registerHookClient({ clientId: '0oaHook', clientSecret: 'client-secret' });
      const id = await create(config({ authType: 'client_secret_post', clientSecret: 'client-secret' }));
      expect((await okta.callHook()).okta.action).to.equal('sent');
      expect(tokenSent()).to.deep.include({ cid: '0oaHook', scp: ['telephony'], iss: okta.issuer });
      expect((await execute(id)).status).to.equal(200);
    });

    it('calls the hook with an access token that Okta gets with a hook key', async () => {
      const key = await callApi(okta, 'POST', '/api/v1/hook-keys', { name: 'Hook' });
      const [created] = okta.hookKeys;
      if (created === undefined) throw new Error('there is one');
      okta.registerHookClient({ clientId: '0oaOther', publicJwk: (await otherKey()).publicJwk });
      okta.registerHookClient({ clientId: '0oaHook', publicJwk: created.publicJwk });
      await create(config({ authType: 'private_key_jwt', hookKeyId: key.body['id'] }));
      expect((await okta.callHook()).okta.action).to.equal('sent');
      expect(tokenSent()).to.deep.include({ cid: '0oaHook' });
    });

    it('does not call the hook if Okta gets no token, and names that as the reason', async () => {
      const id = await create(config({ authType: 'client_secret_post', clientSecret: 'client-secret' }));
      const call = await okta.callHook();
      expect(call.okta).to.deep.equal({
        action: 'failover',
        reason: 'no token: the token endpoint answered 401',
      });
      expect(call.httpStatus).to.equal(undefined);
      const executed = await execute(id);
      expect(executed.status).to.equal(400);
      expect(executed.causes).to.include('no token');
      expect(hook.received).to.be.empty;
    });

    async function otherKey(): Promise<{ publicJwk: object }> {
      const answer = await callApi(okta, 'POST', '/api/v1/hook-keys', { name: 'Other' });
      const found = okta.hookKeys.find(({ id }) => id === answer.body['id']);
      if (found === undefined) throw new Error('there is one');
      return found;
    }
  });
});
