import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type sinon from 'sinon';
import type { Known, NextRecords, RecordKind, RecordName } from '#lib/delivery/records.js';
import { MemoryRecords } from '#lib/state/memory/memory-state.js';
import { stopTime } from '#harness/stopped-time.js';
import { makeReceipt } from '../../delivery/messages/receipts.js';

/** Only the garbage collector shows what a state no longer references. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const LIFE_MS = 300_000;
const DELIVERED = { status: 'delivered' } as const;
const waiting = () => ({ status: 'waiting', receipt: makeReceipt() }) as const;

const message = (key: string): RecordName<'message'> => ({ kind: 'message', key });

describe('records of memoryState', () => {
  let clock: sinon.SinonFakeTimers;
  let records: MemoryRecords;
  beforeEach(() => {
    clock = stopTime();
    records = new MemoryRecords();
  });
  afterEach(() => {
    expect(clock.countTimers(), 'timers').to.equal(0);
    clock.restore();
  });

  /** Values of any kind: a state does not look into them. */
  const keep = (name: RecordName, value: unknown = DELIVERED, lifeMs = LIFE_MS): void => {
    const next = [{ value, lifeMs }] as unknown as NextRecords<readonly [RecordName]>;
    void records.update([name], () => ({ next, result: undefined }));
  };
  const find = async (name: RecordName): Promise<Known<unknown> | undefined> =>
    records.read([name], ([known]) => known);

  it('are changed before update() returns, which resolves with the result', async () => {
    let isRun = false;
    const updating = records.update([message('SM1')], ([known], moment) => {
      isRun = true;
      expect(known).to.equal(undefined);
      expect(moment.waitedMs).to.equal(0);
      return { next: [{ value: DELIVERED, lifeMs: LIFE_MS }], result: 'done' };
    });
    expect(isRun).to.equal(true);
    expect(records.recall(message('SM1'))?.value).to.equal(DELIVERED);
    expect(await updating).to.equal('done');
  });

  it('change several at once, and those without a next value stay', async () => {
    const both = [message('SM1'), { kind: 'attempt', key: 'SM1' }] as const;
    const attempt = { status: 'unknown', receipt: makeReceipt() } as const;
    await records.update(both, () => ({
      next: [
        { value: DELIVERED, lifeMs: LIFE_MS },
        { value: attempt, lifeMs: 1_000 },
      ],
      result: undefined,
    }));
    clock.tick(600);
    const named = { status: 'named', messageKey: 'SM1', recogniseToken: 'mine' } as const;
    const found = await records.update(both, (known) => ({
      next: [undefined, { value: named, lifeMs: 1_000 }],
      result: known,
    }));
    expect(found).to.deep.equal([
      { value: DELIVERED, leftMs: LIFE_MS - 600 },
      { value: attempt, leftMs: 400 },
    ]);
    // Without `next`, all stay.
    await records.update(both, () => ({ result: undefined }));
    expect(await records.read(both, (known) => known)).to.deep.equal([
      { value: DELIVERED, leftMs: LIFE_MS - 600 },
      { value: named, leftMs: 1_000 },
    ]);
  });

  it('are apart for each kind', async () => {
    keep(message('SM1'));
    expect(await find({ kind: 'attempt', key: 'SM1' })).to.equal(undefined);
    expect(await find({ kind: 'lastCode', key: 'SM1' })).to.equal(undefined);
  });

  it('are recalled with the rest of their life', () => {
    keep(message('SM1'));
    clock.tick(1_000);
    expect(records.recall(message('SM1'))).to.deep.equal({ value: DELIVERED, leftMs: LIFE_MS - 1_000 });
    expect(records.recall(message('SM2'))).to.equal(undefined);
    clock.tick(LIFE_MS - 1_000);
    expect(records.recall(message('SM1'))).to.equal(undefined);
  });

  it('live from their last update on', async () => {
    keep(message('SM1'));
    clock.tick(LIFE_MS - 1);
    keep(message('SM1'), waiting(), 1_000);
    clock.tick(999);
    expect((await find(message('SM1')))?.leftMs).to.equal(1);
    clock.tick(1);
    expect(await find(message('SM1'))).to.equal(undefined);
  });

  it('are released soon after their end, without a timer or a request, also behind one that lives longer', async () => {
    const keepWeakly = (key: string, lifeMs = LIFE_MS): WeakRef<object> => {
      const value = waiting();
      keep(message(key), value, lifeMs);
      return new WeakRef(value);
    };
    const kept = [keepWeakly('SM0', 3 * LIFE_MS)];
    for (let count = 1; count <= 20; count += 1) kept.push(keepWeakly(`SM${count}`));
    clock.tick(LIFE_MS);
    // Each new record checks more than one old one.
    for (let count = 0; count < 25; count += 1) kept.push(keepWeakly(`SM-later-${count}`));
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const isThere = kept.map((value) => value.deref() !== undefined);
    expect(isThere.map((is, at) => is === (at === 0 || at > 20))).to.not.include(false);
    expect(records.recall(message('SM0'))).to.not.equal(undefined);
  });

  for (const [kind, max, prefix = 'key-'] of [
    ['message', 8_000],
    ['attempt', 8_000],
    ['lastCode', 16_000],
    ['suppressions', 20_000, '+44'],
  ] as const satisfies readonly (readonly [kind: RecordKind, max: number, prefix?: string])[]) {
    it(`of kind ${kind} are limited to ${max}: the oldest is dropped first (${prefix})`, async () => {
      for (let count = 0; count <= max; count += 1) keep({ kind, key: `${prefix}${count}` });
      expect(await find({ kind, key: `${prefix}0` })).to.equal(undefined);
      expect(await find({ kind, key: `${prefix}1` })).to.not.equal(undefined);
      expect(await find({ kind, key: `${prefix}${max}` })).to.not.equal(undefined);
    });
  }

  it('of WhatsApp ids are limited to 20,000, and do not push out those of numbers', async () => {
    keep({ kind: 'suppressions', key: '+447700900123' });
    for (let count = 0; count <= 20_000; count += 1) keep({ kind: 'suppressions', key: `US.${count}` });
    expect(await find({ kind: 'suppressions', key: '+447700900123' })).to.not.equal(undefined);
    expect(await find({ kind: 'suppressions', key: 'US.0' })).to.equal(undefined);
    expect(await find({ kind: 'suppressions', key: 'US.1' })).to.not.equal(undefined);
  });

  it('are limited to 8,000 messages after some have ended and others were updated: those are the newest', async () => {
    keep(message('SM1'), DELIVERED, 1);
    for (const count of [0, 2, 3, 4]) keep(message(`SM${count}`));
    for (let count = 5; count < 8_000; count += 1) keep(message(`SM${count}`));
    clock.tick(1);
    keep(message('SM0'));
    for (const key of ['new-1', 'new-2', 'new-3']) keep(message(key));
    const isThere = await Promise.all(
      ['SM0', 'SM1', 'SM2', 'SM3', 'SM4', 'SM7999', 'new-1', 'new-3'].map(
        async (key) => (await find(message(key))) !== undefined,
      ),
    );
    // One had ended, and three are new: two of the oldest go.
    expect(isThere).to.deep.equal([true, false, false, false, true, true, true, true]);
  });

  it('stay for the next messages while others are updated again and again', async () => {
    keep(message('SM0'));
    for (let count = 0; count < 8_001; count += 1) keep(message('busy'));
    for (let count = 0; count < 7_998; count += 1) keep(message(`SM-other-${count}`));
    expect(await find(message('SM0'))).to.not.equal(undefined);
    keep(message('one more'));
    expect(await find(message('SM0'))).to.equal(undefined);
  });
});
