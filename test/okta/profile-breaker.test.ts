import { expect } from 'chai';
import type sinon from 'sinon';
import type { Fault, HookCall } from '#lib/testing/index.js';
import { freePort } from '#harness/free-port.js';
import { startScene, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

/** The usual `profile.timeoutMs`. */
const TIMEOUT_MS = 800;

describe("the breaker of Okta's Users API", () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers;
  let now: number;
  /** The number of requests that Okta has got. */
  let asked: number;
  before(warmUp);
  beforeEach(async () => {
    now = Date.now();
    scene = await startScene({ hook: { clock: () => now } });
    clock = stopTime();
    asked = 0;
  });
  afterEach(async () => {
    clock.restore();
    await scene.close();
  });

  const state = (): string | undefined => scene.hook.status().breakers[new URL(scene.okta.orgUrl).host];
  const reads = (): unknown[] =>
    scene.events.flatMap((event) =>
      event.type === 'profile.read' ? [[event.source, event.reason, event.durationMs]] : [],
    );
  /** Waits for the call's request to Okta, and lets the profile's time run out. */
  const letProfileTimeOut = async (calling: Promise<HookCall>): Promise<void> => {
    asked += 1;
    await until(() => scene.okta.requests.length === asked);
    clock.tick(TIMEOUT_MS);
    expect((await calling).okta.action).to.equal('sent');
  };
  /** Makes calls one after another. Each one times out waiting for its profile. */
  const callWithTimeout = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 1) await letProfileTimeOut(scene.call());
  };
  /** Makes a call that ends without any time passing. */
  const callAtOnce = async (): Promise<void> => {
    expect((await scene.call()).okta.action).to.equal('sent');
    asked = scene.okta.requests.length;
  };

  it('opens after five unanswered requests in a row; then codes go out without the profile', async () => {
    scene.okta.fault({ kind: 'hang' });
    await callWithTimeout(4);
    expect(state()).to.equal('closed');
    await callWithTimeout(1);
    expect(state()).to.equal('open');
    await callAtOnce();
    await callAtOnce();
    expect(reads().slice(5)).to.deep.equal(Array(2).fill(['none', 'BREAKER_OPEN', 0]));
    expect(scene.okta.requests).to.have.length(5);
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(Array(7).fill('sms'));
    const { host } = new URL(scene.okta.orgUrl);
    const logged = scene.log.filter(({ fields }) => fields['event'] === 'breaker.changed');
    expect(logged.map(({ level, fields }) => [level, fields['host'], fields['state']])).to.deep.equal([
      ['warn', host, 'open'],
    ]);
  });

  it('counts requests, not the calls that wait for one', async () => {
    scene.okta.fault({ kind: 'hang' });
    const calls = Array.from({ length: 6 }, (_, at) => scene.call({ eventId: `event-${at}` }));
    await until(() => scene.hook.status().inFlight === 6 && scene.okta.requests.length === 1);
    clock.tick(TIMEOUT_MS);
    await Promise.all(calls);
    expect(state()).to.equal('closed');
  });

  it('lets a stale profile serve while it is open', async () => {
    await callAtOnce();
    now += 61_000;
    scene.okta.fault({ kind: 'hang' });
    await callWithTimeout(5);
    await callAtOnce();
    expect(reads().at(-1)).to.deep.equal(['stale', 'BREAKER_OPEN', 0]);
    expect(scene.twilio.messages.at(-1)?.channel).to.equal('whatsapp');
  });

  it('lets one call probe Okta after 2 s, another after 4 s more, and closes after an answer', async () => {
    scene.okta.fault({ kind: 'hang' });
    await callWithTimeout(5);
    clock.tick(1_999);
    await callAtOnce();
    clock.tick(1);
    const probe = scene.call();
    await until(() => scene.okta.requests.length === asked + 1);
    expect(state()).to.equal('half-open');
    // Also for the same user: only the probe's own call waits for it, and no longer than usual.
    expect((await scene.call()).okta.action).to.equal('sent');
    expect(reads().at(-1)).to.deep.equal(['none', 'BREAKER_OPEN', 0]);
    clock.tick(TIMEOUT_MS);
    // The user has got a newer code.
    expect((await probe).okta.action).to.equal('pending');
    expect(reads().at(-1)).to.deep.equal(['none', 'TIMEOUT', TIMEOUT_MS]);
    expect(state()).to.equal('open');

    scene.okta.clearFaults();
    clock.tick(3_999);
    await callAtOnce();
    expect(state()).to.equal('open');
    clock.tick(1);
    await callAtOnce();
    await callAtOnce();
    expect(reads().slice(-2)).to.deep.equal([
      ['okta', undefined, 0],
      ['cache', undefined, 0],
    ]);
    const changes = scene.of('breaker.changed').map(({ state }) => state);
    expect(changes).to.deep.equal(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('stays closed if a profile is too large to be read, which is an answer', async () => {
    scene.okta.fault({ kind: 'status', status: 200, body: 'x'.repeat(256 * 1024) });
    for (let made = 0; made < 6; made += 1) await callAtOnce();
    expect(reads()).to.deep.equal(Array(6).fill(['none', 'OKTA_UNREADABLE', 0]));
    expect(state()).to.equal('closed');
  });

  for (const fault of [
    { kind: 'status', status: 401 },
    { kind: 'status', status: 404 },
    { kind: 'status', status: 500 },
  ] as const satisfies readonly Fault[]) {
    it(`starts to count again after any answer, also ${fault.status}`, async () => {
      scene.okta.fault({ kind: 'hang' });
      await callWithTimeout(4);
      scene.okta.clearFaults();
      scene.okta.fault(fault);
      await callAtOnce();
      scene.okta.clearFaults();
      scene.okta.fault({ kind: 'hang' });
      await callWithTimeout(4);
      expect(state()).to.equal('closed');
      await callWithTimeout(1);
      expect(state()).to.equal('open');
    });
  }

  it("closes after a 429, which is an answer; then the rate limit's pause applies", async () => {
    scene.okta.fault({ kind: 'hang' });
    await callWithTimeout(5);
    scene.okta.clearFaults();
    scene.okta.fault({ kind: 'status', status: 429 });
    clock.tick(2_000);
    await callAtOnce();
    expect(state()).to.equal('closed');
    await callAtOnce();
    expect(reads().slice(-2)).to.deep.equal([
      ['none', 'OKTA_RATE_LIMITED', 0],
      ['none', 'PAUSED', 0],
    ]);
  });
});

describe('the breaker of an unreachable Okta', () => {
  it('opens after five failed connections', async () => {
    const orgUrl = `http://127.0.0.1:${await freePort()}`;
    const scene = await startScene({ hook: { credentials: { okta: { orgUrl, apiToken: 'a-token' } } } });
    try {
      for (let made = 0; made < 6; made += 1) expect((await scene.call()).okta.action).to.equal('sent');
      expect(scene.hook.status().breakers).to.include({ [new URL(orgUrl).host]: 'open' });
      const reasons = scene.of('profile.read').map(({ reason }) => reason);
      expect(reasons).to.deep.equal([...Array<string>(5).fill('OKTA_UNREACHABLE'), 'BREAKER_OPEN']);
    } finally {
      await scene.close();
    }
  });
});
