import { expect } from 'chai';
import type { HookEvent } from '#lib/core/events.js';
import { isReadableEvent } from '#lib/events/event-shape.js';
import { START } from './sample-events.js';

type TypeOf<Event> = Event extends { readonly type: infer Type } ? Type : never;
type EventOf<Type> = Extract<HookEvent, { readonly type: Type }>;

const ids = { eventId: 'event-1', oktaRequestId: 'req-1' } as const;
const attempt = { channel: 'sms', provider: 'TWILIO', outcome: 'accepted', durationMs: 40 } as const;
const skipped = [{ channel: 'whatsapp', reason: 'STOPPED' }] as const;
const requestFields = { deliveryChannel: 'sms', toEnding: '23', isPreview: false } as const;

/** By event type of the history: fields that a reader needs, and fields that it reads if they exist. */
const EVENTS: Readonly<
  Record<string, { readonly needed: Readonly<Record<string, unknown>>; readonly read: object }>
> = {
  'request.received': {
    needed: { eventId: 'event-1', ...requestFields },
    read: { oktaRequestId: 'req-1', requestType: 'mfa-verification', userId: '00u1' },
  },
  'guard.blocked': {
    needed: {
      eventId: 'event-1',
      code: 'LIMIT_PER_USER',
      rules: [{ code: 'X' }],
      toEnding: '23',
    },
    read: { userId: '00u1' },
  },
  'guard.noticed': {
    needed: { eventId: 'event-1', code: 'LIMIT_PER_USER', rules: [{ code: 'X' }], toEnding: '23' },
    read: { isOtherNumber: true },
  },
  'profile.read': {
    needed: { eventId: 'event-1', durationMs: 40 },
    read: { oktaRequestId: 'req-1', httpStatus: 500 },
  },
  'channels.planned': { needed: { eventId: 'event-1', channels: ['sms'], skipped }, read: ids },
  'attempt.ended': {
    needed: { eventId: 'event-1', ...attempt },
    read: { transactionId: 'SM1', code: '63024' },
  },
  'attempt.settled': { needed: { eventId: 'event-1', ...attempt }, read: { transactionId: 'SM1' } },
  'request.rejected': { needed: {}, read: { ...ids, userId: '00u1', code: 'INTERNAL_ERROR' } },
  'request.answered': {
    needed: {
      eventId: 'event-1',
      ...requestFields,
      outcome: 'accepted',
      status: 'SUCCESSFUL',
      isRepeat: false,
      attempts: [attempt],
      skipped,
      durationMs: 170,
    },
    read: {
      isOtherNumber: true,
      channel: 'sms',
      provider: 'TWILIO',
      transactionId: 'SM1',
      userId: '00u1',
      profileStatus: 500,
    },
  },
  'message.reported': {
    needed: { channel: 'sms', transactionId: 'SM1', report: 'delivered', status: 'read' },
    read: { code: '63024' },
  },
  'failover.ended': {
    needed: {
      eventId: 'event-1',
      fromChannel: 'whatsapp',
      cause: { code: 'NOT_DELIVERED_IN_TIME' },
      outcome: 'accepted',
      attempts: [attempt],
    },
    read: { channel: 'sms', code: 'SUPERSEDED' },
  },
  'code.used': {
    needed: { eventId: 'event-1', channel: 'sms', provider: 'TWILIO', transactionId: 'SM1' },
    read: { userId: '00u1' },
  },
  'feedback.failed': {
    needed: { eventId: 'event-1', channel: 'sms', provider: 'TWILIO', code: 'TIMEOUT' },
    read: { oktaRequestId: 'req-1' },
  },
} satisfies Partial<{
  [Type in TypeOf<HookEvent>]: {
    // The type check: an event can only need fields that it has.
    readonly needed: { readonly [Name in keyof Omit<EventOf<Type>, 'type' | 'at'>]?: unknown };
    readonly read: object;
  };
}>;

/** Values that no field of these events has. */
const STRANGE = [null, {}, Symbol.iterator] as const;

describe('an event of another gateway', () => {
  for (const [type, { needed, read }] of Object.entries(EVENTS)) {
    const whole: Readonly<Record<string, unknown>> = { type, at: START, ...read, ...needed };

    it(`${type} is readable, also after JSON`, () => {
      expect(isReadableEvent(whole)).to.equal(true);
      expect(isReadableEvent(JSON.parse(JSON.stringify(whole)))).to.equal(true);
    });

    it(`${type} is not readable without one of ${Object.keys(needed).join(', ')}`, () => {
      for (const name of ['type', 'at', ...Object.keys(needed)]) {
        expect(isReadableEvent({ ...whole, [name]: undefined }), name).to.equal(false);
      }
    });

    it(`${type} is not readable if a field has another type`, () => {
      for (const name of Object.keys(whole)) {
        for (const strange of STRANGE)
          expect(isReadableEvent({ ...whole, [name]: strange }), name).to.equal(false);
      }
    });
  }

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
      { type: 'request.answered', attempts: [{ ...attempt, durationMs: undefined }] },
    ],
    ['its time is no date', { type: 'profile.read', at: 8.64e15 + 1 }],
    ['its time is no number', { type: 'profile.read', at: Number.NaN }],
  ] as const) {
    it(`is not readable if ${what}`, () => {
      const { needed = {}, read = {} } = EVENTS[changed.type] ?? {};
      const whole = { at: START, ...read, ...needed, type: changed.type };
      expect(isReadableEvent(whole)).to.equal(true);
      expect(isReadableEvent({ ...whole, ...changed })).to.equal(false);
    });
  }

  it('is not readable if it is not an object', () => {
    for (const value of [undefined, null, 'text', 7, []]) expect(isReadableEvent(value)).to.equal(false);
  });

  it('may be that of a rejected request, whose status is a number', () => {
    const rejected = { type: 'request.rejected', at: START, ...ids, status: 500, code: 'INTERNAL_ERROR' };
    expect(isReadableEvent(rejected)).to.equal(true);
  });
});
