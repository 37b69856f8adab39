import { expect } from 'chai';
import type { LastCode, SentCode } from '../../lib/index.js';
import { memorySentCodes } from '../../lib/state/memory-sent-codes.js';
import { NOW } from '../delivery/receipts.js';

const LIFE = { nowMs: NOW, untilMs: NOW + 1000 };

const sentAt = (atMs: number, transactionId = `SM${atMs}`): SentCode => ({
  status: 'accepted',
  asked: { atMs, skewMs: 0, country: 'GB' },
  expiresAtMs: atMs + 300_000,
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
  asked: { atMs, skewMs: 0 },
  deliveryChannel: 'sms',
  eventId: 'event-2',
});
const idOf = (code: LastCode | undefined): string | undefined =>
  code === undefined || code.status === 'refused' ? code?.status : code.transactionId;

describe('the sent codes of memoryState', () => {
  const use = (usedMs: number, nowMs = NOW) => ({ nowMs, usedMs });

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
    expect(idOf(state.moveSent('ana', NOW))).to.equal('SM1');
    expect(state.moveSent('ana', NOW)).to.equal(undefined);
    state.keepSent('ana', sentAt(NOW, 'SM1'), LIFE);
    expect(idOf(state.takeSent('ana', use(NOW)))).to.equal('SM1');
    expect(state.moveSent('ana', NOW)).to.equal(undefined);
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

  it('are those of 20,000 users', () => {
    const state = memorySentCodes();
    for (let count = 0; count <= 20_000; count += 1) state.keepSent(`user-${count}`, sentAt(NOW), LIFE);
    expect(state.takeSent('user-0', use(NOW))).to.equal(undefined);
    expect(state.takeSent('user-1', use(NOW))).to.not.equal(undefined);
  });
});
