import { expect } from 'chai';
import type { State } from '#lib/delivery/state.js';
import type { Suppression } from '#lib/delivery/suppressions.js';
import { openRedisState } from '#lib/state/redis-state.js';
import { Closers } from '#harness/closers.js';
import { needRedis, startRedis, type DumpedKey, type RedisServer } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import { ANA } from '#harness/scene.js';
import { until } from '#harness/until.js';

const KEY = Buffer.alloc(32, 4).toString('base64');
const NEW_KEY = Buffer.alloc(32, 5).toString('base64');
const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const STOPPED: Suppression = { channel: 'whatsapp', reason: 'STOPPED', untilMs: NOW + 365 * DAY_MS };
const OPTED_OUT: Suppression = { channel: 'whatsapp', reason: 'OPTED_OUT', untilMs: NOW + DAY_MS };
const ON_LINE: Suppression = { channel: 'line', reason: 'NOT_REACHED', untilMs: NOW + DAY_MS };

describe('suppressions that gateways share', () => {
  let redis: RedisServer;
  const servers = new Closers();
  const closers = new Closers();
  before(async function () {
    needRedis(this);
    redis = servers.add(await startRedis(), (server) => server.close());
  });
  beforeEach(() => redis.admin.flushall());
  afterEach(() => {
    redis.continue();
    return closers.closeAll();
  });
  after(() => servers.closeAll());

  const open = (times = patientTimes(), encryptionKeys: readonly string[] = [KEY]): State =>
    closers.add(openRedisState({ connection: redis.url, encryptionKeys }, times), (state) => state.close());
  const suppressed = async (): Promise<readonly DumpedKey[]> =>
    (await redis.dump()).filter(({ name }) => name.includes(':suppressed:'));
  const claimed = async (state: State, key: string | undefined): Promise<unknown> => {
    const buckets = [{ key: 'limit', points: 2, seconds: 60 }];
    const claim = await state.claim(key, { nowMs: NOW, rememberMs: 60_000, buckets, recipient: ANA.phone });
    return claim.isFirst ? claim.suppressions : 'a repeat';
  };

  it('come with the claim of an event at any of them, and of a call without an event', async () => {
    const [one, two] = [open(), open()];
    expect(await claimed(one, 'before')).to.deep.equal([]);
    await one.suppress?.(ANA.phone, STOPPED, NOW);
    expect(await claimed(two, 'event')).to.deep.equal([STOPPED]);
    expect(await claimed(two, 'event')).to.equal('a repeat');
    expect(await claimed(one, undefined)).to.deep.equal([STOPPED]);
    expect(await two.suppressionsOf?.(ANA.phone, NOW)).to.deep.equal([STOPPED]);
    expect(await two.suppressionsOf?.('+12025550142', NOW)).to.deep.equal([]);
  });

  it('do not stand in the way of limits', async () => {
    const state = open();
    await state.suppress?.(ANA.phone, STOPPED, NOW);
    await claimed(state, 'one');
    await claimed(state, undefined);
    const buckets = [{ key: 'limit', points: 2, seconds: 60 }];
    for (const key of ['three', undefined]) {
      const life = { nowMs: NOW, rememberMs: 60_000, buckets, recipient: ANA.phone };
      const claim = await state.claim(key, life);
      expect(claim).to.deep.include({ isFirst: true, exceeded: ['limit'], suppressions: [STOPPED] });
    }
  });

  it('are not asked for where nobody is to be reached', async () => {
    const claim = await open().claim('event', { nowMs: NOW, rememberMs: 60_000, buckets: [] });
    expect(claim.isFirst && claim.suppressions).to.equal(undefined);
  });

  it('are kept by channel, the word of the owner over what a provider says, until it is taken back', async () => {
    const state = open();
    await state.suppress?.(ANA.phone, STOPPED, NOW);
    await state.suppress?.(ANA.phone, OPTED_OUT, NOW);
    await state.suppress?.(ANA.phone, ON_LINE, NOW);
    expect(await claimed(state, 'event')).to.deep.equal([STOPPED, ON_LINE]);
    await open().lift?.(ANA.phone, { channel: 'whatsapp', reasons: ['STOPPED'] }, NOW);
    expect(await state.suppressionsOf?.(ANA.phone, NOW)).to.deep.equal([ON_LINE]);
    await state.lift?.(ANA.phone, { channel: 'line', reasons: ['NOT_REACHED'] }, NOW);
    expect(await suppressed()).to.deep.equal([]);
  });

  it('are all kept that gateways write of one number at once', async () => {
    const states = [open(), open(), open(), open()];
    await Promise.all(
      states.map((state, at) => state.suppress?.(ANA.phone, { ...ON_LINE, channel: `channel${at}` }, NOW)),
    );
    const known = (await states[0]?.suppressionsOf?.(ANA.phone, NOW)) ?? [];
    expect(known.map(({ channel }) => channel).sort()).to.deep.equal([
      'channel0',
      'channel1',
      'channel2',
      'channel3',
    ]);
  });

  it('are all kept that one gateway learns of one number at once', async () => {
    const state = open();
    const channels = Array.from({ length: 10 }, (_, at) => `channel${at}`);
    await Promise.all(channels.map((channel) => state.suppress?.(ANA.phone, { ...ON_LINE, channel }, NOW)));
    const known = (await state.suppressionsOf?.(ANA.phone, NOW)) ?? [];
    expect(known.map(({ channel }) => channel).sort()).to.deep.equal(channels);
  });

  it('stay where a gateway cannot open them, while the key is changed', async () => {
    const [both, old] = [open(undefined, [NEW_KEY, KEY]), open()];
    const news: string[] = [];
    old.watch?.(({ type, reason }) => news.push(`${type} ${reason}`));
    await both.suppress?.(ANA.phone, STOPPED, NOW);
    void old.suppress?.(ANA.phone, { ...ON_LINE, channel: 'sms' }, NOW);
    await until(() => news.includes('warned OTHER_KEYS'));
    expect(await both.suppressionsOf?.(ANA.phone, NOW)).to.deep.equal([STOPPED]);
  });

  it('are not taken back by what was said before them and is told late', async () => {
    const state = open();
    await state.suppress?.(ANA.phone, STOPPED, NOW);
    await state.lift?.(ANA.phone, { channel: 'whatsapp', reasons: ['STOPPED'] }, NOW - 1_000);
    expect(await state.suppressionsOf?.(ANA.phone, NOW)).to.deep.equal([STOPPED]);
  });

  it('end in their time, and say nothing of anybody', async () => {
    const state = open();
    await state.suppress?.(ANA.phone, ON_LINE, NOW);
    const [kept, ...others] = await suppressed();
    expect(others).to.deep.equal([]);
    expect(await redis.admin.pttl(kept?.name ?? '')).to.be.within(DAY_MS - 60_000, DAY_MS);
    expect(JSON.stringify(kept)).to.not.match(/447700900123|line|NOT_REACHED/);
    expect(await state.suppressionsOf?.(ANA.phone, NOW + DAY_MS)).to.deep.equal([]);
  });

  it('that were learnt while Redis was away are told when it is back', async () => {
    const times = patientTimes();
    const state = open(times);
    await state.check();
    redis.stop();
    loseSoon(times);
    let isTold = false;
    void Promise.resolve(state.suppress?.(ANA.phone, STOPPED, NOW)).then(() => (isTold = true));
    await until(() => state.health === 'lost');
    expect(isTold).to.equal(false);
    expect(await state.suppressionsOf?.(ANA.phone, NOW)).to.equal(undefined);
    bePatient(times);
    redis.continue();
    await state.check();
    await until(() => isTold);
    const other = open();
    await until(async () => ((await other.suppressionsOf?.(ANA.phone, NOW)) ?? []).length === 1);
  });
});
