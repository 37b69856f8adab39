import { expect } from 'chai';
import type { Channel, Outcome } from '#lib/index.js';
import type { HookCall } from '#lib/testing/index.js';
import { startRawCall } from '#harness/raw-call.js';
import { bePatient } from '#harness/redis-times.js';
import { CODE, commandOf } from '#harness/scene.js';
import { eachWithTwoGateways, type TwoGateways } from '#harness/two-gateways.js';
import { defer, until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const NEWER = '771204';
const NEWEST = '330915';

/** The id of the nth message. */
const idOf = (nth: number): string => `SM${String(nth).padStart(32, '0')}`;

describe('the order of the codes of one user at two gateways', () => {
  const gateways = eachWithTwoGateways();
  let both: TwoGateways;
  /** The codes that left, in order. */
  let left: string[];
  /** The outcome of the first message. The others are accepted. */
  let first: ReturnType<typeof defer<Outcome>>;
  beforeEach(async () => {
    mustNotShow(NEWER, NEWEST);
    both = gateways();
    left = [];
    first = defer<Outcome>();
    const send: Channel = {
      reports: 'deliveries',
      idNamespace: 'twilio',
      send: ({ request }) => {
        left.push(request.otpCode);
        const outcome: Outcome = { status: 'accepted', transactionId: idOf(left.length) };
        return left.length === 1 ? first.promise : Promise.resolve(outcome);
      },
    };
    await both.start({ chooseChannels: () => ['line'], channels: { line: send, sms: send } });
  });
  const accept = (): void => {
    first.resolve({ status: 'accepted', transactionId: idOf(1) });
  };
  const expectSuperseded = (call: HookCall): void => {
    expect(commandOf(call)).to.include({ status: 'PENDING', provider: 'GUARD' });
    expect(commandOf(call)?.['transactionMetadata']).to.include('blocked=SUPERSEDED');
  };
  /** Requests a code whose caller hangs up while the profile request hangs, so that nothing is sent. */
  const hangUp = async (eventId: string): Promise<void> => {
    const { scene, time } = both;
    const asked = scene.okta.requests.length;
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    const call = startRawCall(scene, { eventId });
    await until(() => scene.okta.requests.length > asked);
    await call.hangUp();
    // The time-out of the profile request.
    time.tick(1_000);
    await until(() => scene.hook.status().inFlight === 0);
    // Redis has the release.
    await scene.hook.ready();
  };

  it('is that of their claims, however long the other commands of a gateway take', async () => {
    const { scene, other, proxy } = both;
    both.holdAfterAnswer('commands');
    const older = scene.call({ eventId: 'older' });
    await until(() => left.length === 1);
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
    expect(newer.okta.action).to.equal('sent');
    proxy.held = undefined;
    // Redis has answered the commands of the older code.
    await scene.hook.ready();
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    expectSuperseded(await older);
    expect(left).to.deep.equal([CODE, NEWER]);
  });

  /** The first gateway loses Redis, and no new connection is made. */
  const loseRedis = async (): Promise<void> => {
    const { scene, proxy, time, times } = both;
    times.connectMs = 20;
    proxy.isBlackHole = true;
    await proxy.endAll();
    // The gateway may begin to connect a moment later.
    await until(() => {
      time.tick(times.connectMs);
      return scene.hook.status().state === 'lost';
    });
  };
  const bringRedisBack = async (): Promise<void> => {
    const { scene, proxy, time, times } = both;
    bePatient(times);
    proxy.isBlackHole = false;
    await until(() => {
      time.tick(times.probeEveryMs);
      return scene.hook.status().state === 'ok';
    });
    await scene.hook.ready();
  };

  for (const [where, isLost] of [
    ['the same gateway', false],
    ['the other gateway', false],
    ['the same gateway', true],
    ['the other gateway', true],
  ] as const) {
    const code = isLost ? 'a code that came while Redis was lost' : 'a code';
    const urlOf = ({ scene, other }: TwoGateways): string =>
      where === 'the same gateway' ? scene.url : other.url;
    const hangUpThen = async (eventId: string): Promise<void> => {
      if (isLost) await loseRedis();
      await hangUp(eventId);
      if (isLost) await bringRedisBack();
    };

    it(`does not change if ${code} is sent only by a retry, at ${where}, after a newer one`, async () => {
      const { scene, other } = both;
      accept();
      await hangUpThen('older');
      const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
      expect(newer.okta.action).to.equal('sent');
      expectSuperseded(await scene.call({ eventId: 'older', url: urlOf(both) }));
      // A repeat of the retry gets its answer.
      expectSuperseded(await scene.call({ eventId: 'older', url: scene.url }));
      expect(left).to.deep.equal([NEWER]);
    });

    it(`lets a retry at ${where} send ${code} if no newer one came`, async () => {
      const { scene, other } = both;
      accept();
      const before = await scene.call({ eventId: 'before', otpCode: NEWER, url: other.url });
      expect(before.okta.action).to.equal('sent');
      await hangUpThen('retried');
      expect((await scene.call({ eventId: 'retried', url: urlOf(both) })).okta.action).to.equal('sent');
      const after = await scene.call({ eventId: 'after', otpCode: NEWEST, url: urlOf(both) });
      expect(after.okta.action).to.equal('sent');
      expect(left).to.deep.equal([NEWER, CODE, NEWEST]);
    });
  }

  it('holds for a code whose claim was answered late, after a newer one', async () => {
    const { scene, other, proxy, time } = both;
    accept();
    proxy.held = 'answers';
    const older = scene.call({ eventId: 'older' });
    await until(() => proxy.heldPieces > 0);
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
    expect(newer.okta.action).to.equal('sent');
    time.tick(50);
    proxy.held = undefined;
    expectSuperseded(await older);
    expect(left).to.deep.equal([NEWER]);
  });

  it('holds for a repeat that waited beside a newer code, if the newest one is at the other gateway', async () => {
    const { scene, other, time } = both;
    accept();
    const asked = scene.okta.requests.length;
    // The two older codes wait for the profile.
    scene.okta.fault({ fault: { kind: 'hang' }, times: 1 });
    const call = startRawCall(scene, { eventId: 'older' });
    await until(() => scene.okta.requests.length > asked);
    const repeat = scene.call({ eventId: 'older' });
    const newer = scene.call({ eventId: 'newer', otpCode: NEWER });
    await until(() => scene.hook.status().inFlight === 3);
    // Redis has the claim of the newer code.
    await scene.hook.ready();
    const newest = await scene.call({ eventId: 'newest', otpCode: NEWEST, url: other.url });
    expect(newest.okta.action).to.equal('sent');
    await call.hangUp();
    // The time-out of the profile request.
    time.tick(1_000);
    expectSuperseded(await newer);
    expectSuperseded(await repeat);
    expect(left).to.deep.equal([NEWEST]);
  });

  it('does not end a code that came while Redis was lost because of an older one, once Redis is back', async () => {
    const { scene, times } = both;
    await hangUp('older');
    // Redis is back long before the call must be answered.
    times.probeEveryMs = 20;
    await loseRedis();
    const newer = scene.call({ eventId: 'newer', otpCode: NEWER });
    await until(() => left.length === 1);
    await bringRedisBack();
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    expect((await newer).okta.action).to.equal('sent');
    // By the next channel.
    expect(left).to.deep.equal([NEWER, NEWER]);
  });

  it('ends a code that came while Redis was lost because of one that came after that', async () => {
    const { scene, other, times } = both;
    times.probeEveryMs = 20;
    await loseRedis();
    const older = scene.call({ eventId: 'older' });
    await until(() => left.length === 1);
    await bringRedisBack();
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
    expect(newer.okta.action).to.equal('sent');
    first.resolve({ status: 'refused', code: 'GONE', reason: 'gone' });
    expectSuperseded(await older);
    expect(left).to.deep.equal([CODE, NEWER]);
  });

  it('is not known if a code came, hung up and was retried while Redis was lost, and another code at the other gateway', async () => {
    const { scene, other } = both;
    accept();
    await loseRedis();
    await hangUp('older');
    expect((await scene.call({ eventId: 'older' })).okta.action).to.equal('sent');
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
    expect(newer.okta.action).to.equal('sent');
    await bringRedisBack();
    for (const number of [1, 2]) await both.report(other.url, idOf(number), 'undelivered');
    await until(() => both.endings.length === 2);
    const codes = both.events('failover.ended').map(({ code }) => code);
    expect(codes).to.deep.equal(['STATE_LOST', 'STATE_LOST']);
    expect(left).to.deep.equal([CODE, NEWER]);
  });

  it('puts no code that was retried during a loss of Redis behind one that came before the retry', async () => {
    const { scene, other, time } = both;
    accept();
    await hangUp('older');
    time.tick(1_000);
    await loseRedis();
    const newer = await scene.call({ eventId: 'newer', otpCode: NEWER, url: other.url });
    expect(newer.okta.action).to.equal('sent');
    expect((await scene.call({ eventId: 'older' })).okta.action).to.equal('sent');
    await bringRedisBack();
    // Not of the message that follows.
    for (const number of [1, 2]) await both.report(other.url, idOf(number), 'undelivered');
    await until(() => both.endings.length === 2);
    const ends = new Map(
      both.events('failover.ended').map(({ eventId, code, outcome }) => [eventId, code ?? outcome]),
    );
    expect(ends.get('older')).to.not.equal('accepted');
    expect(ends.get('newer')).to.not.equal('SUPERSEDED');
  });
});
