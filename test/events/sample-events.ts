import { ANA } from '#harness/scene.js';
import type { AttemptReport, HookEvent, HookEventOf } from '#lib/core/events.js';

const AT = { at: 1 } as const;
const IDS = { eventId: 'event-1', oktaRequestId: 'req-1', userId: ANA.id } as const;
const WHOSE = { userId: ANA.id, toEnding: '23' } as const;
const REQUEST = {
  requestType: 'com.okta.user.telephony.mfa-verification',
  deliveryChannel: 'sms',
  isPreview: false,
} as const;
export const ATTEMPT = { channel: 'sms', provider: 'TWILIO', outcome: 'accepted', durationMs: 120 } as const;
const RULE = {
  rule: 'perUser',
  code: 'LIMIT_PER_USER',
  remedy: 'Raise it.',
  points: 10,
  seconds: 600,
} as const;
const JUDGED = {
  ...AT,
  ...IDS,
  ...WHOSE,
  ...RULE,
  requestType: REQUEST.requestType,
  country: 'GB',
  rules: [RULE],
  isPreview: false,
} as const;

/** One event of each type, as the hook emits them. The compiler asks for new types. */
export const EVENTS: { readonly [Type in HookEvent['type']]: HookEventOf<Type> } = {
  'request.received': { ...AT, ...IDS, ...WHOSE, ...REQUEST, type: 'request.received' },
  'profile.read': {
    ...AT,
    ...IDS,
    type: 'profile.read',
    source: 'none',
    reason: 'OKTA_FORBIDDEN',
    durationMs: 9,
  },
  'channels.planned': {
    ...AT,
    ...IDS,
    type: 'channels.planned',
    channels: ['whatsapp', 'sms'],
    skipped: [],
  },
  'guard.blocked': { ...JUDGED, type: 'guard.blocked' },
  'guard.noticed': { ...JUDGED, type: 'guard.noticed' },
  'guard.blind': { ...AT, type: 'guard.blind', remedy: 'Check the event hook.' },
  'guard.recovered': { ...AT, type: 'guard.recovered', blindMs: 60_000 },
  'guard.lifted': {
    ...AT,
    type: 'guard.lifted',
    country: 'GB',
    liftedBy: 'Grace Hopper',
  },
  'attempt.ended': { ...AT, ...IDS, ...WHOSE, ...ATTEMPT, type: 'attempt.ended' },
  'attempt.settled': { ...AT, ...IDS, ...WHOSE, ...ATTEMPT, type: 'attempt.settled' },
  'request.answered': {
    ...AT,
    ...IDS,
    ...WHOSE,
    ...REQUEST,
    type: 'request.answered',
    outcome: 'accepted',
    status: 'SUCCESSFUL',
    code: undefined,
    reason: undefined,
    remedy: undefined,
    country: 'GB',
    isRepeat: false,
    hasHungUp: false,
    channel: 'sms',
    provider: 'TWILIO',
    transactionId: 'SM1',
    attempts: [],
    skipped: [],
    profileSource: 'okta',
    profileReason: undefined,
    profileMs: 60,
    durationMs: 180,
    remainingMs: 1800,
  },
  'message.reported': {
    ...AT,
    type: 'message.reported',
    channel: 'voice',
    transactionId: 'CA1',
    report: 'failed',
    status: 'no-answer',
    code: undefined,
    reason: undefined,
  },
  'failover.ended': {
    ...AT,
    ...IDS,
    type: 'failover.ended',
    fromChannel: 'whatsapp',
    ...WHOSE,
    cause: { code: '63024', reason: 'Not reached', remedy: undefined },
    outcome: 'accepted',
    channel: 'sms',
    provider: 'TWILIO',
    code: undefined,
    reason: undefined,
    remedy: undefined,
    transactionId: 'SM1',
    attempts: [],
  },
  'okta.fell-back': {
    ...AT,
    type: 'okta.fell-back',
    logEventId: 'log-event-1',
    oktaRequestId: 'req-1',
    userId: ANA.id,
    code: 'TIMEOUT',
    reason: 'no answer within 3 s',
    isHookUnknown: false,
  },
  'code.used': {
    ...AT,
    ...IDS,
    type: 'code.used',
    requestType: REQUEST.requestType,
    deliveryChannel: 'sms',
    channel: 'sms',
    provider: 'TWILIO',
    country: 'GB',
    transactionId: 'SM1',
    sinceSentMs: 21_000,
  },
  'feedback.failed': {
    ...AT,
    ...IDS,
    type: 'feedback.failed',
    count: 1,
    channel: 'sms',
    provider: 'TWILIO',
    code: 'TIMEOUT',
    reason: 'No answer in time',
    remedy: undefined,
    transactionId: 'SM1',
  },
  'extension.failed': {
    ...AT,
    ...IDS,
    type: 'extension.failed',
    count: 1,
    extension: 'composeText',
    reason: 'x',
    remedy: 'y',
  },
  'inbound.received': {
    ...AT,
    type: 'inbound.received',
    channel: 'whatsapp',
    messageId: 'SM1',
    keyword: 'stop',
    isHandled: false,
    fromEnding: '23',
  },
  'breaker.changed': {
    ...AT,
    type: 'breaker.changed',
    host: 'api.twilio.com',
    state: 'open',
    channels: ['sms'],
  },
  'configuration.warned': { ...AT, type: 'configuration.warned', option: 'publicUrl', where: ['publicUrl'] },
  'caller.rejected': {
    ...AT,
    type: 'caller.rejected',
    count: 2,
    reason: 'x',
    hook: 'inline',
    schemes: ['header'],
  },
  'probe.rejected': { ...AT, type: 'probe.rejected', status: 401, code: 'CALLER_NOT_PROVEN', count: 1 },
  'request.rejected': {
    ...AT,
    type: 'request.rejected',
    count: 1,
    status: 400,
    code: 'INVALID_REQUEST',
    fields: ['data'],
    reason: undefined,
  },
  'clock.skewed': { ...AT, type: 'clock.skewed', skewMs: -45_000 },
  'okta.paused': { ...AT, type: 'okta.paused', reason: 'LOW', untilMs: 1 },
  'okta.resumed': { ...AT, type: 'okta.resumed', reason: 'LOW', pausedMs: 21_000 },
  'readiness.failed': {
    ...AT,
    type: 'readiness.failed',
    part: 'channels.sms[1]',
    code: 'PROVIDER_UNREACHABLE',
    reason: 'No answer from LINE',
    remedy: 'Look at it.',
  },
  'state.lost': { ...AT, type: 'state.lost', reason: 'ECONNREFUSED', remedy: 'Start it.' },
  'state.recovered': { ...AT, type: 'state.recovered', reason: 'ECONNREFUSED', lostMs: 61_000 },
  'state.warned': { ...AT, type: 'state.warned', reason: 'x', remedy: 'y' },
  'callbacks.missing': { ...AT, type: 'callbacks.missing', count: 5, remedy: 'y' },
  'uses.skipped': { ...AT, type: 'uses.skipped', count: 5 },
  'callback.unmatched': { ...AT, type: 'callback.unmatched', count: 5, transactionId: 'SM1' },
};

/** The event of this type with other fields. */
export function eventOf<Type extends HookEvent['type']>(
  type: Type,
  over: Partial<HookEventOf<Type>> = {},
): HookEventOf<Type> {
  return { ...EVENTS[type], ...over };
}

/** The outcomes of answers, without `blocked`. */
const OUTCOMES = { SUCCESSFUL: 'accepted', PENDING: 'unknown', ERROR: 'refused' } as const;

const REPORTS: Readonly<Record<string, HookEventOf<'message.reported'>['report']>> = {
  delivered: 'delivered',
  read: 'delivered',
  completed: 'delivered',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
  busy: 'failed',
  'no-answer': 'failed',
};

/** The time of the first event. */
export const START = 1_700_000_000_000;

/** Makes the events of one execution; times are milliseconds after its start. */
export function eventsOf(eventId: string, startMs = START) {
  const ids = { eventId, oktaRequestId: `req-${eventId}`, userId: `00u-${eventId}` };
  const after = (ms: number) => ({ ...ids, at: startMs + ms });
  const attempted =
    (type: 'attempt.ended' | 'attempt.settled') =>
    (afterMs: number, outcome: AttemptReport['outcome'], over: Partial<AttemptReport> = {}): HookEvent => ({
      ...EVENTS[type],
      ...after(afterMs),
      outcome,
      durationMs: 40,
      ...over,
    });
  const answered = (
    afterMs: number,
    status: HookEventOf<'request.answered'>['status'],
    over: Partial<HookEventOf<'request.answered'>> = {},
  ): HookEvent =>
    eventOf('request.answered', {
      ...after(afterMs),
      outcome: OUTCOMES[status],
      status,
      channel: undefined,
      provider: undefined,
      transactionId: undefined,
      durationMs: afterMs,
      ...over,
    });
  return {
    received: (afterMs = 0, over: Partial<HookEventOf<'request.received'>> = {}): HookEvent =>
      eventOf('request.received', { ...after(afterMs), ...over }),
    /** The answer to a repeat. */
    repeated: (afterMs: number): HookEvent => answered(afterMs, 'SUCCESSFUL', { isRepeat: true }),
    blocked: (
      afterMs: number,
      mode: 'enforce' | 'record',
      over: Partial<HookEventOf<'guard.blocked'>> = {},
    ): HookEvent => ({
      ...EVENTS[mode === 'enforce' ? 'guard.blocked' : 'guard.noticed'],
      ...after(afterMs),
      ...over,
    }),
    planned: (
      afterMs: number,
      channels: readonly string[],
      skipped: HookEventOf<'channels.planned'>['skipped'] = [],
    ): HookEvent => eventOf('channels.planned', { ...after(afterMs), channels, skipped }),
    attempt: attempted('attempt.ended'),
    late: attempted('attempt.settled'),
    answered,
    /** A status callback, without the event of its message. */
    status: (
      afterMs: number,
      transactionId: string,
      status: string,
      over: Partial<HookEventOf<'message.reported'>> = {},
    ): HookEvent =>
      eventOf('message.reported', {
        at: startMs + afterMs,
        channel: 'sms',
        transactionId,
        report: REPORTS[status] ?? 'pending',
        status,
        ...over,
      }),
    failover: (afterMs: number, over: Partial<HookEventOf<'failover.ended'>> = {}): HookEvent =>
      eventOf('failover.ended', { ...after(afterMs), transactionId: undefined, ...over }),
    used: (afterMs: number, channel: string, transactionId: string): HookEvent =>
      eventOf('code.used', { ...after(afterMs), channel, transactionId, sinceSentMs: afterMs }),
    failed: (afterMs: number, over: Partial<HookEventOf<'extension.failed'>> = {}): HookEvent =>
      eventOf('extension.failed', { ...after(afterMs), ...over }),
  };
}
