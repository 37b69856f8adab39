import { expect } from 'chai';
import type sinon from 'sinon';
import type { AnswerOfFirst, Claim, EventLife, RememberedAnswer } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { stopTime } from '#harness/stopped-time.js';

const ANSWER: RememberedAnswer = { commands: [] };
const LIFE_MS = 300_000;

/** An event without limits. */
const life = (nowMs: number, rememberMs = LIFE_MS): EventLife => ({ nowMs, rememberMs, buckets: [] });

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
  const answerOf = (claim: Claim): AnswerOfFirst => {
    if (claim.isFirst) throw new Error('the first');
    return claim.answer;
  };

  it('makes one of 40 claims of a key the first, and gives the others its answer', async () => {
    const state = openMemoryState();
    const claims = await Promise.all(Array.from({ length: 40 }, async () => state.claim('key', life(0))));
    expect(claims.map(({ isFirst }) => isFirst)).to.deep.equal([
      true,
      ...Array.from({ length: 39 }, () => false),
    ]);
    const answers = Promise.all(claims.slice(1).map(answerOf));
    first(claims[0]!).settle(JSON.stringify(ANSWER));
    expect(new Set(await answers)).to.deep.equal(new Set([ANSWER]));
  });

  it('treats each key separately', async () => {
    const state = openMemoryState();
    await state.claim('one', life(0));
    expect(await state.claim('other', life(0))).to.include({ isFirst: true });
  });

  it('is separate for each hook', async () => {
    await openMemoryState().claim('key', life(0));
    expect(await openMemoryState().claim('key', life(0))).to.include({ isFirst: true });
  });

  for (const [nowMs, isFirst] of [
    [LIFE_MS - 1, false],
    [LIFE_MS, true],
  ] as const) {
    it(`${isFirst ? 'has forgotten' : 'still knows'} an event with a life of ${LIFE_MS} ms after ${nowMs} ms`, async () => {
      const state = openMemoryState();
      first(await state.claim('key', life(0))).settle(JSON.stringify(ANSWER));
      clock.tick(nowMs);
      expect(await state.claim('key', life(0))).to.include({ isFirst });
    });
  }

  it('makes the next claim the first after a release, and ends the wait of the others', async () => {
    const state = openMemoryState();
    const claim = first(await state.claim('key', life(0)));
    const waiting = await state.claim('key', life(0));
    claim.release();
    expect(await answerOf(waiting)).to.equal(undefined);
    expect(await state.claim('key', life(0))).to.include({ isFirst: true });
  });

  it('never forgets an unfinished event, even after its life', async () => {
    const state = openMemoryState();
    const claim = first(await state.claim('key', life(0)));
    clock.tick(LIFE_MS);
    const repeat = await state.claim('key', life(LIFE_MS));
    expect(repeat).to.include({ isFirst: false });
    claim.settle(JSON.stringify(ANSWER));
    expect(await answerOf(repeat)).to.deep.equal(ANSWER);
  });

  for (const jumpMs of [-3_600_000, 3_600_000]) {
    it(`still knows an answered event when the clock is set by ${jumpMs} ms`, async () => {
      const state = openMemoryState();
      first(await state.claim('key', life(0))).settle(JSON.stringify(ANSWER));
      expect(await state.claim('key', life(jumpMs))).to.include({ isFirst: false });
    });
  }

  it('forgets the older half of 16,000 events', async () => {
    const state = openMemoryState();
    for (let count = 0; count <= 16_000; count += 1) await state.claim(`key-${count}`, life(0));
    for (const known of [16_000, 8_001, 8_000])
      expect(await state.claim(`key-${known}`, life(0))).to.include({ isFirst: false });
    for (const forgotten of [0, 7_999])
      expect(await state.claim(`key-${forgotten}`, life(0))).to.include({ isFirst: true });
  });

  it('is always healthy', async () => {
    const state = openMemoryState();
    expect(state.health).to.equal('ok');
    await state.check();
    await state.close();
  });
});
