import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { startOktaEmulator, type LogEvent, type OktaEmulator } from '#lib/testing/index.js';
import { textFieldOf } from '#lib/core/json.js';
import { until } from '#harness/until.js';
import { startTestServer, type TestServer } from '../../local.js';
import { callApi, eventHook } from '../client.js';

interface Envelope {
  readonly eventId: string;
  readonly data: { readonly events: readonly LogEvent[] };
}

describe('startOktaEmulator: events that event hooks receive', () => {
  const now = Date.UTC(2026, 2, 1);
  let okta: OktaEmulator;
  let receiver: TestServer;
  let hookId: string;
  let answers: ((response: ServerResponse) => void)[];
  const posted = (): Envelope[] =>
    receiver.received.filter(({ body }) => body !== '').map(({ body }) => JSON.parse(body) as Envelope);
  const createHook = async (path = '/events', items?: readonly string[]): Promise<string> => {
    const body = eventHook(receiver.url + path, 'event-secret', items);
    const answer = await callApi(okta, 'POST', '/api/v1/eventHooks', body);
    return String(answer.body['id']);
  };
  const verify = (id: string): Promise<unknown> =>
    callApi(okta, 'POST', `/api/v1/eventHooks/${id}/lifecycle/verify`);

  beforeEach(async function () {
    // Short only for the test without an answer: a busy machine needs the time for the others.
    const hookTimeoutMs = this.currentTest?.title.includes('no answer in time') === true ? 500 : 60_000;
    okta = await startOktaEmulator({ hookTimeoutMs, clock: () => now });
    okta.addUser({ id: '00uana', login: 'ana@example.com', firstName: 'Ana', lastName: 'Silva' });
    answers = [];
    receiver = await startTestServer((response, { headers, body }) => {
      if (body === '') {
        const verification = headers['x-okta-verification-challenge'];
        response.writeHead(200).end(JSON.stringify({ verification }));
      } else (answers.shift() ?? ((it) => it.writeHead(204).end()))(response);
    });
    hookId = await createHook();
  });
  afterEach(async () => {
    receiver.close();
    await okta.close();
  });

  it('delivers nothing to a hook that is not verified or not active', async () => {
    expect(await okta.userSignedIn('ana')).to.deep.equal([]);
    await verify(hookId);
    await callApi(okta, 'POST', `/api/v1/eventHooks/${hookId}/lifecycle/deactivate`);
    expect(await okta.userSignedIn('ana')).to.deep.equal([]);
    expect(posted()).to.be.empty;
    await callApi(okta, 'POST', `/api/v1/eventHooks/${hookId}/lifecycle/activate`);
    expect(await okta.userSignedIn('ana')).to.have.length(1);
  });

  describe('about a call of the telephony hook', () => {
    let answerHook: (response: ServerResponse) => void;
    let hook: TestServer;
    beforeEach(async () => {
      hook = await startTestServer((response) => answerHook(response));
      await verify(await createHook());
    });
    afterEach(() => hook.close());
    const call = async () => okta.callHook({ url: hook.url, userId: '00uana' });

    for (const [what, answerIt] of [
      ['has no answer', (response) => response.destroy()],
      ['has another status than 200', (response) => response.writeHead(401).end('{}')],
      ['has an answer that is not JSON', (response) => response.writeHead(200).end('<html>')],
    ] as readonly (readonly [string, (response: ServerResponse) => void])[]) {
      it(`delivers that the call failed if it ${what}`, async () => {
        answerHook = answerIt;
        const { payload, okta: verdict } = await call();
        await until(() => okta.eventDeliveries.length === 1);
        const [event] = okta.eventDeliveries[0]?.events ?? [];
        expect(event).to.deep.include({
          eventType: 'inline_hook.executed',
          outcome: { result: 'FAILURE', reason: verdict.reason },
        });
        expect(event).to.nested.include({
          'actor.id': '00uana',
          'transaction.id': textFieldOf(payload, 'data', 'context', 'request', 'id'),
          'target[0].id': textFieldOf(payload, 'source')?.split('/').at(-1),
        });
      });
    }

    it('delivers nothing about an answer that Okta reads, even if it has an error', async () => {
      for (const body of [{}, { error: { errorSummary: 'No' } }]) {
        answerHook = (response) => response.writeHead(200).end(JSON.stringify(body));
        expect((await call()).okta.action).to.not.equal('sent');
      }
      await okta.userSignedIn('ana');
      expect(okta.eventDeliveries.map(({ events }) => events[0]?.eventType)).to.deep.equal([
        'user.authentication.auth_via_mfa',
      ]);
    });
  });

  it('delivers a sign-in as an event of the System Log', async () => {
    await verify(hookId);
    const [delivery] = await okta.userSignedIn('ana@example.com', { factor: 'CALL_FACTOR' });
    const request = receiver.received.at(-1);
    expect(request?.headers).to.include({
      authorization: 'event-secret',
      'content-type': 'application/json',
    });
    const envelope = posted()[0];
    expect(envelope).to.deep.include({
      eventType: 'com.okta.event_hook',
      eventTypeVersion: '1.0',
      cloudEventsVersion: '0.1',
      contentType: 'application/json',
      source: `${okta.orgUrl}/api/v1/eventHooks/${hookId}`,
      eventTime: new Date(now).toISOString(),
      eventId: delivery?.eventId,
    });
    expect(envelope?.data.events).to.have.length(1);
    expect(envelope?.data.events[0]).to.have.nested.include({
      eventType: 'user.authentication.auth_via_mfa',
      published: new Date(now).toISOString(),
      'outcome.result': 'SUCCESS',
      'outcome.reason': null,
      'actor.id': '00uana',
      'actor.type': 'User',
      'actor.alternateId': 'ana@example.com',
      'actor.displayName': 'Ana Silva',
      'debugContext.debugData.factor': 'CALL_FACTOR',
      'authenticationContext.credentialType': 'OTP',
    });
    expect(envelope?.data.events[0]?.uuid).to.match(/^[0-9a-f-]{36}$/);
    expect(delivery).to.deep.include({ hookId, statuses: [204], isDelivered: true });
    expect(okta.eventDeliveries).to.deep.equal([delivery]);
  });

  it('delivers an enrollment with its reason, and with the user as target if an administrator did it', async () => {
    await verify(hookId);
    const admin = { id: '00uadmin', type: 'User', alternateId: 'it@example.com', displayName: 'IT' };
    await okta.userSignedIn('ana', { eventType: 'user.mfa.factor.activate', actor: admin });
    await okta.userSignedIn('ana', { result: 'FAILURE' });
    const [enrollment, wrongCode] = posted().map(({ data }) => data.events[0]);
    expect(enrollment).to.have.nested.include({
      'outcome.reason': 'User set up SMS_FACTOR factor',
      'actor.id': '00uadmin',
      'target[0].id': '00uana',
    });
    expect(enrollment?.debugContext.debugData).to.not.have.property('factor');
    expect(wrongCode?.outcome).to.deep.equal({ result: 'FAILURE', reason: 'INVALID_CREDENTIALS' });
    expect(() => okta.logEvent('nobody')).to.throw('no such user');
  });

  it('delivers the use of a code that enrolls a phone as an activation', async () => {
    await verify(hookId);
    const { otpCode } = await okta.callHook({ url: receiver.url, requestType: 'pre-enrollment' });
    const { deliveries } = await okta.enterCode('ana', otpCode);
    expect(deliveries[0]?.events[0]).to.have.nested.include({
      eventType: 'user.mfa.factor.activate',
      'outcome.reason': 'User set up SMS_FACTOR factor',
    });
  });

  it('delivers several events together, to each hook only those of its event types', async () => {
    await verify(hookId);
    const other = await createHook('/other', ['user.account.unlock']);
    await verify(other);
    const uuid = '6b7c1f3a-0000-4000-8000-000000000001';
    const events = [
      okta.logEvent('ana', { uuid }),
      okta.logEvent('ana', { result: 'FAILURE', reason: 'OTHER', published: new Date(0) }),
      okta.logEvent('ana', { eventType: 'user.account.unlock' }),
      okta.logEvent('ana', { eventType: 'user.session.end' }),
    ];
    const deliveries = await okta.fireEvents(events);
    expect(deliveries.map(({ hookId: id, events: delivered }) => [id, delivered.length])).to.deep.equal([
      [hookId, 2],
      [other, 1],
    ]);
    const batch = posted().find(({ data }) => data.events.length === 2);
    expect(batch?.data.events).to.deep.equal(events.slice(0, 2));
    expect(batch?.data.events[0]?.uuid).to.equal(uuid);
    expect(batch?.data.events[1]?.published).to.equal('1970-01-01T00:00:00.000Z');
  });

  it('repeats an event on request, in the same delivery or in a new one', async () => {
    await verify(hookId);
    const event = okta.logEvent('ana');
    const [first] = await okta.fireEvents([event]);
    await okta.fireEvents([event], { eventId: first?.eventId });
    await okta.fireEvents([event]);
    const [one, two, three] = posted();
    expect(two).to.deep.equal(one);
    expect(three?.eventId).to.not.equal(one?.eventId);
    expect(three?.data).to.deep.equal(one?.data);
  });

  for (const [why, answer, statuses, isDelivered] of [
    ['a second time after a 5xx', (it: ServerResponse) => it.writeHead(500).end(), [500, 204], true],
    ['a second time after no answer in time', () => undefined, [undefined, 204], true],
    ['only once after a 4xx', (it: ServerResponse) => it.writeHead(401).end(), [401], false],
    ['only once after a 200', (it: ServerResponse) => it.writeHead(200).end(), [200], true],
  ] as const) {
    it(`sends an event ${why}`, async () => {
      await verify(hookId);
      answers = [answer];
      const [delivery] = await okta.userSignedIn('ana');
      expect(delivery).to.deep.include({ statuses, isDelivered });
      const ids = posted().map(({ eventId }) => eventId);
      expect(ids).to.deep.equal(statuses.map(() => delivery?.eventId));
    });
  }

  it('gives up a delivery after the hook fails twice', async () => {
    await verify(hookId);
    answers = [(it) => it.socket?.destroy(), (it) => it.writeHead(503).end()];
    const [delivery] = await okta.userSignedIn('ana');
    expect(delivery).to.deep.include({ statuses: [undefined, 503], isDelivered: false });
  });
});
