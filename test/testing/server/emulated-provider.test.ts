import { expect } from 'chai';
import { startProvider, type EmulatedProvider } from '#lib/testing/server/emulated-provider.js';
import type { LimitedRule } from '#lib/testing/server/faults.js';
import { jsonPost } from '#lib/testing/server/outbound.js';
import { jsonReply, type Answer } from '#lib/testing/server/reply.js';
import { startTestServer, type TestServer } from '../local.js';

interface Message {
  readonly statusCallback: string | undefined;
}

interface Refusal extends LimitedRule {
  readonly status: number;
}

type Status = { readonly status: string };

interface Emulator extends EmulatedProvider<Refusal, LimitedRule, Message, Status> {
  /** The number of accepted messages. */
  readonly accepted: number;
}

async function startEmulator(statusCallback: string): Promise<Emulator> {
  const provider = await startProvider<Refusal, LimitedRule, Message, Status>(
    { clock: () => 0, callbackDelayMs: 1 },
    {
      post: async (url, params): Promise<number | undefined> =>
        (await server.outbound.call(jsonPost(url, { 'x-signature': `signed ${params.status}` }, params)))
          .status,
    },
  );
  const { server, refusals, callbacks, deliver } = provider;
  let accepted = 0;
  const send: Answer = (request, { to = '' }) => {
    const refusal = refusals.take(request);
    if (refusal !== undefined) return jsonReply(refusal.status, { error: 'refused' });
    return {
      ...jsonReply(201, { id: 'm1' }),
      commit: () => {
        accepted += 1;
        const failure = deliver(request, to, { channel: 'sms', text: 'Hello', sid: 'm1' });
        const last = failure === undefined ? 'delivered' : 'failed';
        callbacks.walk({ statusCallback }, ['sent', last], (status) => ({ status }));
      },
    };
  };
  server.serve({
    routes: [['post', '/messages/:to', send]],
    notFound: () => jsonReply(404, { error: 'no path' }),
    notAllowed: () => jsonReply(405, { error: 'no method' }),
  });
  return provider.emulatorOf<Emulator>({
    get accepted() {
      return accepted;
    },
  });
}

/** As the guide of the tests puts an emulator together. */
describe('an emulator of another provider', () => {
  let emulator: Emulator;
  let customer: TestServer;

  beforeEach(async () => {
    customer = await startTestServer();
    emulator = await startEmulator(customer.url);
  });
  afterEach(async () => {
    customer.close();
    await emulator.close();
  });

  const request = async (method: string, path: string): Promise<number> => {
    const answer = await fetch(emulator.baseUrl + path, { method });
    await answer.arrayBuffer();
    return answer.status;
  };

  it('answers by its table, at another path or method and for a name that cannot be decoded, too', async () => {
    expect(await request('POST', '/messages/a1')).to.equal(201);
    expect(await request('GET', '/messages/a1')).to.equal(405);
    expect(await request('POST', '/else')).to.equal(404);
    expect(await request('POST', '/messages/%E0')).to.equal(404);
    expect(emulator.requests.map(({ method }) => method)).to.deep.equal(['POST', 'GET', 'POST', 'POST']);
    expect(emulator.accepted).to.equal(1);
  });

  it('delivers to phones and posts signed callbacks in JSON, one after the other', async () => {
    await request('POST', '/messages/a2');
    expect(emulator.inbox('a2')).to.deep.equal([{ channel: 'sms', text: 'Hello', sid: 'm1', at: 0 }]);
    const received = await customer.waitFor(2);
    expect(received.map(({ body }) => body)).to.deep.equal(['{"status":"sent"}', '{"status":"delivered"}']);
    expect(received.map(({ headers }) => headers['x-signature'])).to.deep.equal([
      'signed sent',
      'signed delivered',
    ]);
    expect(emulator.callbacks.map(({ params }) => params.status)).to.deep.equal(['sent', 'delivered']);
  });

  it('has faults of requests and of callbacks, refusals and late failures', async () => {
    emulator.fault({ fault: { kind: 'status', status: 503 }, times: 1 });
    emulator.refuseWith({ status: 422, times: 1 });
    expect([await request('POST', '/messages/a3'), await request('POST', '/messages/a3')]).to.deep.equal([
      503, 422,
    ]);
    emulator.failLater({ times: 1 });
    emulator.faultCallbacks({ isReversed: true });
    await request('POST', '/messages/a3');
    const received = await customer.waitFor(2);
    expect(received.map(({ body }) => body)).to.deep.equal(['{"status":"failed"}', '{"status":"sent"}']);
    expect(emulator.inbox('a3')).to.have.length(0);
  });

  it('counts redirects that are followed, and ends every rule at once', async () => {
    emulator.fault({ kind: 'redirect' });
    await request('POST', '/messages/a4');
    expect(emulator.redirectHits).to.equal(1);
    emulator.refuseWith({ status: 422 });
    emulator.failLater({});
    emulator.clearFaults();
    expect(await request('POST', '/messages/a4')).to.equal(201);
    expect(emulator.inbox('a4')).to.have.length(1);
  });
});
