import type { MessageFact, RunFacts } from './facts.js';
import { answerOf, hasFailed, overlaps, type EventRecord } from './records.js';

/** What came after a WhatsApp message that was not delivered. */
export const FOLLOW_UPS = {
  followed: 'by an SMS',
  tried: 'by an attempt that came to nothing, or was dropped for a reason that was told',
  overtaken: 'by nothing: a newer event had come',
  untold: 'by nothing: no gateway was told',
  unknown: 'by nothing: the gateway never learned that it was accepted',
  redisLost: 'by nothing: Redis was lost meanwhile',
  gatewayLost: 'by nothing: the gateway was lost that sent it, or that was told',
  none: 'by nothing, for no reason',
} as const;

export type FollowUp = keyof typeof FOLLOW_UPS;

/** What a late send may take from when it is due, milliseconds. */
const LATE_SEND_MS = 3_000;
/** A call may have begun so long before its message, milliseconds. */
const CALL_MS = 3_000;

/** Of every WhatsApp message of an event that was not delivered. */
export function followUpsOf(record: EventRecord, facts: RunFacts): readonly FollowUp[] {
  return record.messages
    .filter((message) => message.channel === 'whatsapp' && hasFailed(message))
    .map((message) => followUpOf(message, record, facts));
}

function followUpOf(message: MessageFact, record: EventRecord, facts: RunFacts): FollowUp {
  const { event, messages, callbacks, told, newer } = record;
  if (messages.some(({ at, channel }) => at >= message.at && channel !== message.channel)) return 'followed';
  if (told.some(({ type }) => type === 'failover.ended')) return 'tried';

  const reports = callbacks.filter(({ sid, status, isTaken }) => {
    return sid === message.sid && isTaken && (status === 'failed' || status === 'undelivered');
  });
  const { afterSeconds } = facts;
  const overdueAt = afterSeconds === undefined ? undefined : message.at + afterSeconds * 1000;
  const dueAt = reports[0]?.at ?? overdueAt;
  if (dueAt === undefined) return 'untold';
  const from = message.at - CALL_MS;
  const to = dueAt + LATE_SEND_MS;
  if (newer.some(({ calls }) => (calls[0]?.at ?? to) < to)) return 'overtaken';
  if (answerOf(event) !== 'SUCCESSFUL') return 'unknown';
  const outages = facts.outages.filter((outage) => overlaps(outage, from, to));
  if (outages.some(({ gateway }) => gateway === undefined)) return 'redisLost';
  const involved = [...event.calls, ...reports].map(({ gateway }) => gateway);
  return outages.some(({ gateway }) => involved.includes(gateway)) ? 'gatewayLost' : 'none';
}
