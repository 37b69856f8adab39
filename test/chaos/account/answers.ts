import type { Allowances } from './allowances.js';
import type { CallFact, HookEventFact, RunFacts } from './facts.js';
import { endOf, type EventRecord } from './records.js';

/** What Okta is answered, and what the log says of it. */

/** A gateway that died this soon after an answer may not have written it, milliseconds. */
const WRITTEN_MS = 200;

/** The calls of an event with another answer than an earlier call had. */
export function unlikeCalls(
  record: EventRecord,
  allowances: Allowances,
): readonly { readonly call: CallFact; readonly isForgotten: boolean }[] {
  const { calls } = record.event;
  const answered = calls.filter(({ answer }) => answer === 'SUCCESSFUL' || answer === 'ERROR');
  const first = answered.reduce<CallFact | undefined>(
    (one, other) => (one === undefined || endOf(other) < endOf(one) ? other : one),
    undefined,
  );
  if (first === undefined || allowances.wasOut(first.gateway, first.at, endOf(first) + WRITTEN_MS)) return [];
  return calls.flatMap((call) => {
    if (call.at <= endOf(first) || allowances.wasStarved(call.gateway, call.at, endOf(call))) return [];
    if (call.answer === undefined || call.answer === first.answer) return [];
    const apart = allowances.areApart(record, call.at);
    return apart === true ? [] : [{ call, isForgotten: apart === 'forgotten' }];
  });
}

/** The reports of late failovers with an attempt as unknown that was known as accepted by then. */
export function misreported({ hookEvents }: EventRecord): readonly HookEventFact[] {
  return hookEvents.filter(({ type, at, gateway, life, attempts = [] }) => {
    if (type !== 'failover.ended') return false;
    const ofProcess = hookEvents.filter(
      (one) => one.gateway === gateway && one.life === life && one.at <= at,
    );
    return attempts.some(({ channel, outcome }) => {
      const ofChannel = ofProcess.filter((one) => one.channel === channel);
      const known = ofChannel.findLast(
        (one) => one.type === 'attempt.settled' && one.outcome === 'accepted' && one.at < at,
      );
      // If Redis has forgotten the event, the channel may have had another attempt since.
      const again = ofChannel.findLast((one) => one.type === 'attempt.ended' && one.outcome === 'unknown');
      return outcome === 'unknown' && known !== undefined && (again?.at ?? 0) <= known.at;
    });
  });
}

/** An attempt without an answer goes on for 10 s: until it is settled from then on, or from a report, milliseconds. */
const SETTLED_MS = 12_000;

/** Whether an attempt stayed unknown, though a report that says what became of its message had named it. */
export function isUnresolved(
  { messages, callbacks, hookEvents, sendRequests }: EventRecord,
  { endsAt = Infinity }: RunFacts,
  allowances: Allowances,
): boolean {
  return hookEvents.some((ended) => {
    const { type, outcome, channel, gateway, life } = ended;
    if (type !== 'attempt.ended' || outcome !== 'unknown') return false;
    const ofChannel = hookEvents.filter((one) => one.channel === channel);
    // The message is certainly of this attempt.
    const [message, ...others] = messages.filter((one) => one.channel === channel);
    const isIts =
      message?.gateway === undefined
        ? sendRequests === 1
        : message.gateway === gateway && message.life === life;
    const attempts = ofChannel.filter((one) => one.type === 'attempt.ended' && one.outcome !== 'refused');
    if (message === undefined || others.length > 0 || attempts.length > 1 || !isIts) return false;
    const reports = callbacks.filter(
      ({ sid, status, isTaken }) =>
        sid === message.sid && isTaken && (status === 'delivered' || status === 'undelivered'),
    );
    const report = reports.find(({ isNamed }) => isNamed);
    if (report?.gateway === undefined) return false;
    // Of a message that was delivered, nothing more is kept.
    if (reports.some(({ status, at }) => status === 'delivered' && at < report.at)) return false;
    const [from, to] = [message.at, Math.max(report.at, ended.at) + SETTLED_MS];
    if (to > endsAt || ofChannel.some((one) => one.type === 'attempt.settled' && one.outcome === 'accepted'))
      return false;
    return (
      !allowances.hasForgotten(from, to) &&
      !allowances.hadLost(undefined, from, to) &&
      ![gateway, report.gateway].some(
        (one) => allowances.wasOut(one, from, to) || allowances.wasStarved(one, from, to),
      )
    );
  });
}
