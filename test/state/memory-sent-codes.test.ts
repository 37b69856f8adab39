import { expect } from 'chai';
import type { SentCode } from '../../lib/index.js';
import { memorySentCodes } from '../../lib/state/memory-sent-codes.js';
import { NOW } from '../delivery/receipts.js';

const LIFE = { nowMs: NOW, untilMs: NOW + 1000 };

const sentAt = (atMs: number, transactionId = `SM${atMs}`): SentCode => ({
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
    expect(state.takeSent('ana', use(NOW + 9))?.transactionId).to.equal(`SM${NOW + 2}`);
    expect(state.takeSent('ana', use(NOW + 9))).to.equal(undefined);
  });

  it('are, of one that went out by two messages, the second one', () => {
    const state = memorySentCodes();
    for (const id of ['SM1', 'SM2']) state.keepSent('ana', sentAt(NOW, id), LIFE);
    expect(state.takeSent('ana', use(NOW))?.transactionId).to.equal('SM2');
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
