import { expect } from 'chai';
import { isFirstOf } from '#lib/delivery/first-claim.js';
import type { Claim, RememberedAnswer, State } from '#lib/delivery/state.js';
import { memoryState } from '#lib/index.js';
import { NOW } from './late/receipts.js';
import { stopTime } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';

const LIFE = { nowMs: NOW, rememberMs: 60_000 };

describe('the first of its kind', () => {
  const rejections: unknown[] = [];
  const onRejection = (error: unknown): void => {
    rejections.push(error);
  };
  beforeEach(() => {
    rejections.length = 0;
    process.on('unhandledRejection', onRejection);
  });
  afterEach(() => {
    process.off('unhandledRejection', onRejection);
  });
  const repeat = (answer: Promise<RememberedAnswer | undefined>): Claim => ({ isFirst: false, answer });
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const failureOf = (state: Pick<State, 'claim'>): Promise<unknown> =>
    isFirstOf(state, 'a', LIFE, 500).then(
      () => expect.fail('it answered'),
      (error: unknown) => error,
    );

  it('is who asks first, by each key, as long as it is known', async () => {
    const state = memoryState();
    expect(await isFirstOf(state, 'a', LIFE, 500)).to.equal(true);
    expect(await isFirstOf(state, 'a', LIFE, 500)).to.equal(false);
    expect(await isFirstOf(state, 'b', LIFE, 500)).to.equal(true);
    const clock = stopTime();
    try {
      expect(await isFirstOf(state, 'c', LIFE, 500)).to.equal(true);
      clock.tick(LIFE.rememberMs);
      expect(await isFirstOf(state, 'c', LIFE, 500)).to.equal(true);
    } finally {
      clock.restore();
    }
  });

  it('takes a point of no limit, and leaves nobody waiting', async () => {
    const state = memoryState();
    await isFirstOf(state, 'a', LIFE, 500);
    const again = await state.claim('a', { ...LIFE, buckets: [] });
    expect(again.isFirst ? undefined : await again.answer).to.deep.equal({});
  });

  it('is for the caller to say where the state throws, or rejects', async () => {
    const error = new Error('no');
    const throwing = (): never => {
      throw error;
    };
    expect(await failureOf({ claim: throwing })).to.equal(error);
    expect(await failureOf({ claim: () => Promise.reject(error) })).to.equal(error);
  });

  it('is not known in time where the state hangs; what it says later is taken, and may be a failure', async () => {
    const ends = [
      (late: ReturnType<typeof defer<Claim>>) => {
        late.reject(new Error('lost'));
      },
      (late: ReturnType<typeof defer<Claim>>) => {
        late.resolve(repeat(Promise.reject(new Error('lost'))));
      },
    ];
    for (const end of ends) {
      const late = defer<Claim>();
      const clock = stopTime();
      try {
        const asking = failureOf({ claim: () => late.promise });
        clock.tick(500);
        expect(await asking).to.match(/no answer in time/);
      } finally {
        clock.restore();
      }
      end(late);
      await nextTurn();
    }
    let settled: RememberedAnswer | undefined;
    const late = defer<Claim>();
    const clock = stopTime();
    try {
      const asking = failureOf({ claim: () => late.promise });
      clock.tick(500);
      await asking;
    } finally {
      clock.restore();
    }
    const settle = (answer: RememberedAnswer): void => {
      settled = answer;
    };
    late.resolve({ isFirst: true, exceeded: [], settle, release: () => undefined });
    await until(() => settled !== undefined);
    expect(rejections).to.be.empty;
  });

  it('is not a repeat whose answer cannot be had', async () => {
    const claim = (): Claim => repeat(Promise.reject(new Error('the first call has no answer')));
    expect(await isFirstOf({ claim }, 'a', LIFE, 500)).to.equal(false);
    await nextTurn();
    expect(rejections).to.be.empty;
  });
});
