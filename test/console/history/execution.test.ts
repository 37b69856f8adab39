import { expect } from 'chai';
import fc from 'fast-check';
import type { HookEvent } from '#lib/core/events.js';
import type { ChannelTally, Execution, ExecutionSummary } from '#lib/console/history/answers.js';
import type { Step } from '#lib/console/history/execution.js';
import { KeptExecutions } from '#lib/console/history/kept-executions.js';
import { check, PATIENCE_MS, withSeed } from '../../hostile/runs.js';
import { START, eventsOf } from '../../events/sample-events.js';

const DAY_MS = 86_400_000;
const LATER = START + 600_000;

const of = eventsOf('event-1');
const byWhatsApp = { channel: 'whatsapp', transactionId: 'MM1' };
const bySms = { channel: 'sms', transactionId: 'SM2' };
const received = of.received();
const sentBySms = of.attempt(90, 'accepted', bySms);
const lateSms = of.attempt(5_100, 'accepted', bySms);
const accepted = [received, of.attempt(90, 'accepted', byWhatsApp), of.answered(100, 'SUCCESSFUL')];
const reported = (afterMs: number, status: string, code?: string): HookEvent =>
  of.status(afterMs, 'MM1', status, { channel: 'whatsapp', code });
const undelivered = [...accepted, reported(5_000, 'undelivered', '63024')];
const unknown = [
  received,
  of.attempt(90, 'unknown', { channel: 'whatsapp', code: 'DEADLINE' }),
  of.answered(100, 'PENDING', { code: undefined }),
];
const refused = (code: string, channel = 'sms'): HookEvent => of.attempt(90, 'refused', { channel, code });
const failed = (code: string): HookEvent => of.answered(100, 'ERROR', { code, channel: 'sms' });
const blocked = (status: 'PENDING' | 'ERROR', code: string): HookEvent =>
  of.answered(100, status, { outcome: 'blocked', code });
const otherNumber = of.blocked(30, 'enforce', { code: 'COUNTRY_NOT_ALLOWED', isOtherNumber: true });
const rejected: HookEvent = {
  type: 'request.rejected',
  at: START + 30,
  eventId: 'event-1',
  oktaRequestId: 'req-event-1',
  userId: '00u-event-1',
  status: 500,
  code: 'INTERNAL_ERROR',
  fields: [],
  count: 1,
  reason: undefined,
};

type Expected = Partial<Pick<ExecutionSummary, 'outcome' | 'channel' | 'provider' | 'code' | 'durationMs'>>;

/** The events of an execution, and its result. */
const OUTCOMES: readonly (readonly [title: string, events: readonly HookEvent[], Expected])[] = [
  ['accepted by a provider', accepted, { outcome: 'sent', channel: 'whatsapp', durationMs: 100 }],
  [
    'sent, with no report but that it is on its way',
    [...accepted, reported(900, 'sent')],
    { outcome: 'sent' },
  ],
  [
    'delivered after it was sent',
    [...accepted, reported(900, 'delivered')],
    { outcome: 'delivered', channel: 'whatsapp', code: undefined },
  ],
  ['read', [...accepted, reported(900, 'read')], { outcome: 'delivered' }],
  [
    'delivered after it had failed',
    [...undelivered, reported(9_000, 'delivered')],
    { outcome: 'delivered', code: undefined },
  ],
  [
    'refused by one channel, and late by the next, without earlier events of it',
    [received, of.attempt(40, 'refused', byWhatsApp), of.late(3_000, 'refused', { ...bySms, code: '30003' })],
    { outcome: 'failed', channel: 'sms', code: '30003' },
  ],
  ['undelivered', undelivered, { outcome: 'undelivered', channel: 'whatsapp', code: '63024' }],
  [
    'undelivered, without a code',
    [...accepted, reported(900, 'failed')],
    { outcome: 'undelivered', code: 'FAILED' },
  ],
  [
    'a voice call without an answer',
    [
      received,
      of.attempt(90, 'accepted', { channel: 'voice', transactionId: 'CA1' }),
      of.answered(100, 'SUCCESSFUL'),
      of.status(30_000, 'CA1', 'no-answer', { channel: 'voice' }),
    ],
    { outcome: 'undelivered', channel: 'voice', code: 'NO-ANSWER' },
  ],
  [
    'accepted by SMS after WhatsApp had not delivered',
    [...undelivered, lateSms, of.failover(5_200)],
    { outcome: 'sent', channel: 'sms', code: undefined },
  ],
  [
    'delivered by SMS after WhatsApp had not delivered',
    [...undelivered, lateSms, of.failover(5_200), of.status(7_000, 'SM2', 'delivered')],
    { outcome: 'delivered', channel: 'sms' },
  ],
  [
    'undelivered by SMS as well',
    [...undelivered, lateSms, of.failover(5_200), of.status(7_000, 'SM2', 'undelivered', { code: '30003' })],
    { outcome: 'undelivered', channel: 'sms', code: '30003' },
  ],
  [
    'undelivered, and refused by SMS',
    [
      ...undelivered,
      of.attempt(5_100, 'refused', { channel: 'sms', code: '21610' }),
      of.failover(5_200, { outcome: 'refused', code: '21610' }),
    ],
    { outcome: 'undelivered', channel: 'whatsapp', code: '63024' },
  ],
  [
    'undelivered, and unknown by SMS',
    [
      ...undelivered,
      of.attempt(5_100, 'unknown', { channel: 'sms', code: 'TIMEOUT' }),
      of.failover(5_200, { outcome: 'unknown' }),
    ],
    { outcome: 'pending', channel: 'sms', code: 'TIMEOUT' },
  ],
  [
    'given up without a report, and nothing else sent',
    [
      ...accepted,
      of.failover(20_000, {
        cause: { code: 'NOT_DELIVERED_IN_TIME', reason: undefined, remedy: undefined },
        outcome: 'dropped',
        code: 'CODE_EXPIRED',
      }),
    ],
    { outcome: 'undelivered', channel: 'whatsapp', code: 'NOT_DELIVERED_IN_TIME' },
  ],
  [
    'given up, but delivered',
    [...accepted, of.failover(20_000, { outcome: 'dropped', code: 'DELIVERED' })],
    { outcome: 'sent' },
  ],
  [
    'blocked by a fraud filter after it was accepted',
    [...undelivered, of.failover(5_200, { outcome: 'dropped', code: 'FRAUD_BLOCK' })],
    { outcome: 'blocked', code: '63024' },
  ],
  ['used', [...accepted, of.used(30_000, 'whatsapp', 'MM1')], { outcome: 'used', channel: 'whatsapp' }],
  [
    'used, without other events',
    [of.used(30_000, 'sms', 'SM2')],
    { outcome: 'used', channel: 'sms', provider: 'TWILIO' },
  ],
  [
    'used, in spite of an undelivered report',
    [...undelivered, of.used(30_000, 'whatsapp', 'MM1')],
    { outcome: 'used', code: undefined },
  ],
  ['unknown', unknown, { outcome: 'pending', channel: 'whatsapp', code: 'DEADLINE' }],
  [
    'unknown, and accepted later',
    [...unknown, of.late(3_000, 'accepted', byWhatsApp)],
    { outcome: 'sent', channel: 'whatsapp', code: undefined },
  ],
  [
    'unknown, and still unknown later',
    [...unknown, of.late(10_000, 'unknown', { channel: 'whatsapp', code: 'TIMEOUT' })],
    { outcome: 'pending', code: 'TIMEOUT' },
  ],
  [
    'unknown, refused later, and accepted by SMS',
    [
      ...unknown,
      of.late(3_000, 'refused', { channel: 'whatsapp', code: '63016' }),
      of.attempt(3_100, 'accepted', bySms),
      of.failover(3_200),
    ],
    { outcome: 'sent', channel: 'sms' },
  ],
  [
    'refused by one channel, accepted by the next',
    [received, refused('63016', 'whatsapp'), sentBySms, of.answered(100, 'SUCCESSFUL')],
    { outcome: 'sent', channel: 'sms', code: undefined },
  ],
  [
    'refused by all',
    [received, refused('21211'), failed('21211')],
    { outcome: 'failed', channel: 'sms', provider: 'TWILIO', code: '21211' },
  ],
  [
    'refused by a fraud filter',
    [received, refused('30450'), blocked('PENDING', '30450')],
    { outcome: 'blocked', code: '30450' },
  ],
  [
    'refused by a fraud filter, and answered with an error',
    [received, refused('30450'), blocked('ERROR', '30450')],
    { outcome: 'blocked', code: '30450' },
  ],
  [
    'superseded by a newer code',
    [received, blocked('PENDING', 'SUPERSEDED')],
    { outcome: 'blocked', code: 'SUPERSEDED' },
  ],
  [
    'blocked by the guard, and never answered',
    [received, of.blocked(5, 'enforce')],
    { outcome: 'blocked', code: 'LIMIT_PER_USER' },
  ],
  [
    'blocked by the guard, and answered with PENDING',
    [received, of.blocked(5, 'enforce'), blocked('PENDING', 'LIMIT_PER_USER')],
    { outcome: 'blocked', channel: undefined, code: 'LIMIT_PER_USER' },
  ],
  [
    'refused by all, after the guard had blocked the number of the profile',
    [received, otherNumber, refused('21211'), failed('21211')],
    { outcome: 'failed', channel: 'sms', code: '21211' },
  ],
  [
    'no attempt, after the guard had blocked the number of the profile',
    [received, otherNumber, of.answered(100, 'ERROR', { code: 'NO_CHANNEL' })],
    { outcome: 'failed', code: 'NO_CHANNEL' },
  ],
  [
    'blocked, requested again, and refused by all',
    [
      received,
      of.blocked(5, 'enforce'),
      blocked('ERROR', 'LIMIT_PER_USER'),
      of.received(200),
      of.attempt(290, 'refused', { code: '21211' }),
      of.answered(300, 'ERROR', { code: '21211', channel: 'sms' }),
    ],
    { outcome: 'failed', code: '21211' },
  ],
  [
    'recorded by the guard, which does not enforce',
    [received, of.blocked(5, 'record'), ...accepted.slice(1)],
    { outcome: 'sent', code: undefined },
  ],
  [
    'no attempt',
    [received, of.answered(10, 'ERROR', { code: 'NO_CHANNEL' })],
    { outcome: 'failed', channel: undefined, code: 'NO_CHANNEL' },
  ],
  [
    'the result of the first request is unknown here',
    [received, of.answered(4, 'PENDING', { isRepeat: true })],
    { outcome: 'pending', durationMs: 4 },
  ],
  [
    'failed, requested again, and sent',
    [
      received,
      of.answered(10, 'ERROR', { code: 'NO_CHANNEL' }),
      of.received(200),
      of.attempt(290, 'accepted', bySms),
      of.answered(300, 'SUCCESSFUL', { durationMs: 95 }),
    ],
    { outcome: 'sent', durationMs: 95 },
  ],
  [
    'never answered: the process died before it had a plan',
    [received, of.planned(20, [])],
    { outcome: 'failed', code: 'NOT_ANSWERED', durationMs: undefined },
  ],
  [
    'never answered: the process died when it may have sent a message',
    [received, of.planned(20, ['sms'])],
    { outcome: 'pending', code: 'NOT_ANSWERED', durationMs: undefined },
  ],
  [
    'rejected after it was read',
    [received, of.planned(20, ['sms']), rejected],
    { outcome: 'failed', code: 'INTERNAL_ERROR', durationMs: undefined },
  ],
  ['never answered, and sent', [received, sentBySms], { outcome: 'sent', channel: 'sms' }],
  [
    'sent by a gateway without other events',
    [of.status(900, 'SM2', 'sent', { eventId: 'event-1' })],
    { outcome: 'sent', channel: 'sms' },
  ],
  [
    'undelivered by a gateway without other events',
    [of.status(900, 'SM2', 'failed', { eventId: 'event-1', code: '30003' })],
    { outcome: 'undelivered', channel: 'sms', code: '30003' },
  ],
  [
    'accepted by another provider of the channel after the first had not delivered',
    [
      received,
      sentBySms,
      of.status(900, 'SM2', 'failed'),
      of.attempt(990, 'accepted', { ...bySms, provider: 'OTHER', transactionId: 'SM3' }),
    ],
    { outcome: 'sent', channel: 'sms', provider: 'OTHER' },
  ],
  [
    'undelivered, without the id of the attempt',
    [received, of.attempt(90, 'accepted'), of.status(900, 'SM2', 'failed', { eventId: 'event-1' })],
    { outcome: 'undelivered', channel: 'sms', code: 'FAILED' },
  ],
  [
    'sent, without the id of the attempt, after another channel had not delivered',
    [...undelivered, of.attempt(5_100, 'accepted', { channel: 'sms' })],
    { outcome: 'sent', channel: 'sms', code: undefined },
  ],
  ['answered as sent, without attempts', [of.answered(5, 'SUCCESSFUL')], { outcome: 'sent' }],
  ['only the failure of an extension', [of.failed(5)], { outcome: 'failed', code: undefined }],
];

const stepsOf = (events: readonly HookEvent[], gateway = 'A'): readonly Step[] =>
  events.map((event, place) => ({ event, gateway, place }));
const keep = (steps: readonly Step[], nowMs = LATER): KeptExecutions => {
  const kept = new KeptExecutions(100, () => nowMs);
  for (const step of steps) kept.add(step);
  return kept;
};
const fold = (events: readonly HookEvent[], nowMs = LATER): Execution | undefined =>
  keep(stepsOf(events)).get('event-1')?.open(nowMs);

describe('an execution', () => {
  for (const [title, events, expected] of OUTCOMES) {
    it(`is ${expected.outcome}: ${title}`, () => {
      expect(fold(events)).to.include(expected);
    });
  }

  it('is running until its answer, for a minute at most', () => {
    const events = [of.received(), of.attempt(90, 'accepted', bySms)];
    const record = keep(stepsOf(events)).get('event-1');
    expect(record?.read(START + 59_999).summary.outcome).to.equal('running');
    expect(record?.read(START + 60_000).summary.outcome).to.equal('sent');
    expect(fold([...events, of.status(95, 'SM2', 'delivered')], START + 100)?.outcome).to.equal('delivered');
  });

  it('lists the channels of a code in order, and marks those that failed', () => {
    const byWhatsApp = { channel: 'whatsapp', transactionId: 'MM1' };
    const wayOf = (...events: readonly HookEvent[]): string =>
      (fold([of.received(), ...events])?.way ?? [])
        .map(({ channel, hasFailed }) => channel + (hasFailed ? ' x' : ''))
        .join(' > ');
    const sms = of.attempt(90, 'accepted', bySms);
    expect(wayOf()).to.equal('');
    expect(wayOf(sms)).to.equal('sms');
    expect(wayOf(of.attempt(80, 'refused', { channel: 'whatsapp' }), sms)).to.equal('whatsapp x > sms');
    expect(wayOf(of.attempt(90, 'refused', bySms))).to.equal('sms x');
    const late = [
      of.attempt(80, 'accepted', byWhatsApp),
      of.answered(99, 'SUCCESSFUL'),
      of.attempt(900, 'accepted', bySms),
    ];
    expect(wayOf(...late)).to.equal('whatsapp x > sms');
    expect(wayOf(...late, of.status(950, 'SM2', 'undelivered'))).to.equal('whatsapp x > sms x');
    expect(wayOf(...late, of.status(950, 'MM1', 'delivered'))).to.equal('whatsapp > sms');
    expect(wayOf(...late, of.status(950, 'SM2', 'delivered'))).to.equal('whatsapp x > sms');
    const withoutIds = ['whatsapp', 'sms'].map((channel) => of.attempt(80, 'accepted', { channel }));
    for (const [channel, way] of [
      ['whatsapp', 'whatsapp > sms'],
      ['sms', 'whatsapp x > sms'],
    ] as const) {
      const delivered = of.status(950, 'M1', 'delivered', { channel, eventId: 'event-1' });
      expect(wayOf(...withoutIds, delivered)).to.equal(way);
    }
  });

  it('shows what was requested, for which user and by whom', () => {
    expect(fold(accepted)).to.include({
      id: 'event-1',
      startedAt: START,
      oktaRequestId: 'req-event-1',
      userId: '00u-event-1',
      requestType: 'com.okta.user.telephony.mfa-verification',
      deliveryChannel: 'sms',
      toEnding: '23',
      isPreview: false,
      isTest: false,
      repeats: 0,
    });
    const test = { isPreview: true, oktaRequestId: 'tester-1', testedBy: 'Grace Hopper' };
    expect(fold([of.received(0, test)])).to.include({
      isPreview: true,
      isTest: true,
      testedBy: 'Grace Hopper',
    });
    // From a gateway without the call itself, as much as the event has.
    expect(fold([of.used(9, 'sms', 'SM2')])).to.include({
      userId: '00u-event-1',
      toEnding: '',
      isPreview: false,
    });
    expect(fold([of.failover(9)])).to.include({ toEnding: '23', deliveryChannel: undefined });
  });

  it('has its steps in the order of time; steps of the same time keep their order', () => {
    const events = [of.status(900, 'MM1', 'sent'), ...accepted, of.planned(90, []), of.failed(90)];
    const { steps = [] } = fold(events) ?? {};
    expect(steps.map(({ type }) => type)).to.deep.equal([
      'request.received',
      'attempt.ended',
      'channels.planned',
      'extension.failed',
      'request.answered',
      'message.reported',
    ]);
  });

  it('continues at another gateway, even if its clock is behind', () => {
    const next = { outcome: 'accepted', channel: 'sms', provider: 'TWILIO', transactionId: 'SM2' } as const;
    const behind = [
      of.status(-3_000, 'MM1', 'undelivered', { channel: 'whatsapp', code: '63024' }),
      of.attempt(-2_900, 'accepted', bySms),
      of.failover(-2_890, next),
    ];
    const steps = [...stepsOf(accepted, 'A'), ...stepsOf(behind, 'B')];
    const read = keep(steps).get('event-1')?.open(LATER);
    expect(read).to.include({ outcome: 'sent', channel: 'sms', code: undefined, startedAt: START });
    expect(read?.steps[0]?.type).to.equal('request.received');
    expect(
      keep([...steps].reverse())
        .get('event-1')
        ?.open(LATER),
    ).to.deep.equal(read);

    const further = [
      of.status(-9_000, 'SM2', 'undelivered', { code: '30003' }),
      of.failover(-8_900, {
        fromChannel: 'sms',
        outcome: 'unknown',
        channel: 'voice',
        provider: 'TWILIO',
        code: 'TIMEOUT',
        attempts: [{ ...next, durationMs: 9 }],
      }),
    ];
    const last = keep([...steps, ...stepsOf(further, 'C')]);
    expect(last.get('event-1')?.read(LATER).summary).to.include({
      outcome: 'pending',
      channel: 'voice',
      code: 'TIMEOUT',
    });
    const counted = last.tally(START).map(({ channel, accepted, unknown }) => [channel, accepted, unknown]);
    expect(counted).to.deep.equal([
      ['sms', 1, 0],
      ['voice', 0, 1],
      ['whatsapp', 1, 0],
    ]);
  });

  it('counts repeats and keeps 200 steps: it drops the newest repeats first, then the newest steps', () => {
    const repeat = (at: number): readonly HookEvent[] => [of.received(at), of.repeated(at + 2)];
    const repeats = Array.from({ length: 100 }, (_, count) => repeat(1_000 + count * 10)).flat();
    const read = fold([...undelivered, ...repeats, of.used(500_000, 'whatsapp', 'MM1')]);
    expect(read).to.include({ repeats: 100, omittedSteps: 5, outcome: 'used' });
    expect(read?.steps).to.have.length(200);
    expect(read?.steps.at(-1)?.type).to.equal('code.used');
    expect(read?.steps.at(-2)?.type).to.equal('message.reported');
    expect(read?.steps.at(0)?.type).to.equal('request.received');

    const reports = Array.from({ length: 250 }, (_, count) => of.status(1_000 + count, 'MM1', 'sent'));
    const many = fold([...accepted, ...reports]);
    expect(many?.steps.at(-1)?.at).to.equal(START + 1_000 + 196);
    expect(many).to.include({ omittedSteps: 53, outcome: 'sent' });
  });
});

describe('kept executions', () => {
  const fallback = (at: number, oktaRequestId: string | undefined): HookEvent => ({
    type: 'okta.fell-back',
    at: START + at,
    logEventId: 'log-event-1',
    oktaRequestId,
    userId: '00u-event-1',
    code: 'TIMEOUT',
    reason: undefined,
    isHookUnknown: false,
  });
  const known = accepted.flatMap((event) => ('oktaRequestId' in event ? (event.oktaRequestId ?? []) : []))[0];

  it('have the call that Okta gave up on as a step, by the id of the request', () => {
    const kept = keep(stepsOf([...accepted, fallback(5_000, known)]));
    expect(kept.find({})).to.have.length(1);
    expect(kept.get('event-1')?.open(LATER).steps.at(-1)?.type).to.equal('okta.fell-back');
    expect(kept.get('event-1')?.read(LATER).summary.outcome).to.equal('sent');
  });

  it('have an execution of its own for a call that no gateway has read', () => {
    for (const id of ['req-unread', undefined]) {
      const [record] = keep(stepsOf([...accepted, fallback(5_000, id)])).find({});
      expect(record?.read(LATER).summary).to.include({
        outcome: 'failed',
        code: 'NOT_RECEIVED',
        oktaRequestId: id,
        userId: '00u-event-1',
      });
      expect(record?.open(LATER).steps).to.have.length(1);
    }
  });

  it('have none of its own for a call that was read and dropped since', () => {
    const kept = new KeptExecutions(1, () => LATER);
    for (const step of stepsOf(accepted)) kept.add(step);
    kept.add({ event: eventsOf('event-2', START + 1_000).received(), gateway: 'A', place: 9 });
    expect(kept.find({}).map(({ id }) => id)).to.deep.equal(['event-2']);
    expect(kept.add({ event: fallback(5_000, known), gateway: 'A', place: 10 })).to.equal(undefined);
  });

  it('know an execution by ten ids of requests at most, however often a caller repeats it with others', () => {
    const repeats = Array.from({ length: 30 }, (_none, count) => ({
      ...of.repeated(count + 1),
      oktaRequestId: `req-${count}`,
    }));
    const [record] = keep(stepsOf([of.received(), ...repeats])).find({});
    expect(record?.oktaRequestIds.size).to.equal(10);
  });

  it('join the two if the events of the call come later from another gateway', () => {
    const kept = keep([{ event: fallback(5_000, known), gateway: 'B', place: 0 }, ...stepsOf(accepted)]);
    expect(kept.find({})).to.have.length(1);
    expect(kept.get('event-1')?.open(LATER).steps.at(-1)?.type).to.equal('okta.fell-back');
  });

  it('get the reports of their messages, even if a report comes first', () => {
    const report = of.status(9_000, 'MM1', 'delivered', { channel: 'whatsapp' });
    const kept = keep([{ event: report, gateway: 'B', place: 0 }]);
    expect(kept.find({})).to.be.empty;
    for (const step of stepsOf(accepted)) kept.add(step);
    expect(kept.get('event-1')?.read(LATER).summary.outcome).to.equal('delivered');
    expect(kept.get('event-1')?.open(LATER).steps).to.have.length(4);
  });

  it('remember at most 1,000 reports of unknown messages', () => {
    const reports = Array.from({ length: 1_001 }, (_, count) => of.status(9_000, `MM${count}`, 'delivered'));
    const again = Array.from({ length: 20 }, () => of.status(9_000, 'MM1000', 'delivered'));
    const kept = keep(stepsOf([...reports, ...again], 'B'));
    for (const step of stepsOf([of.attempt(1, 'accepted', { transactionId: 'MM0' })])) kept.add(step);
    expect(kept.get('event-1')?.read(LATER).summary.outcome).to.equal('sent');
    for (const step of stepsOf([of.attempt(2, 'accepted', { transactionId: 'MM1000' })], 'C')) kept.add(step);
    expect(kept.get('event-1')?.open(LATER).steps).to.have.length(12);
  });

  it('are limited to the newest, in any order of arrival; a report for a dropped one adds none', () => {
    const kept = new KeptExecutions(10, () => LATER);
    const events = Array.from({ length: 25 }, (_, count) => eventsOf(`e${count}`, START + count).received());
    // Half of them are older than the known ones.
    for (const step of stepsOf([...events.slice(12), ...events.slice(0, 12)])) kept.add(step);
    const idsOf = (): readonly string[] => kept.find({}).map(({ id }) => id);
    const newest = Array.from({ length: 10 }, (_, count) => `e${24 - count}`);
    expect(idsOf()).to.deep.equal(newest);
    kept.add({ event: eventsOf('e3').used(700_000, 'sms', 'SM3'), gateway: 'A', place: 30 });
    expect(idsOf()).to.deep.equal(newest);
    expect(kept.get('e3')).to.equal(undefined);
  });

  it('are limited to 100,000 steps: the oldest are dropped, without a query too', () => {
    const kept = new KeptExecutions(5_000, () => LATER);
    const executions = 560;
    for (let count = 0; count < executions; count += 1) {
      const one = eventsOf(`e${count}`, START + count);
      const repeats = Array.from({ length: 199 }, (_none, at) => one.repeated(at + 1));
      for (const step of stepsOf([one.received(), ...repeats])) kept.add(step);
    }
    // A dropped one does not come back.
    const [late] = stepsOf([eventsOf('e0').repeated(900)]);
    expect(late && kept.add(late)).to.equal(undefined);
    const records = kept.find({});
    expect(records).to.have.length(500);
    expect(records[0]?.id).to.equal(`e${executions - 1}`);
    expect(kept.get('e0')).to.equal(undefined);
  });

  it('are kept for a day', () => {
    let nowMs = START;
    const kept = new KeptExecutions(10, () => nowMs);
    kept.add({ event: of.received(), gateway: 'A', place: 0 });
    kept.add({ event: of.attempt(1, 'accepted', bySms), gateway: 'A', place: 1 });
    nowMs = START + DAY_MS;
    expect(kept.find({})).to.have.length(1);
    nowMs += 1;
    expect(kept.find({})).to.be.empty;
    expect(kept.add({ event: of.status(2, 'SM2', 'delivered'), gateway: 'A', place: 2 })).to.equal(undefined);
  });

  it('are dropped after a day when the next one comes, without a query too', () => {
    let nowMs = START;
    const kept = new KeptExecutions(10, () => nowMs);
    kept.add({ event: of.received(), gateway: 'A', place: 0 });
    nowMs = START + DAY_MS + 1;
    kept.add({ event: eventsOf('event-2', nowMs).received(), gateway: 'A', place: 1 });
    nowMs = START;
    expect(kept.get('event-1')).to.equal(undefined);
  });

  it('do not include events without an execution', () => {
    const kept = keep(
      stepsOf([
        { type: 'breaker.changed', at: START, host: 'api.twilio.com', state: 'open', channels: ['sms'] },
        {
          type: 'extension.failed',
          at: START,
          count: 1,
          extension: 'state',
          reason: 'x',
          remedy: 'y',
          eventId: undefined,
          oktaRequestId: undefined,
        },
      ]),
    );
    expect(kept.find({})).to.be.empty;
  });

  it('are counted by channel, each message once, from a given time on, without previews', () => {
    const two = eventsOf('event-2', START + 1_000);
    const three = eventsOf('event-3', START + 2_000);
    const tried = eventsOf('preview', START + 2_000);
    const kept = keep(
      stepsOf([
        ...undelivered,
        of.attempt(5_100, 'accepted', bySms),
        of.status(7_000, 'SM2', 'delivered'),
        of.status(7_001, 'SM2', 'delivered'),
        of.used(9_000, 'sms', 'SM2'),
        two.attempt(10, 'unknown', { channel: 'whatsapp' }),
        two.late(20, 'accepted', { channel: 'whatsapp', transactionId: 'MM5' }),
        three.attempt(10, 'refused', { channel: 'voice' }),
        three.attempt(20, 'unknown', { channel: 'voice' }),
        tried.received(0, { isPreview: true }),
        tried.attempt(20, 'accepted', { channel: 'voice', transactionId: 'CA9' }),
        tried.status(30, 'CA9', 'completed', { channel: 'voice' }),
      ]),
    );
    const none: Omit<ChannelTally, 'channel'> = {
      accepted: 0,
      refused: 0,
      blocked: 0,
      unknown: 0,
      delivered: 0,
      undelivered: 0,
      used: 0,
    };
    const voice = { ...none, channel: 'voice', refused: 1, unknown: 1 };
    expect(kept.tally(START)).to.deep.equal([
      { ...none, channel: 'sms', accepted: 1, delivered: 1, used: 1 },
      voice,
      { ...none, channel: 'whatsapp', accepted: 2, undelivered: 1 },
    ]);
    expect(kept.tally(START + 2_000)).to.deep.equal([voice]);
  });

  it('do not count a code that a fraud filter or the guard blocked as refused', () => {
    const two = eventsOf('event-2', START + 1_000);
    const three = eventsOf('event-3', START + 2_000);
    const four = eventsOf('event-4', START + 3_000);
    const kept = keep(
      stepsOf([
        of.attempt(80, 'refused', { channel: 'whatsapp', code: '63007' }),
        of.attempt(90, 'refused', { code: '30450' }),
        of.answered(100, 'ERROR', { outcome: 'blocked', code: '30450', channel: 'sms' }),
        two.blocked(5, 'enforce'),
        two.answered(10, 'ERROR', { outcome: 'blocked', code: 'LIMIT_PER_USER' }),
        three.attempt(90, 'refused', { channel: 'voice', code: '30003' }),
        three.answered(100, 'PENDING', { outcome: 'blocked', code: 'SUPERSEDED', channel: 'voice' }),
        // The gateway that tried it ended, and the limit blocked the next request of its event.
        four.attempt(90, 'refused', { channel: 'line', code: '400' }),
        four.answered(100, 'ERROR', { outcome: 'blocked', code: 'LIMIT_PER_USER' }),
      ]),
    );
    expect(
      kept.tally(START).map(({ channel, refused, blocked }) => [channel, refused, blocked]),
    ).to.deep.equal([
      ['line', 1, 0],
      ['sms', 0, 1],
      ['voice', 1, 0],
      ['whatsapp', 1, 0],
    ]);
  });
});

describe(withSeed('events in another order'), function () {
  this.timeout(PATIENCE_MS);

  it('produce the same executions', () =>
    check(
      'history folds in any order',
      fc.asyncProperty(
        fc.shuffledSubarray([...OUTCOMES], { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(2), { minLength: 60, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        async (outcomes, gateways, random) => {
          const events = outcomes.flatMap(([, events], at) => events.map((event) => moved(event, at)));
          const steps = events.map((event, place) => ({
            event,
            gateway: `gateway ${gateways[place % gateways.length]}`,
            place,
          }));
          const shuffled = [...steps].sort(() => (random.next().value % 2) - 0.5);
          const readAll = (kept: KeptExecutions): readonly Execution[] =>
            kept.find({}).map((record) => record.open(LATER));
          expect(readAll(keep(shuffled))).to.deep.equal(readAll(keep(steps)));
          expect(readAll(keep([...steps].reverse()))).to.deep.equal(readAll(keep(steps)));
          await Promise.resolve();
        },
      ),
      150,
    ));

  it('produce the same execution if some steps are dropped', () =>
    check(
      'history bounds in any order',
      fc.asyncProperty(fc.nat(), async (seed) => {
        const repeats = Array.from({ length: 120 }, (_, count) => [
          of.received(300 + count),
          of.repeated(301 + count),
        ]).flat();
        const steps = stepsOf([...undelivered, ...repeats]);
        const shuffled = steps
          .map((step, at) => ({ step, at: (at * 7919 + seed) % 7907 }))
          .sort((one, other) => one.at - other.at)
          .map(({ step }) => step);
        const open = (some: readonly Step[]): Execution | undefined => keep(some).get('event-1')?.open(LATER);
        expect(open(shuffled)).to.deep.equal(open(steps));
        await Promise.resolve();
      }),
      30,
    ));
});

/** The same event of another execution, with other message ids. */
function moved(event: HookEvent, at: number): HookEvent {
  const ofEvent =
    'eventId' in event && event.eventId !== undefined ? { eventId: `${event.eventId}-${at}` } : {};
  const ofMessage =
    'transactionId' in event && event.transactionId !== undefined
      ? { transactionId: `${event.transactionId}-${at}` }
      : {};
  return { ...event, ...ofEvent, ...ofMessage };
}
