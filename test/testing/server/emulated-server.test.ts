import { expect } from 'chai';
import { startEmulatedServer, type EmulatedServer } from '#lib/testing/server/emulated-server.js';
import { jsonReply } from '#lib/testing/server/reply.js';

describe('the server of an emulator', () => {
  let server: EmulatedServer;
  let clock: () => number;

  beforeEach(async () => {
    clock = () => 0;
    server = await startEmulatedServer({ clock: () => clock(), callTimeoutMs: 1000 });
    server.serve({
      routes: [
        [
          'post',
          '/throws',
          () => {
            throw new Error('mistake in a route');
          },
        ],
      ],
      notFound: () => jsonReply(404, {}),
    });
  });
  afterEach(() => server.close());

  it('answers 500 with the error of a clock that throws', async () => {
    clock = () => {
      throw new Error('mistake in the clock');
    };
    const answer = await fetch(server.origin);
    expect(answer.status).to.equal(500);
    expect(await answer.json()).to.deep.equal({ emulatorError: 'Error: mistake in the clock' });
    expect(server.requests).to.deep.equal([]);
  });

  it('records the 500 of a route that throws', async () => {
    const answer = await fetch(`${server.origin}/throws`, { method: 'POST', body: 'a' });
    const body = await answer.text();
    expect(JSON.parse(body)).to.deep.equal({ emulatorError: 'Error: mistake in a route' });
    expect(server.requests.map((request) => request.answer)).to.deep.equal([{ status: 500, body }]);
  });

  it('counts visitors below the path of a redirect, and answers none of them by a route', async () => {
    for (const path of ['/redirected', '/redirected/', '/redirected/a?b=c']) {
      expect((await fetch(server.origin + path)).status).to.equal(200);
    }
    expect((await fetch(`${server.origin}/redirected-not`)).status).to.equal(404);
    expect(server.redirectHits).to.equal(3);
  });
});
