import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { StatePort } from '#lib/delivery/state.js';
import { ANA, HOOK_SECRET, scenes, sidOf, type Scene } from '#harness/scene.js';
import { expectEachAccountedFor, startSteadyLoad, type SteadyLoad } from '#harness/steady-load.js';
import { held, until } from '#harness/until.js';

const CONNECTIONS = 8;

describe('close() under load', () => {
  let scene: Scene;
  let load: SteadyLoad;
  const start = async (deadlineMs?: number, state?: StatePort): Promise<void> => {
    scene = await startScene({ hook: { deadlineMs, state } });
    const { url, okta } = scene;
    load = startSteadyLoad({ url, secret: HOOK_SECRET, orgUrl: okta.orgUrl }, CONNECTIONS);
  };
  afterEach(() => load.stop());
  const startScene = scenes();

  const answeredWith = (answer: number | string): number =>
    load.offered.filter(({ httpStatus, status }) => httpStatus === answer || status === answer).length;

  it('loses no code, sends none twice, and sends nothing after it has resolved', async () => {
    await start();
    scene.twilio.fault({ kind: 'slow', delayMs: 150 });
    await until(() => answeredWith('SUCCESSFUL') >= 20 && scene.hook.status().inFlight > 0);
    const { begun } = load;
    await scene.hook.close();
    expect(scene.hook.status()).to.include({ inFlight: 0, detached: 0 });
    const asked = scene.twilio.requests.length;
    await until(() => answeredWith(503) >= 20);
    await load.stop();

    expect(scene.twilio.requests).to.have.length(asked);
    expect(new Set(load.offered.map(({ httpStatus }) => httpStatus))).to.deep.equal(new Set([200, 503]));
    // Running calls get their answers, and the hook accepts no later one.
    expect(answeredWith(200)).to.be.within(begun - CONNECTIONS, begun);
    expectEachAccountedFor(load.offered, scene.twilio);
  });

  it('resolves while new calls come, and makes no request to the state after that is closed', async () => {
    const memory = openMemoryState();
    let claims = 0;
    let claimsAtClose: number | undefined;
    const state: StatePort = {
      ...memory,
      // Slow: at any moment some call waits for it.
      claim: async (...args) => {
        claims += 1;
        for (let turn = 0; turn < 10; turn += 1) await nextTurn();
        return memory.claim(...args);
      },
      close: () => {
        claimsAtClose = claims;
        return memory.close();
      },
    };
    await start(undefined, state);
    await until(() => answeredWith('SUCCESSFUL') >= 20);
    await scene.hook.close();
    await until(() => answeredWith(503) >= 20);
    await load.stop();

    expect(claimsAtClose).to.equal(claims);
    expectEachAccountedFor(load.offered, scene.twilio);
  });
});

describe('what is reported while the hook closes', () => {
  const startScene = scenes();

  it('a message that fails is followed by another channel, though a message of a user is still handled', async () => {
    const reply = held<undefined>();
    const scene = await startScene({ hasCallbacks: true, hook: { inbound: { onMessage: reply.run } } });
    const { twilio, hook } = scene;
    twilio.faultCallbacks({ copies: 0 });
    const sid = sidOf(await scene.call());
    const writing = scene.write('Hello?');
    await reply.called;
    const closing = hook.close();
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    expect(await scene.report(sid, 'undelivered')).to.equal(204);
    await until(() => scene.of('failover.ended').length > 0);
    reply.resolve(undefined);
    await Promise.all([closing, writing]);
    expect(twilio.messages.map(({ channel }) => channel)).to.deep.equal(['whatsapp', 'sms']);
  });

  it('a report that comes after close() gets 503, so that another gateway gets it', async () => {
    const scene = await startScene({ hasCallbacks: true });
    scene.twilio.faultCallbacks({ copies: 0 });
    const sid = sidOf(await scene.call());
    await scene.hook.close();
    expect(await scene.report(sid, 'undelivered')).to.equal(503);
  });

  it('a sign-in whose body arrives after close() gets 503, so that another gateway gets it', async () => {
    const scene = await startScene();
    const { okta, hook, server, url } = scene;
    await scene.call();
    const arrived = once(server, 'request');
    const posting = request(`${url}/events`, {
      method: 'POST',
      headers: { authorization: HOOK_SECRET, 'content-type': 'application/json' },
    });
    const body = JSON.stringify({ data: { events: [okta.logEvent(ANA.id)] } });
    posting.write(body.slice(0, 20));
    await arrived;
    await hook.close();
    posting.end(body.slice(20));
    const [answer] = (await once(posting, 'response')) as [IncomingMessage];
    expect(answer.statusCode).to.equal(503);
    expect(scene.of('code.used')).to.be.empty;
    answer.resume();
  });
});
