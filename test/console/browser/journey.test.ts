import { expect } from 'chai';
import { layOutMessages, stopsOf } from '#lib/console/browser/journey.js';
import { layOutWaterfall } from '#lib/console/browser/waterfall-bars.js';
import { ExecutionRecord } from '#lib/console/history/execution.js';
import type { Execution } from '#lib/console/history/answers.js';
import type { HookEvent } from '#lib/core/events.js';
import { START, eventOf, eventsOf } from '../../events/sample-events.js';

const of = eventsOf('e1');
const WHATSAPP = { channel: 'whatsapp', transactionId: 'MM1' } as const;
const SMS = { channel: 'sms', transactionId: 'SM1' } as const;
const sent = [of.received(), of.attempt(90, 'accepted', WHATSAPP), of.answered(100, 'SUCCESSFUL')];
const failedLater = [...sent, of.status(4_000, 'MM1', 'undelivered', { channel: 'whatsapp', code: '63024' })];
const failedOver = [
  ...failedLater,
  of.attempt(4_400, 'accepted', SMS),
  of.failover(4_400, SMS),
  of.status(6_000, 'SM1', 'delivered'),
];
const used = [...failedOver, of.used(20_000, 'sms', 'SM1')];
const unknown = [
  of.received(),
  of.attempt(90, 'unknown', { channel: 'sms', code: 'DEADLINE' }),
  of.answered(100, 'PENDING'),
];

function executionOf(events: readonly HookEvent[], nowMs = START + 600_000): Execution {
  const record = new ExecutionRecord('e1');
  for (const [place, event] of events.entries()) record.add({ event, gateway: 'A', place });
  return record.open(nowMs);
}

describe('the way of a code', () => {
  const passedByOkta = 'Okta: passed, requested the code';
  const sentOn = 'Gateway: passed, sent it on';
  const afterWhatsApp = 'Provider: passed, accepted it by SMS, after WhatsApp failed';
  const cases: readonly (readonly [string, readonly HookEvent[], readonly string[]])[] = [
    [
      'blocked by the guard',
      [of.received(), of.blocked(4, 'enforce'), of.answered(5, 'ERROR', { outcome: 'blocked' })],
      [passedByOkta, 'Gateway: stopped, blocked it'],
    ],
    [
      'replaced by a newer code after a refusal',
      [
        of.received(),
        of.attempt(40, 'refused', WHATSAPP),
        of.answered(50, 'PENDING', { outcome: 'blocked', code: 'SUPERSEDED' }),
      ],
      [passedByOkta, 'Gateway: stopped, stopped it for a newer code'],
    ],
    [
      'refused by every channel',
      [
        of.received(),
        of.attempt(40, 'refused', WHATSAPP),
        of.attempt(80, 'refused', SMS),
        of.answered(90, 'ERROR'),
      ],
      [passedByOkta, sentOn, 'Provider: stopped, refused it, after WhatsApp failed'],
    ],
    [
      'without an answer of the provider',
      unknown,
      [passedByOkta, sentOn, 'Provider: doubtful, gave no answer'],
    ],
    [
      'requested in a call that only Okta knows',
      [eventOf('okta.fell-back')],
      [passedByOkta, 'Gateway: stopped, did not get the call, or rejected it'],
    ],
    [
      'accepted',
      sent,
      [passedByOkta, sentOn, 'Provider: passed, accepted it by WhatsApp', 'Phone: waiting, no report yet'],
    ],
    [
      'accepted, and failed later',
      failedLater,
      [passedByOkta, sentOn, 'Provider: passed, accepted it by WhatsApp', 'Phone: stopped, did not get it'],
    ],
    [
      'delivered after late failover',
      failedOver,
      [passedByOkta, sentOn, afterWhatsApp, 'Phone: passed, got it', 'User: waiting, has not entered it yet'],
    ],
    [
      'used',
      used,
      [passedByOkta, sentOn, afterWhatsApp, 'Phone: passed, got it', 'User: passed, entered it'],
    ],
  ];
  for (const [what, events, expected] of cases) {
    it(`says where a code is that was ${what}`, () => {
      const stops = stopsOf(executionOf(events));
      expect(stops.map(({ name }) => name)).to.deep.equal(['Okta', 'Gateway', 'Provider', 'Phone', 'User']);
      const reached = stops.filter(({ state }) => state !== 'ahead');
      expect(reached.map(({ name, state, words }) => `${name}: ${state}, ${words}`)).to.deep.equal(expected);
      expect(stops.slice(reached.length).every(({ state }) => state === 'ahead')).to.equal(true);
    });
  }

  it('waits at the gateway while a call runs, and begins at the tester for a test', () => {
    const running = stopsOf(executionOf([of.received()], START + 5));
    expect(running.map(({ state }) => state)).to.deep.equal(['passed', 'waiting', 'ahead', 'ahead', 'ahead']);
    expect(stopsOf({ ...executionOf(sent), isTest: true })[0]?.name).to.equal('Tester');
  });
});

describe('the messages of a code over time', () => {
  const lanesOf = (events: readonly HookEvent[]): readonly (readonly unknown[])[] =>
    layOutMessages(executionOf(events).steps, START).lanes.map(
      ({ label, tone, result, sendMs, sentMs, endMs, isOpen }) => [
        label,
        tone,
        result,
        sendMs,
        sentMs,
        endMs,
        isOpen,
      ],
    );
  const whatsApp = ['WhatsApp', 'bad', 'failed after 4,000 ms (63024)', 50, 90, 4_000, false];
  const sms = ['SMS', 'good', 'delivered after 6,000 ms', 4_360, 4_400, 6_000, false];

  it('show a message that failed later as failed, its failover, its delivery and its use', () => {
    expect(lanesOf(used)).to.deep.equal([
      whatsApp,
      sms,
      ['Code used', 'good', 'after 20 s', 20_000, 20_000, 20_000, false],
    ]);
    expect(layOutMessages(used, START)).to.include({ answeredMs: 100, spanMs: 20_000 });
  });

  it('stay open until a report comes', () => {
    expect(lanesOf(sent)).to.deep.equal([
      ['WhatsApp', 'plain', 'accepted after 90 ms, no report yet', 50, 90, 100, true],
    ]);
    expect(lanesOf(unknown)).to.deep.equal([
      ['SMS', 'warn', 'unknown after 90 ms (DEADLINE)', 50, 90, 100, true],
    ]);
    expect(lanesOf([...unknown, of.late(3_000, 'accepted', SMS)])).to.deep.equal([
      ['SMS', 'plain', 'accepted after 3,000 ms, no report yet', 50, 3_000, 3_000, true],
    ]);
  });

  it('say when late failover gave a message up, and when another gateway sent the next one', () => {
    const cause = { code: 'NOT_DELIVERED_IN_TIME', reason: undefined, remedy: undefined };
    expect(lanesOf([...sent, of.failover(30_000, { ...SMS, cause })])).to.deep.equal([
      ['WhatsApp', 'bad', 'given up after 30 s (NOT_DELIVERED_IN_TIME)', 50, 90, 30_000, false],
      ['SMS', 'plain', 'accepted after 30 s, no report yet', 30_000, 30_000, 30_000, true],
    ]);
    const refused = of.failover(30_000, { ...SMS, cause, outcome: 'refused', code: '21610' });
    // As the channels of the execution say.
    const lane = ['SMS', 'bad', 'refused after 30 s (21610)', 30_000, 30_000, 30_000, false];
    expect(lanesOf([...sent, refused]).at(-1)).to.deep.equal(lane);
  });

  it('say it of the first provider alone if the next one has the same channel', () => {
    const cause = { code: 'NOT_DELIVERED_IN_TIME', reason: undefined, remedy: undefined };
    const first = { channel: 'sms', provider: 'TWILIO', transactionId: 'SM0' };
    const second = { channel: 'sms', provider: 'VONAGE', transactionId: 'SM1' };
    const late = of.failover(30_000, { ...second, fromChannel: 'sms', cause });
    const givenUp = ['SMS', 'bad', 'given up after 30 s (NOT_DELIVERED_IN_TIME)', 50, 90, 30_000, false];
    const sentBefore = [of.received(), of.attempt(90, 'accepted', first), of.answered(100, 'SUCCESSFUL')];
    expect(lanesOf([...sentBefore, of.attempt(29_990, 'accepted', second), late])).to.deep.equal([
      givenUp,
      ['SMS', 'plain', 'accepted after 30 s, no report yet', 29_950, 29_990, 30_000, true],
    ]);
    const refused = of.attempt(40, 'refused', { ...first, transactionId: undefined });
    const elsewhere = of.failover(30_000, { ...second, fromChannel: 'whatsapp', cause });
    expect(lanesOf([of.received(), refused, ...sent.slice(1), elsewhere]).at(-1)).to.deep.equal([
      'SMS',
      'plain',
      'accepted after 30 s, no report yet',
      30_000,
      30_000,
      30_000,
      true,
    ]);
  });

  it('do not leave the attempt of a message green that failed later', () => {
    const barsOf = (events: readonly HookEvent[]) =>
      layOutWaterfall(executionOf(events).steps, 2_500).bars.map(({ label, tone, result }) => [
        label,
        tone,
        result,
      ]);
    expect(barsOf(sent)[0]).to.deep.equal(['WhatsApp', 'good', 'accepted']);
    expect(barsOf(used)[0]).to.deep.equal(['WhatsApp', 'bad', 'accepted; failed later']);
  });
});
