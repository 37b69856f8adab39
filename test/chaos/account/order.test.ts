import { expect } from 'chai';
import type { RunFacts, UseFact } from './facts.js';
import {
  at,
  call,
  event,
  failover,
  FAILED,
  hookEvent,
  hungUp,
  loss,
  message,
  outage,
  violationsOf,
  whatsApp,
  wipe,
} from './made-facts.js';

describe('the order of codes in the account', () => {
  const older = event('111111', call(0, 'SUCCESSFUL'));
  const newer = event('222222', call(1, 'SUCCESSFUL', { gateway: 1 }));
  const newerLeft = message('222222', 1.1, { gateway: 1, life: 1 });
  const lateBy = (seconds: number, knew?: number): RunFacts['messages'] => [
    whatsApp('111111', 0.1, { ...FAILED, gateway: 0, life: 1 }),
    newerLeft,
    message('111111', 1.1 + seconds, {
      ...{ gateway: 0, life: 1, knewAt: knew === undefined ? undefined : at(knew) },
    }),
  ];

  it('finds a code that was sent after a newer one of the same user', () => {
    const facts = { events: [older, newer] };
    expect(violationsOf({ ...facts, messages: lateBy(0.3) })).to.deep.equal(['superseded']);
    const ofBob = { events: [older, { ...newer, userId: 'bob' }] };
    expect(violationsOf({ ...ofBob, messages: lateBy(0.3) })).to.deep.equal([]);
  });

  it('allows it while the gateway could not know: as long as an answer of Redis may take', () => {
    const facts = { events: [older, newer] };
    expect(violationsOf({ ...facts, messages: lateBy(0.15) })).to.deep.equal([]);
    expect(violationsOf({ ...facts, messages: lateBy(0.15, 1.05) })).to.deep.equal([]);
    // It had read an answer that Redis made after the newer code had left.
    expect(violationsOf({ ...facts, messages: lateBy(0.06, 1.15) })).to.deep.equal(['superseded']);
    // One process knows the order of its own calls.
    const own = [newerLeft, { ...message('111111', 1.11), gateway: 1, life: 1 }];
    expect(violationsOf({ ...facts, messages: own })).to.deep.equal(['superseded']);
  });

  it('allows it for codes that came at once, while Redis was lost, and if nobody knows the first call', () => {
    const atOnce = { events: [older, event('222222', call(0.1, 'SUCCESSFUL', { gateway: 1 }))] };
    expect(violationsOf({ ...atOnce, messages: lateBy(1) })).to.deep.equal([]);
    const facts = { events: [older, newer], messages: lateBy(1) };
    expect(violationsOf({ ...facts, wipes: [wipe(1.5)] })).to.deep.equal([]);
    // The replica had the newer code, or not.
    expect(violationsOf({ ...facts, wipes: [failover(1.4, 1.5)] })).to.deep.equal(['superseded']);
    expect(violationsOf({ ...facts, wipes: [failover(1, 1.5)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, hookEvents: loss(0, 1.5, 9) })).to.deep.equal([]);
    expect(violationsOf({ ...facts, hookEvents: loss(1, 1, 1.2) })).to.deep.equal([]);
    expect(violationsOf({ ...facts, outages: [outage(0, 0, 0.5)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, hookEvents: loss(2, 0) })).to.deep.equal(['superseded']);
  });

  it('finds a late send after the gateway of the newer code has found Redis again, but not in a running call', () => {
    const facts = { events: [older, newer], messages: lateBy(2) };
    expect(violationsOf({ ...facts, hookEvents: loss(1, 1, 1.2) })).to.deep.equal(['superseded']);
    expect(violationsOf({ ...facts, hookEvents: loss(0, 0.5, 1.2) })).to.deep.equal(['superseded']);
    expect(violationsOf({ ...facts, hookEvents: loss(1, 1, 2) })).to.deep.equal([]);
    const died = { ...facts, hookEvents: loss(1, 1, 1.2), outages: [outage(1, 1.1, 1.3)] };
    expect(violationsOf(died)).to.deep.equal([]);
    const running = {
      ...facts,
      events: [event('111111', call(0, 'SUCCESSFUL', { durationMs: 4_000 })), newer],
    };
    expect(violationsOf({ ...running, hookEvents: loss(1, 1, 1.2) })).to.not.include('superseded');
  });

  it('finds a code that was not sent because of a newer one, or a use, that nobody knows', () => {
    const superseded = hookEvent('111111', 'request.answered', { at: at(0.5), text: 'PENDING SUPERSEDED' });
    const first = event('111111', call(0, 'PENDING'));
    const other = (seconds: number): RunFacts['events'] => [
      first,
      event('222222', call(seconds, 'SUCCESSFUL', { gateway: 1 })),
    ];
    const facts = (seconds: number): Partial<RunFacts> => ({
      ...{ events: other(seconds), messages: [message('222222', seconds + 0.05)], hookEvents: [superseded] },
    });
    expect(violationsOf(facts(0.4))).to.deep.equal([]);
    // On the way to Redis, one of them may have been faster.
    expect(violationsOf(facts(-0.1))).to.deep.equal([]);
    expect(violationsOf(facts(0.6))).to.deep.equal(['unsuperseded']);
    expect(violationsOf(facts(-0.2))).to.deep.equal(['unsuperseded']);
    expect(violationsOf({ ...facts(-0.2), wipes: [wipe(0.1)] })).to.deep.equal([]);
    // Redis has forgotten the first call of the other one, so that its retry is newer.
    const retried = event('222222', hungUp(-0.5), call(0.4, 'SUCCESSFUL', { gateway: 1 }));
    const forgot = { ...facts(0.4), events: [first, retried], wipes: [wipe(-0.3)] };
    expect(violationsOf(forgot)).to.deep.equal([]);
    expect(violationsOf({ ...forgot, wipes: [] })).to.deep.equal(['unsuperseded']);
    // The gateway of its retry had lost Redis, and did not know it.
    expect(violationsOf({ ...forgot, wipes: [], hookEvents: [superseded, ...loss(1, 0.3)] })).to.deep.equal(
      [],
    );
    const blocked = hookEvent('222222', 'guard.blocked');
    const ofBlocked = { ...facts(0.4), messages: [], hookEvents: [superseded, blocked] };
    expect(violationsOf(ofBlocked)).to.include('unsuperseded');
    // Another gateway has allowed it, and died before it said so.
    const died = call(0.3, undefined, { gateway: 2, problem: 'connection lost' });
    const withDead = [first, event('222222', died, call(5, 'PENDING'))];
    expect(violationsOf({ ...ofBlocked, events: withDead })).to.not.include('unsuperseded');
    // Another gateway has allowed it, which had lost Redis.
    const read = hookEvent('222222', 'profile.read');
    expect(violationsOf({ ...ofBlocked, hookEvents: [superseded, blocked, read] })).to.not.include(
      'unsuperseded',
    );
    const use = { eventId: 'event 222222', usedAt: at(0.3), at: at(0.4), gateway: 1, isTaken: true };
    expect(violationsOf({ ...facts(-0.2), uses: [{ ...use, userId: 'ana' }] })).to.deep.equal([]);
    expect(violationsOf({ ...facts(-0.2), uses: [{ ...use, userId: 'bob' }] })).to.deep.equal([
      'unsuperseded',
    ]);
  });

  it('finds it for codes that came to one process at once', () => {
    const atOnce = { events: [older, event('222222', call(0.1, 'SUCCESSFUL'))] };
    const left = (life: number): RunFacts['messages'] => [
      message('222222', 0.2, { gateway: 0, life: 1 }),
      message('111111', 0.3, { gateway: 0, life }),
    ];
    expect(violationsOf({ ...atOnce, messages: left(1) })).to.deep.equal(['superseded']);
    const restarted = { events: [older, event('222222', call(0.1, 'SUCCESSFUL', { life: 2 }))] };
    expect(violationsOf({ ...restarted, messages: left(1) })).to.deep.equal([]);
  });

  it('says whether a repeat that sent the older code had come before the newer one left, or after', () => {
    const messages = [newerLeft, message('111111', 3.1, { gateway: 2, life: 1 })];
    const withRepeat = (seconds: number): Partial<RunFacts> => ({
      messages,
      events: [
        event('111111', hungUp(0), call(seconds, 'SUCCESSFUL', { gateway: 2, durationMs: 2_500 })),
        newer,
      ],
    });
    expect(violationsOf(withRepeat(1.05))).to.deep.equal(['repeated']);
    expect(violationsOf(withRepeat(2))).to.deep.equal(['revived']);
  });

  it('finds a late send after the report of its use, or of a newer use', () => {
    const use: UseFact = {
      ...{ userId: 'ana', eventId: 'event 111111', usedAt: at(2), at: at(2.1), gateway: 1, isTaken: true },
    };
    const failed = whatsApp('111111', 0.1, { ...FAILED, statusAt: at(4), gateway: 0, life: 1 });
    const facts = { events: [older], messages: [failed, message('111111', 4, { gateway: 0, life: 1 })] };
    expect(violationsOf(facts)).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use] })).to.deep.equal(['used']);
    expect(violationsOf({ ...facts, uses: [{ ...use, isTaken: false }] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [{ ...use, usedAt: at(-1) }] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use], outages: [outage(1, 2.2, 3)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use], hookEvents: loss(0, 3) })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use], wipes: [failover(2, 3)] })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use], wipes: [failover(2.7, 3)] })).to.deep.equal(['used']);
    expect(violationsOf({ ...facts, uses: [use], hookEvents: loss(1, 2) })).to.deep.equal([]);
    expect(violationsOf({ ...facts, uses: [use], hookEvents: loss(1, 2, 2.2) })).to.deep.equal(['used']);
  });
});
