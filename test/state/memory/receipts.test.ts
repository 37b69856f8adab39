import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { NewEvent } from '#lib/delivery/state.js';
import type { FinalReport } from '#lib/delivery/late/receipt.js';
import { memoryReceipts } from '#lib/state/memory/receipts.js';
import { CODE_LIFE_MS, makeReceipt, NOW } from '../../delivery/late/receipts.js';

/** What a state has let go cannot be seen from outside but by this. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const FAILED: FinalReport = { status: 'failed', code: '63024', reason: 'No' };
const DELIVERED: FinalReport = { status: 'delivered' };

const event = (eventKey: string, change: Partial<NewEvent> = {}): NewEvent => ({
  eventKey,
  isPreview: false,
  nowMs: NOW,
  untilMs: NOW + CODE_LIFE_MS,
  ...change,
});

describe('the receipts of memoryState', () => {
  const receipt = makeReceipt();
  const life = { nowMs: NOW, untilMs: NOW + CODE_LIFE_MS };

  it('are given to one only of all who ask', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, life);
    expect(state.takeReceipt('SM2', NOW, FAILED)).to.equal(undefined);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
  });

  for (const [afterMs, isThere] of [
    [CODE_LIFE_MS - 1, true],
    [CODE_LIFE_MS, false],
  ] as const) {
    it(`are ${isThere ? 'there' : 'gone'} ${afterMs} ms after a code of ${CODE_LIFE_MS} ms`, () => {
      const state = memoryReceipts();
      state.keepReceipt('SM1', receipt, life);
      expect(state.takeReceipt('SM1', NOW + afterMs, FAILED) !== undefined).to.equal(isThere);
    });
  }

  it('are as many as 8,000', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 8_000; count += 1) state.keepReceipt(`SM${count}`, receipt, life);
    expect(state.takeReceipt('SM0', NOW, FAILED)).to.equal(undefined);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
  });

  it('are not kept where the message was reported before, which is given in their place', () => {
    const state = memoryReceipts();
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(state.keepReceipt('SM1', receipt, life)).to.equal(FAILED);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(state.keepReceipt('SM2', receipt, life)).to.equal(undefined);
  });

  it('go soon after their code, although nobody asks for them, behind those that live longer, too', async () => {
    const state = memoryReceipts();
    const keep = (name: string, nowMs: number, lifeMs = CODE_LIFE_MS): WeakRef<object> => {
      const kept = makeReceipt();
      state.keepReceipt(name, kept, { nowMs, untilMs: nowMs + lifeMs });
      return new WeakRef(kept);
    };
    const kept = [keep('SM0', NOW, 3 * CODE_LIFE_MS)];
    for (let count = 1; count <= 20; count += 1) kept.push(keep(`SM${count}`, NOW));
    const later = NOW + CODE_LIFE_MS;
    // Each that comes is one more to look at.
    for (let count = 0; count < 25; count += 1) kept.push(keep(`SM-later-${count}`, later));
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const isThere = kept.map((receipt) => receipt.deref() !== undefined);
    expect(isThere.map((is, at) => is === (at === 0 || at > 20))).to.not.include(false);
    expect(state.takeReceipt('SM0', later, FAILED)).to.not.equal(undefined);
  });

  it('are as many as 8,000 where some were taken, and others came again', () => {
    const state = memoryReceipts();
    for (let count = 0; count < 8_000; count += 1) state.keepReceipt(`SM${count}`, receipt, life);
    state.takeReceipt('SM1', NOW, DELIVERED);
    state.keepReceipt('SM0', receipt, life);
    for (const id of ['new-1', 'new-2', 'new-3']) state.keepReceipt(id, receipt, life);
    const isThere = ['SM0', 'SM2', 'SM3', 'SM4', 'new-1'].map(
      (id) => state.takeReceipt(id, NOW, FAILED) !== undefined,
    );
    expect(isThere).to.deep.equal([true, false, false, true, true]);
  });
});

describe('the reports of memoryState', () => {
  const receipt = makeReceipt();
  const life = { nowMs: NOW, untilMs: receipt.expiresAtMs };

  it('move forward only', () => {
    const state = memoryReceipts();
    for (const report of [FAILED, DELIVERED, FAILED]) state.takeReceipt('SM1', NOW, report);
    expect(state.isDelivered(['SM2', 'SM1'], NOW)).to.equal(true);
    expect(state.isDelivered(['SM2'], NOW)).to.equal(false);
    expect(state.keepReceipt('SM1', receipt, life)).to.equal(DELIVERED);
  });

  it('are of messages that somebody goes on with, too', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, life);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(false);
    // It is not gone on with twice.
    expect(state.keepReceipt('SM1', receipt, life)).to.equal(FAILED);
    state.takeReceipt('SM1', NOW, DELIVERED);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(true);
  });

  it('are not kept where a receipt was there and the message is delivered', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, life);
    state.takeReceipt('SM1', NOW, DELIVERED);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(false);
  });

  it('are forgotten after a minute, and where there are more than 6,000', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 6_000; count += 1) state.takeReceipt(`SM${count}`, NOW, DELIVERED);
    expect(state.isDelivered(['SM0'], NOW)).to.equal(false);
    expect(state.isDelivered(['SM1'], NOW + 59_999)).to.equal(true);
    expect(state.isDelivered(['SM1'], NOW + 60_000)).to.equal(false);
    expect(state.keepReceipt('SM1', receipt, { ...life, nowMs: NOW + 60_000 })).to.equal(undefined);
  });
});

describe('the newest events of memoryState', () => {
  it('are known by person, as long as their code lives', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('bob', 'event-1', NOW)).to.equal('unknown');
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS - 1)).to.equal(true);
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS)).to.equal('unknown');
  });

  it('take the place of older ones and of previews', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('preview-1', { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW)).to.equal(true);
    state.overtake('ana', event('event-2', { untilMs: NOW + 1000 }));
    // Also when it has ended, and they have not.
    for (const nowMs of [NOW, NOW + 1000]) {
      for (const key of ['event-1', 'preview-1']) expect(state.isNewest('ana', key, nowMs)).to.equal(false);
      expect(state.isNewest('ana', 'event-2', nowMs)).to.equal(true);
    }
  });

  it('are what came last, whatever the clock says', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW - 1000 }));
    expect(state.isNewest('ana', 'event-2', NOW)).to.equal(true);
  });

  it('are not overtaken by a preview that came while they waited, which stays beside them', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    state.overtake('ana', event('event-1', { nowMs: NOW + 1100, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1100)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW + 1100)).to.equal(true);
    state.overtake('ana', event('event-0', { nowMs: NOW + 1200, ageMs: 900 }));
    expect(state.isNewest('ana', 'event-0', NOW + 1200)).to.equal(false);
    expect(state.isNewest('ana', 'event-1', NOW + 1200)).to.equal(true);
  });

  it('are overtaken by one that has waited and came later, or that its gateway knows to have come later', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW + 900, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-2', NOW + 900)).to.equal(true);
    state.overtake('ana', event('event-3', { nowMs: NOW + 1000, ageMs: 900, after: 'event-2' }));
    expect(state.isNewest('ana', 'event-3', NOW + 1000)).to.equal(true);
  });

  it('are not kept by a preview from ending with their code, nor brought back by one', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1', { untilMs: NOW + 1000 }));
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1000)).to.equal(false);
    expect(state.isNewest('ana', 'preview-1', NOW + 1000)).to.equal(true);
  });

  it('are not more than 21 for an administrator who presses Preview again and again', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-29', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-10', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-9', NOW)).to.equal(false);
  });

  it('are the newest 20 previews where nothing else is known', () => {
    const state = memoryReceipts();
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    const known = Array.from({ length: 30 }, (_, count) => state.isNewest('ana', `preview-${count}`, NOW));
    expect(known.indexOf(true)).to.equal(10);
    expect(known.lastIndexOf(false)).to.equal(9);
  });

  it('are those of 16,000 people, and of the last 8,000 always', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 16_000; count += 1) state.overtake(`person-${count}`, event('event-1'));
    const known = [0, 7_999, 8_000, 16_000].map((at) => state.isNewest(`person-${at}`, 'event-1', NOW));
    expect(known).to.deep.equal(['unknown', 'unknown', true, true]);
  });

  it('are not forgotten of a person who asks again and again', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 40_000; count += 1) {
      state.overtake(`person-${count}`, event('event-1'));
      if (count % 1_000 === 0) state.overtake('ana', event(`event-${count}`));
    }
    expect(state.isNewest('ana', 'event-40000', NOW)).to.equal(true);
  });
});
