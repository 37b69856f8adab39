import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import { startOktaEmulator, type HookCallOptions, type OktaEmulator } from '#lib/testing/index.js';
import { mustNotShow } from '#harness/witness.js';
import { startTestServer, type ReceivedRequest, type TestServer } from '../../local.js';

describe('startOktaEmulator: connectHook', () => {
  let okta: OktaEmulator;
  let gateway: TestServer;
  let answerEvents: (request: ReceivedRequest, response: ServerResponse) => void;
  const echo = (request: ReceivedRequest, response: ServerResponse): void => {
    const verification = request.headers['x-okta-verification-challenge'];
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ verification }));
  };

  beforeEach(async () => {
    okta = await startOktaEmulator();
    mustNotShow(okta.hookCredential.secrets[0]);
    answerEvents = echo;
    gateway = await startTestServer((response, request) => {
      if (request.url === '/hook/events') answerEvents(request, response);
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  afterEach(async () => {
    gateway.close();
    await okta.close();
  });

  it('connects the hook for callHook() and the event hook, both with the secret of hookCredential', async () => {
    await okta.connectHook(`${gateway.url}/hook`);
    await okta.callHook();
    await okta.userSignedIn(okta.addUser({ login: 'ana@example.com' }).login);
    const [secret] = okta.hookCredential.secrets;
    expect(gateway.received.map(({ url, headers }) => [url, headers.authorization === secret])).to.deep.equal(
      [
        ['/hook/events', true],
        ['/hook', true],
        ['/hook/events', true],
      ],
    );
    expect(okta.eventDeliveries.map(({ isDelivered }) => isDelivered)).to.deep.equal([true]);
    // connectHook() makes no API request.
    expect(okta.requests).to.deep.equal([]);
  });

  it('sends the secret to no other url of callHook(), and one header of each name', async () => {
    await okta.connectHook(`${gateway.url}/hook`);
    const got = async (call: HookCallOptions): Promise<unknown> => {
      await okta.callHook(call);
      return gateway.received.at(-1)?.headers.authorization;
    };
    const authorization = okta.hookCredential.secrets[0];
    expect(await got({ url: `${gateway.url}/second` })).to.equal(undefined);
    expect(await got({ url: `${gateway.url}/second`, headers: { authorization } })).to.equal(authorization);
    expect(await got({ headers: { 'X-Other': 'a' } })).to.equal(authorization);
    expect(await got({ headers: { authorization: 'wrong' } })).to.equal('wrong');
  });

  it('replaces the hook of an earlier connectHook()', async () => {
    await okta.connectHook(`${gateway.url}/hook`);
    await okta.connectHook(`${gateway.url}/hook`);
    expect(okta.inlineHooks.map(({ status }) => status)).to.deep.equal(['ACTIVE']);
    expect(okta.eventHooks.map(({ verificationStatus }) => verificationStatus)).to.deep.equal(['VERIFIED']);
  });

  it('creates no event hook if the gateway answers 404 for it', async () => {
    answerEvents = (_request, response) => {
      response.writeHead(404).end();
    };
    await okta.connectHook(`${gateway.url}/hook`);
    expect(okta.inlineHooks).to.have.length(1);
    expect(okta.eventHooks).to.deep.equal([]);
  });

  it('rejects if the event hook fails its verification or the URL is invalid', async () => {
    answerEvents = (_request, response) => {
      response.writeHead(401).end();
    };
    const messageOf = (url: string): Promise<unknown> =>
      okta.connectHook(url).then(
        () => 'no error',
        (error: unknown) => (error instanceof Error ? error.message : error),
      );
    expect(await messageOf(`${gateway.url}/hook`)).to.equal(
      'Okta cannot verify the event hook: The answer has the status 401.',
    );
    expect(await messageOf('localhost:3000/hook')).to.match(/^Okta cannot call the hook: uri: /);
  });

  it('has a credential for the options of the hook', () => {
    expect(okta.credential).to.deep.equal({ orgUrl: okta.orgUrl, apiToken: okta.apiToken });
  });
});
