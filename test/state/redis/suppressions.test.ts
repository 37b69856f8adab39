import { expect } from 'chai';
import { Redis } from 'ioredis';
import sinon from 'sinon';
import { lastCodeName } from '#lib/delivery/messages/last-code.js';
import type { KeptEntry } from '#lib/delivery/records.js';
import type { StatePort } from '#lib/delivery/state.js';
import { SuppressionList } from '#lib/delivery/suppression-list.js';
import { suppressionsName } from '#lib/delivery/suppressions.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { createSealing } from '#lib/state/redis/sealing.js';
import { eventClaim } from '#harness/event-claim.js';
import { Closers } from '#harness/closers.js';
import { watchTraffic, type DumpedKey, type RedisServer, useRedis } from '#harness/redis-server.js';
import { bePatient, loseSoon, patientTimes } from '#harness/redis-times.js';
import {
  codeOf,
  keepCode,
  lift,
  numberOf,
  pair,
  recalled,
  suppress,
  suppressed,
} from '#harness/record-updates.js';
import { ANA, BOB } from '#harness/scene.js';
import { reasonOf } from '#harness/state-news.js';
import { until } from '#harness/until.js';
import { steadyMs } from '#lib/core/time.js';

const KEY = Buffer.alloc(32, 4).toString('base64');
const NEW_KEY = Buffer.alloc(32, 5).toString('base64');
const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const LIFE = { nowMs: NOW, rememberMs: 60_000, limits: [] };

describe('suppressions in Redis', () => {
  let redis: RedisServer;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  afterEach(() => {
    redis.continue();
    return closers.closeAll();
  });

  const open = (times = patientTimes(), encryptionKeys: readonly string[] = [KEY]): StatePort =>
    closers.add(openRedisState({ connection: redis.url, encryptionKeys }, times), (state) => state.close());
  const stored = async (): Promise<readonly DumpedKey[]> =>
    (await redis.dump()).filter(({ name }) => name.includes(':suppressions:'));
  /** What a reader of Redis sees. */
  const textOf = ({ name, value }: DumpedKey): string => `${name} ${value.toString('latin1')}`;
  const namesIn = async (state: StatePort, recipient: string = ANA.phone): Promise<readonly string[]> =>
    (await suppressed(state, recipient)) ?? [];
  const claimed = async (state: StatePort, key: string | undefined): Promise<unknown> => {
    const limits = [{ key: 'limit', points: 2, seconds: 60 }];
    const claim = await state.claim(
      eventClaim(key, { nowMs: NOW, rememberMs: 60_000, limits, reads: [suppressionsName(ANA.phone)] }),
    );
    return claim.isFirst ? recalled(state, ANA.phone) : 'a repeat';
  };

  it('come with a claim at any gateway, also with a claim without an event', async () => {
    const [one, two] = [open(), open()];
    expect(await claimed(one, 'before')).to.deep.equal([]);
    await suppress(one, ANA.phone);
    expect(await claimed(two, 'event')).to.deep.equal(['whatsapp:STOPPED']);
    expect(await claimed(two, 'event')).to.equal('a repeat');
    expect(await claimed(one, undefined)).to.deep.equal(['whatsapp:STOPPED']);
    expect(await namesIn(two)).to.deep.equal(['whatsapp:STOPPED']);
    expect(await namesIn(two, '+12025550142')).to.deep.equal([]);
  });

  it('come with a claim until they end, though others of the number last longer', async () => {
    const state = open();
    const record = { kind: 'suppressions', key: ANA.phone } as const;
    await state.update([record], (_known, { keeperMs }) => {
      const entries = [
        { channel: 'line', reason: 'NOT_REACHED', atMs: keeperMs - DAY_MS, untilMs: keeperMs },
        { channel: 'whatsapp', reason: 'STOPPED', atMs: keeperMs, untilMs: keeperMs + DAY_MS },
      ] as const;
      return { next: [{ value: { recipient: ANA.phone, entries }, lifeMs: DAY_MS }], result: true };
    });
    expect(await claimed(state, 'event')).to.deep.equal(['whatsapp:STOPPED']);
  });

  it('come with a claim that exceeds a limit too', async () => {
    const state = open();
    await suppress(state, ANA.phone);
    await claimed(state, 'one');
    await claimed(state, undefined);
    const limits = [{ key: 'limit', points: 2, seconds: 60 }];
    for (const key of ['three', undefined]) {
      const life = { nowMs: NOW, rememberMs: 60_000, limits, reads: [suppressionsName(ANA.phone)] };
      const claim = await state.claim(eventClaim(key, life));
      expect(claim).to.deep.include({ isFirst: true, exceeded: ['limit'] });
      expect(recalled(state, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
    }
  });

  it('come with a claim beside records of other kinds', async () => {
    const [one, two] = [open(), open(patientTimes(), [KEY, NEW_KEY])];
    const code = codeOf('event-1');
    await keepCode(one, ANA.id, code);
    await suppress(one, ANA.phone);
    const names = [lastCodeName(ANA.id, 'sms'), suppressionsName(ANA.phone)] as const;
    const claim = await two.claim(eventClaim('event', { reads: [lastCodeName('nobody', 'sms'), ...names] }));
    expect(claim.isFirst && claim.hasRead).to.equal(true);
    expect(two.recall(names[0])?.value).to.deep.equal({ code });
    expect(two.recall(names[0])?.leftMs).to.be.within(1, 3_600_000);
    expect(recalled(two, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
    expect(two.recall(lastCodeName('nobody', 'sms'))).to.equal(undefined);
  });

  it('last equally long at gateways whose clocks differ by days', async () => {
    const [one, two] = [open(), open()];
    await suppress(one, ANA.phone, 'NOT_REACHED', 'line');
    for (const nowMs of [NOW, NOW + DAY_MS]) {
      await two.claim(
        eventClaim(String(nowMs), { nowMs, rememberMs: 1, reads: [suppressionsName(ANA.phone)] }),
      );
      const lists = [one, two].map((state) => new SuppressionList(state));
      for (const list of lists) {
        const [onLine] = list.of(ANA.phone);
        expect((onLine?.untilMs ?? 0) - steadyMs()).to.be.within(DAY_MS - 60_000, DAY_MS + 1);
      }
    }
  });

  it('keep their order if one gateway sets and lifts them at once', async () => {
    const state = open();
    const rounds = Array.from({ length: 10 }, (_, at) => [
      suppress(state, ANA.phone),
      ...(at < 9 ? [lift(state, ANA.phone)] : []),
    ]);
    await Promise.all(rounds.flat());
    expect(await namesIn(state)).to.deep.equal(['whatsapp:STOPPED']);
  });

  describe('during a key change', () => {
    it('follow the last change at a gateway with only the old key, even if the clock was set back', async () => {
      const [old, both] = [open(), open(patientTimes({ rekeyEveryMs: 2 }), [NEW_KEY, KEY])];
      const count = async (): Promise<number> => {
        const evals = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.admin.info('commandstats'))?.[1];
        return Number(evals);
      };
      const carriedOver = async (): Promise<void> => {
        const before = await count();
        await until(async () => (await count()) > before + 20);
      };
      await both.check();
      await suppress(both, ANA.phone, 'NOT_REACHED', 'line');
      await lift(both, ANA.phone);
      // As if Redis's clock had been a minute ahead.
      for (const [at, key] of [KEY, NEW_KEY].entries()) {
        const sealing = createSealing(Buffer.from(key, 'base64'), 'okta-telephony-hook');
        const name = sealing.nameOf('suppressions', ANA.phone);
        const value = (await redis.admin.getBuffer(name)) ?? Buffer.of();
        const end = value.indexOf(' ') + 1;
        const text = sealing.open('suppressions', name, value.subarray(end));
        const [ids, json = ''] = (text ?? '').split('\n');
        const { entries, ...kept } = JSON.parse(json) as { entries: KeptEntry[] };
        const ahead = entries.map((entry) => ({ ...entry, atMs: entry.atMs + 60_000 + at }));
        const changed = `${ids}\n${JSON.stringify({ ...kept, entries: ahead })}`;
        const sealed = sealing.seal('suppressions', name, changed);
        await redis.admin.set(name, Buffer.concat([value.subarray(0, end), sealed]), 'KEEPTTL');
      }
      await suppress(old, ANA.phone);
      await lift(old, ANA.phone, false, 'line');
      for (const state of [both, old]) expect(await namesIn(state)).to.deep.equal(['whatsapp:STOPPED']);
      await carriedOver();
      for (const state of [both, old, open(undefined, [NEW_KEY])])
        expect(await namesIn(state)).to.deep.equal(['whatsapp:STOPPED']);
    });

    for (const [when, use] of [
      ['check()', (state: StatePort) => state.check()],
      ['a claim', (state: StatePort) => Promise.resolve(state.claim(eventClaim('event', LIFE)))],
    ] as const) {
      it(`are copied to the new key without a read, after ${when}`, async () => {
        const old = open();
        // So many that Redis shows its keys in several steps.
        await redis.admin.eval("for at = 1, 2000 do redis.call('SET', 'other ' .. at, '') end", 0);
        const numbers = Array.from({ length: 20 }, (_, at) => `+4477009${String(at).padStart(5, '0')}`);
        await Promise.all(numbers.map((number) => suppress(old, number)));
        await pair(old, 'US.13491208655302741918', ANA.phone);
        const lifted = numbers.splice(0, 1);
        await lift(old, lifted[0] ?? '');
        const both = open(undefined, [NEW_KEY, KEY]);
        await use(both);
        const fresh = open(undefined, [NEW_KEY]);
        const known = async (number: string): Promise<number> => (await namesIn(fresh, number)).length;
        for (const number of numbers) await until(async () => (await known(number)) === 1);
        await until(async () => (await numberOf(fresh, 'US.13491208655302741918')) === ANA.phone);
        expect(await known(lifted[0] ?? '')).to.equal(0);
        const [kept] = await stored();
        expect(kept?.expiresInMs).to.be.within(364 * DAY_MS, 365 * DAY_MS);
      });
    }

    it('are copied for as long as the longest of them lasts', async () => {
      const old = open();
      await suppress(old, ANA.phone);
      await suppress(old, ANA.phone, 'NOT_REACHED', 'line');
      await open(undefined, [NEW_KEY, KEY]).check();
      await until(async () => (await stored()).length === 2);
      for (const { expiresInMs } of await stored())
        expect(expiresInMs).to.be.within(364 * DAY_MS, 365 * DAY_MS);
    });

    it('take few commands if they already exist under all keys', async () => {
      const both = open(patientTimes({ rekeyEveryMs: 2 }), [NEW_KEY, KEY]);
      await Promise.all(Array.from({ length: 50 }, (_, at) => suppress(both, `+447700900${100 + at}`)));
      const traffic = await watchTraffic(redis);
      await both.check();
      const count = (word: string): number => traffic.lines.filter((line) => line.startsWith(word)).length;
      await until(() => count('lua: SCAN') >= 10);
      traffic.end();
      expect(count('evalsha')).to.be.within(20, 50);
    });

    it('are copied if the client has its own key prefix', async () => {
      const connection = new Redis(redis.url, { keyPrefix: 'mine:', lazyConnect: true });
      const withKeys = (...encryptionKeys: readonly string[]): StatePort =>
        closers.add(openRedisState({ connection, encryptionKeys }, patientTimes()), (state) => state.close());
      await suppress(withKeys(KEY), ANA.phone);
      await withKeys(NEW_KEY, KEY).check();
      const fresh = withKeys(NEW_KEY);
      await until(async () => (await namesIn(fresh)).includes('whatsapp:STOPPED'));
    });

    it('cause one warning if the right to scan is missing, and still work', async () => {
      await redis.admin.call(
        ...['ACL', 'SETUSER', 'gateway', 'on', '>pw', '~*'],
        ...['+eval', '+evalsha', '+get', '+set', '+del', '+incr', '+decr', '+pexpire', '+pttl', '+time'],
      );
      const connection = redis.url.replace('//', '//gateway:pw@');
      const times = patientTimes({ rekeyRetryMs: 2 });
      const state = closers.add(
        openRedisState({ connection, encryptionKeys: [NEW_KEY, KEY] }, times),
        (opened) => opened.close(),
      );
      const news: string[] = [];
      state.watch?.((one) => news.push(`${one.type} ${reasonOf(one)}`));
      await state.check();
      await until(() => news.length > 0);
      await suppress(state, ANA.phone);
      expect(await namesIn(state)).to.deep.equal(['whatsapp:STOPPED']);
      expect([state.health, ...news]).to.deep.equal(['ok', 'warned REKEY_NOPERM']);
      // It tries again soon, and copies what a gateway with only the old key has written.
      await suppress(open(), BOB.phone);
      await redis.admin.call('ACL', 'SETUSER', 'gateway', '+scan');
      const fresh = open(undefined, [NEW_KEY]);
      await until(async () => (await namesIn(fresh, BOB.phone)).length === 1);
    });
  });

  describe('as a process knows them by itself', () => {
    const ID = 'US.13491208655302741918';

    it('are those that it has read or written, and those that it is about to write', async () => {
      const [one, two] = [open(), open()];
      expect(recalled(one, ANA.phone)).to.deep.equal([]);
      const stopping = suppress(one, ANA.phone);
      expect(recalled(one, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
      await stopping;
      expect(recalled(two, ANA.phone)).to.deep.equal([]);
      expect(await namesIn(two)).to.deep.equal(recalled(two, ANA.phone));
      await lift(two, ANA.phone);
      expect([recalled(one, ANA.phone), recalled(two, ANA.phone)]).to.deep.equal([['whatsapp:STOPPED'], []]);
      await claimed(one, 'event');
      expect(recalled(one, ANA.phone)).to.deep.equal([]);
    });

    it('have what another gateway wrote, also while a change of its own waits', async () => {
      const [one, two] = [open(), open()];
      await one.check();
      await suppress(two, ANA.phone, 'STOPPED', 'sms');
      const refusing = suppress(one, ANA.phone, 'NOT_REACHED');
      await namesIn(one);
      expect(recalled(one, ANA.phone)).to.deep.equal(['sms:STOPPED', 'whatsapp:NOT_REACHED']);
      await refusing;
      expect(recalled(one, ANA.phone)).to.deep.equal(['sms:STOPPED', 'whatsapp:NOT_REACHED']);
    });

    it('keep a STOP whose reply comes right after that to a claim, which Redis ran before', async () => {
      const state = open();
      await state.check();
      let claiming: unknown;
      // Its reply comes before that to the first command of the STOP, so that the claim goes before the second one.
      const reading = state.read([{ kind: 'suppressions', key: ANA.phone }], () => {
        claiming = claimed(state, 'event');
      });
      await Promise.all([reading, suppress(state, ANA.phone)]);
      await claiming;
      expect(recalled(state, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
    });

    it('end by its monotonic clock, with the longest of them, also at a gateway that has only read them', async () => {
      const [state, reader] = [open(), open()];
      await suppress(state, ANA.phone, 'NOT_REACHED', 'line');
      await suppress(state, ANA.phone);
      await claimed(reader, 'event');
      const now = performance.now.bind(performance);
      let passedMs = DAY_MS - 60_000;
      const clock = sinon.stub(performance, 'now').callsFake(() => now() + passedMs);
      closers.add(clock, () => {
        clock.restore();
      });
      expect(recalled(state, ANA.phone)).to.have.members(['line:NOT_REACHED', 'whatsapp:STOPPED']);
      passedMs = DAY_MS + 1_000;
      for (const known of [state, reader]) expect(recalled(known, ANA.phone)).to.include('whatsapp:STOPPED');
      passedMs = 366 * DAY_MS;
      for (const known of [state, reader]) expect(recalled(known, ANA.phone)).to.deep.equal([]);
    });

    it('count while Redis is lost, as those of the number once it is paired with an id', async () => {
      const times = patientTimes();
      const state = open(times);
      await suppress(state, BOB.phone, 'OPTED_OUT');
      redis.stop();
      loseSoon(times);
      const waiting = [suppress(state, ID), suppress(state, BOB.phone)];
      await until(() => state.health === 'lost');
      expect(recalled(state, ANA.phone)).to.deep.equal([]);
      waiting.push(pair(state, ID, ANA.phone));
      expect(recalled(state, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
      waiting.push(lift(state, ANA.phone), pair(state, ID, ANA.phone));
      expect(recalled(state, ANA.phone)).to.deep.equal([]);
      expect(recalled(state, BOB.phone)).to.deep.equal(['whatsapp:OPTED_OUT', 'whatsapp:STOPPED']);
      bePatient(times);
      redis.continue();
      await state.check();
      await Promise.all(waiting);
      for (const known of [state, open()]) {
        expect(await namesIn(known)).to.deep.equal([]);
        expect(await namesIn(known, BOB.phone)).to.deep.equal(['whatsapp:OPTED_OUT', 'whatsapp:STOPPED']);
      }
    });

    it('count also if they are dropped before Redis is back', async () => {
      const times = patientTimes();
      const state = open(times);
      await state.check();
      redis.stop();
      loseSoon(times);
      const waiting = suppress(state, ANA.phone);
      await until(() => state.health === 'lost');
      await state.close();
      await waiting;
      expect(recalled(state, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
    });

    it('are not pushed out by numbers that have none', async () => {
      const state = open();
      await suppress(state, ANA.phone);
      for (let from = 0; from <= 20_000; from += 1_000) {
        const others = Array.from({ length: 1_000 }, (_, at) =>
          suppressionsName(`+44770${1_000_000 + from + at}`),
        );
        await state.update(others, () => ({ result: true }));
      }
      expect(recalled(state, ANA.phone)).to.deep.equal(['whatsapp:STOPPED']);
    });
  });

  it('expire, and show no number, channel or reason in Redis', async () => {
    const state = open();
    await suppress(state, ANA.phone, 'NOT_REACHED', 'line');
    const kept = await stored();
    expect(kept).to.have.length(1);
    const [{ name } = expect.fail('nothing is kept')] = kept;
    expect(await redis.admin.pttl(name)).to.be.within(DAY_MS - 60_000, DAY_MS);
    expect(kept.map(textOf).join('\n')).to.not.match(/447700900123|"line"|NOT_REACHED/);
    await redis.admin.pexpire(name, 1);
    const other = open();
    await until(async () => (await namesIn(other)).length === 0);
  });

  it('are written again by a gateway that knows them, if Redis starts empty', async () => {
    const [one, two] = [open(), open()];
    await suppress(one, ANA.phone);
    await redis.admin.flushall();
    expect(await namesIn(two)).to.deep.equal([]);
    expect(await claimed(one, 'event')).to.deep.equal(['whatsapp:STOPPED']);
    await until(async () => (await namesIn(two)).length > 0);
    expect(await namesIn(two)).to.deep.equal(['whatsapp:STOPPED']);
    const [{ name } = expect.fail('nothing is kept')] = await stored();
    expect(await redis.admin.pttl(name)).to.be.within(364 * DAY_MS, 365 * DAY_MS);
  });

  it('do not undo a word that came since Redis started empty', async () => {
    const [one, two] = [open(), open()];
    await lift(one, ANA.phone);
    await suppress(one, ANA.phone);
    await redis.admin.flushall();
    await lift(two, ANA.phone);
    expect(await claimed(one, 'event')).to.deep.equal([]);
    expect(await namesIn(two)).to.deep.equal([]);
    await suppress(one, BOB.phone);
    await lift(one, BOB.phone);
    await redis.admin.flushall();
    await suppress(two, BOB.phone);
    expect(await namesIn(one, BOB.phone)).to.deep.equal(['whatsapp:STOPPED']);
  });

  it('keep what another gateway has changed since Redis started empty', async () => {
    const [one, two] = [open(), open()];
    await suppress(one, ANA.phone);
    await suppress(one, ANA.phone, 'NOT_REACHED', 'line');
    await redis.admin.flushall();
    await suppress(two, ANA.phone, 'OPTED_OUT', 'sms');
    const all = ['line:NOT_REACHED', 'sms:OPTED_OUT', 'whatsapp:STOPPED'];
    expect(await claimed(one, 'event')).to.have.members(all);
    await until(async () => (await namesIn(two)).length === 3);
    expect(await namesIn(two)).to.have.members(all);
  });
});
