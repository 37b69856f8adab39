import { expect } from 'chai';
import type { RunFacts } from './facts.js';
import {
  at,
  call,
  callback,
  event,
  failover,
  hookEvent,
  loss,
  message,
  outage,
  violationsOf,
  wipe,
} from './made-facts.js';

describe('the answers in the account', () => {
  const again = (more: Partial<RunFacts> = {}): readonly string[] =>
    violationsOf({
      events: [event('111111', call(0, 'SUCCESSFUL'), call(9, 'PENDING', { gateway: 1 }))],
      messages: [message('111111', 0.05)],
      ...more,
    });

  it('finds a repeat with another answer than its first call', () => {
    expect(again()).to.deep.equal(['unlike']);
    const alike = [event('111111', call(0, 'SUCCESSFUL'), call(9, 'SUCCESSFUL', { gateway: 1 }))];
    expect(again({ events: alike })).to.deep.equal([]);
    // It did not wait for the first answer.
    const beside = [event('111111', call(0, 'SUCCESSFUL'), call(0.05, 'PENDING', { gateway: 1 }))];
    expect(again({ events: beside })).to.deep.equal([]);
  });

  it('allows it if the second gateway could not know the answer', () => {
    expect(again({ wipes: [wipe(2)] })).to.deep.equal([]);
    expect(again({ wipes: [failover(0.1, 2)] })).to.deep.equal([]);
    expect(again({ wipes: [failover(1, 2)] })).to.deep.equal(['unlike']);
    expect(again({ hookEvents: loss(1, 8.9) })).to.deep.equal([]);
    expect(again({ hookEvents: loss(0, 0.05, 8) })).to.deep.equal([]);
    expect(again({ outages: [outage(0, 0.2, 1)] })).to.deep.equal([]);
    // The answer was there, and Redis too.
    expect(again({ hookEvents: loss(0, 2, 3) })).to.deep.equal(['unlike']);
    expect(again({ hookEvents: loss(0, 0.05, 2) })).to.deep.equal(['forgotten']);
    // The answer came when Redis was back, and Redis has lost it since.
    const late = loss(0, 0.05, 2);
    expect(again({ hookEvents: late, wipes: [failover(3, 4)] })).to.deep.equal([]);
    expect(again({ hookEvents: late, wipes: [failover(3.6, 4)] })).to.deep.equal(['forgotten']);
  });

  it('finds an attempt that failover.ended reports as unknown though its gateway knew that it was accepted', () => {
    const attempts = [{ channel: 'whatsapp', outcome: 'unknown' }];
    const settled = { channel: 'whatsapp', outcome: 'accepted', at: at(0.5) };
    const reported = (more: object, ...others: RunFacts['hookEvents']): readonly string[] =>
      violationsOf({
        events: [event('111111', call(0, 'SUCCESSFUL'))],
        messages: [message('111111', 0.05)],
        hookEvents: [
          ...others,
          hookEvent('111111', 'attempt.settled', { ...settled, ...more }),
          hookEvent('111111', 'failover.ended', { attempts }),
        ],
      });
    expect(reported({})).to.deep.equal(['misreported']);
    expect(reported({ outcome: 'unknown' })).to.deep.equal([]);
    expect(reported({ channel: 'sms' })).to.deep.equal([]);
    expect(reported({ at: at(2) })).to.deep.equal([]);
    expect(reported({ gateway: 1 })).to.deep.equal([]);
    const again = { ...hookEvent('111111', 'attempt.ended', { channel: 'whatsapp', outcome: 'unknown' }) };
    expect(reported({}, { ...again, at: at(0.7) })).to.deep.equal([]);
    expect(reported({}, { ...again, at: at(0.3) })).to.deep.equal(['misreported']);
  });

  it('finds an attempt that stayed unknown though a report on its message had named it', () => {
    const sent = message('111111', 0.1, { gateway: 0, life: 1 });
    const ended = hookEvent('111111', 'attempt.ended', { channel: 'sms', outcome: 'unknown' });
    const settled = hookEvent('111111', 'attempt.settled', {
      channel: 'sms',
      outcome: 'accepted',
      at: at(3),
    });
    const facts = {
      events: [event('111111', call(0, 'PENDING'))],
      messages: [sent],
      callbacks: [callback(sent, 2)],
      hookEvents: [ended],
    };
    const found = (more: Partial<RunFacts> = {}): readonly string[] => violationsOf({ ...facts, ...more });
    expect(found()).to.deep.equal(['unresolved']);
    expect(found({ hookEvents: [ended, settled] })).to.deep.equal([]);
    expect(found({ callbacks: [{ ...callback(sent, 2), isNamed: false }] })).to.deep.equal([]);
    expect(found({ callbacks: [{ ...callback(sent, 2), isTaken: false }] })).to.deep.equal([]);
    // The message may be of another attempt, or the delivery was known without it.
    expect(found({ messages: [{ ...sent, life: 2 }] })).to.deep.equal([]);
    const nameless = { ...callback(sent, 1), isNamed: false };
    expect(found({ callbacks: [nameless, callback(sent, 2)] })).to.deep.equal([]);
    // A gateway was lost, or the attempt may still go on.
    expect(found({ outages: [outage(1, 2, 3)] })).to.deep.equal([]);
    expect(found({ wipes: [wipe(2)] })).to.deep.equal([]);
    expect(found({ hookEvents: [ended, ...loss(1, 1, 2)] })).to.deep.equal([]);
    expect(found({ endsAt: at(10) })).to.deep.equal([]);
  });
});
