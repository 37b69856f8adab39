import { expect } from 'chai';
import type { Receipt } from '#lib/delivery/late/receipt.js';
import type { FinalReport } from '#lib/delivery/late/report.js';
import type { SentCode } from '#lib/delivery/late/sent-codes.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { ORDERS_OF_THREE } from '#harness/orders.js';
import { Closers } from '#harness/closers.js';
import { makeAlarmsDue } from '#harness/redis-alarms.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { patientTimes } from '#harness/redis-times.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';

const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const NOW = 1_700_000_000_000;
const LIFE = { nowMs: NOW, untilMs: NOW + 600_000 };
const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No', moveOn: true };
const DELIVERED: FinalReport = { status: 'delivered' };
const ANSWER = { commands: [] };

/** A gateway, as far as the state goes: what it is told is due it goes on with. */
interface Gateway {
  readonly state: StatePort;
  readonly isOld: boolean;
}

describe('while gateways get another key, one after the other', function () {
  let redis: RedisServer;
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  beforeEach(() => redis.admin.flushall());
  afterEach(() => closers.closeAll());
  after(() => servers.closeAll());

  let count = 0;
  const next = (word: string): string => `${word}-${(count += 1)}`;
  const open = (...encryptionKeys: readonly string[]): StatePort =>
    closers.add(openRedisState({ connection: redis.url, encryptionKeys }, patientTimes()), (state) =>
      state.close(),
    );
  const receiptOf = (eventKey: string): Receipt => ({ eventKey, expiresAtMs: LIFE.untilMs }) as Receipt;
  const sentCode = (eventId: string, atMs = NOW): SentCode =>
    ({ status: 'accepted', asked: { atMs, endsAtMs: 9e15 }, deliveryChannel: 'sms', eventId }) as SentCode;
  const stop = (state: StatePort, number: string): unknown =>
    state.suppress?.(number, { channel: 'whatsapp', reason: 'STOPPED', untilMs: NOW + 31_536_000_000 }, NOW);
  const stopped = async (state: StatePort, number: string): Promise<boolean> =>
    ((await state.suppressionsOf?.(number, NOW)) ?? []).some(({ reason }) => reason === 'STOPPED');

  /** What one gateway does, another one knows. */
  const play = async (one: StatePort, two: StatePort): Promise<void> => {
    const [event, person, number] = [next('event'), next('person'), `+4477009${100_000 + count}`];
    const buckets = [{ key: person, points: 1, seconds: 60 }];
    const claim = await one.claim(event, { nowMs: NOW, rememberMs: 600_000, buckets });
    if (!claim.isFirst) return expect.fail('it is a repeat');
    const repeat = await two.claim(event, { nowMs: NOW, rememberMs: 600_000, buckets, recipient: number });
    if (repeat.isFirst) return expect.fail('the code goes out twice');
    claim.settle(ANSWER);
    expect(await repeat.answer).to.deep.equal(ANSWER);
    const more = await two.claim(next('event'), { nowMs: NOW, rememberMs: 600_000, buckets });
    expect(more.isFirst && more.exceeded).to.deep.equal([person]);

    const [released, again] = [next('released'), { nowMs: NOW, rememberMs: 600_000, buckets: [] }];
    const unsent = await two.claim(released, again);
    if (!unsent.isFirst) return expect.fail('it is a repeat');
    unsent.release();
    // Behind what was written.
    await two.isNewest(person, 'older', NOW);
    expect(await one.claim(released, again)).to.include({ isFirst: true });

    one.overtake(person, { eventKey: 'older', isPreview: false, ...LIFE });
    for (const state of [one, two]) expect(await state.isNewest(person, 'older', NOW)).to.equal(true);
    two.overtake(person, { eventKey: 'newer', isPreview: false, ...LIFE });
    expect(await two.isNewest(person, 'newer', NOW)).to.equal(true);
    expect(await one.isNewest(person, 'newer', NOW)).to.equal(true);
    expect(await one.isNewest(person, 'older', NOW)).to.equal(false);

    const [failing, early, late] = [next('SM'), next('SM'), next('SM')];
    await one.keepReceipt(failing, receiptOf(failing), LIFE);
    const taken = await Promise.all([one, two, two].map((state) => state.takeReceipt(failing, NOW, FAILED)));
    expect(taken.filter((receipt) => receipt !== undefined)).to.have.length(1);
    expect(await one.takeReceipt(failing, NOW, FAILED)).to.equal(undefined);
    await two.takeReceipt(early, NOW, FAILED);
    expect(await one.keepReceipt(early, receiptOf(early), LIFE)).to.deep.equal(FAILED);
    expect(await one.takeReceipt(early, NOW, FAILED)).to.equal(undefined);
    await two.takeReceipt(late, NOW, DELIVERED);
    expect(await one.isDelivered([failing, late], NOW)).to.equal(true);

    const use = { deliveryChannel: 'sms', nowMs: NOW, usedMs: NOW + 5 } as const;
    await one.keepSent(person, sentCode('first'), LIFE);
    expect(await one.isNewest(person, 'newer', NOW)).to.equal(true);
    await two.keepSent(person, sentCode('second', NOW + 1), LIFE);
    expect(await two.isNewest(person, 'newer', NOW)).to.equal(true);
    const used = await Promise.all([one, two].map((state) => state.takeSent(person, use)));
    expect(used.map((code) => code?.eventId).filter(Boolean)).to.deep.equal(['second']);

    await stop(one, number);
    expect(await stopped(two, number)).to.equal(true);
    await two.lift?.(number, { channel: 'whatsapp', reasons: ['STOPPED'] });
    expect(await stopped(one, number)).to.equal(false);
  };

  for (const [at, first] of ORDERS_OF_THREE.entries()) {
    it(`nothing is lost, sent twice or forgotten: first ${first.join(', ')}`, async () => {
      for (const second of isNightly ? ORDERS_OF_THREE : ORDERS_OF_THREE.slice(5 - at, 6 - at)) {
        /** By message: how often another one has followed it. */
        const followed = new Map<string, number>();
        const stops: string[] = [];
        const start = (keys: readonly string[]): Gateway => {
          const state = open(...keys);
          state.alarms?.onDue(async (messageKey) => {
            const receipt = await state.takeReceipt(messageKey, NOW, FAILED);
            if (receipt !== undefined) followed.set(messageKey, (followed.get(messageKey) ?? 0) + 1);
          });
          return { state, isOld: keys.length === 1 };
        };
        const gateways = [start([OLD]), start([OLD]), start([OLD])];
        const send = async (gateway: Gateway): Promise<void> => {
          const [messageKey, number] = [next('SM'), `+4477009${100_000 + count}`];
          followed.set(messageKey, 0);
          await gateway.state.keepReceipt(messageKey, receiptOf(messageKey), LIFE);
          gateway.state.alarms?.set(messageKey, 500_000);
          stops.push(number);
          await stop(gateway.state, number);
        };
        const restart = async (index: number, keys: readonly string[]): Promise<void> => {
          for (const gateway of gateways) await send(gateway);
          await gateways[index]?.state.close();
          const started = start(keys);
          gateways[index] = started;
          await started.state.check();
          const states = gateways.map(({ state }) => state);
          await Promise.all([
            play(states[0]!, states[1]!),
            play(states[1]!, states[2]!),
            play(states[2]!, states[0]!),
            play(states[1]!, states[0]!),
            play(states[2]!, states[1]!),
            play(states[0]!, states[2]!),
          ]);
          for (const number of stops) {
            const known = await Promise.all(states.map((state) => stopped(state, number)));
            expect(known).to.deep.equal([true, true, true]);
          }
        };
        // All codes end before the old key is taken off: those that do not arrive are followed until then.
        const end = async (): Promise<void> => {
          await makeAlarmsDue(redis);
          await until(() => [...followed.values()].every((times) => times > 0));
          for (const messageKey of followed.keys()) {
            for (const { state } of gateways)
              expect(await state.takeReceipt(messageKey, NOW, FAILED)).to.equal(undefined);
          }
          expect([...new Set(followed.values())]).to.deep.equal([1]);
        };
        // Whatever order the keys are in.
        for (const index of first) await restart(index, (at + index) % 2 === 0 ? [NEW, OLD] : [OLD, NEW]);
        await end();
        const fresh = open(NEW);
        for (const number of stops) await until(() => stopped(fresh, number));
        followed.clear();
        for (const index of second) await restart(index, [NEW]);
        await end();
        await closers.closeAll();
        await redis.admin.flushall();
      }
    });
  }
});
