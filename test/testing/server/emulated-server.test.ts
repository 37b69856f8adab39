import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import sinon from 'sinon';
import { startEmulatedServer, type EmulatedServer } from '#lib/testing/server/emulated-server.js';
import { Phones } from '#lib/testing/server/phones.js';
import { jsonReply } from '#lib/testing/server/reply.js';
import { fakeClock } from '#harness/fake-clock.js';
import { endTime, stopTime } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

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

  it('keeps no timer for a caller who hangs up during a late answer, and none after its end', async () => {
    const time = fakeClock(['setTimeout', 'clearTimeout']);
    const clear = sinon.spy(globalThis, 'clearTimeout');
    const call = async (): Promise<Socket> => {
      const count = server.requests.length;
      const caller = connect(Number(new URL(server.origin).port), '127.0.0.1').resume();
      caller.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      await until(() => server.requests.length > count && time.countTimers() > 0);
      return caller;
    };
    try {
      server.fault({ kind: 'drip', everyMs: 50 });
      (await call()).destroy();
      await until(() => {
        time.tick(50);
        return time.countTimers() === 0;
      });
      server.clearFaults();
      server.fault({ kind: 'slow', delayMs: 50 });
      const caller = await call();
      clear.resetHistory();
      const ended = once(caller, 'close');
      await server.close();
      await ended;
      server.later(50, () => undefined);
      expect(time.countTimers()).to.equal(0);
      // Not also those that have run.
      expect(clear.callCount).to.equal(1);
    } finally {
      clear.restore();
      time.restore();
    }
  });

  it('keeps no timer after a call of its own, and neither timer nor listener of a phone that was waited for', async () => {
    const time = stopTime();
    const clear = sinon.spy(globalThis, 'clearTimeout');
    const phones = new Phones();
    const item = { channel: 'sms', text: 'a', at: 0, sid: 'SM1' } as const;
    let left: readonly string[];
    try {
      const { status } = await server.outbound.call({ method: 'GET', url: server.origin, headers: {} });
      expect(status).to.equal(404);
      const next = phones.nextItem('+4915112345678');
      phones.deliver('+4915112345678', item);
      expect(await next).to.equal(item);
      clear.resetHistory();
      phones.deliver('+4915112345678', item);
      expect(clear.callCount).to.equal(0);
    } finally {
      clear.restore();
      left = endTime(time);
    }
    expect(left).to.deep.equal([]);
  });
});
