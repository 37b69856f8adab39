import { expect } from 'chai';
import type { Claim, StatePort } from '#lib/delivery/state.js';
import { suppressionsName } from '#lib/delivery/suppressions.js';
import { openRedisState } from '#lib/state/redis/state.js';
import { eventClaim } from '#harness/event-claim.js';
import { Closers } from '#harness/closers.js';
import { makeAlarmsDue } from '#harness/redis-alarms.js';
import {
  accept,
  codeOf,
  DELIVERED,
  FAILED,
  keepCode,
  lift,
  NOW,
  report,
  suppress,
  suppressed,
  useCode,
} from '#harness/record-updates.js';
import { type RedisServer, useRedis } from '#harness/redis-server.js';
import { patientTimes } from '#harness/redis-times.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';

/** All orders of three steps. */
const ORDERS_OF_THREE = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

const OLD = Buffer.alloc(32, 1).toString('base64');
const NEW = Buffer.alloc(32, 2).toString('base64');
const ANSWER = { commands: [] };
/** Each pair of three gateways. */
const PAIRS = ORDERS_OF_THREE.map(([one, two]) => [one, two] as const);

describe('during a rolling key change', function () {
  let redis: RedisServer;
  const closers = new Closers();
  useRedis((server) => {
    redis = server;
  });
  afterEach(() => closers.closeAll());

  let count = 0;
  const next = (word: string): string => `${word}-${(count += 1)}`;
  const open = (...encryptionKeys: readonly string[]): StatePort =>
    closers.add(openRedisState({ connection: redis.url, encryptionKeys }, patientTimes()), (state) =>
      state.close(),
    );
  const look = async (state: StatePort, person: string, eventKey: string): Promise<boolean | 'unknown'> =>
    state.isCurrent(person, { eventKey });
  const stopped = async (state: StatePort, number: string): Promise<boolean> =>
    ((await suppressed(state, number)) ?? []).includes('whatsapp:STOPPED');

  /** Plays each operation: what one gateway stores, the other one finds. */
  const play = async (one: StatePort, two: StatePort): Promise<void> => {
    const [event, person, number] = [next('event'), next('person'), `+4477009${100_000 + count}`];
    const limits = [{ key: person, points: 1, seconds: 600 }];
    const claim = await one.claim(eventClaim(event, { nowMs: NOW, rememberMs: 600_000, limits }));
    if (!claim.isFirst) return expect.fail('it is a repeat');
    const repeat = await two.claim(
      eventClaim(event, { nowMs: NOW, rememberMs: 600_000, limits, reads: [suppressionsName(number)] }),
    );
    if (repeat.isFirst) return expect.fail('the code goes out twice');
    claim.settle(ANSWER);
    expect(await repeat.answer).to.deep.equal(ANSWER);
    const more = await two.claim(eventClaim(next('event'), { nowMs: NOW, rememberMs: 600_000, limits }));
    expect(more.isFirst && more.exceeded).to.deep.equal([person]);

    const [released, again] = [next('released'), { nowMs: NOW, rememberMs: 600_000, limits: [] }];
    const unsent = await two.claim(eventClaim(released, again));
    if (!unsent.isFirst) return expect.fail('it is a repeat');
    unsent.release();
    // This reply comes after the writes.
    await look(two, person, 'older');
    expect(await one.claim(eventClaim(released, again))).to.include({ isFirst: true });

    const ordered = next('person');
    const [early, late] = [next('event'), next('event')];
    const claimInOrder = async (state: StatePort, eventKey: string, isPreview = false): Promise<Claim> =>
      state.claim(eventClaim(eventKey, { ...again, person: ordered, isPreview, requestedAtMs: NOW }));
    const older = await claimInOrder(one, early);
    if (!older.isFirst) return expect.fail('it is a repeat');
    expect(older.isCurrent).to.equal(true);
    older.release();
    // This reply comes after the write.
    await look(one, ordered, early);
    expect(await claimInOrder(two, late)).to.include({ isFirst: true, isCurrent: true });
    for (const state of [one, two]) expect(await look(state, ordered, late)).to.equal(true);
    // A retry keeps its place.
    expect(await claimInOrder(two, early)).to.include({
      isFirst: true,
      isCurrent: false,
      place: older.place,
    });
    expect(await look(one, ordered, late)).to.equal(true);
    const preview = next('preview');
    expect(await claimInOrder(two, preview, true)).to.include({ isFirst: true, isCurrent: true });
    expect(await look(one, ordered, late)).to.equal(true);
    two.useCode(ordered, NOW);
    for (const state of [two, one]) expect(await look(state, ordered, late)).to.equal(false);
    const newer = next('event');
    expect(await claimInOrder(one, newer)).to.include({ isFirst: true, isCurrent: true });
    expect(await look(two, ordered, newer)).to.equal(true);

    const [failing, reported, delivered] = [next('SM'), next('SM'), next('SM')];
    await accept(one, failing);
    const replies = await Promise.all([one, two, two].map((state) => report(state, failing)));
    expect(replies.filter((reply) => reply?.follow !== undefined)).to.have.length(1);
    expect((await report(one, failing))?.follow).to.equal(undefined);
    await report(two, reported);
    expect((await accept(one, reported))?.follow?.failure).to.deep.equal(FAILED);
    expect((await report(one, reported))?.follow).to.equal(undefined);
    await report(two, delivered, DELIVERED);
    expect(await accept(one, delivered)).to.deep.equal({ before: 'delivered' });

    await keepCode(one, person, codeOf('first'));
    await keepCode(two, person, codeOf('second', NOW + 1));
    const used = await Promise.all([one, two].map((state) => useCode(state, person)));
    expect(used.flatMap((code) => code?.eventId ?? [])).to.deep.equal(['second']);

    await suppress(one, number);
    expect(await stopped(two, number)).to.equal(true);
    await lift(two, number);
    expect(await stopped(one, number)).to.equal(false);
  };

  it('the newest code is not known to a gateway with a key that its gateway does not have', async () => {
    const [old, both, only] = [open(OLD), open(NEW, OLD), open(NEW)];
    const person = next('person');
    const come = async (state: StatePort, eventKey: string, isPreview = false): Promise<void> => {
      expect(await state.claim(eventClaim(eventKey, { person, isPreview }))).to.include({ isCurrent: true });
    };
    await come(both, 'first');
    for (const state of [old, both, only]) expect(await look(state, person, 'first')).to.equal(true);
    await come(old, 'second');
    for (const state of [old, both]) expect(await look(state, person, 'second')).to.equal(true);
    // It takes the place for both keys, but cannot tell the new key which code is the newest.
    await come(both, 'preview', true);
    for (const state of [old, both]) expect(await look(state, person, 'second')).to.equal(true);
    expect(await look(only, person, 'second')).to.equal('unknown');
    await come(only, 'third');
    expect(await look(both, person, 'second')).to.equal(false);
    expect(await look(both, person, 'third')).to.equal(true);
  });

  it('a code that was used at a gateway with only the old key is used at one with both', async () => {
    const [old, both] = [open(OLD), open(NEW, OLD)];
    const person = next('person');
    const claim = eventClaim('used', { person });
    await both.claim(claim);
    old.useCode(person, claim.requestedAtMs);
    await until(async () => (await look(old, person, 'used')) === false);
    expect(await look(both, person, 'used')).to.equal(false);
  });

  it('a newer code with a shorter life does not shorten the record of the user', async () => {
    const [old, both] = [open(OLD), open(NEW, OLD)];
    const person = next('person');
    const come = async (state: StatePort, eventKey: string, lifeMs: number): Promise<void> => {
      await state.claim(eventClaim(eventKey, { person, rememberMs: lifeMs }));
      for (const one of [old, both]) expect(await look(one, person, eventKey)).to.equal(true);
    };
    const lives = async (): Promise<readonly number[]> =>
      (await redis.dump())
        .filter(({ name }) => name.includes(':person:'))
        .map(({ expiresInMs }) => Math.ceil(expiresInMs / 100_000));
    await come(both, 'first', 600_000);
    await come(old, 'second', 10_000);
    expect(await lives()).to.deep.equal([6, 6]);
    // A gateway with both keys gives both records the longer life.
    await come(old, 'third', 900_000);
    await come(both, 'fourth', 10_000);
    expect(await lives()).to.deep.equal([9, 9]);
  });

  it('limits count the points of gateways with one key together with those of gateways with both', async () => {
    const both = open(NEW, OLD);
    for (const [at, one] of [open(OLD), open(NEW)].entries()) {
      const limits = [{ key: next('limit'), points: 3, seconds: 600 }];
      const take = async (state: StatePort): Promise<unknown> => {
        const claim = await state.claim(
          eventClaim(next('event'), { nowMs: NOW, rememberMs: 600_000, limits }),
        );
        return claim.isFirst && claim.exceeded.length;
      };
      expect(
        [await take(both), await take(one), await take(one), await take(both)],
        String(at),
      ).to.deep.equal([0, 0, 0, 1]);
    }
  });

  /** Three gateways with the old key, their messages, and the failovers that follow. */
  const beginRollout = () => {
    /** The number of failovers by message. */
    const followed = new Map<string, number>();
    const stops: string[] = [];
    const start = (keys: readonly string[]): StatePort => {
      const state = open(...keys);
      state.alarms?.onDue(async (messageKey) => {
        const reply = await report(state, messageKey);
        if (reply?.follow !== undefined) followed.set(messageKey, (followed.get(messageKey) ?? 0) + 1);
      });
      return state;
    };
    const states = [start([OLD]), start([OLD]), start([OLD])];
    const keysOf = [OLD, OLD, OLD];
    const played = new Set<string>();
    const send = async (state: StatePort): Promise<void> => {
      const [messageKey, number] = [next('SM'), `+4477009${100_000 + count}`];
      followed.set(messageKey, 0);
      await accept(state, messageKey);
      state.alarms?.set(messageKey, 500_000);
      stops.push(number);
      await suppress(state, number);
    };
    return {
      restart: async (index: number, ...keys: readonly string[]): Promise<void> => {
        for (const state of states) await send(state);
        await states[index]?.close();
        states[index] = start(keys);
        keysOf[index] = keys.join();
        await states[index].check();
        // Gateways with the same keys are alike: a pair for each two lists of keys, and by night all after each restart.
        const pairs = PAIRS.filter(([one, two]) => {
          const lists = `${keysOf[one]} ${keysOf[two]}`;
          if (!isNightly && played.has(lists)) return false;
          played.add(lists);
          return true;
        });
        await Promise.all(pairs.map(([one, two]) => play(states[one]!, states[two]!)));
        const known = await Promise.all(
          stops.flatMap((number) => states.map((state) => stopped(state, number))),
        );
        expect(known).to.deep.equal(known.map(() => true));
      },
      /** Lets the alarms of all codes come due before a key goes: each message gets exactly one failover. */
      end: async (): Promise<void> => {
        await makeAlarmsDue(redis);
        await until(() => [...followed.values()].every((times) => times > 0));
        for (const messageKey of followed.keys()) {
          for (const state of states) expect((await report(state, messageKey))?.follow).to.equal(undefined);
        }
        expect([...new Set(followed.values())]).to.deep.equal([1]);
        followed.clear();
      },
      /** Resolves when a gateway with only this key knows every STOP. */
      carriedOver: async (key: string): Promise<void> => {
        const alone = open(key);
        for (const number of stops) await until(() => stopped(alone, number));
      },
    };
  };

  // The gateways are alike, so the other orders repeat the first one under other names.
  for (const [at, first] of (isNightly ? ORDERS_OF_THREE : ORDERS_OF_THREE.slice(0, 1)).entries()) {
    it(`no data is lost and no failover runs twice if gateways restart in the order ${first.join(', ')}`, async () => {
      for (const second of isNightly ? ORDERS_OF_THREE : ORDERS_OF_THREE.slice(5 - at, 6 - at)) {
        const { restart, end, carriedOver } = beginRollout();
        // In either order of the keys.
        for (const index of first)
          await restart(index, ...((at + index) % 2 === 0 ? [NEW, OLD] : [OLD, NEW]));
        await end();
        await carriedOver(NEW);
        for (const index of second) await restart(index, NEW);
        await end();
        await closers.closeAll();
        await redis.admin.flushall();
      }
    });
  }

  it('each step can be reverted', async () => {
    const { restart, end, carriedOver } = beginRollout();
    const giveAll = async (...keys: readonly string[]): Promise<void> => {
      for (const index of [0, 1, 2]) await restart(index, ...keys);
    };
    await giveAll(NEW, OLD);
    await giveAll(OLD);
    await giveAll(NEW, OLD);
    await end();
    await carriedOver(NEW);
    await giveAll(NEW);
    await giveAll(NEW, OLD);
    await end();
    await carriedOver(OLD);
    await giveAll(OLD);
    await end();
  });
});
