import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import type { ExecutionPage, Health } from '#lib/console/api.js';
import { createStreams, type Streams } from '#lib/console/stream.js';
import type { ExecutionSummary } from '#lib/console/history/answers.js';
import { startScene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';
import { MOUNT, serveConsole, type ServedConsole } from './served-console.js';

/** An open page. */
interface Listening {
  readonly response: IncomingMessage;
  /** The data of the complete events of this type. */
  eventsOf(event: 'executions'): readonly (readonly ExecutionSummary[])[];
  eventsOf(event: 'health'): readonly Health[];
  eventsOf(event: 'ended'): readonly null[];
  readonly isEnded: boolean;
  hangUp(): void;
}

async function listen(url: string): Promise<Listening> {
  const asked = request(url, { agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  let isEnded = false;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    witness(chunk);
  });
  response.on('error', () => undefined);
  response.on('close', () => {
    isEnded = true;
  });
  return {
    response,
    eventsOf: (event: string) =>
      [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)]
        .filter(([, name]) => name === event)
        .map(([, , data = '']) => JSON.parse(data) as never),
    get isEnded() {
      return isEnded;
    },
    hangUp: () => asked.destroy(),
  };
}

/** Returns the hook's health from before, and counts the calls. */
async function countedHealth(): Promise<{ status: { asked: number }; health: () => Promise<Health> }> {
  const served = await serveConsole();
  const before = (await served.ask('/api/health')).json as Health;
  await served.close();
  const status = { asked: 0 };
  return {
    status,
    health: () => {
      status.asked += 1;
      return Promise.resolve(before);
    },
  };
}

/** A server with only the streams. */
async function withStreams(
  streams: Streams,
  requireStill: () => Promise<void>,
  use: (origin: string) => Promise<void>,
): Promise<void> {
  const server = createServer((_req, res) => {
    streams.open(res, requireStill);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("the console's stream", () => {
  let served: ServedConsole;
  let url: string;
  let time: ReturnType<typeof stopTime> | undefined;
  before(warmUp);
  beforeEach(async () => {
    served = await serveConsole();
    url = `${served.origin}${MOUNT}/api/stream`;
  });
  afterEach(async () => {
    time?.restore();
    time = undefined;
    await served.close();
  });

  it('sends the health at once, and each execution when it changes', async () => {
    const page = await listen(url);
    expect(page.response.statusCode).to.equal(200);
    expect(page.response.headers).to.include({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(page.response.headers['content-security-policy']).to.include("default-src 'none'");
    await until(() => page.eventsOf('health').length === 1);
    expect(page.eventsOf('health')[0]).to.include({ inFlight: 0, closing: false });
    await served.scene.call({ eventId: 'event-live' });
    await until(() =>
      page
        .eventsOf('executions')
        .flat()
        .some(({ outcome }) => outcome === 'sent'),
    );
    expect(
      page
        .eventsOf('executions')
        .flat()
        .map(({ id }) => id),
    ).to.include('event-live');
    page.hangUp();
  });

  it('answers 503 if the hook is closed before the console is mounted', async () => {
    const scene = await startScene();
    await scene.hook.close();
    const handler = scene.hook.console({ authorize: () => true });
    const server = createServer((req, res) => {
      handler(req, res, () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const page = await listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/stream`);
      expect(page.response.statusCode).to.equal(503);
    } finally {
      server.closeAllConnections();
      server.close();
      await scene.close();
    }
  });

  it('sends executions to all pages, also after one of them has closed', async () => {
    const pages = await Promise.all([listen(url), listen(url), listen(url)]);
    await served.scene.call({ eventId: 'event-live' });
    for (const page of pages) await until(() => page.eventsOf('executions').flat().length > 0);
    pages[0].hangUp();
    await served.scene.call({ eventId: 'event-after' });
    const idsOf = (page: Listening): ReadonlySet<string> =>
      new Set(page.eventsOf('executions').flatMap((executions) => executions.map(({ id }) => id)));
    for (const page of pages.slice(1)) await until(() => idsOf(page).has('event-after'));
    expect(pages.map((page) => [...idsOf(page)])).to.deep.equal([
      ['event-live'],
      ['event-live', 'event-after'],
      ['event-live', 'event-after'],
    ]);
    for (const page of pages) page.hangUp();
  });

  it('ends when the hook closes, and then answers 503', async () => {
    const page = await listen(url);
    await served.scene.hook.close();
    await until(() => page.isEnded);
    expect(page.response.complete).to.equal(true);
    const again = await served.ask('/api/stream');
    expect(again.status).to.equal(503);
    expect(again.failure?.code).to.equal('CLOSING');
    // The history still answers.
    expect((await served.ask('/api/executions')).status).to.equal(200);
  });

  it('sends the health every 5 s, and ends after a minute, so that the browser connects again', async () => {
    await served.ask('/api/about');
    time = stopTime();
    const page = await listen(url);
    for (let count = 1; count <= 11; count += 1) {
      await until(() => page.eventsOf('health').length === count || page.isEnded);
      await time.tickAsync(4_999);
      // The event would be here by now: another answer has arrived.
      await served.ask('/api/about');
      expect(page.eventsOf('health')).to.have.length(count);
      expect(page.isEnded).to.equal(false);
      if (count < 11) await time.tickAsync(1);
    }
    await time.tickAsync(1 + 10_000);
    await until(() => page.isEnded);
    expect(page.response.complete).to.equal(true);
  });

  it('reads the health once for all pages every 5 s', async () => {
    const { status, health } = await countedHealth();
    const streams = createStreams({ history: { watch: () => () => undefined }, health });
    await withStreams(
      streams,
      () => Promise.resolve(),
      async (origin) => {
        time = stopTime();
        const pages = await Promise.all([listen(origin), listen(origin), listen(origin)]);
        for (const page of pages) await until(() => page.eventsOf('health').length === 1);
        expect(status.asked).to.equal(3);
        for (const again of [1, 2]) {
          await time.tickAsync(5_000);
          for (const page of pages) await until(() => page.eventsOf('health').length === 1 + again);
          expect(status.asked).to.equal(3 + again);
        }
        for (const page of pages) page.hangUp();
      },
    );
  });

  for (const [what, authorize] of [
    ['returns false', () => false],
    ['rejects', () => Promise.reject(new Error('the session store is gone'))],
  ] as const) {
    it(`ends within 5 s if authorize ${what} for the user of an open page`, async () => {
      let mayListen = true;
      await served.close();
      served = await serveConsole({ console: { authorize: () => (mayListen ? true : authorize()) } });
      url = `${served.origin}${MOUNT}/api/stream`;
      await served.ask('/api/about');
      time = stopTime();
      const page = await listen(url);
      await until(() => page.eventsOf('health').length === 1);
      await time.tickAsync(5_000);
      await until(() => page.eventsOf('health').length === 2);
      expect(page.isEnded).to.equal(false);
      mayListen = false;
      await time.tickAsync(5_000);
      await until(() => page.isEnded);
      expect(page.response.complete).to.equal(true);
      // Only this event shows the user as logged out on the page.
      expect(page.eventsOf('ended')).to.have.length(what === 'returns false' ? 1 : 0);
    });
  }

  it('ends for a user who is logged out even if the health hangs', async () => {
    const streams = createStreams({
      history: { watch: () => () => undefined },
      health: () => new Promise(() => undefined),
    });
    let asked = 0;
    const requireStill = (): Promise<void> => {
      asked += 1;
      return asked < 3 ? Promise.resolve() : Promise.reject(new Error('logged out'));
    };
    await withStreams(streams, requireStill, async (origin) => {
      time = stopTime();
      const page = await listen(origin);
      for (const times of [1, 2]) {
        await time.tickAsync(5_000);
        expect(asked).to.equal(times);
      }
      expect(page.isEnded).to.equal(false);
      await time.tickAsync(5_000);
      await until(() => page.isEnded);
      await time.tickAsync(20_000);
      expect(asked).to.equal(3);
    });
  });

  it('ends at once, after it has sent the health, if the gateway drains', async () => {
    await served.close();
    served = await serveConsole({
      mount: (app, handler) => {
        app.use((_req, res, next) => {
          res.set('Connection', 'close');
          next();
        });
        app.use(MOUNT, handler);
      },
    });
    const page = await listen(`${served.origin}${MOUNT}/api/stream`);
    await until(() => page.isEnded);
    expect(page.eventsOf('health')).to.have.length(1);
    expect(page.response.complete).to.equal(true);
  });

  it('opens at most a hundred times, and again after one has closed', async () => {
    const pages = await Promise.all(Array.from({ length: 100 }, () => listen(url)));
    const refused = await served.ask('/api/stream');
    expect(refused.status).to.equal(503);
    expect(refused.failure).to.include({ code: 'TOO_MANY_STREAMS' });
    expect(refused.failure?.remedy).to.be.a('string');
    expect(refused.headers['retry-after']).to.equal('30');
    pages[0]?.hangUp();
    let next: Listening | undefined;
    await until(async () => {
      next = await listen(url);
      if (next.response.statusCode === 200) return true;
      next.response.resume();
      return false;
    });
    for (const page of [...pages, next]) page?.hangUp();
  });

  it('closes the connection of a page that does not read', async () => {
    const watchers = new Set<(changed: readonly ExecutionSummary[]) => void>();
    const streams = createStreams({
      history: {
        watch: (onChanged) => {
          watchers.add(onChanged);
          return () => watchers.delete(onChanged);
        },
      },
      health: () => Promise.reject(new Error('the health is unknown')),
    });
    const connections = new Set<Socket>();
    const server = createServer((_req, res) => {
      connections.add(res.socket!);
      streams.open(res, () => Promise.resolve());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const page = await listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      page.response.pause();
      page.response.socket.pause();
      expect(watchers).to.have.length(1);
      const [connection] = connections;
      await served.scene.call();
      const { executions } = (await served.ask('/api/executions')).json as ExecutionPage;
      const large = Array.from({ length: 1000 }, () => executions).flat();
      // The buffers of the kernel fill up first, and then that of the stream.
      await until(() => {
        for (const notify of watchers) notify(large);
        return connection?.destroyed === true;
      });
      // The stream has removed its watcher.
      await until(() => watchers.size === 0);
      page.hangUp();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
