import { expect } from 'chai';
import type { LastCode, SentCode } from '#lib/delivery/late/sent-codes.js';
import { memoryReceipts, newPeople, memorySentCodes } from '#lib/state/memory/receipts.js';
import { NOW } from '../../delivery/late/receipts.js';

const LIFE = { nowMs: NOW, untilMs: NOW + 1000 };

const sentAt = (atMs: number, transactionId = `SM${atMs}`): SentCode => ({
  status: 'accepted',
  asked: { atMs, endsAtMs: 9e15, country: 'GB' },
  channel: 'sms',
  place: 0,
  provider: 'TWILIO',
  transactionId,
  toldId: transactionId,
  deliveryChannel: 'sms',
  eventId: 'event-1',
});

const unsentAt = (atMs: number): LastCode => ({
  status: 'refused',
  asked: { atMs, endsAtMs: 9e15 },
  deliveryChannel: 'sms',
  eventId: 'event-2',
});
const idOf = (code: LastCode | undefined): string | undefined =>
  code === undefined || code.status === 'refused' ? code?.status : code.transactionId;

describe('the sent codes of memoryState', () => {
  const use = (usedMs: number, nowMs = NOW) => ({ deliveryChannel: 'sms' as const, nowMs, usedMs });

  it('are given to one only of all who ask', () => {
    const state = memorySentCodes();
    const sent = sentAt(NOW);
    state.keepSent('ana', sent, LIFE);
    expect(state.takeSent('bob', use(NOW))).to.equal(undefined);
    expect(state.takeSent('ana', use(NOW))).to.equal(sent);
    expect(state.takeSent('ana', use(NOW))).to.equal(undefined);
  });

  it('are the last that was asked for, in whatever order they are accepted', () => {
    const state = memorySentCodes();
    for (const atMs of [NOW, NOW + 2, NOW + 1]) state.keepSent('ana', sentAt(atMs), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW + 9)))).to.equal(`SM${NOW + 2}`);
    expect(state.takeSent('ana', use(NOW + 9))).to.equal(undefined);
  });

  it('are, of one that went out by two messages, the second one', () => {
    const state = memorySentCodes();
    for (const id of ['SM1', 'SM2']) state.keepSent('ana', sentAt(NOW, id), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM2');
  });

  it('are no more the last where a newer one was not sent', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    state.keepSent('ana', unsentAt(NOW + 1), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW + 9)))).to.equal('refused');
    expect(state.takeSent('ana', use(NOW + 9))).to.equal(undefined);
  });

  it('are, of one call, what is known of its message, whichever comes first', () => {
    for (const order of [0, 1]) {
      const state = memorySentCodes();
      const codes = [sentAt(NOW, 'SM1'), { ...sentAt(NOW, ''), status: 'unknown' } as const];
      for (const code of order === 0 ? codes : codes.reverse()) state.keepSent('ana', code, LIFE);
      expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM1');
    }
  });

  it('are not kept after their use was told, for half a minute; newer ones are', () => {
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

  it('are given to be kept elsewhere, and may come back', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW, 'SM1'), LIFE);
    expect(idOf(state.moveSent('ana', 'sms', NOW))).to.equal('SM1');
    expect(state.moveSent('ana', 'sms', NOW)).to.equal(undefined);
    state.keepSent('ana', sentAt(NOW, 'SM1'), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM1');
    expect(state.moveSent('ana', 'sms', NOW)).to.equal(undefined);
  });

  it('stay where they were asked for after the use', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    expect(state.takeSent('ana', use(NOW - 1))).to.equal(undefined);
    expect(state.takeSent('ana', use(NOW))).to.not.equal(undefined);
  });

  it('are gone in their time, and make room for older ones then', () => {
    const state = memorySentCodes();
    state.keepSent('ana', sentAt(NOW), LIFE);
    expect(state.takeSent('ana', use(NOW, NOW + 1000))).to.equal(undefined);
    state.keepSent('ana', sentAt(NOW), LIFE);
    state.keepSent('ana', sentAt(NOW - 1), { nowMs: NOW + 1000, untilMs: NOW + 2000 });
    expect(state.takeSent('ana', use(NOW, NOW + 1999))?.asked.atMs).to.equal(NOW - 1);
  });

  it('are two, one of texts and one of calls', () => {
    const state = memorySentCodes();
    const call: SentCode = { ...sentAt(NOW, 'CA1'), deliveryChannel: 'voice' };
    for (const code of [sentAt(NOW, 'SM1'), call]) state.keepSent('ana', code, LIFE);
    expect(idOf(state.takeSent('ana', { ...use(NOW), deliveryChannel: 'voice' }))).to.equal('CA1');
    expect(idOf(state.takeSent('ana', { ...use(NOW), deliveryChannel: 'voice' }))).to.equal(undefined);
    expect(idOf(state.moveSent('ana', 'sms', NOW))).to.equal('SM1');
  });

  it('stay, and stay taken, for as long as any that were kept then', () => {
    const state = memorySentCodes();
    const others = (from: number, to: number): void => {
      for (let count = from; count < to; count += 1) state.keepSent(`user-${count}`, sentAt(NOW), LIFE);
    };
    for (const name of ['ana', 'bea']) state.keepSent(name, sentAt(NOW, 'SM1'), LIFE);
    others(0, 15_990);
    state.keepSent('ana', sentAt(NOW + 1, 'SM2'), LIFE);
    expect(idOf(state.takeSent('bea', use(NOW)))).to.equal('SM1');
    others(15_990, 23_900);
    expect(idOf(state.takeSent('ana', use(NOW + 1)))).to.equal('SM2');
    state.keepSent('bea', sentAt(NOW, 'SM3'), LIFE);
    expect(state.takeSent('bea', use(NOW))).to.equal(undefined);
  });

  it('are not kept beyond their time by a person who comes for others', () => {
    const people = newPeople();
    const [codes, receipts] = [memorySentCodes(people), memoryReceipts(people)];
    codes.keepSent('ana', sentAt(NOW), LIFE);
    for (const nowMs of [LIFE.untilMs - 1, LIFE.untilMs]) {
      receipts.overtake('ana', { eventKey: 'event-2', isPreview: false, nowMs, untilMs: nowMs + 300_000 });
      expect(people.get('ana')?.sms !== undefined).to.equal(nowMs < LIFE.untilMs);
    }
  });

  it('are those of 16,000 users, and of the last 8,000 always', () => {
    const state = memorySentCodes();
    for (let count = 0; count <= 16_000; count += 1) state.keepSent(`user-${count}`, sentAt(NOW), LIFE);
    const isKept = (user: number): boolean => state.takeSent(`user-${user}`, use(NOW)) !== undefined;
    expect([0, 8_001, 16_000].map(isKept)).to.deep.equal([false, true, true]);
  });
});
