import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type express from 'express';
import type { TelephonyHook } from '#lib/index.js';
import { ANA, CODE, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { until } from '#harness/until.js';

const CONSOLE = '/admin/telephony';

describe('drain()', () => {
  let scene: Scene;
  /** Keeps its connection for more requests, as load balancers do. */
  let agent: Agent;
  beforeEach(async () => {
    agent = new Agent({ keepAlive: true });
    scene = await startScene({
      mount: (app: express.Express, hook: TelephonyHook) => {
        app.use(hook);
        app.use(CONSOLE, hook.console({ authorize: () => true }));
        app.get('/other', (_req, res) => {
          res.send('other');
        });
      },
    });
    // Only the hook ends a connection.
    scene.server.keepAliveTimeout = 600_000;
  });
  afterEach(async () => {
    agent.destroy();
    await scene.close();
  });

  const origin = (): string => new URL(scene.url).origin;
  const get = async (path: string): Promise<IncomingMessage> => {
    const asked = request(origin() + path, { agent });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  };
  const callHook = async (): Promise<IncomingMessage> => {
    const asked = request(scene.url, {
      method: 'POST',
      agent,
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
    });
    const message = {
      ...ANA,
      userId: ANA.id,
      phoneNumber: ANA.phone,
      otpCode: CODE,
      deliveryChannel: 'SMS',
    } as const;
    asked.end(JSON.stringify(makeHookPayload(message, undefined, { orgUrl: '', now: Date.now() })));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  };
  const isEnded = (response: IncomingMessage): (() => boolean) => {
    response.resume();
    return () => response.complete;
  };

  it('lets the hook serve with Connection: close, and does not change the answers of other routes', async () => {
    await scene.hook.ready();
    const before = await callHook();
    expect(before.headers.connection).to.equal('keep-alive');
    await until(isEnded(before));

    scene.hook.drain();
    scene.hook.drain();
    expect(scene.hook.status()).to.include({ isReady: false, closing: false });
    for (const answer of [await callHook(), await get(`${CONSOLE}/api/about`)]) {
      expect(answer.statusCode).to.equal(200);
      expect(answer.headers.connection).to.equal('close');
      await until(isEnded(answer));
    }
    const rejected = await get('/okta/telephony');
    expect(rejected.statusCode).to.equal(405);
    expect(rejected.headers.connection).to.equal('close');
    const other = await get('/other');
    expect(other.headers.connection).to.equal('keep-alive');
    await until(isEnded(other));
  });

  it('ends the connection of a call that came before it', async () => {
    scene.twilio.fault({ kind: 'slow', delayMs: 200 });
    const answered = callHook();
    await until(() => scene.hook.status().inFlight === 1);
    scene.hook.drain();
    const answer = await answered;
    expect(answer.statusCode).to.equal(200);
    expect(answer.headers.connection).to.equal('close');
    await until(isEnded(answer));
  });

  it('ends open event streams at once, and new ones after their first event', async () => {
    const stream = await get(`${CONSOLE}/api/stream`);
    expect(stream.headers['content-type']).to.match(/^text\/event-stream/);
    const ended = isEnded(stream);
    expect(ended()).to.equal(false);
    scene.hook.drain();
    await until(ended);

    const again = await get(`${CONSOLE}/api/stream`);
    const received = await text(again);
    expect(received.match(/^event: \w+$/gm)).to.deep.equal(['event: health']);
  });

  it('lets server.close() end despite a kept-alive connection and an open event stream', async () => {
    const kept = await callHook();
    await until(isEnded(kept));
    const stream = await get(`${CONSOLE}/api/stream`);
    const ended = isEnded(stream);
    scene.twilio.fault({ kind: 'slow', delayMs: 200 });
    const call = callHook();
    await until(() => scene.hook.status().inFlight === 1);

    scene.hook.drain();
    const closed = once(scene.server, 'close');
    scene.server.close();
    expect((await call).statusCode).to.equal(200);
    isEnded(await call);
    await closed;
    expect(ended()).to.equal(true);
    await scene.hook.close();
  });
});
