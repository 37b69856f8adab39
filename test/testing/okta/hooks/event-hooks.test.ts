import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { startOktaEmulator, type OktaEmulator } from '#lib/testing/index.js';
import { slowTime, type SlowTime } from '#harness/slow-time.js';
import { warmUp } from '#harness/stopped-time.js';
import { startTestServer, type ReceivedRequest, type TestServer } from '../../local.js';
import { callApi, eventHook, type ApiAnswer } from '../client.js';

const CHALLENGE = 'x-okta-verification-challenge';

describe('startOktaEmulator: the Event Hooks API', () => {
  let okta: OktaEmulator;
  let receiver: TestServer;
  let time: SlowTime | undefined;
  let answers: ((response: ServerResponse, challenge: string) => unknown)[];
  const echo = (response: ServerResponse, challenge: string): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ verification: challenge }));
  };
  const call = (method: string, path = '', body?: unknown): Promise<ApiAnswer> =>
    callApi(okta, method, `/api/v1/eventHooks${path}`, body);
  const create = async (): Promise<string> => {
    const answer = await call('POST', '', eventHook(`${receiver.url}/events`));
    expect(answer.status).to.equal(200);
    return String(answer.body['id']);
  };
  const challengeOf = (request: ReceivedRequest | undefined): string => String(request?.headers[CHALLENGE]);

  beforeEach(async () => {
    // More than a busy machine needs.
    okta = await startOktaEmulator({ hookTimeoutMs: 60_000 });
    answers = [];
    receiver = await startTestServer((response, request) => {
      (answers.shift() ?? echo)(response, challengeOf(request));
    });
  });
  afterEach(async () => {
    time?.restore();
    time = undefined;
    receiver.close();
    await okta.close();
  });

  it('creates an active, unverified hook, and leaves its secret out of every answer', async () => {
    const answer = await call('POST', '', eventHook(`${receiver.url}/events`));
    expect(answer.body).to.include({ status: 'ACTIVE', verificationStatus: 'UNVERIFIED', name: 'Outcomes' });
    expect(JSON.stringify(answer.body)).to.include('"authScheme":{"type":"HEADER","key":"Authorization"}');
    expect((await call('GET')).list).to.deep.equal([answer.body]);
    expect((await call('GET', `/${String(answer.body['id'])}`)).body).to.deep.equal(answer.body);
    expect(okta.eventHooks[0]?.channel.authScheme?.value).to.equal('event-secret');
  });

  it('verifies a hook by a new challenge, which it sends with the secret', async () => {
    const id = await create();
    const answer = await call('POST', `/${id}/lifecycle/verify`);
    expect(answer.status).to.equal(200);
    expect(answer.body).to.include({ status: 'ACTIVE', verificationStatus: 'VERIFIED' });
    expect(receiver.received).to.have.length(1);
    expect(receiver.received[0]).to.include({ url: '/events', body: '' });
    expect(receiver.received[0]?.headers).to.include({ authorization: 'event-secret' });
    expect(challengeOf(receiver.received[0])).to.have.length.above(20);
    await call('POST', `/${id}/lifecycle/verify`);
    expect(challengeOf(receiver.received[1])).to.not.equal(challengeOf(receiver.received[0]));
  });

  const answering =
    (status: number, body = '') =>
    (response: ServerResponse): unknown =>
      response.writeHead(status).end(body);
  for (const [given, answer, tries, cause] of [
    ['another challenge', answering(200, '{"verification":"other"}'), 1, /challenge/],
    ['text that is not JSON', answering(200, 'challenge'), 1, /challenge/],
    ['204', answering(204), 1, /status 204/],
    ['401', answering(401), 1, /status 401/],
    ['500, twice', answering(500), 2, /status 500/],
    ['nothing, twice', () => undefined, 2, /no answer within/],
  ] as const) {
    it(`does not verify a hook that answers ${given}`, async () => {
      if (given === 'nothing, twice') {
        await okta.close();
        okta = await startOktaEmulator({ hookTimeoutMs: 100 });
        await warmUp();
        // A request has a hundred turns of the event loop, so a busy machine does not fail it.
        time = slowTime(1);
      }
      const id = await create();
      answers = Array.from({ length: tries }, () => answer);
      const refused = await call('POST', `/${id}/lifecycle/verify`);
      expect(refused.status).to.equal(400);
      expect(refused.causes).to.match(cause);
      expect(receiver.received).to.have.length(tries);
      expect(okta.eventHooks[0]?.verificationStatus).to.equal('UNVERIFIED');
    });
  }

  it('verifies a hook that answers the second request after a 503', async () => {
    const id = await create();
    answers = [(response) => response.writeHead(503).end()];
    expect((await call('POST', `/${id}/lifecycle/verify`)).status).to.equal(200);
    expect(receiver.received).to.have.length(2);
  });

  it('makes a hook unverified if only its secret changes, but not if its name changes', async () => {
    const id = await create();
    const uri = `${receiver.url}/events`;
    await call('POST', `/${id}/lifecycle/verify`);
    const renamed = await call('PUT', `/${id}`, {
      ...eventHook(uri),
      name: 'Other',
      description: 'For codes',
    });
    expect(renamed.body).to.include({
      name: 'Other',
      description: 'For codes',
      verificationStatus: 'VERIFIED',
    });
    const rotated = await call('PUT', `/${id}`, eventHook(uri, 'new-secret'));
    expect(rotated.body).to.include({ verificationStatus: 'UNVERIFIED', status: 'ACTIVE' });
    expect((await call('PUT', `/${id}`, { name: 'Other' })).status).to.equal(400);
  });

  it('refuses each invalid hook with its cause', async () => {
    const hook = eventHook('https://otp.example.com/events');
    const wrong: [unknown, RegExp][] = [
      [{ ...hook, name: undefined }, /name/],
      [{ ...hook, events: { type: 'EVENT_TYPE', items: [] } }, /no items/],
      [{ ...hook, events: { type: 'FLOW_EVENT', items: ['a'] } }, /EVENT_TYPE/],
      [
        { ...hook, events: { type: 'EVENT_TYPE', items: ['inline_hook.response.processed'] } },
        /not for event hooks/,
      ],
      [{ ...hook, channel: { type: 'HTTP', config: { uri: 'http://otp.example.com' } } }, /https/],
      [{ ...hook, channel: { type: 'OAUTH', config: { uri: 'https://otp.example.com' } } }, /HTTP only/],
    ];
    for (const [body, cause] of wrong) {
      const refused = await call('POST', '', body);
      expect(refused.status, String(cause)).to.equal(400);
      expect(refused.causes).to.match(cause);
    }
    expect(okta.eventHooks).to.be.empty;
  });
});
