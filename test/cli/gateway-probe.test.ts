import { expect } from 'chai';
import { probeGateway, fetchHookToken } from '#lib/cli/gateway-probe.js';
import { createAgent } from '#lib/http/call.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { startTestServer, type TestServer } from '../testing/local.js';

const HOOK_ERROR = '{"error":{"errorSummary":"No"}}';
const CLIENT_SECRET = 'client-secret-77aa31';

describe('the probes before a change in Okta', () => {
  const dispatcher = createAgent(1_000);
  let server: TestServer | undefined;
  after(() => dispatcher.destroy());
  afterEach(() => {
    server?.close();
    server = undefined;
  });
  const answering = async (status: number, body: string): Promise<string> => {
    server = await startTestServer((response) => response.writeHead(status).end(body));
    return `${server.url}/at?of=a`;
  };
  const toHost = (answer: object): object =>
    JSON.parse(JSON.stringify(answer).replace(/127\.0\.0\.1:\d+/, 'HOST')) as object;

  // The tests of doctor and of setup show what a gateway's answers mean. These are the answers that they do not have.
  it('takes 403 for a refusal, and 400 for an acceptance only with an error of the hook', async () => {
    const header = { name: 'X-Api-Token', secret: 'the secret' };
    for (const [status, body, kind] of [
      [400, HOOK_ERROR, 'accepted'],
      [403, '', 'refused'],
      [400, '{"error":{}}', 'unclear'],
    ] as const) {
      const result = await probeGateway(dispatcher, await answering(status, body), header);
      expect(result.kind, `${status} ${body}`).to.equal(kind);
    }
  });

  const oauth = (tokenUrl: string) =>
    ({
      kind: 'oauth',
      clientId: 'the-client',
      tokenUrl,
      scope: 'telephony',
      by: { clientSecret: CLIENT_SECRET },
    }) as const;
  const fetchToken = (url: string) => fetchHookToken(dispatcher, oauth(url), CLIENT_SECRET);
  const SERVER = 'The authorization server at HOST';
  for (const [status, body, answer] of [
    [200, '{"access_token":"the-token"}', { kind: 'token', token: 'the-token' }],
    [200, '{}', { kind: 'unclear', why: `${SERVER} answered 200 without a token` }],
    [201, '{"access_token":"the-token"}', { kind: 'unclear', why: `${SERVER} answered 201` }],
    [400, '{}', { kind: 'refused', by: SERVER }],
    [401, '{}', { kind: 'refused', by: SERVER }],
    [403, '{}', { kind: 'unclear', why: `${SERVER} answered 403` }],
  ] as const) {
    it(`reads the answer ${status} with ${body} of the authorization server as ${answer.kind}`, async () => {
      const url = await answering(status, body);
      expect(toHost(await fetchToken(url))).to.deep.equal(answer);
    });
  }

  it('requests a token with the same parameters as Okta', async () => {
    await fetchToken(await answering(200, '{}'));
    const [{ headers, body } = { headers: {}, body: '' }] = server?.received ?? [];
    expect(Object.fromEntries(new URLSearchParams(body))).to.deep.equal({
      grant_type: 'client_credentials',
      client_id: 'the-client',
      client_secret: CLIENT_SECRET,
      scope: 'telephony',
    });
    expect(headers).to.include({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    });
  });

  it('answers "unclear" if the authorization server is not reachable', async () => {
    expect(await fetchToken(REFUSING_ORIGIN)).to.deep.equal({
      kind: 'unclear',
      why: `The authorization server at ${new URL(REFUSING_ORIGIN).host} could not be reached from here (ECONNREFUSED)`,
    });
  });
});
