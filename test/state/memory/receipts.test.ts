import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import type { NewEvent } from '#lib/delivery/state.js';
import type { FinalReport } from '#lib/delivery/messages/receipt.js';
import type { LastCode, SentCode } from '#lib/delivery/messages/sent-codes.js';
import { memoryReceipts, memorySentCodes, newPeople } from '#lib/state/memory/receipts.js';
import { CODE_LIFE_MS, makeReceipt, NOW } from '../../delivery/messages/receipts.js';

/** Only the garbage collector shows what a state no longer references. */
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

describe('receipts of memoryState', () => {
  const receipt = makeReceipt({ expiresAtMs: NOW + CODE_LIFE_MS });

  it('go to the first request only', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, NOW);
    expect(state.takeReceipt('SM2', NOW, FAILED)).to.equal(undefined);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
  });

  for (const [afterMs, isThere] of [
    [CODE_LIFE_MS - 1, true],
    [CODE_LIFE_MS, false],
  ] as const) {
    it(`are ${isThere ? 'there' : 'gone'} ${afterMs} ms after a code that lives ${CODE_LIFE_MS} ms`, () => {
      const state = memoryReceipts();
      state.keepReceipt('SM1', receipt, NOW);
      expect(state.takeReceipt('SM1', NOW + afterMs, FAILED) !== undefined).to.equal(isThere);
    });
  }

  it('are limited to 8,000', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 8_000; count += 1) state.keepReceipt(`SM${count}`, receipt, NOW);
    expect(state.takeReceipt('SM0', NOW, FAILED)).to.equal(undefined);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
  });

  it('are not kept if the message was reported before: keepReceipt() returns the report', () => {
    const state = memoryReceipts();
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(state.keepReceipt('SM1', receipt, NOW)).to.equal(FAILED);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(undefined);
    expect(state.keepReceipt('SM2', receipt, NOW)).to.equal(undefined);
  });

  it('are released soon after their code ends, without a request, also behind one that lives longer', async () => {
    const state = memoryReceipts();
    const keep = (name: string, nowMs: number, lifeMs = CODE_LIFE_MS): WeakRef<object> => {
      const kept = makeReceipt({ expiresAtMs: nowMs + lifeMs });
      state.keepReceipt(name, kept, nowMs);
      return new WeakRef(kept);
    };
    const kept = [keep('SM0', NOW, 3 * CODE_LIFE_MS)];
    for (let count = 1; count <= 20; count += 1) kept.push(keep(`SM${count}`, NOW));
    const later = NOW + CODE_LIFE_MS;
    // Each new receipt checks one more old one.
    for (let count = 0; count < 25; count += 1) kept.push(keep(`SM-later-${count}`, later));
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const isThere = kept.map((receipt) => receipt.deref() !== undefined);
    expect(isThere.map((is, at) => is === (at === 0 || at > 20))).to.not.include(false);
    expect(state.takeReceipt('SM0', later, FAILED)).to.not.equal(undefined);
  });

  it('are limited to 8,000 after some were taken and others stored again', () => {
    const state = memoryReceipts();
    for (let count = 0; count < 8_000; count += 1) state.keepReceipt(`SM${count}`, receipt, NOW);
    state.takeReceipt('SM1', NOW, DELIVERED);
    state.keepReceipt('SM0', receipt, NOW);
    for (const id of ['new-1', 'new-2', 'new-3']) state.keepReceipt(id, receipt, NOW);
    const isThere = ['SM0', 'SM2', 'SM3', 'SM4', 'new-1'].map(
      (id) => state.takeReceipt(id, NOW, FAILED) !== undefined,
    );
    expect(isThere).to.deep.equal([true, false, false, true, true]);
  });
});

describe('reports of memoryState', () => {
  const receipt = makeReceipt();

  it('never go back from delivered to failed', () => {
    const state = memoryReceipts();
    for (const report of [FAILED, DELIVERED, FAILED]) state.takeReceipt('SM1', NOW, report);
    expect(state.isDelivered(['SM2', 'SM1'], NOW)).to.equal(true);
    expect(state.isDelivered(['SM2'], NOW)).to.equal(false);
    expect(state.keepReceipt('SM1', receipt, NOW)).to.equal(DELIVERED);
  });

  it('are kept for messages whose receipt was taken', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, NOW);
    expect(state.takeReceipt('SM1', NOW, FAILED)).to.equal(receipt);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(false);
    // The receipt is not taken twice.
    expect(state.keepReceipt('SM1', receipt, NOW)).to.equal(FAILED);
    state.takeReceipt('SM1', NOW, DELIVERED);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(true);
  });

  it('are not kept if the message was delivered and had a receipt', () => {
    const state = memoryReceipts();
    state.keepReceipt('SM1', receipt, NOW);
    state.takeReceipt('SM1', NOW, DELIVERED);
    expect(state.isDelivered(['SM1'], NOW)).to.equal(false);
  });

  it('are forgotten after a minute, and the oldest one if there are more than 6,000', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 6_000; count += 1) state.takeReceipt(`SM${count}`, NOW, DELIVERED);
    expect(state.isDelivered(['SM0'], NOW)).to.equal(false);
    expect(state.isDelivered(['SM1'], NOW + 59_999)).to.equal(true);
    expect(state.isDelivered(['SM1'], NOW + 60_000)).to.equal(false);
    expect(state.keepReceipt('SM1', receipt, NOW + 60_000)).to.equal(undefined);
  });
});

describe('newest events of memoryState', () => {
  it('are known by person, until their code expires', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('bob', 'event-1', NOW)).to.equal('unknown');
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS - 1)).to.equal(true);
    expect(state.isNewest('ana', 'event-1', NOW + CODE_LIFE_MS)).to.equal('unknown');
  });

  it('supersede older events and previews', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('preview-1', { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW)).to.equal(true);
    state.overtake('ana', event('event-2', { untilMs: NOW + 1000 }));
    // Also after the newest has expired and the others have not.
    for (const nowMs of [NOW, NOW + 1000]) {
      for (const key of ['event-1', 'preview-1']) expect(state.isNewest('ana', key, nowMs)).to.equal(false);
      expect(state.isNewest('ana', 'event-2', nowMs)).to.equal(true);
    }
  });

  it('are those that came last, even if the clock was set back', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW - 1000 }));
    expect(state.isNewest('ana', 'event-2', NOW)).to.equal(true);
  });

  it('are not superseded by a preview that came while they waited; the preview stays too', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    state.overtake('ana', event('event-1', { nowMs: NOW + 1100, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1100)).to.equal(true);
    expect(state.isNewest('ana', 'preview-1', NOW + 1100)).to.equal(true);
    state.overtake('ana', event('event-0', { nowMs: NOW + 1200, ageMs: 900 }));
    expect(state.isNewest('ana', 'event-0', NOW + 1200)).to.equal(false);
    expect(state.isNewest('ana', 'event-1', NOW + 1200)).to.equal(true);
  });

  it('are superseded by an event that came later after a wait, or that names its predecessor', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    state.overtake('ana', event('event-2', { nowMs: NOW + 900, ageMs: 500 }));
    expect(state.isNewest('ana', 'event-2', NOW + 900)).to.equal(true);
    state.overtake('ana', event('event-3', { nowMs: NOW + 1000, ageMs: 900, after: 'event-2' }));
    expect(state.isNewest('ana', 'event-3', NOW + 1000)).to.equal(true);
  });

  it('expire with their code, even if a preview came; the preview does not bring them back', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1', { untilMs: NOW + 1000 }));
    state.overtake('ana', event('preview-1', { isPreview: true, nowMs: NOW + 1000 }));
    expect(state.isNewest('ana', 'event-1', NOW + 1000)).to.equal(false);
    expect(state.isNewest('ana', 'preview-1', NOW + 1000)).to.equal(true);
  });

  it('are at most 21 if an administrator presses Preview repeatedly', () => {
    const state = memoryReceipts();
    state.overtake('ana', event('event-1'));
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    expect(state.isNewest('ana', 'event-1', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-29', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-10', NOW)).to.equal(true);
    expect(state.isNewest('ana', 'preview-9', NOW)).to.equal(false);
  });

  it('are the last 20 previews if no code is known', () => {
    const state = memoryReceipts();
    for (let count = 0; count < 30; count += 1)
      state.overtake('ana', event(`preview-${count}`, { isPreview: true }));
    const known = Array.from({ length: 30 }, (_, count) => state.isNewest('ana', `preview-${count}`, NOW));
    expect(known.indexOf(true)).to.equal(10);
    expect(known.lastIndexOf(false)).to.equal(9);
  });

  it('are kept for the last 8,000 people, and at most a fifth more', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 16_000; count += 1) state.overtake(`person-${count}`, event('event-1'));
    const known = [0, 6_400, 8_001, 16_000].map((at) => state.isNewest(`person-${at}`, 'event-1', NOW));
    expect(known).to.deep.equal(['unknown', 'unknown', true, true]);
  });

  it('are kept for a person who requests codes repeatedly', () => {
    const state = memoryReceipts();
    for (let count = 0; count <= 40_000; count += 1) {
      state.overtake(`person-${count}`, event('event-1'));
      if (count % 1_000 === 0) state.overtake('ana', event(`event-${count}`));
    }
    expect(state.isNewest('ana', 'event-40000', NOW)).to.equal(true);
  });
});

const LIFE = { nowMs: NOW, untilMs: NOW + 1000 };

const sentAt = (atMs: number, transactionId = `SM${atMs}`): SentCode => ({
  status: 'accepted',
  codeRequest: { atMs, endsAtMs: 9e15, country: 'GB' },
  channel: 'sms',
  place: 0,
  provider: 'TWILIO',
  transactionId,
  reportedId: transactionId,
  deliveryChannel: 'sms',
  eventId: 'event-1',
});

const unsentAt = (atMs: number): LastCode => ({
  status: 'refused',
  codeRequest: { atMs, endsAtMs: 9e15 },
  deliveryChannel: 'sms',
  eventId: 'event-2',
});
const idOf = (code: LastCode | undefined): string | undefined =>
  code === undefined || code.status === 'refused' ? code?.status : code.transactionId;

describe('sent codes of memoryState', () => {
  const use = (usedMs: number, nowMs = NOW) => ({ deliveryChannel: 'sms' as const, nowMs, usedMs });

  it('go to the first use of their person only', () => {
    const state = memorySentCodes();
    const sent = sentAt(NOW);
    state.keepSent('ana', sent, LIFE);
    expect(state.takeSent('bob', use(NOW))).to.equal(undefined);
    expect(state.takeSent('ana', use(NOW))).to.equal(sent);
    expect(state.takeSent('ana', use(NOW))).to.equal(undefined);
  });

  it('are the one that was requested last, in any order of acceptance', () => {
    const state = memorySentCodes();
    for (const atMs of [NOW, NOW + 2, NOW + 1]) state.keepSent('ana', sentAt(atMs), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW + 9)))).to.equal(`SM${NOW + 2}`);
    expect(state.takeSent('ana', use(NOW + 9))).to.equal(undefined);
  });

  it('have the second message of a code that went out by two', () => {
    const state = memorySentCodes();
    for (const id of ['SM1', 'SM2']) state.keepSent('ana', sentAt(NOW, id), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM2');
  });

  it('give way to a newer code that was not sent', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    state.keepSent('ana', unsentAt(NOW + 1), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW + 9)))).to.equal('refused');
    expect(state.takeSent('ana', use(NOW + 9))).to.equal(undefined);
  });

  it('have the message of a call whose outcome was unknown first, in any order', () => {
    for (const order of [0, 1]) {
      const state = memorySentCodes();
      const codes = [sentAt(NOW, 'SM1'), { ...sentAt(NOW, ''), status: 'unknown' } as const];
      for (const code of order === 0 ? codes : codes.reverse()) state.keepSent('ana', code, LIFE);
      expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM1');
    }
  });

  it('are not kept again for half a minute after their use; newer ones are', () => {
    const state = memorySentCodes();
    const later = (atMs: number) => ({ nowMs: NOW + atMs, untilMs: NOW + 60_000 });
    const keepAndTake = (code: LastCode, atMs: number): string | undefined => {
      state.keepSent('ana', code, later(atMs));
      return idOf(state.takeSent('ana', use(NOW + 50_000, NOW + atMs)));
    };
    expect(keepAndTake(sentAt(NOW, 'SM1'), 0)).to.equal('SM1');
    expect(keepAndTake(sentAt(NOW, 'SM2'), 1)).to.equal(undefined);
    expect(keepAndTake(sentAt(NOW - 1, 'SM3'), 29_999)).to.equal(undefined);
    expect(keepAndTake(sentAt(NOW, 'SM4'), 30_000)).to.equal('SM4');
    expect(keepAndTake(sentAt(NOW + 1, 'SM5'), 30_001)).to.equal('SM5');
  });

  it('can be moved out once, and kept again', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW, 'SM1'), LIFE);
    expect(idOf(state.moveSent('ana', 'sms', NOW))).to.equal('SM1');
    expect(state.moveSent('ana', 'sms', NOW)).to.equal(undefined);
    state.keepSent('ana', sentAt(NOW, 'SM1'), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM1');
    expect(state.moveSent('ana', 'sms', NOW)).to.equal(undefined);
  });

  it('stay if they were requested after the use', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    expect(state.takeSent('ana', use(NOW - 1))).to.equal(undefined);
    expect(state.takeSent('ana', use(NOW))).to.not.equal(undefined);
  });

  it('expire, and an older code can then be kept', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    expect(state.takeSent('ana', use(NOW, NOW + 1000))).to.equal(undefined);
    state.keepSent('ana', sentAt(NOW), LIFE);
    state.keepSent('ana', sentAt(NOW - 1), { nowMs: NOW + 1000, untilMs: NOW + 2000 });
    expect(state.takeSent('ana', use(NOW, NOW + 1999))?.codeRequest.atMs).to.equal(NOW - 1);
  });

  it('are one for texts and one for voice calls', () => {
    const state = memorySentCodes();
    const call: SentCode = { ...sentAt(NOW, 'CA1'), deliveryChannel: 'voice' };
    for (const code of [sentAt(NOW, 'SM1'), call]) state.keepSent('ana', code, LIFE);
    expect(idOf(state.takeSent('ana', { ...use(NOW), deliveryChannel: 'voice' }))).to.equal('CA1');
    expect(idOf(state.takeSent('ana', { ...use(NOW), deliveryChannel: 'voice' }))).to.equal(undefined);
    expect(idOf(state.moveSent('ana', 'sms', NOW))).to.equal('SM1');
  });

  it('stay kept or taken for the next 8,000 users', () => {
    const state = memorySentCodes();
    const others = (from: number, to: number): void => {
      for (let count = from; count < to; count += 1) state.keepSent(`user-${count}`, sentAt(NOW), LIFE);
    };
    for (const name of ['ana', 'bea']) state.keepSent(name, sentAt(NOW, 'SM1'), LIFE);
    others(0, 7_990);
    state.keepSent('ana', sentAt(NOW + 1, 'SM2'), LIFE);
    expect(idOf(state.takeSent('bea', use(NOW)))).to.equal('SM1');
    others(7_990, 15_900);
    expect(idOf(state.takeSent('ana', use(NOW + 1)))).to.equal('SM2');
    state.keepSent('bea', sentAt(NOW, 'SM3'), LIFE);
    expect(state.takeSent('bea', use(NOW))).to.equal(undefined);
  });

  it('expire in time even if their person requests new codes', () => {
    const people = newPeople();
    const [codes, receipts] = [memorySentCodes(people), memoryReceipts(people)];
    codes.keepSent('ana', sentAt(NOW), LIFE);
    for (const nowMs of [LIFE.untilMs - 1, LIFE.untilMs]) {
      receipts.overtake('ana', { eventKey: 'event-2', isPreview: false, nowMs, untilMs: nowMs + 300_000 });
      expect(people.get('ana')?.sms !== undefined).to.equal(nowMs < LIFE.untilMs);
    }
  });

  it('are kept for the last 8,000 users, and at most a fifth more', () => {
    const state = memorySentCodes();
    for (let count = 0; count <= 16_000; count += 1) state.keepSent(`user-${count}`, sentAt(NOW), LIFE);
    const isKept = (user: number): boolean => state.takeSent(`user-${user}`, use(NOW)) !== undefined;
    expect([0, 6_400, 8_001, 16_000].map(isKept)).to.deep.equal([false, false, true, true]);
  });
});
