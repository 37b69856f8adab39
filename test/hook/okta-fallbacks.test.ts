import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { HookEventOf } from '#lib/index.js';
import { redisState } from '#lib/state/redis/index.js';
import type { HookCall, LogEvent } from '#lib/testing/index.js';
import { textFieldOf } from '#lib/core/json.js';
import { Closers } from '#harness/closers.js';
import { startGatewayBeside } from '#harness/gateway-beside.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { ANA, startScene, type Scene, type SceneOptions } from '#harness/scene.js';
import { until } from '#harness/until.js';

const WRONG = { Authorization: 'not-the-secret' };
const OTHER_HOOK = 'calOTHER000000000000';

describe("Okta's event hook about a call that Okta gave up on", () => {
  let scene: Scene;
  const closers = new Closers();
  afterEach(() => closers.closeAll());

  const start = async (hook: SceneOptions['hook'] = {}): Promise<void> => {
    const opened = await startScene({ hook });
    scene = closers.add(opened, () => opened.close());
    await scene.registerEventHook();
  };
  const fallbacks = (): HookEventOf<'okta.fell-back'>[] => scene.of('okta.fell-back');
  const requestIdOf = ({ payload }: HookCall): string | undefined =>
    textFieldOf(payload, 'data', 'context', 'request', 'id');
  /** A failed call of an inline hook, as Okta logs it. */
  const failure = (change: Partial<LogEvent> = {}): LogEvent => ({
    ...scene.okta.logEvent(ANA.id, { eventType: 'inline_hook.executed', result: 'FAILURE' }),
    outcome: { result: 'FAILURE', reason: 'The hook timed out' },
    target: [{ id: OTHER_HOOK, type: 'InlineHook', alternateId: 'unknown', displayName: 'Tokens' }],
    ...change,
  });
  /** A use that comes after the failures: once it is reported, they are handled. */
  const useCode = async (): Promise<void> => {
    const before = scene.of('code.used').length;
    await scene.okta.userSignedIn(ANA.id);
    await until(() => scene.of('code.used').length > before);
  };

  it('is reported once with the ids of the call, in the log with Okta’s reason and a remedy', async () => {
    await start();
    const call = await scene.call({ headers: WRONG });
    expect(call.okta.action).to.equal('failover');
    await until(() => fallbacks().length > 0);
    const [fallback] = fallbacks();
    expect(fallback).to.deep.include({
      oktaRequestId: requestIdOf(call),
      userId: ANA.id,
      code: 'HTTP_STATUS',
      reason: 'HTTP status 401: only 200 is processed',
      // No call has shown the id of the hook yet.
      isHookUnknown: true,
    });
    const line = scene.log.find(({ fields }) => fields['event'] === 'okta.fell-back');
    expect(line).to.deep.include({
      level: 'warn',
      message:
        'okta-telephony-hook: Okta gave up on a call of the hook: the answer did not have status 200. It sends the code itself, if it can. It may be another inline hook of the org.',
    });
    expect(line?.fields).to.include({ userId: ANA.id, oktaRequestId: requestIdOf(call) });
    expect(line?.fields['remedy']).to.match(/^See what answers at publicUrl/);
  });

  it('is ours if its hook has called this gateway, and ignored if it is another one', async () => {
    await start();
    await scene.call();
    await scene.okta.fireEvents([failure()]);
    await useCode();
    expect(fallbacks()).to.be.empty;
    await scene.call({ headers: WRONG });
    await until(() => fallbacks().length === 1);
    expect(fallbacks()[0]).to.include({ isHookUnknown: false });
  });

  it('is not learned from a caller that is not Okta', async () => {
    await start();
    await scene.call({
      headers: WRONG,
      change: (payload) => ({ ...payload, source: `https://a.example/api/v1/inlineHooks/${OTHER_HOOK}` }),
    });
    await until(() => fallbacks().length === 1);
    await scene.call();
    await scene.okta.fireEvents([failure()]);
    await useCode();
    expect(fallbacks()).to.have.length(1);
  });

  it('counts once, however often and in whatever delivery it comes', async () => {
    await start();
    await scene.call();
    const event = failure({ target: [] });
    await scene.okta.fireEvents([event, event]);
    await scene.okta.fireEvents([event]);
    await useCode();
    expect(fallbacks()).to.have.length(1);
    expect(fallbacks()[0]).to.include({ logEventId: event.uuid, isHookUnknown: true });
  });

  it('counts in okta_fallbacks_total by what the reason is about', async () => {
    const registry = new Registry();
    await start({ metrics: registry });
    const before = await registry.metrics();
    const reasons = [
      'The hook timed out',
      'HTTP status 503',
      'Certificate expired',
      'A number: +15005550006',
    ];
    await scene.okta.fireEvents(reasons.map((reason) => failure({ outcome: { result: 'FAILURE', reason } })));
    await until(() => fallbacks().length === reasons.length);
    const text = await registry.metrics();
    // Prometheus sees no increase of a series that begins with its first event.
    expect(before).to.include('okta_telephony_hook_okta_fallbacks_total{reason="TIMEOUT"} 0');
    expect(text).to.include('okta_telephony_hook_okta_fallbacks_total{reason="BAD_RESPONSE"} 0');
    for (const reason of ['TIMEOUT', 'HTTP_STATUS', 'UNREACHABLE', 'OTHER'])
      expect(text).to.include(`okta_telephony_hook_okta_fallbacks_total{reason="${reason}"} 1`);
    expect(fallbacks().at(-1)?.reason).to.equal('A number: …');
  });

  it('counts once for two gateways on one Redis', async function () {
    needRedis(this);
    const redis: RedisServer = closers.add(await startRedis(), (server) => server.close());
    const shared = () =>
      redisState({ connection: redis.url, encryptionKeys: [Buffer.alloc(32, 7).toString('base64')] });
    await start({ state: shared() });
    const other = await startGatewayBeside(scene, { state: shared() });
    closers.add(other, () => other.close());
    await Promise.all([scene.hook.ready(), other.hook.ready()]);
    await scene.registerEventHook(`${other.url}/events`);
    await scene.okta.fireEvents([failure()]);
    await Promise.all([scene.hook.close(), other.hook.close()]);
    const all = [...fallbacks(), ...other.events.filter(({ type }) => type === 'okta.fell-back')];
    expect(all).to.have.length(1);
  });
});
