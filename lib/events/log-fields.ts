import type { HookEvent } from '../core/events.js';

export type Answered = Extract<HookEvent, { type: 'request.answered' }>;

/** What a line tells beside its message. A log has times of its own. */
export function fieldsOf(event: HookEvent): Readonly<Record<string, unknown>> {
  if (event.type === 'request.answered') return fieldsOfAnswered(event);
  const { type, at, ...fields } = event;
  // First what to look for.
  return 'userId' in event ? { event: type, userId: event.userId, ...fields } : { event: type, ...fields };
}

/** The same by name: every call has such a line, and by the rest of an object so many fields cost several times as much. */
function fieldsOfAnswered(
  answered: Answered,
): { readonly event: string } & Readonly<Record<Exclude<keyof Answered, 'type' | 'at'>, unknown>> {
  return {
    event: answered.type,
    userId: answered.userId,
    eventId: answered.eventId,
    oktaRequestId: answered.oktaRequestId,
    requestType: answered.requestType,
    deliveryChannel: answered.deliveryChannel,
    to: answered.to,
    country: answered.country,
    isPreview: answered.isPreview,
    isRepeat: answered.isRepeat,
    status: answered.status,
    code: answered.code,
    reason: answered.reason,
    remedy: answered.remedy,
    hasHungUp: answered.hasHungUp,
    channel: answered.channel,
    provider: answered.provider,
    transactionId: answered.transactionId,
    attempts: answered.attempts,
    passedOver: answered.passedOver,
    profileSource: answered.profileSource,
    profileReason: answered.profileReason,
    profileMs: answered.profileMs,
    durationMs: answered.durationMs,
    remainingMs: answered.remainingMs,
  };
}
