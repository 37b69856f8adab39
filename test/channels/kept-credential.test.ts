import { expect } from 'chai';
import type sinon from 'sinon';
import { keptCredential } from '#lib/channels/kept-credential.js';
import { endTime, stopTime } from '#harness/stopped-time.js';

const MINUTE_MS = 60_000;
const WAIT_MS = 1_000;

describe('a kept credential', () => {
  let time: sinon.SinonFakeTimers;
  let now: number;
  let asked: number;
  let fetched: () => unknown;
  beforeEach(() => {
    time = stopTime();
    now = 0;
    asked = 0;
    fetched = () => Promise.resolve(`key ${asked}`);
  });
  afterEach(() => {
    endTime(time);
  });
  const hanging = (): Promise<never> => new Promise(() => undefined);
  /** One that ends after an hour, and is fetched again five minutes before. */
  const open = () =>
    keptCredential({
      fetch: () => {
        asked += 1;
        return fetched();
      },
      read: (given) => (typeof given === 'string' ? given : undefined),
      endOf: () => 60 * MINUTE_MS,
      spareMs: 5 * MINUTE_MS,
      waitMs: WAIT_MS,
      clock: () => now,
    });
  const get = (kept: ReturnType<typeof open>): Promise<string | undefined> =>
    kept.get({ leaveSignal: new AbortController().signal });
  /** What a message gets, and how long it waits for it, milliseconds. */
  const wait = async (kept: ReturnType<typeof open>): Promise<readonly [string | undefined, number]> => {
    const startedAt = performance.now();
    let endedAt = Infinity;
    const getting = get(kept).finally(() => {
      endedAt = performance.now();
    });
    for (let step = 0; step < 30; step += 1) await time.tickAsync(100);
    return [await getting, endedAt - startedAt];
  };

  it('waits for a new one shortly before its end, and then goes on with the old one', async () => {
    const kept = open();
    expect(await wait(kept)).to.deep.equal(['key 1', 0]);
    now = 56 * MINUTE_MS;
    fetched = hanging;
    expect(await wait(kept)).to.deep.equal(['key 1', WAIT_MS]);
    // All messages share the wait.
    expect(await wait(kept)).to.deep.equal(['key 1', 0]);
    expect(asked).to.equal(2);
    now = 60 * MINUTE_MS;
    expect(await wait(kept)).to.deep.equal([undefined, WAIT_MS]);
  });

  it('is fetched once for messages that come together, and again if a fetch takes more than ten seconds', async () => {
    const kept = open();
    fetched = hanging;
    expect(await Promise.all([wait(kept), wait(kept)])).to.have.length(2);
    expect(asked).to.equal(1);
    await time.tickAsync(10_000);
    fetched = () => 'key';
    expect(await wait(kept)).to.deep.equal(['key', 0]);
    expect(asked).to.equal(2);
  });

  it('is fetched again once the provider has refused it', async () => {
    const kept = open();
    await wait(kept);
    kept.forget();
    expect(await wait(kept)).to.deep.equal(['key 2', 0]);
  });
});
