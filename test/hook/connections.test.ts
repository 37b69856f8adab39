import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import type sinon from 'sinon';
import type { Outcome } from '#lib/core/channel.js';
import { vonageChannel } from '#lib/channels/index.js';
import { twilioMessages, type Channel } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { commandOf, scenes, TO_BOB, type HookOptions, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

/** How long a code waits for a connection. */
const CONNECT_MS = 700;
/** How long the breaker of a host stays open at first. */
const PAUSE_MS = 2000;
const ACCEPTED: Outcome = { status: 'accepted', transactionId: '1' };
const NEVER_LEFT: Outcome = {
  status: 'refused',
  code: 'NO_ADDRESS',
  reason: 'No address',
  cause: 'never-left',
};

describe('the breaker of a provider', () => {
  let scene: Scene | undefined;
  let clock: sinon.SinonFakeTimers | undefined;
  const closers: (() => unknown)[] = [];
  before(warmUp);
  afterEach(() => clock?.restore());
  const startScene = scenes();
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  const start = async (sms: NonNullable<HookOptions['channels']>['sms']): Promise<Scene> => {
    scene = await startScene({ hook: { sandboxNumber: undefined, channels: { sms } } });
    // Bob's profile is in the cache from here on.
    await scene.call({ ...TO_BOB, deliveryChannel: 'voice call' });
    clock = stopTime();
    return scene;
  };
  const vonageAt = (baseUrl: string): ReturnType<typeof vonageChannel> =>
    vonageChannel({ apiKey: 'key', apiSecret: 'secret', from: '+14155550100', baseUrl });
  /** The provider of a code, and the refusal before it. */
  const endOf = (call: HookCall): string => {
    const { provider, transactionMetadata = '' } = commandOf(call) ?? {};
    return `${provider ?? 'none'} ${/;refused=(.*)$/.exec(transactionMetadata)?.[1] ?? ''}`.trim();
  };
  const stateOf = (host: string): string | undefined => scene?.hook.status().breakers[host];

  let connections: number;
  /** Starts a host that takes connections and is silent in TLS. */
  const startSilent = async (): Promise<string> => {
    connections = 0;
    const silent = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      closers.push(() => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closers.push(() => silent.close());
    return `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  };

  it('opens if the host is silent in TLS: after five codes the next provider follows at once', async () => {
    const host = await startSilent();
    const { call } = await start([vonageAt(`https://${host}`), twilioMessages()]);
    for (let count = 1; count <= 5; count += 1) {
      const calling = call(TO_BOB);
      await until(() => connections === count);
      clock?.tick(CONNECT_MS);
      expect(endOf(await calling), `code ${count}`).to.equal('TWILIO sms:UNREACHABLE');
      expect(stateOf(host)).to.equal(count < 5 ? 'closed' : 'open');
    }
    expect(endOf(await call(TO_BOB))).to.equal('TWILIO sms:BREAKER_OPEN');
    clock?.tick(PAUSE_MS);
    const probing = call(TO_BOB);
    await until(() => connections === 6);
    clock?.tick(CONNECT_MS);
    expect(endOf(await probing)).to.equal('TWILIO sms:UNREACHABLE');
    clock?.tick(PAUSE_MS);
    expect(endOf(await call(TO_BOB)), 'the pause is twice as long').to.equal('TWILIO sms:BREAKER_OPEN');
  });

  it('stays closed if connections fail because a provider before it has used up the time', async () => {
    const slowMs = 1600;
    let isAsked = false;
    const slow: Channel = {
      provider: 'SLOW',
      send: async () => {
        isAsked = true;
        await new Promise((resolve) => setTimeout(resolve, slowMs));
        return { status: 'refused', code: 'GONE', reason: 'gone' };
      },
    };
    const host = await startSilent();
    const { call } = await start([slow, vonageAt(`https://${host}`), twilioMessages()]);
    for (let count = 1; count <= 6; count += 1) {
      isAsked = false;
      const calling = call(TO_BOB);
      await until(() => isAsked);
      clock?.tick(slowMs);
      await until(() => connections === count);
      // Two fifths of what is left of the time.
      clock?.tick(160);
      expect(endOf(await calling), `code ${count}`).to.match(/^TWILIO .*UNREACHABLE$/);
    }
    expect(stateOf(host)).to.equal('closed');
  });

  it('stays closed if the host refuses connections, which costs a code no time', async () => {
    const { call } = await start([vonageAt(REFUSING_ORIGIN), twilioMessages()]);
    for (let count = 1; count <= 7; count += 1) {
      expect(endOf(await call(TO_BOB))).to.equal('TWILIO sms:UNREACHABLE');
    }
    expect(stateOf(new URL(REFUSING_ORIGIN).host)).to.equal('closed');
  });

  it('lets the next code probe the host if a probe never left, and closes when that one is accepted', async () => {
    let outcome: Outcome = { status: 'unknown', reason: 'No answer' };
    const own = { provider: 'OWN', host: 'api.own.example', send: () => Promise.resolve(outcome) };
    const { call } = await start([own, twilioMessages()]);
    for (let count = 1; count <= 5; count += 1) await call(TO_BOB);
    expect(stateOf(own.host)).to.equal('open');
    clock?.tick(PAUSE_MS);
    outcome = NEVER_LEFT;
    for (let count = 1; count <= 4; count += 1) {
      expect(endOf(await call(TO_BOB))).to.equal('TWILIO sms:NO_ADDRESS');
      expect(stateOf(own.host)).to.equal('open');
    }
    outcome = ACCEPTED;
    expect(endOf(await call(TO_BOB))).to.equal('OWN');
    expect(stateOf(own.host)).to.equal('closed');
  });
});

describe("a kept connection to Okta's API that Okta closes as a profile read leaves", () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => clock?.restore());
  const startScene = scenes();
  beforeEach(async () => {
    scene = await startScene({ hook: { profile: { cache: false }, resend: { nextRoute: false } } });
  });
  const channels = (): string[] => scene.twilio.messages.map(({ channel }) => channel);
  const reads = (): unknown[] => scene.of('profile.read').map(({ reason, source }) => reason ?? source);
  const losesNext = (times: number): void => {
    scene.okta.fault({ fault: { kind: 'resetOnConnect' }, times });
  };

  it('is followed by the same read on a new one: the user gets WhatsApp, and the breaker counts nothing', async () => {
    for (let count = 1; count <= 6; count += 1) {
      await scene.call();
      losesNext(1);
    }
    expect(channels()).to.deep.equal(Array(6).fill('whatsapp'));
    expect(reads()).to.deep.equal(Array(6).fill('okta'));
    expect(scene.okta.requests).to.have.length(11);
    expect(scene.hook.status().breakers[new URL(scene.okta.orgUrl).host]).to.equal('closed');
  });

  it('is followed by one read, not by more', async () => {
    await scene.call();
    losesNext(2);
    await scene.call();
    expect(reads()).to.deep.equal(['okta', 'OKTA_NO_ANSWER']);
    expect(scene.okta.requests).to.have.length(3);
  });

  it('is followed by the same read if the connection was new, too', async () => {
    losesNext(1);
    await scene.call();
    expect(reads()).to.deep.equal(['okta']);
    expect(scene.okta.requests).to.have.length(2);
  });

  it('is followed by none if the answer had begun', async () => {
    await scene.call();
    scene.okta.fault({ fault: { kind: 'truncated' }, times: 1 });
    await scene.call();
    expect(reads()).to.deep.equal(['okta', 'OKTA_NO_ANSWER']);
    expect(scene.okta.requests).to.have.length(2);
  });

  it('leaves the second read the rest of the time', async () => {
    await scene.call();
    losesNext(1);
    scene.okta.fault({ kind: 'hang' });
    clock = stopTime();
    const calling = scene.call();
    await until(() => scene.okta.requests.length === 3);
    clock.tick(800);
    expect((await calling).okta.action).to.equal('sent');
    expect(reads()).to.deep.equal(['okta', 'TIMEOUT']);
  });
});

describe('a kept connection to a provider that it closes as a code leaves', () => {
  const startScene = scenes();

  it('is not followed by another one: the code may have left, so nothing else is sent', async () => {
    const scene = await startScene();
    await scene.call();
    scene.twilio.fault({ fault: { kind: 'resetOnConnect' }, times: 1 });
    expect(commandOf(await scene.call())?.['status']).to.equal('PENDING');
    expect(scene.twilio.requests).to.have.length(2);
  });

  it('is not followed by another one either if a channel of your own sends by GET', async () => {
    let requests = 0;
    const provider = createHttpServer((req, res) => {
      requests += 1;
      if (requests === 2) req.socket.resetAndDestroy();
      else res.end('{"id":"1"}');
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/send`;
    const own: Channel = {
      send: async (_message, { http }) => {
        const { kind } = await http({ url, method: 'GET' });
        return kind === 'answered' ? ACCEPTED : { status: 'unknown', reason: kind };
      },
    };
    const scene = await startScene({ hook: { channels: { sms: own } } });
    try {
      expect(commandOf(await scene.call(TO_BOB))?.['status']).to.equal('SUCCESSFUL');
      expect(commandOf(await scene.call(TO_BOB))?.['status']).to.equal('PENDING');
      expect(requests).to.equal(2);
    } finally {
      provider.closeAllConnections();
      provider.close();
    }
  });
});
