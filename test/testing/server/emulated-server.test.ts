import { expect } from 'chai';
import { startEmulatedServer, type EmulatedServer } from '#lib/testing/server/emulated-server.js';
import { jsonPost } from '#lib/testing/server/outbound.js';
import { Phones } from '#lib/testing/server/phones.js';
import { jsonReply, type Answer } from '#lib/testing/server/reply.js';
import { StatusCallbacks } from '#lib/testing/server/status-callbacks.js';
import { startTestServer, type TestServer } from '../local.js';

interface Message {
  readonly statusCallback: string | undefined;
}

/** The parts of an emulator, as the guide of the tests puts them together. */
describe('an emulator of another vendor', () => {
  const phones = new Phones();
  let server: EmulatedServer;
  let customer: TestServer;
  let callbacks: StatusCallbacks<Message, { readonly status: string }>;

  beforeEach(async () => {
    customer = await startTestServer();
    server = await startEmulatedServer({ clock: () => 0, callTimeoutMs: 5000 });
    callbacks = new StatusCallbacks(server, {
      stepMs: 1,
      post: async (url, params) =>
        (await server.outbound.call(jsonPost(url, { 'x-signature': `signed ${params.status}` }, params)))
          .status,
    });
    const send: Answer = (_request, { to = '' }) => ({
      ...jsonReply(201, { id: 'm1' }),
      commit: () => {
        phones.deliver(to, { channel: 'sms', text: 'Hello', at: 0, sid: 'm1' });
        callbacks.walk({ statusCallback: customer.url }, ['sent', 'delivered'], (status) => ({ status }));
      },
    });
    server.serve({
      routes: [['post', '/messages/:to', send]],
      notFound: () => jsonReply(404, { error: 'no path' }),
      notAllowed: () => jsonReply(405, { error: 'no method' }),
    });
  });
  afterEach(async () => {
    customer.close();
    await server.close();
  });

  const request = async (method: string, path: string): Promise<number> => {
    const answer = await fetch(server.origin + path, { method });
    await answer.arrayBuffer();
    return answer.status;
  };

  it('answers by its table, at another path or method and for a name that cannot be decoded, too', async () => {
    expect(await request('POST', '/messages/a1')).to.equal(201);
    expect(await request('GET', '/messages/a1')).to.equal(405);
    expect(await request('POST', '/else')).to.equal(404);
    expect(await request('POST', '/messages/%E0')).to.equal(404);
    expect(server.requests.map(({ method }) => method)).to.deep.equal(['POST', 'GET', 'POST', 'POST']);
  });

  it('delivers to phones and posts signed callbacks in JSON, one after the other', async () => {
    await request('POST', '/messages/a2');
    expect(phones.inbox('a2')).to.have.length(1);
    const received = await customer.waitFor(2);
    expect(received.map(({ body }) => body)).to.deep.equal(['{"status":"sent"}', '{"status":"delivered"}']);
    expect(received.map(({ headers }) => headers['x-signature'])).to.deep.equal([
      'signed sent',
      'signed delivered',
    ]);
    expect(callbacks.made.map(({ params }) => params.status)).to.deep.equal(['sent', 'delivered']);
  });

  it('has faults of requests and of callbacks', async () => {
    server.fault({ fault: { kind: 'status', status: 503 }, times: 1 });
    expect(await request('POST', '/messages/a3')).to.equal(503);
    expect(phones.inbox('a3')).to.have.length(0);
    callbacks.fault({ isReversed: true });
    await request('POST', '/messages/a3');
    const received = await customer.waitFor(2);
    expect(received.map(({ body }) => body)).to.deep.equal(['{"status":"delivered"}', '{"status":"sent"}']);
  });
});
