import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { StatePort } from '#lib/delivery/state.js';
import { HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { expectEachAccountedFor, startSteadyLoad, type SteadyLoad } from '#harness/steady-load.js';
import { until } from '#harness/until.js';

const CONNECTIONS = 16;

describe('close() under load', () => {
  let scene: Scene;
  let load: SteadyLoad;
  const start = async (deadlineMs?: number, state?: StatePort): Promise<void> => {
    scene = await startScene({ hook: { deadlineMs, state } });
    const { url, okta } = scene;
    load = startSteadyLoad({ url, secret: HOOK_SECRET, orgUrl: okta.orgUrl }, CONNECTIONS);
  };
  afterEach(async () => {
    await load.stop();
    await scene.close();
  });

  const answeredWith = (answer: number | string): number =>
    load.offered.filter(({ httpStatus, status }) => httpStatus === answer || status === answer).length;

  it('loses no code, sends none twice, and sends nothing after it has resolved', async () => {
    await start();
    scene.twilio.fault({ kind: 'slow', delayMs: 150 });
    await until(() => answeredWith('SUCCESSFUL') >= 50 && scene.hook.status().inFlight > 0);
    const { begun } = load;
    await scene.hook.close();
    expect(scene.hook.status()).to.include({ inFlight: 0, detached: 0 });
    const asked = scene.twilio.requests.length;
    await until(() => answeredWith(503) >= 50);
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
    await until(() => answeredWith('SUCCESSFUL') >= 50);
    await scene.hook.close();
    await until(() => answeredWith(503) >= 50);
    await load.stop();

    expect(claimsAtClose).to.equal(claims);
    expectEachAccountedFor(load.offered, scene.twilio);
  });

  it('waits for every send that goes on after the answer to Okta', async () => {
    await start(1000);
    const isLate = (to: unknown): boolean => Number(String(to).at(-1)) % 5 === 0;
    scene.twilio.fault({ fault: { kind: 'slow', delayMs: 1400 }, match: ({ form }) => isLate(form?.['To']) });
    scene.twilio.fault({ kind: 'slow', delayMs: 100 });
    await until(() => answeredWith('PENDING') >= 8);
    const stopped = load.stop();
    await scene.hook.close();
    expect(scene.hook.status()).to.include({ inFlight: 0, detached: 0 });
    const ended = scene.events.filter((event) => event.type === 'attempt.settled');
    await stopped;

    expect(ended).to.have.length(answeredWith('PENDING'));
    for (const event of ended) expect(event).to.include({ outcome: 'accepted' });
    expectEachAccountedFor(load.offered, scene.twilio);
  });
});
