import { expect } from 'chai';
import { makeAccount, type Account, type ViolationKind } from './account.js';
import type { CallbackFact, CallFact, EventFact, MessageFact, RunFacts, ToldFact } from './facts.js';

/** A moment of a run, in seconds from its begin. */
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
const told = (code: string, type: string, outcome?: string): ToldFact => ({
  ...{ gateway: 0, at: at(1), type, eventId: `event ${code}`, outcome, text: '' },
});
const outage = (gateway: number | undefined, from: number, to: number): RunFacts['outages'][number] => ({
  ...{ gateway, from: at(from), to: at(to) },
});

function account(facts: Partial<RunFacts>): Account {
  const nothing = { events: [], messages: [], callbacks: [], outages: [], shortages: [], told: [] };
  return makeAccount({ ...nothing, asked: new Map(), afterSeconds: 5, ...facts });
}
const violationsOf = (facts: Partial<RunFacts>): readonly ViolationKind[] =>
  account(facts).violations.map(({ kind }) => kind);
const endsOf = (facts: Partial<RunFacts>): object => Object.fromEntries(account(facts).ends);

describe('the account of a chaos run', () => {
  it('counts how each event ended', () => {
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
      asked: new Map([['444444', 1]]),
      told: [told('555555', 'attempt.ended', 'unknown')],
    };
    expect(violationsOf(facts)).to.deep.equal([]);
    expect(endsOf(facts)).to.deep.equal({
      ...{ once: 1, onceMore: 1, refused: 1, swallowed: 2, withGateway: 1, unanswered: 1, byOktaToo: 1 },
    });
    expect(account(facts).calls).to.deep.include({ all: 11, repeats: 3, disturbed: 5, cutOff: 0 });
  });

  it('finds a code that went out twice by one channel', () => {
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))] };
    const messages = [message('111111', 0.1), message('111111', 2)];
    expect(violationsOf({ ...facts, messages })).to.deep.equal(['twice']);
    expect(endsOf({ ...facts, messages })).to.deep.equal({ violated: 1 });
  });

  it('finds another channel that had no reason to follow', () => {
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))] };
    const arrived = whatsApp('111111', 0.1);
    expect(violationsOf({ ...facts, messages: [arrived, message('111111', 2)] })).to.deep.equal(['both']);
    // Not before it had failed, though it did so in the end.
    const failedLater = { ...arrived, ...FAILED, statusAt: at(3) };
    expect(violationsOf({ ...facts, messages: [failedLater, message('111111', 2)] })).to.deep.equal(['both']);
  });

  it('lets another channel follow when nothing says delivered for long, unless something did', () => {
    const arrived = whatsApp('111111', 0.1);
    const messages = [arrived, message('111111', 5.2)];
    const facts = { events: [event('111111', call(0, 'SUCCESSFUL'))], messages };
    expect(violationsOf(facts)).to.deep.equal([]);
    const callbacks = [callback(arrived, 0.3)];
    expect(violationsOf({ ...facts, callbacks })).to.deep.equal(['both']);
    // Whoever was told could not pass it on.
    expect(violationsOf({ ...facts, callbacks, outages: [outage(undefined, 0.2, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(1, 0.4, 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, callbacks, outages: [outage(2, 0.4, 2)] })).to.deep.equal(['both']);
  });

  it('finds a code that went out after a newer one of the same user', () => {
    const events = [event('111111', call(0, 'SUCCESSFUL')), event('222222', call(1, 'SUCCESSFUL'))];
    const messages = [whatsApp('111111', 0.1, FAILED), message('222222', 1.1), message('111111', 1.2)];
    expect(violationsOf({ events, messages })).to.deep.equal(['overtaken']);
    const ofBob = events.map((one, index) => (index === 0 ? one : { ...one, userId: 'bob' }));
    expect(violationsOf({ events: ofBob, messages })).to.deep.equal([]);
  });

  it('finds a code that went out when nobody waited for it any more', () => {
    const facts = { events: [event('111111', timedOut(0))], outages: [outage(0, 0, 4)] };
    expect(violationsOf({ ...facts, messages: [message('111111', 2)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, messages: [message('111111', 3.5)] })).to.deep.equal(['afterwards']);
  });

  it('finds a code that was lost', () => {
    expect(violationsOf({ events: [event('111111', call(0, 'SUCCESSFUL'))] })).to.deep.equal(['lost']);
    const pending = { events: [event('111111', call(0, 'PENDING'))] };
    expect(violationsOf(pending)).to.deep.equal(['lost']);
    expect(violationsOf({ ...pending, outages: [outage(1, 0, 1), outage(undefined, 0, 1)] })).to.deep.equal([
      'lost',
    ]);
    expect(violationsOf({ ...pending, outages: [outage(0, 0, 1)] })).to.deep.equal([]);
  });

  it('finds an answer that disowns what was sent', () => {
    const messages = [message('111111', 0.1)];
    expect(violationsOf({ events: [event('111111', call(0, 'ERROR'))], messages })).to.deep.equal([
      'disowned',
    ]);
  });

  it('finds no answer, and a late one, of a gateway that was well', () => {
    const late = { events: [event('111111', timedOut(0), call(3, 'SUCCESSFUL'))] };
    const messages = [message('111111', 2.9)];
    expect(violationsOf({ ...late, messages })).to.deep.equal(['late']);
    // The other gateway was not.
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

  it('finds a message that was not delivered and not followed, where nothing stood in the way', () => {
    const failed = whatsApp('111111', 0.1, FAILED);
    const facts = {
      ...{ events: [event('111111', call(0, 'SUCCESSFUL'))], messages: [failed] },
      callbacks: [callback(failed, 0.3)],
    };
    expect(violationsOf(facts)).to.deep.equal(['unfollowed']);
    // Without a report it is overdue in the end, where that counts.
    expect(violationsOf({ ...facts, callbacks: [] })).to.deep.equal(['unfollowed']);
    expect(violationsOf({ ...facts, callbacks: [], afterSeconds: undefined })).to.deep.equal([]);
    expect(violationsOf({ ...facts, outages: [outage(2, 0, 1)] })).to.deep.equal(['unfollowed']);
  });

  it('tells why a message that was not delivered is not followed', () => {
    const failed = whatsApp('111111', 0.1, FAILED);
    const first = event('111111', call(0, 'SUCCESSFUL'));
    const facts = { events: [first], messages: [failed], callbacks: [callback(failed, 0.3)] };
    const followUps = (more: Partial<RunFacts>): object =>
      Object.fromEntries(account({ ...facts, ...more }).followUps);
    expect(followUps({ messages: [failed, message('111111', 0.5)] })).to.deep.equal({ followed: 1 });
    expect(followUps({ told: [told('111111', 'failover.ended', 'dropped')] })).to.deep.equal({ tried: 1 });
    const newer = event('222222', call(2, 'ERROR'));
    expect(followUps({ events: [first, newer] })).to.deep.equal({ overtaken: 1 });
    expect(followUps({ events: [event('111111', call(0, 'PENDING'))] })).to.deep.equal({ unknown: 1 });
    expect(followUps({ outages: [outage(undefined, 1, 2)] })).to.deep.equal({ redisLost: 1 });
    expect(followUps({ outages: [outage(1, 0.2, 2)] })).to.deep.equal({ gatewayLost: 1 });
    // Of an SMS nothing follows.
    expect(followUps({ messages: [{ ...failed, channel: 'sms' }] })).to.deep.equal({});
  });
});
