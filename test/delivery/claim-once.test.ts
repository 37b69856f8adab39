import { expect } from 'chai';
import { claimOnce } from '#lib/delivery/claim-once.js';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { eventClaim } from '#harness/event-claim.js';
import { stopTime } from '#harness/stopped-time.js';

const TIMES = { rememberMs: 60_000, waitMs: 500 };

describe('claiming something that is no code', () => {
  const isFirst = async (state: StatePort, key = 'a'): Promise<boolean> =>
    (await claimOnce(state, key, TIMES)).isFirst;

  it('makes one claim of each key the first', async () => {
    const state = openMemoryState();
    const claims = await Promise.all(['a', 'a', 'b', 'a'].map((key) => isFirst(state, key)));
    expect(claims).to.deep.equal([true, false, true, false]);
  });

  it('makes a claim the first again when the answered one is forgotten', async () => {
    const clock = stopTime();
    try {
      const state = openMemoryState();
      const claim = await claimOnce(state, 'a', TIMES);
      if (claim.isFirst) claim.settle({});
      clock.tick(TIMES.rememberMs - 1);
      expect(await isFirst(state)).to.equal(false);
      clock.tick(1);
      expect(await isFirst(state)).to.equal(true);
    } finally {
      clock.restore();
    }
  });

  it('gives a repeat what the first claim left', async () => {
    const state = openMemoryState();
    const claim = await claimOnce(state, 'a', TIMES);
    if (claim.isFirst) claim.settle({ words: 'are applied' });
    const again = await claimOnce(state, 'a', TIMES);
    expect(again.isFirst ? undefined : await again.answer).to.deep.equal({ words: 'are applied' });
  });

  it('has no place among the codes of a person, counts against no limit, and waits as long as its caller', async () => {
    const memory = openMemoryState();
    const asked: unknown[] = [];
    const claim = await claimOnce(
      {
        claim: (event) => {
          asked.push(event);
          return memory.claim(event);
        },
      },
      'a',
      TIMES,
    );
    expect(claim).to.deep.include({ isFirst: true, place: undefined, exceeded: [] });
    const none = { person: undefined, passes: 'never', limits: [], recipient: undefined } as const;
    expect(asked).to.deep.equal([eventClaim('a', { ...TIMES, ...none, requestedAtMs: 0, nowMs: 0 })]);
  });
});
