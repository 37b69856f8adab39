import { expect } from 'chai';
import type { HookEvent } from '#lib/core/events.js';
import { isReadableEvent } from '#lib/events/event-shape.js';
import { ATTEMPT, EVENTS, START } from './sample-events.js';

/** By event type of the history: the fields that a reader needs. */
const NEEDED = {
  'request.received': ['eventId', 'deliveryChannel', 'toEnding', 'isPreview'],
  'guard.blocked': ['eventId', 'code', 'rules', 'toEnding'],
  'guard.noticed': ['eventId', 'code', 'rules', 'toEnding'],
  'profile.read': ['eventId', 'durationMs'],
  'channels.planned': ['eventId', 'channels', 'skipped'],
  'attempt.ended': ['eventId', 'channel', 'provider', 'outcome', 'durationMs'],
  'attempt.settled': ['eventId', 'channel', 'provider', 'outcome', 'durationMs'],
  'request.rejected': [],
  'request.answered': [
    ...['eventId', 'deliveryChannel', 'toEnding', 'isPreview', 'outcome', 'status'],
    ...['isRepeat', 'attempts', 'skipped', 'durationMs'],
  ],
  'message.reported': ['channel', 'transactionId', 'report', 'status'],
  'failover.ended': ['eventId', 'fromChannel', 'cause', 'outcome', 'attempts'],
  'code.used': ['eventId', 'channel', 'provider', 'transactionId'],
  'feedback.failed': ['eventId', 'channel', 'provider', 'code'],
} as const satisfies Partial<Record<HookEvent['type'], readonly string[]>>;

/** A value of each field that a reader reads, in any event. */
const FIELDS = {
  ...EVENTS['request.answered'],
  ...{ code: '63024', testedBy: 'admin', isOtherNumber: true, profileStatus: 500, httpStatus: 500 },
  ...{ optIn: 'absent', optInAttribute: 'optIn', fromChannel: 'sms', report: 'failed' },
  ...{ attempts: [ATTEMPT], cause: { code: 'X' }, providerRequestId: 'RQ1', rules: [{ code: 'X' }] },
  ...{ channels: ['sms'], skipped: [{ channel: 'whatsapp', reason: 'STOPPED' }] },
};
/** The fields that no reader reads: they may have any type. */
const UNREAD: readonly string[] = [
  ...['reason', 'remedy', 'country', 'hasHungUp', 'remainingMs'],
  ...['profileSource', 'profileReason', 'profileMs'],
];

/** Values that no field of these events has. */
const STRANGE = [null, {}, Symbol.iterator] as const;

describe('an event of another gateway', () => {
  for (const [type, needed] of Object.entries(NEEDED)) {
    it(`${type} is readable, also after JSON, but not without one of: ${needed.join(', ')}`, () => {
      const whole = EVENTS[type as keyof typeof NEEDED];
      expect(isReadableEvent(whole)).to.equal(true);
      expect(isReadableEvent(JSON.parse(JSON.stringify(whole)))).to.equal(true);
      for (const name of ['type', 'at', ...needed])
        expect(isReadableEvent({ ...whole, [name]: undefined }), name).to.equal(false);
    });
  }

  it('is not readable if a field has another type', () => {
    expect(isReadableEvent(FIELDS)).to.equal(true);
    for (const name of Object.keys(FIELDS)) {
      for (const strange of STRANGE)
        expect(isReadableEvent({ ...FIELDS, [name]: strange }), name).to.equal(UNREAD.includes(name));
    }
  });

  it('is readable with an unknown type if its fields have their types', () => {
    expect(isReadableEvent({ type: 'new.type', at: START, eventId: 'event-1' })).to.equal(true);
    expect(isReadableEvent({ type: 'new.type', at: START, eventId: 1 })).to.equal(false);
  });

  for (const [what, changed] of [
    ['a list of words contains another type', { type: 'channels.planned', channels: ['sms', 1] }],
    ['a rule has no code', { type: 'guard.blocked', rules: [{}] }],
    ['a skipped channel has no reason', { type: 'channels.planned', skipped: [{ channel: 'sms' }] }],
    ['a skipped channel has no name', { type: 'channels.planned', skipped: [{ reason: 'STOPPED' }] }],
    ['a skipped channel is a word', { type: 'request.answered', skipped: ['whatsapp:STOPPED'] }],
    ['a cause has no code', { type: 'failover.ended', cause: {} }],
    [
      'a report lacks its duration',
      { type: 'request.answered', attempts: [{ ...ATTEMPT, durationMs: undefined }] },
    ],
    ['its time is no date', { type: 'profile.read', at: 8.64e15 + 1 }],
    ['its time is no number', { type: 'profile.read', at: Number.NaN }],
  ] as const) {
    it(`is not readable if ${what}`, () => {
      const whole = EVENTS[changed.type];
      expect(isReadableEvent(whole)).to.equal(true);
      expect(isReadableEvent({ ...whole, ...changed })).to.equal(false);
    });
  }

  it('is not readable if it is not an object', () => {
    for (const value of [undefined, null, 'text', 7, []]) expect(isReadableEvent(value)).to.equal(false);
  });
});
