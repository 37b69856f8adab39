import { expect } from 'chai';
import { at, call, callback, event, hookEvent, outage, violationsOf, whatsApp } from './made-facts.js';

describe('the route of a code in the account', () => {
  const first = whatsApp('111111', 1, { acceptedAt: at(1) });
  const facts = (resendOf: string | undefined, reportedAt?: number) => ({
    events: [event('111111', call(1, 'SUCCESSFUL')), event('222222', call(10, 'SUCCESSFUL'))],
    messages: [first, whatsApp('222222', 10)],
    callbacks: reportedAt === undefined ? [] : [callback({ ...first, status: 'delivered' }, reportedAt)],
    hookEvents: [hookEvent('222222', 'channels.planned', { at: at(10), resendOf })],
  });

  it('may be the next one if nothing reported the earlier code, or just before', () => {
    expect(violationsOf(facts('event 111111'))).to.deep.equal([]);
    expect(violationsOf(facts('event 111111', 9.8))).to.deep.equal([]);
  });

  it('must not be the next one after a report that the earlier code was delivered', () => {
    expect(violationsOf(facts('event 111111', 5))).to.deep.equal(['misrouted']);
    expect(violationsOf(facts(undefined, 5))).to.deep.equal([]);
  });

  it('may be the next one while the attempt of the earlier code goes on', () => {
    const running = facts('event 111111', 5);
    const messages = [{ ...first, acceptedAt: at(11) }];
    expect(violationsOf({ ...running, messages: [...messages, whatsApp('222222', 10)] })).to.deep.equal([]);
  });

  it('must not be the next one after an unknown code, or its own', () => {
    expect(violationsOf(facts('event 333333'))).to.deep.equal(['misrouted']);
    expect(violationsOf(facts('event 222222'))).to.deep.equal(['misrouted']);
  });

  it('may be the next one if a gateway had lost Redis since the earlier code', () => {
    const outages = [outage(0, 2, 3)];
    expect(violationsOf({ ...facts('event 111111', 5), outages })).to.deep.equal([]);
  });
});
