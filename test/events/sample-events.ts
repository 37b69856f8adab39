import { ANA } from '#harness/scene.js';
import type { AttemptReport, HookEvent, HookEventOf } from '#lib/core/events.js';

/** Events as the hook emits them, for one execution each. */

/** The answer event of a call: one SMS to Ana. */
export const answeredEvent = (
  over: Partial<HookEventOf<'request.answered'>> = {},
): HookEventOf<'request.answered'> => ({
  at: 1,
  eventId: 'event-1',
  oktaRequestId: 'req-1',
  type: 'request.answered',
  outcome: 'accepted',
  status: 'SUCCESSFUL',
  code: undefined,
  reason: undefined,
  remedy: undefined,
  requestType: 'com.okta.user.telephony.mfa-verification',
  deliveryChannel: 'sms',
  userId: ANA.id,
  toEnding: '23',
  country: 'GB',
  isPreview: false,
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
  ...over,
});

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
  const userId = `00u-${eventId}`;
  const ids = { eventId, oktaRequestId: `req-${eventId}`, userId };
  const whose = { userId, toEnding: '23' };
  const requestFields = {
    requestType: 'com.okta.user.telephony.mfa-verification',
    deliveryChannel: 'sms',
    isPreview: false,
  } as const;
  const attempted = (
    type: 'attempt.ended' | 'attempt.settled',
    afterMs: number,
    outcome: AttemptReport['outcome'],
    over: Partial<AttemptReport>,
  ): HookEvent => ({
    type,
    at: startMs + afterMs,
    ...ids,
    ...whose,
    channel: 'sms',
    provider: 'TWILIO',
    outcome,
    durationMs: 40,
    ...over,
  });
  const answered = (
    afterMs: number,
    status: HookEventOf<'request.answered'>['status'],
    over: Partial<HookEventOf<'request.answered'>> = {},
  ): HookEvent => ({
    type: 'request.answered',
    at: startMs + afterMs,
    ...ids,
    ...whose,
    ...requestFields,
    outcome: OUTCOMES[status],
    status,
    code: undefined,
    reason: undefined,
    remedy: undefined,
    country: 'GB',
    isRepeat: false,
    hasHungUp: false,
    channel: undefined,
    provider: undefined,
    transactionId: undefined,
    attempts: [],
    skipped: [],
    profileSource: 'okta',
    profileReason: undefined,
    profileMs: 60,
    durationMs: afterMs,
    remainingMs: 1_800,
    ...over,
  });
  return {
    received: (afterMs = 0, over: Partial<HookEventOf<'request.received'>> = {}): HookEvent => ({
      type: 'request.received',
      at: startMs + afterMs,
      ...ids,
      ...whose,
      ...requestFields,
      ...over,
    }),
    /** The answer to a repeat. */
    repeated: (afterMs: number): HookEvent => answered(afterMs, 'SUCCESSFUL', { isRepeat: true }),
    blocked: (
      afterMs: number,
      mode: 'enforce' | 'record',
      over: Partial<HookEventOf<'guard.blocked'>> = {},
    ): HookEvent => {
      const rule = {
        rule: 'perUser',
        code: 'LIMIT_PER_USER',
        remedy: 'Wait.',
        points: 10,
        seconds: 600,
      } as const;
      return {
        type: mode === 'enforce' ? 'guard.blocked' : 'guard.noticed',
        at: startMs + afterMs,
        ...ids,
        ...whose,
        requestType: requestFields.requestType,
        isPreview: false,
        country: 'GB',
        rules: [rule],
        ...rule,
        ...over,
      };
    },
    planned: (
      afterMs: number,
      channels: readonly string[],
      skipped: HookEventOf<'channels.planned'>['skipped'] = [],
    ): HookEvent => ({ type: 'channels.planned', at: startMs + afterMs, ...ids, channels, skipped }),
    attempt: (
      afterMs: number,
      outcome: AttemptReport['outcome'],
      over: Partial<AttemptReport> = {},
    ): HookEvent => attempted('attempt.ended', afterMs, outcome, over),
    late: (
      afterMs: number,
      outcome: AttemptReport['outcome'],
      over: Partial<AttemptReport> = {},
    ): HookEvent => attempted('attempt.settled', afterMs, outcome, over),
    answered,
    /** A status callback, without the event of its message. */
    status: (
      afterMs: number,
      transactionId: string,
      status: string,
      over: Partial<HookEventOf<'message.reported'>> = {},
    ): HookEvent => ({
      type: 'message.reported',
      at: startMs + afterMs,
      channel: 'sms',
      transactionId,
      report: REPORTS[status] ?? 'pending',
      status,
      code: undefined,
      reason: undefined,
      ...over,
    }),
    failover: (afterMs: number, over: Partial<HookEventOf<'failover.ended'>> = {}): HookEvent => ({
      type: 'failover.ended',
      at: startMs + afterMs,
      ...ids,
      ...whose,
      fromChannel: 'whatsapp',
      cause: { code: '63024', reason: undefined, remedy: undefined },
      outcome: 'accepted',
      channel: 'sms',
      provider: 'TWILIO',
      code: undefined,
      reason: undefined,
      remedy: undefined,
      transactionId: undefined,
      attempts: [],
      ...over,
    }),
    used: (afterMs: number, channel: string, transactionId: string): HookEvent => ({
      type: 'code.used',
      at: startMs + afterMs,
      ...ids,
      userId: whose.userId,
      requestType: requestFields.requestType,
      deliveryChannel: 'sms',
      channel,
      provider: 'TWILIO',
      country: 'GB',
      transactionId,
      sinceSentMs: afterMs,
    }),
    failed: (afterMs: number, over: Partial<HookEventOf<'extension.failed'>> = {}): HookEvent => ({
      type: 'extension.failed',
      at: startMs + afterMs,
      ...ids,
      count: 1,
      extension: 'composeText',
      reason: 'Error',
      remedy: 'Mend it.',
      ...over,
    }),
  };
}
