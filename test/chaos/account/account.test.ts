import { expect } from 'chai';
import type { RunFacts } from './facts.js';
import {
  account,
  at,
  call,
  callback,
  event,
  FAILED,
  failover,
  hookEvent,
  loss,
  message,
  outage,
  timedOut,
  violationsOf,
  whatsApp,
  wipe,
} from './made-facts.js';

const endsOf = (facts: Partial<RunFacts>): object => Object.fromEntries(account(facts).ends);

describe('the account of a chaos run', () => {
  it('counts the events by how they ended', () => {
    const failed = whatsApp('222222', 0.1, FAILED);
    const facts: Partial<RunFacts> = {
      events: [
        event('111111', call(0, 'SUCCESSFUL')),
        { ...event('222222', call(0, 'SUCCESSFUL')), userId: 'bob' },
        event('333333', call(10, 'ERROR')),
        event('444444', call(20, 'PENDING')),
        event('555555', call(25, 'PENDING')),
        event('666666', timedOut(30), call(33, 'PENDING', { gateway: 1 })),
        event('777777', timedOut(30.5), timedOut(33.5)),
        event('888888', timedOut(31), timedOut(34)),
      ],
      messages: [
        message('111111', 0.1),
        failed,
        message('222222', 1),
        message('888888', 31, { channel: 'whatsapp' }),
      ],
      outages: [outage(0, 29, 40)],
      sendRequests: new Map([['444444', 1]]),
      hookEvents: [hookEvent('555555', 'attempt.ended', { outcome: 'unknown' })],
    };
    expect(violationsOf(facts)).to.deep.equal([]);
    expect(endsOf(facts)).to.deep.equal({
      ...{ once: 1, onceMore: 1, refused: 1, swallowed: 2, withGateway: 1, unanswered: 1, byOktaToo: 1 },
    });
    expect(account(facts).calls).to.deep.include({ all: 11, repeats: 3, disturbed: 5, cutOff: 0 });
  });

  it('finds a code that a channel sent twice', () => {
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))] };
    const messages = [message('111111', 0.1), message('111111', 2)];
    expect(violationsOf({ ...facts, messages })).to.deep.equal(['twice']);
    expect(endsOf({ ...facts, messages })).to.deep.equal({ violated: 1 });
  });

  it('allows a second late message of a channel only if Redis has lost its keys since the first one', () => {
    const facts = {
      events: [event('111111', call(0, 'SUCCESSFUL'))],
      messages: [whatsApp('111111', 0.05, FAILED), message('111111', 1), message('111111', 6)],
    };
    expect(violationsOf(facts)).to.deep.equal(['twice']);
    expect(violationsOf({ ...facts, wipes: [wipe(3)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, wipes: [wipe(7)] })).to.deep.equal(['twice']);
    // The replica knew of the first one.
    expect(violationsOf({ ...facts, wipes: [failover(2, 3)] })).to.deep.equal(['twice']);
  });

  it('lets another provider of the channel follow once the first message has failed, and not before', () => {
    const events = [event('111111', call(0, 'SUCCESSFUL'))];
    const first = whatsApp('111111', 0.1, { provider: 'PUSHING' });
    const then = whatsApp('111111', 2);
    expect(violationsOf({ events, messages: [first, then] })).to.deep.equal(['both']);
    const failed = { ...first, ...FAILED };
    expect(violationsOf({ events, messages: [failed, then] })).to.deep.equal([]);
    expect(endsOf({ events, messages: [failed, then] })).to.deep.equal({ onceMore: 1 });
    expect(violationsOf({ events, messages: [failed, { ...then, provider: 'PUSHING' }] })).to.include(
      'twice',
    );
  });

  it('finds a message by a second channel before the first one has failed', () => {
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))] };
    const arrived = whatsApp('111111', 0.1);
    expect(violationsOf({ ...facts, messages: [arrived, message('111111', 2)] })).to.deep.equal(['both']);
    // The first message fails only after the second one left.
    const failedLater = { ...arrived, ...FAILED, statusAt: at(3) };
    expect(violationsOf({ ...facts, messages: [failedLater, message('111111', 2)] })).to.deep.equal(['both']);
  });

  it('allows a second channel after a time without a delivery report, but not after one that could spread', () => {
    const arrived = whatsApp('111111', 0.1);
    const messages = [arrived, message('111111', 5.2)];
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))], messages };
    expect(violationsOf(facts)).to.deep.equal([]);
    // A report with an id that no gateway has learned.
    const nameless = { ...facts, callbacks: [{ ...callback(arrived, 0.3), isNamed: false }] };
    expect(violationsOf(nameless)).to.deep.equal([]);
    const learned = hookEvent('111111', 'attempt.ended', { transactionId: arrived.sid });
    expect(violationsOf({ ...nameless, hookEvents: [learned] })).to.deep.equal(['both']);
    const callbacks = [callback(arrived, 0.3)];
    expect(violationsOf({ ...facts, callbacks })).to.deep.equal(['both']);
    // The gateway with the report could not pass it on.
    expect(violationsOf({ ...facts, callbacks, outages: [outage(undefined, 0.2, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(1, 0.4, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(2, 0.4, 2)] })).to.deep.equal(['both']);
    expect(violationsOf({ ...facts, callbacks, wipes: [failover(0.2, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, wipes: [failover(1, 2)] })).to.deep.equal(['both']);
  });

  it('allows a second channel earlier by as much as the clock of Redis has jumped', () => {
    const messages = [whatsApp('111111', 0.1), message('111111', 3.2)];
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))], messages };
    expect(violationsOf({ ...facts, clockJumps: [{ at: at(1), byMs: 2_000 }] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, clockJumps: [{ at: at(1), byMs: 1_000 }] })).to.deep.equal(['both']);
    expect(violationsOf({ ...facts, clockJumps: [{ at: at(5), byMs: 2_000 }] })).to.deep.equal(['both']);
  });

  it('allows a second message by one channel only after a loss of Redis that a gateway has reported', () => {
    const events = [
      event('111111', call(0, 'SUCCESSFUL'), call(2, 'SUCCESSFUL', { gateway: 1 })),
      { ...event('222222', call(0, 'SUCCESSFUL'), call(2, 'SUCCESSFUL')), userId: 'bob' },
    ];
    const messages = [
      message('111111', 0.1, { gateway: 0, life: 1 }),
      message('111111', 2.1, { gateway: 1, life: 1 }),
      message('222222', 0.1, { gateway: 0, life: 1 }),
      message('222222', 2.1, { gateway: 0, life: 1 }),
    ];
    const sentTwice = (more: Partial<RunFacts>): readonly string[] =>
      violationsOf({ events, messages, ...more });
    expect(sentTwice({})).to.deep.equal(['twice', 'twice']);
    // One process knows its own codes, whatever Redis does.
    for (const hookEvents of [loss(1, 1.5, 4), loss(0, -1, 1), loss(0, 0.1)])
      expect(sentTwice({ hookEvents })).to.deep.equal(['twice']);
    expect(sentTwice({ wipes: [wipe(1)] })).to.deep.equal(['twice']);
    // The replica had the first call.
    expect(sentTwice({ wipes: [failover(0.05, 1)] })).to.deep.equal(['twice']);
    expect(sentTwice({ wipes: [failover(0.5, 1)] })).to.deep.equal(['twice', 'twice']);
    // Lost before, or lost at a gateway that has nothing to do with it.
    expect(sentTwice({ hookEvents: loss(1, -5, -4) })).to.deep.equal(['twice', 'twice']);
    expect(sentTwice({ hookEvents: loss(2, 0) })).to.deep.equal(['twice', 'twice']);
    // The first gateway has had Redis again for long: it must have written what it had decided.
    const [first, again] = [call(0, 'SUCCESSFUL'), call(9, 'SUCCESSFUL', { gateway: 1 })];
    const later = [
      message('111111', 0.1, { gateway: 0, life: 1 }),
      message('111111', 9.1, { gateway: 1, life: 1 }),
    ];
    const facts = { events: [event('111111', first, again)], messages: later, hookEvents: loss(0, -1, 1) };
    expect(violationsOf(facts)).to.deep.equal(['forgotten']);
  });

  it('finds a code that was sent after Okta had given the call up', () => {
    const facts = { events: [event('111111', timedOut(0))], outages: [outage(0, 0, 4)] };
    expect(violationsOf({ ...facts, messages: [message('111111', 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, messages: [message('111111', 3.5)] })).to.deep.equal(['afterwards']);
  });

  it('finds a code that a working gateway did not send', () => {
    expect(violationsOf({ events: [event('111111', call(0, 'SUCCESSFUL'))] })).to.deep.equal(['lost']);
    const pending = { events: [event('111111', call(0, 'PENDING'))] };
    expect(violationsOf(pending)).to.deep.equal(['lost']);
    expect(violationsOf({ ...pending, outages: [outage(1, 0, 1), outage(undefined, 0, 1)] })).to.deep.equal([
      'lost',
    ]);
    expect(violationsOf({ ...pending, outages: [outage(0, 0, 1)] })).to.deep.equal([]);
  });

  it('finds an ERROR answer for a code that was sent', () => {
    const messages = [message('111111', 0.1)];
    expect(violationsOf({ events: [event('111111', call(0, 'ERROR'))], messages })).to.deep.equal([
      'disowned',
    ]);
  });

  it('finds a missing or late answer of a gateway that worked', () => {
    const late = { events: [event('111111', timedOut(0), call(3, 'SUCCESSFUL'))] };
    const messages = [message('111111', 2.9)];
    expect(violationsOf({ ...late, messages })).to.deep.equal(['late']);
    // Only the other gateway was out.
    expect(violationsOf({ ...late, messages, outages: [outage(1, 0, 9)] })).to.deep.equal(['late']);
    expect(violationsOf({ ...late, messages, outages: [outage(0, 2, 2.5)] })).to.deep.equal([]);
    const shortages = [{ gateway: 0, from: at(0.5), to: at(1.2) }];
    expect(violationsOf({ ...late, messages, shortages })).to.deep.equal([]);
    const ofAnother = [{ gateway: 1, from: at(0.5), to: at(1.2) }];
    expect(violationsOf({ ...late, messages, shortages: ofAnother })).to.deep.equal(['late']);
    const cutOff = call(0, undefined, { problem: 'connection lost' });
    expect(violationsOf({ events: [event('111111', cutOff, cutOff)] })).to.deep.equal(['unanswered']);
    expect(account({ events: [event('111111', cutOff, cutOff)] }).calls.cutOff).to.equal(2);
    const unreadable = { events: [event('111111', call(0, 'UNREADABLE'))] };
    expect(violationsOf(unreadable)).to.deep.equal(['unanswered']);
  });

  it('does not expect an answer, or a follow-up, for a caller that hung up', () => {
    const gone = call(0, undefined, { problem: 'hung up', durationMs: 50 });
    const failed = whatsApp('111111', 0.01, { ...FAILED, gateway: 0 });
    const facts = { messages: [failed], callbacks: [callback(failed, 0.3)] };
    expect(violationsOf({ events: [event('111111', gone)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, events: [event('111111', gone, call(1, 'SUCCESSFUL'))] })).to.deep.equal(
      [],
    );
    const sentByAnother = [{ ...failed, gateway: 1 }];
    const events = [event('111111', gone, call(0, 'SUCCESSFUL', { gateway: 1 }))];
    expect(violationsOf({ ...facts, events, messages: sentByAnother })).to.deep.equal(['unfollowed']);
  });

  it('finds an undelivered message without a follow-up if no outage prevented it', () => {
    const failed = whatsApp('111111', 0.1, FAILED);
    const facts = {
      ...{ events: [event('111111', call(0, 'SUCCESSFUL'))], messages: [failed] },
      callbacks: [callback(failed, 0.3)],
    };
    expect(violationsOf(facts)).to.deep.equal(['unfollowed']);
    // Without a report it is overdue in the end, if afterSeconds is set.
    expect(violationsOf({ ...facts, callbacks: [] })).to.deep.equal(['unfollowed']);
    expect(violationsOf({ ...facts, callbacks: [], afterSeconds: undefined })).to.deep.equal([]);
    expect(violationsOf({ ...facts, outages: [outage(2, 0, 1)] })).to.deep.equal(['unfollowed']);
  });

  it('gives the reason why an undelivered message has no follow-up', () => {
    const failed = whatsApp('111111', 0.1, FAILED);
    const first = event('111111', call(0, 'SUCCESSFUL'));
    const facts = { events: [first], messages: [failed], callbacks: [callback(failed, 0.3)] };
    const followUps = (more: Partial<RunFacts>): object =>
      Object.fromEntries(account({ ...facts, ...more }).followUps);
    expect(followUps({ messages: [failed, message('111111', 0.5)] })).to.deep.equal({ followed: 1 });
    expect(
      followUps({ hookEvents: [hookEvent('111111', 'failover.ended', { outcome: 'dropped' })] }),
    ).to.deep.equal({
      tried: 1,
    });
    const before = whatsApp('111111', 0, { provider: 'PUSHING' });
    const arrived = { messages: [before, failed], callbacks: [callback(failed, 0.3), callback(before, 0.4)] };
    expect(followUps(arrived)).to.deep.equal({ arrived: 1 });
    const newer = event('222222', call(2, 'ERROR'));
    expect(followUps({ events: [first, newer] })).to.deep.equal({ superseded: 1 });
    const unknown = { events: [event('111111', call(0, 'PENDING'))] };
    expect(followUps({ ...unknown, callbacks: [] })).to.deep.equal({ unknown: 1 });
    const nameless = { ...callback(failed, 0.3), isNamed: false };
    expect(followUps({ ...unknown, callbacks: [nameless] })).to.deep.equal({ unknown: 1 });
    // The gateway learns it from a report that names the attempt.
    expect(followUps(unknown)).to.deep.equal({ none: 1 });
    // While its attempt was open, only the gateway that made it could follow.
    const settled = hookEvent('111111', 'attempt.settled', { at: at(6), transactionId: failed.sid });
    const killed = { ...unknown, outages: [outage(0, 6, 7)] };
    expect(followUps({ ...killed, hookEvents: [settled] })).to.deep.equal({ gatewayLost: 1 });
    expect(followUps(killed)).to.deep.equal({ none: 1 });
    // Its own late send does not end the late failover of the message that it sent.
    const late = hookEvent('111111', 'failover.ended', { transactionId: failed.sid });
    expect(followUps({ hookEvents: [late] })).to.deep.equal({ none: 1 });
    expect(followUps({ outages: [outage(undefined, 1, 2)] })).to.deep.equal({ redisLost: 1 });
    expect(followUps({ outages: [outage(1, 0.2, 2)] })).to.deep.equal({ gatewayLost: 1 });
    // The silence of another provider means nothing before its gateway has had a report of it.
    const pushed = { ...failed, provider: 'PUSHING', at: at(5), gateway: 0, life: 1 };
    const earlier = whatsApp('222222', 1, { provider: 'PUSHING' });
    const silent = { messages: [earlier, pushed], callbacks: [] };
    expect(followUps(silent)).to.deep.equal({ unreported: 1 });
    const proven = [{ ...callback(earlier, 2), gateway: 0 }];
    expect(followUps({ ...silent, callbacks: proven })).to.deep.equal({ none: 1 });
    expect(followUps({ ...silent, callbacks: [callback(earlier, 2)] })).to.deep.equal({ unreported: 1 });
    expect(followUps({ ...silent, callbacks: proven, outages: [outage(0, 2.5, 3)] })).to.deep.equal({
      unreported: 1,
    });
    // An SMS has no follow-up.
    expect(followUps({ messages: [{ ...failed, channel: 'sms' }] })).to.deep.equal({});
  });
});
