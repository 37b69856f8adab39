import { expect } from 'chai';
import type sinon from 'sinon';
import type { Bucket, Claim, EventClaim, StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { stopTime } from '#harness/stopped-time.js';

const LIFE_MS = 300_000;

const bucket = (key: string, points = 2, seconds = 60): Bucket => ({ key, points, seconds });

describe('memoryState', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = stopTime();
  });
  afterEach(() => {
    clock.restore();
  });
  const first = (claim: Claim): Extract<Claim, { isFirst: true }> => {
    if (!claim.isFirst) throw new Error('not the first');
    return claim;
  };
  /** Claims the event of a code, and tells whether it is current. */
  const order = (state: StatePort, key: string, given: Partial<EventClaim> = {}) => {
    const claim = first(
      state.claim(eventClaim(key, { person: 'ana', rememberMs: LIFE_MS, ...given })) as Claim,
    );
    return {
      ...claim,
      look: () => state.isCurrent('ana', { eventKey: key, isPreview: false, ...given, ...claim }),
    };
  };

  it('orders no code before one that the guard allows, and an allowed one although a limit is exceeded', () => {
    const state = openMemoryState();
    const limits = [bucket('a', 1)];
    const one = order(state, 'one', { limits });
    expect(order(state, 'over', { limits })).to.include({ isCurrent: 'unknown' });
    expect(order(state, 'blocked', { passes: 'never' })).to.include({ isCurrent: 'unknown' });
    expect(one.look()).to.equal(true);
    expect(order(state, 'noticed', { limits, passes: 'always' })).to.deep.include({
      isCurrent: true,
      exceeded: ['a'],
    });
    expect(one.look()).to.equal(false);
  });

  it('knows the order until the longest of its codes ends, and then makes it again from the place of an event', () => {
    const state = openMemoryState();
    const one = order(state, 'one', { lifeMs: LIFE_MS });
    order(state, 'short', { rememberMs: 10_000, lifeMs: 10_000 });
    one.release();
    clock.tick(LIFE_MS - 1);
    expect(one.look()).to.equal(false);
    clock.tick(1);
    expect(one.look()).to.equal('unknown');
    expect(order(state, 'one')).to.include({ place: one.place, isCurrent: true });
  });

  it('knows the order of the last 8,000 people', () => {
    const state = openMemoryState();
    const places = Array.from(
      { length: 8_010 },
      (_, at) => order(state, `event-${at}`, { person: `person-${at}` }).place,
    );
    const look = (at: number): unknown =>
      state.isCurrent(`person-${at}`, { eventKey: `event-${at}`, place: places[at], isPreview: false });
    expect([0, 9, 10, 8_009].map(look)).to.deep.equal(['unknown', 'unknown', true, true]);
  });

  it('is always healthy', async () => {
    const state = openMemoryState();
    expect(state.health).to.equal('ok');
    await state.check();
    await state.close();
  });
});

describe('limits of memoryState', () => {
  let count = 0;
  const spendIn =
    (state = openMemoryState()) =>
    async (nowMs: number, ...limits: readonly Bucket[]): Promise<readonly string[]> => {
      count += 1;
      const claim = await state.claim(eventClaim(`event-${count}`, { nowMs, rememberMs: 1000, limits }));
      if (!claim.isFirst) throw new Error('not the first');
      return claim.exceeded;
    };

  it('are exact for 40 claims at once', async () => {
    const spend = spendIn();
    const all = await Promise.all(Array.from({ length: 40 }, () => spend(0, bucket('a', 5))));
    expect(all.filter((exceeded) => exceeded.length === 0)).to.have.length(5);
  });

  it('have all points again after the window', async () => {
    const spend = spendIn();
    await spend(0, bucket('a'));
    await spend(59_000, bucket('a'));
    expect(await spend(59_999, bucket('a'))).to.deep.equal(['a']);
    expect(await spend(60_000, bucket('a'))).to.deep.equal([]);
    expect(await spend(60_001, bucket('a'))).to.deep.equal([]);
    expect(await spend(60_002, bucket('a'))).to.deep.equal(['a']);
  });

  it('do not block longer if the clock is set back', async () => {
    const spend = spendIn();
    await spend(10_000_000, bucket('a', 1));
    expect(await spend(9_999_000, bucket('a', 1))).to.deep.equal([]);
    expect(await spend(9_999_000, bucket('a', 1))).to.deep.equal(['a']);
  });

  it('take no points if one of them has none left', async () => {
    const spend = spendIn();
    await spend(0, bucket('a', 1), bucket('b', 2));
    expect(await spend(0, bucket('a', 1), bucket('b', 2))).to.deep.equal(['a']);
    expect(await spend(0, bucket('b', 2))).to.deep.equal([]);
    expect(await spend(0, bucket('a', 1), bucket('b', 2))).to.deep.equal(['a', 'b']);
  });

  for (const key of ['event', undefined]) {
    it(`get the points of a released claim back, ${key === undefined ? 'without' : 'with'} an event key`, async () => {
      const state = openMemoryState();
      const life = { nowMs: 0, rememberMs: 1000, limits: [bucket('a', 1)] };
      const first = await state.claim(eventClaim(key, life));
      if (first.isFirst) first.release();
      expect(await spendIn(state)(0, bucket('a', 1))).to.deep.equal([]);
      // A claim that took no point returns none.
      const over = await state.claim(eventClaim('over', life));
      if (over.isFirst) over.release();
      expect(await spendIn(state)(0, bucket('a', 1))).to.deep.equal(['a']);
    });
  }

  it('of a later window get no points from the late release of an earlier one', async () => {
    const state = openMemoryState();
    const late = await state.claim(
      eventClaim('late', { nowMs: 0, rememberMs: 1000, limits: [bucket('a', 1)] }),
    );
    const spend = spendIn(state);
    await spend(60_000, bucket('a', 1));
    if (late.isFirst) late.release();
    expect(await spend(60_001, bucket('a', 1))).to.deep.equal(['a']);
  });

  it('have no extra points if the clock was set back and both claims are released', async () => {
    const state = openMemoryState();
    const claims: Claim[] = [];
    for (const nowMs of [10_000, 9_000]) {
      claims.push(
        await state.claim(eventClaim(`at-${nowMs}`, { nowMs, rememberMs: 1000, limits: [bucket('a', 1)] })),
      );
    }
    for (const claim of claims.reverse()) if (claim.isFirst) claim.release();
    const spend = spendIn(state);
    expect(await spend(9_500, bucket('a', 1))).to.deep.equal([]);
    expect(await spend(9_500, bucket('a', 1))).to.deep.equal(['a']);
  });

  it('are kept for the last 16,000 keys; unused keys are forgotten first', async () => {
    const state = openMemoryState();
    const spend = spendIn(state);
    const many = (from: number, to: number): Bucket[] =>
      Array.from({ length: to - from }, (_, index) => bucket(`key-${from + index}`, 1, 600));
    for (let from = 0; from < 32_000; from += 1_000) {
      await spend(0, ...many(from, from + 1_000));
      // A key that is refused repeatedly stays refused.
      if (from > 0) expect(await spend(0, bucket('key-0', 1, 600))).to.deep.equal(['key-0']);
    }
    expect(await spend(0, bucket('key-31999', 1, 600))).to.deep.equal(['key-31999']);
    expect(await spend(0, bucket('key-16001', 1, 600))).to.deep.equal(['key-16001']);
    expect(await spend(0, bucket('key-16000', 1, 600))).to.deep.equal([]);
  });
});
