import { expect } from 'chai';
import type { RunFacts, WordFact } from './facts.js';
import {
  at,
  call,
  event,
  failover,
  hookEvent,
  loss,
  message,
  outage,
  violationsOf,
  whatsApp,
  word,
  wipe,
} from './made-facts.js';

describe('STOP and START in the account', () => {
  const stop = word('STOP', 1);
  const sentAfter = (words: readonly WordFact[], more: Partial<RunFacts> = {}): readonly string[] =>
    violationsOf({
      events: [event('111111', call(5, 'SUCCESSFUL'))],
      messages: [whatsApp('111111', 5.1, { gateway: 0, life: 1 })],
      words,
      ...more,
    });

  it('finds a message by WhatsApp after STOP was answered', () => {
    expect(sentAfter([stop])).to.deep.equal(['stopped']);
    expect(sentAfter([{ ...stop, userId: 'bob' }])).to.deep.equal([]);
    expect(sentAfter([{ ...stop, isTaken: false }])).to.deep.equal([]);
    expect(sentAfter([stop, word('START', 3)])).to.deep.equal([]);
    expect(sentAfter([word('START', 0), stop])).to.deep.equal(['stopped']);
    const bySms = [message('111111', 5.1)];
    expect(sentAfter([stop], { messages: bySms })).to.deep.equal([]);
  });

  it('finds one in a call that began before STOP was answered, unless it could not know', () => {
    const during = (seconds: number): readonly WordFact[] => [word('STOP', seconds)];
    expect(sentAfter(during(5.01))).to.deep.equal([]);
    const messages = [whatsApp('111111', 6, { gateway: 0, life: 1 })];
    const events = [event('111111', call(5, 'SUCCESSFUL', { durationMs: 1_500 }))];
    expect(sentAfter(during(5.2), { events, messages })).to.deep.equal(['stoppedMeanwhile']);
  });

  it('finds one after a STOP that came again because its first gateway had died', () => {
    const untaken = { ...stop, gateway: 2, isTaken: false };
    expect(sentAfter([untaken, { ...stop, at: at(2), answeredAt: at(2) }])).to.deep.equal(['stoppedAgain']);
  });

  it('allows it if two words have no order, and if Redis did not have the word', () => {
    expect(sentAfter([stop, word('START', 1.2)])).to.deep.equal([]);
    expect(sentAfter([{ ...word('START', 0.9), isTaken: false, answeredAt: at(3) }, stop])).to.deep.equal([]);
    expect(sentAfter([stop], { wipes: [wipe(2)] })).to.deep.equal([]);
    expect(sentAfter([stop], { wipes: [failover(0.9, 2)] })).to.deep.equal([]);
    expect(sentAfter([stop], { wipes: [failover(1.1, 2)] })).to.deep.equal(['stopped']);
    expect(sentAfter([stop], { hookEvents: loss(0, 4, 6) })).to.deep.equal([]);
    expect(sentAfter([stop], { hookEvents: loss(1, 0.5) })).to.deep.equal([]);
    // Its gateway has found Redis again and has written it, or died before.
    expect(sentAfter([stop], { hookEvents: loss(1, 0.5, 2) })).to.deep.equal(['stopped']);
    const outages = [outage(1, 1.5, 2.5)];
    expect(sentAfter([stop], { hookEvents: loss(1, 0.5, 2), outages })).to.deep.equal([]);
  });

  it('finds a call that leaves WhatsApp out because of STOP after START was answered', () => {
    const events = [event('111111', call(5, 'SUCCESSFUL'))];
    const messages = [message('111111', 5.1)];
    const planned = hookEvent('111111', 'channels.planned', { at: at(5.05), isStopped: true });
    const facts = { events, messages, hookEvents: [planned] };
    expect(violationsOf({ ...facts, words: [stop, word('START', 3)] })).to.deep.equal(['unstarted']);
    expect(violationsOf({ ...facts, words: [stop] })).to.deep.equal([]);
    // START came during the call.
    expect(violationsOf({ ...facts, words: [stop, word('START', 5.01)] })).to.deep.equal([]);
  });
});
