import { expect } from 'chai';
import { makeAccount, type Account, type ViolationKind } from './account.js';
import type { CallbackFact, CallFact, EventFact, MessageFact, RunFacts, HookEventFact } from './facts.js';

/** A time of a run, in seconds from its start. */
const at = (seconds: number): number => 1_800_000_000_000 + seconds * 1000;

const call = (seconds: number, answer: CallFact['answer'], more: Partial<CallFact> = {}): CallFact => ({
  ...{ at: at(seconds), durationMs: 100, gateway: 0, answer, problem: undefined },
  ...more,
});
const timedOut = (seconds: number): CallFact =>
  call(seconds, undefined, { durationMs: 3_001, problem: 'no answer in time' });

const event = (code: string, ...calls: readonly CallFact[]): EventFact => ({
  ...{ eventId: `event ${code}`, code, userId: 'ana', calls },
});
const message = (code: string, seconds: number, more: Partial<MessageFact> = {}): MessageFact => ({
  ...{ sid: `SM${code}at${seconds}`, code, channel: 'sms', at: at(seconds) },
  ...{ status: 'delivered', statusAt: at(seconds + 0.1), errorCode: undefined },
  ...more,
});
const whatsApp = (code: string, seconds: number, more: Partial<MessageFact> = {}): MessageFact =>
  message(code, seconds, { channel: 'whatsapp', ...more });
const FAILED = { status: 'failed', errorCode: 63_016 } as const;
const callback = ({ sid, status }: MessageFact, seconds: number): CallbackFact => ({
  ...{ sid, status, at: at(seconds), gateway: 1, isTaken: true },
});
const hookEvent = (code: string, type: string, outcome?: string): HookEventFact => ({
  ...{ gateway: 0, at: at(1), type, eventId: `event ${code}`, outcome, text: '' },
});
const outage = (gateway: number | undefined, from: number, to: number): RunFacts['outages'][number] => ({
  ...{ gateway, from: at(from), to: at(to) },
});

function account(facts: Partial<RunFacts>): Account {
  const nothing = { events: [], messages: [], callbacks: [], outages: [], shortages: [], hookEvents: [] };
  return makeAccount({ ...nothing, sendRequests: new Map(), afterSeconds: 5, ...facts });
}
const violationsOf = (facts: Partial<RunFacts>): readonly ViolationKind[] =>
  account(facts).violations.map(({ kind }) => kind);
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
      hookEvents: [hookEvent('555555', 'attempt.ended', 'unknown')],
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
    const callbacks = [callback(arrived, 0.3)];
    expect(violationsOf({ ...facts, callbacks })).to.deep.equal(['both']);
    // The gateway with the report could not pass it on.
    expect(violationsOf({ ...facts, callbacks, outages: [outage(undefined, 0.2, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(1, 0.4, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(2, 0.4, 2)] })).to.deep.equal(['both']);
  });

  it('finds a code that was sent after a newer one of the same user', () => {
    const events = [event('111111', call(0, 'SUCCESSFUL')), event('222222', call(1, 'SUCCESSFUL'))];
    const messages = [whatsApp('111111', 0.1, FAILED), message('222222', 1.1), message('111111', 1.2)];
    expect(violationsOf({ events, messages })).to.deep.equal(['superseded']);
    const ofBob = events.map((one, index) => (index === 0 ? one : { ...one, userId: 'bob' }));
    expect(violationsOf({ events: ofBob, messages })).to.deep.equal([]);
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
    expect(followUps({ hookEvents: [hookEvent('111111', 'failover.ended', 'dropped')] })).to.deep.equal({
      tried: 1,
    });
    const newer = event('222222', call(2, 'ERROR'));
    expect(followUps({ events: [first, newer] })).to.deep.equal({ superseded: 1 });
    expect(followUps({ events: [event('111111', call(0, 'PENDING'))] })).to.deep.equal({ unknown: 1 });
    expect(followUps({ outages: [outage(undefined, 1, 2)] })).to.deep.equal({ redisLost: 1 });
    expect(followUps({ outages: [outage(1, 0.2, 2)] })).to.deep.equal({ gatewayLost: 1 });
    // An SMS has no follow-up.
    expect(followUps({ messages: [{ ...failed, channel: 'sms' }] })).to.deep.equal({});
  });
});
