import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import type sinon from 'sinon';
import type { Outcome } from '#lib/core/channel.js';
import { vonageChannel } from '#lib/channels/index.js';
import { twilioMessages } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { BOB, commandOf, startScene, type HookOptions, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

const BY_BOB = { userId: BOB.id, login: BOB.login, phoneNumber: BOB.phone };
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
  afterEach(async () => {
    clock?.restore();
    await scene?.close();
    for (const close of closers.splice(0)) close();
  });

  const start = async (sms: NonNullable<HookOptions['channels']>['sms']): Promise<Scene> => {
    scene = await startScene({ hook: { sandboxNumber: undefined, channels: { sms } } });
    // Bob's profile is in the cache from here on.
    await scene.call({ ...BY_BOB, deliveryChannel: 'voice call' });
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

  it('opens if the host is silent in TLS: after five codes the next provider follows at once', async () => {
    let connections = 0;
    const silent = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      closers.push(() => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closers.push(() => silent.close());
    const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { call } = await start([vonageAt(`https://${host}`), twilioMessages()]);
    for (let count = 1; count <= 5; count += 1) {
      const calling = call(BY_BOB);
      await until(() => connections === count);
      clock?.tick(CONNECT_MS);
      expect(endOf(await calling), `code ${count}`).to.equal('TWILIO sms:UNREACHABLE');
      expect(stateOf(host)).to.equal(count < 5 ? 'closed' : 'open');
    }
    expect(endOf(await call(BY_BOB))).to.equal('TWILIO sms:BREAKER_OPEN');
    clock?.tick(PAUSE_MS);
    const probing = call(BY_BOB);
    await until(() => connections === 6);
    clock?.tick(CONNECT_MS);
    expect(endOf(await probing)).to.equal('TWILIO sms:UNREACHABLE');
    clock?.tick(PAUSE_MS);
    expect(endOf(await call(BY_BOB)), 'the pause is twice as long').to.equal('TWILIO sms:BREAKER_OPEN');
  });

  it('stays closed if the host refuses connections, which costs a code no time', async () => {
    const { call } = await start([vonageAt(REFUSING_ORIGIN), twilioMessages()]);
    for (let count = 1; count <= 7; count += 1) {
      expect(endOf(await call(BY_BOB))).to.equal('TWILIO sms:UNREACHABLE');
    }
    expect(stateOf(new URL(REFUSING_ORIGIN).host)).to.equal('closed');
  });

  it('lets the next code probe the host if a probe never left, and closes when that one is accepted', async () => {
    let outcome: Outcome = { status: 'unknown', reason: 'No answer' };
    const own = { provider: 'OWN', host: 'api.own.example', send: () => Promise.resolve(outcome) };
    const { call } = await start([own, twilioMessages()]);
    for (let count = 1; count <= 5; count += 1) await call(BY_BOB);
    expect(stateOf(own.host)).to.equal('open');
    clock?.tick(PAUSE_MS);
    outcome = NEVER_LEFT;
    for (let count = 1; count <= 4; count += 1) {
      expect(endOf(await call(BY_BOB))).to.equal('TWILIO sms:NO_ADDRESS');
      expect(stateOf(own.host)).to.equal('open');
    }
    outcome = ACCEPTED;
    expect(endOf(await call(BY_BOB))).to.equal('OWN');
    expect(stateOf(own.host)).to.equal('closed');
  });
});
