import type { MessageFact, RunFacts } from './facts.js';
import { answerOf, callOf, hasFailed, isSameWay, overlaps, type EventRecord } from './records.js';

/** What followed an undelivered WhatsApp message. */
export const FOLLOW_UPS = {
  followed: 'by another message',
  tried: 'by an attempt that failed, or that was dropped with a reported reason',
  arrived: 'by nothing: another message with the code had arrived',
  superseded: 'by nothing: a newer event had come',
  hungUp: 'by nothing: Okta had hung up before its answer',
  unreported: 'by nothing: no gateway got a report',
  unknown: 'by nothing: the gateway never learned that it was accepted',
  redisLost: 'by nothing: Redis was lost meanwhile, or lost its keys',
  gatewayLost: 'by nothing: the gateway that sent it, or that got the report, was lost',
  none: 'by nothing, for no reason',
} as const;

export type FollowUp = keyof typeof FOLLOW_UPS;

/** The time limit of a late send from when it is due, milliseconds. */
const LATE_SEND_MS = 3_000;
/** The longest time from the start of a call to its message, milliseconds. */
const CALL_MS = 3_000;

/** The follow-ups of all undelivered WhatsApp messages of an event. */
export function followUpsOf(record: EventRecord, facts: RunFacts): readonly FollowUp[] {
  return record.messages
    .filter((message) => message.channel === 'whatsapp' && hasFailed(message))
    .map((message) => followUpOf(message, record, facts));
}

function followUpOf(message: MessageFact, record: EventRecord, facts: RunFacts): FollowUp {
  const { event, messages, callbacks, hookEvents, newer } = record;
  if (messages.some((one) => one.at >= message.at && !isSameWay(one, message))) return 'followed';
  // Its own late send is no attempt after it.
  const isTried = hookEvents.some(
    ({ type, transactionId }) => type === 'failover.ended' && transactionId !== message.sid,
  );
  if (isTried) return 'tried';

  // The call that sent it.
  const call = callOf(message, event.calls);
  if (call?.problem === 'hung up' || call?.problem === 'no answer in time') return 'hungUp';

  const reports = callbacks.filter(({ sid, status, isTaken }) => {
    return sid === message.sid && isTaken && (status === 'failed' || status === 'undelivered');
  });
  const { afterSeconds } = facts;
  const mayBeOverdue = afterSeconds !== undefined && hasSilence(message, facts);
  const knownAt = reports[0]?.at ?? (mayBeOverdue ? message.at + afterSeconds * 1000 : undefined);
  if (knownAt === undefined) return 'unreported';
  // Nothing follows before the gateway that made the attempt has ended it.
  const settled = hookEvents.find(
    ({ type, transactionId }) => type === 'attempt.settled' && transactionId === message.sid,
  );
  const dueAt = Math.max(knownAt, settled?.at ?? 0);
  const from = message.at - CALL_MS;
  const to = dueAt + LATE_SEND_MS;
  // Late failover drops a late send, and what follows it, once the message before it arrives.
  const hasArrived = callbacks.some(
    ({ sid, status, isTaken, at }) => sid !== message.sid && status === 'delivered' && isTaken && at <= to,
  );
  if (hasArrived) return 'arrived';
  if (newer.some(({ calls }) => (calls[0]?.at ?? to) < to)) return 'superseded';
  const answer = call?.answer ?? answerOf(event);
  const isResolved = answer === 'PENDING' && reports.some(({ isNamed }) => isNamed);
  if (answer !== 'SUCCESSFUL' && !isResolved) return 'unknown';
  const isDropped = facts.hookEvents.some(
    ({ text, gateway, at }) =>
      text.includes('WRITES_DROPPED') && gateway === message.gateway && at >= message.at && at <= to,
  );
  if (isDropped) return 'redisLost';
  const outages = facts.outages.filter((outage) => overlaps(outage, from, to));
  const hasForgotten = facts.wipes?.some((wipe) => wipe.from <= to && wipe.to >= from);
  if (hasForgotten === true || outages.some(({ gateway }) => gateway === undefined)) return 'redisLost';
  const involved = [...event.calls, ...reports].map(({ gateway }) => gateway);
  return outages.some(({ gateway }) => involved.includes(gateway)) ? 'gatewayLost' : 'none';
}

/** Whether silence on a message means a loss: another provider than Twilio must have reported to its gateway since that started. */
function hasSilence({ provider, gateway, at }: MessageFact, facts: RunFacts): boolean {
  if (provider === 'TWILIO') return true;
  const starts = facts.outages.filter((outage) => outage.gateway === gateway && outage.to <= at);
  const startedAt = Math.max(0, ...starts.map(({ to }) => to));
  const sids = new Set(facts.messages.filter((one) => one.provider === provider).map(({ sid }) => sid));
  return facts.callbacks.some(
    (callback) =>
      callback.isTaken &&
      callback.gateway === gateway &&
      callback.at >= startedAt &&
      callback.at < at &&
      sids.has(callback.sid),
  );
}
