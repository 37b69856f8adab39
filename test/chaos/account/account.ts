import { Allowances } from './allowances.js';
import { isUnresolved, misreported, unlikeCalls } from './answers.js';
import type { CallFact, EventFact, MessageFact, RunFacts } from './facts.js';
import { followUpsOf, type FollowUp } from './follow-up.js';
import { overLimit } from './limit.js';
import { problemsOf, type Problem } from './loss-reports.js';
import { isMisrouted } from './route.js';
import { isAfterCalls, isSentAfterUse, isSupersededByNobody, supersededBy } from './order.js';
import { isStoppedAfterStart, stoppedBy } from './words.js';
import {
  answerOf,
  failedAtOf,
  isDisturbed,
  isSameWay,
  isStarved,
  overlaps,
  recordsOf,
  type EventRecord,
} from './records.js';

/** The results of a code. Every event has one. */
export const ENDS = {
  once: 'sent once',
  onceMore: 'sent, and once more by another channel or provider, since it did not arrive by the first',
  byOktaToo: 'sent, and by Okta too: its gateway was lost before it answered',
  goneToo: 'sent, and its caller had hung up before the answer',
  gone: 'never sent: its caller had hung up',
  refused: 'never sent: refused by the vendor, and answered ERROR, so that Okta sends it',
  unanswered: 'never sent: its gateway was lost and gave no answer, so that Okta sends it',
  swallowed: 'never sent: the vendor got the request and never answered; answered PENDING',
  withGateway: 'never sent: its gateway was lost; its repeat was answered PENDING',
  unknowable: 'sent twice: a gateway had lost Redis, or Redis its keys, between two of its calls',
  violated: 'anything else',
} as const;

/** Results that are faults. */
export const VIOLATIONS = {
  twice: 'sent twice by one provider of a channel',
  forgotten: 'sent or answered anew, long after the loss of Redis in which its gateway had decided',
  both: 'sent by another channel or provider too, though the first had not failed',
  superseded: 'sent after a newer one of the same user',
  repeated: 'sent after a newer one, by a repeat of its event that came before',
  revived: 'sent after a newer one, by a repeat of its event that came after',
  unsuperseded: 'not sent because of a newer code or a use, though there was none',
  used: 'sent after its code, or a newer one, had been used',
  stopped: 'sent by WhatsApp after STOP had been answered',
  stoppedMeanwhile: 'sent by WhatsApp, though STOP had been answered during its call',
  stoppedAgain: 'sent by WhatsApp after STOP had been answered, whose first gateway had died',
  unstarted: 'not sent by WhatsApp because of STOP, though START had been answered',
  overLimit: 'sent, though the limit of its user had no point left',
  afterwards: 'sent after Okta had given the call up',
  lost: 'never sent, though it could be',
  disowned: 'sent, though Okta was answered that it was not',
  unanswered: 'never answered, by gateways that worked',
  late: 'answered after more than 3 s, by a gateway that worked',
  unlike: 'answered otherwise than its first call',
  unfollowed: 'neither delivered by WhatsApp nor sent by SMS, though no outage prevented it',
  misreported: 'reported as unknown by failover.ended, though its gateway knew that it was accepted',
  misrouted: 'sent by the next route, though the earlier code had been delivered',
  unresolved: 'of unknown outcome, though a report on its message had named its attempt',
} as const;

export type End = keyof typeof ENDS;
export type ViolationKind = keyof typeof VIOLATIONS;

export interface Violation {
  readonly kind: ViolationKind;
  readonly record: EventRecord;
}

export interface Account {
  readonly ends: ReadonlyMap<End, number>;
  readonly violations: readonly Violation[];
  readonly problems: readonly Problem[];
  /** The follow-ups of undelivered messages. */
  readonly followUps: ReadonlyMap<FollowUp, number>;
  readonly calls: {
    readonly all: number;
    readonly repeats: number;
    /** Late or unanswered, by a gateway that was stopped or killed during the call. */
    readonly disturbed: number;
    /** Late or unanswered, by a gateway without CPU. */
    readonly starved: number;
    /** Connections lost, by a gateway that worked. */
    readonly cutOff: number;
    /** The times to answer of gateways that worked, ascending. */
    readonly durationsMs: readonly number[];
  };
}

/** Okta's time limit, milliseconds. */
const OKTA_WAITS_MS = 3_000;
/** The longest way of a message to Twilio, milliseconds. */
const ON_ITS_WAY_MS = 100;
/** The longest way of a delivery report from one gateway to another that is about to send, milliseconds. */
const REPORT_MS = 500;

/** The result of every event of a run, and all faults. */
export function makeAccount(facts: RunFacts): Account {
  const records = recordsOf(facts);
  const allowances = new Allowances(facts);
  const followUps = records.map((record) => followUpsOf(record, facts));
  const tooMany = new Set(overLimit(records, facts, allowances));
  const found = records.map((record, index): readonly ViolationKind[] => [
    ...violationsOf(record, facts, allowances),
    ...(tooMany.has(record) ? (['overLimit'] as const) : []),
    ...(followUps[index]?.includes('none') === true ? (['unfollowed'] as const) : []),
  ]);
  return {
    ends: countOf(records.map((record, index) => (found[index]?.length === 0 ? endOf(record) : 'violated'))),
    violations: records.flatMap((record, index) => (found[index] ?? []).map((kind) => ({ kind, record }))),
    problems: problemsOf(facts, allowances),
    followUps: countOf(followUps.flat()),
    calls: callsOf(facts),
  };
}

function violationsOf(
  record: EventRecord,
  facts: RunFacts,
  allowances: Allowances,
): readonly ViolationKind[] {
  const { event, messages } = record;
  const answer = answerOf(event);
  const { outages, shortages } = facts;
  const isWell = event.calls.every((call) => !isDisturbed(call, outages) && !isStarved(call, shortages));
  const start = event.calls[0]?.at ?? 0;
  const end = Math.max(...event.calls.map(({ at, durationMs }) => at + durationMs));
  // Two of its calls may have been decided alone.
  const isDivided =
    event.calls.length > 1 &&
    (allowances.hasForgotten(start, end) || allowances.hadLost(undefined, start, end));
  // Each message that may be one too many, and whether its call could know of the others.
  const again = messages.flatMap((message, index) => {
    const before = messages.slice(0, index).findLast((one) => isSameWay(one, message));
    if (before === undefined) return [];
    // Nobody knows any more that another gateway has followed the failure.
    const isForgotten =
      isAfterCalls(message, event) && allowances.hasForgotten(before.at, message.at, before.at);
    return [isForgotten || allowances.areApart(record, message.at)];
  });
  const superseded = supersededBy(record, allowances);
  const stopped = stoppedBy(record, facts, allowances);
  const unlike = unlikeCalls(record, allowances);
  const rules: Readonly<Record<Exclude<ViolationKind, 'unfollowed' | 'overLimit'>, boolean>> = {
    twice: again.includes(false),
    forgotten: again.includes('forgotten') || unlike.some(({ isForgotten }) => isForgotten),
    both: messages.some((message, index) => {
      const before = messages.slice(0, index).filter((one) => !isSameWay(one, message));
      const last = messages[index - 1];
      if (before.length === 0 || (last !== undefined && isSameWay(last, message))) return false;
      return (
        allowances.areApart(record, message.at) === false &&
        before.every((one) => !mayFollow(message, one, record, facts, allowances))
      );
    }),
    superseded: superseded.has('superseded'),
    repeated: superseded.has('repeated'),
    revived: superseded.has('revived'),
    unsuperseded: isSupersededByNobody(record, facts, allowances),
    used: isSentAfterUse(record, facts, allowances),
    stopped: stopped.has('stopped'),
    stoppedMeanwhile: stopped.has('stoppedMeanwhile'),
    stoppedAgain: stopped.has('stoppedAgain'),
    unstarted: isStoppedAfterStart(record, facts, allowances),
    afterwards: event.calls.every(({ at, durationMs, answer: given }) => {
      return (
        given === undefined && messages[0] !== undefined && messages[0].at > at + durationMs + ON_ITS_WAY_MS
      );
    }),
    lost:
      messages.length === 0 &&
      (answer === 'SUCCESSFUL' ||
        (answer === 'PENDING' && !isSwallowed(record) && !isHeldBack(record) && isWell && !isDivided)),
    disowned: messages.length > 0 && (answer === 'ERROR' || answer === 'UNREADABLE') && !isDivided,
    unanswered: isUnanswered(event) && isWell,
    late: event.calls.some((call) => {
      return isLate(call) && !isDisturbed(call, outages) && !isStarved(call, shortages);
    }),
    unlike: unlike.some(({ isForgotten }) => !isForgotten),
    misreported: misreported(record).length > 0,
    misrouted: isMisrouted(record, facts, allowances),
    unresolved: isUnresolved(record, facts, allowances),
  };
  return (Object.keys(rules) as (keyof typeof rules)[]).filter((kind) => rules[kind]);
}

/** The last call had no answer that Okta understands, and its caller waited for one. */
function isUnanswered(event: EventFact): boolean {
  const answer = answerOf(event);
  return answer === 'UNREADABLE' || (answer === undefined && !hasHungUp(event));
}

function hasHungUp({ calls }: EventFact): boolean {
  return calls.at(-1)?.problem === 'hung up';
}

/** A gateway has said why it sends nothing: a limit, or a newer code. */
function isHeldBack({ hookEvents }: EventRecord): boolean {
  return hookEvents.some(({ type, text }) => type === 'guard.blocked' || text.includes('SUPERSEDED'));
}

/** Whether a second channel may send: the message before it has failed, or no report of its delivery came. */
function mayFollow(
  message: MessageFact,
  before: MessageFact,
  { callbacks, hookEvents }: EventRecord,
  { afterSeconds, outages }: RunFacts,
  allowances: Allowances,
): boolean {
  if ((failedAtOf(before) ?? Infinity) <= message.at) return true;
  // Alarms are due by Redis's clock.
  const passedMs = message.at - before.at + allowances.clockJumpedMs(before.at, message.at);
  if (afterSeconds === undefined || passedMs < afterSeconds * 1000) return false;
  // Without it, nothing joins reports with the id alone and reports with the attempt alone.
  const isIdKnown = hookEvents.some(({ transactionId }) => transactionId === before.sid);
  const delivered = callbacks.filter(({ sid, status, isTaken, isNamed, at }) => {
    const isOfMessage = sid === before.sid && (isNamed || isIdKnown);
    return isOfMessage && status === 'delivered' && isTaken && at < message.at - REPORT_MS;
  });
  return delivered.every(
    ({ at, gateway }) =>
      allowances.hasForgotten(at, message.at, at + REPORT_MS) ||
      (gateway !== undefined && allowances.isUnwritten(gateway, at, at, message.at)) ||
      // The gateway with the report could not pass it on.
      outages.some((outage) => {
        if (outage.gateway === undefined) return overlaps(outage, before.at, message.at);
        return outage.gateway === gateway && overlaps(outage, at, at + REPORT_MS);
      }),
  );
}

/** For events without a violation. */
function endOf({ event, messages, sendRequests, hookEvents }: EventRecord): End {
  const answer = answerOf(event);
  if (messages.length > 0) {
    if (answer === undefined) return hasHungUp(event) ? 'goneToo' : 'byOktaToo';
    if (messages.length === 1) return 'once';
    const isTwice = messages.some((one, index) =>
      messages.slice(0, index).some((other) => isSameWay(one, other)),
    );
    return isTwice ? 'unknowable' : 'onceMore';
  }
  if (answer === 'ERROR' || answer === 'UNREADABLE') return 'refused';
  if (answer === undefined) return hasHungUp(event) ? 'gone' : 'unanswered';
  return isSwallowed({ sendRequests, hookEvents }) ? 'swallowed' : 'withGateway';
}

/** A provider got a request and gave no answer. Only the gateway knows of a connection that was reset early. */
function isSwallowed({
  sendRequests,
  hookEvents,
}: Pick<EventRecord, 'sendRequests' | 'hookEvents'>): boolean {
  return (
    sendRequests > 0 ||
    hookEvents.some(({ type, outcome }) => type === 'attempt.ended' && outcome === 'unknown')
  );
}

function isLate({ problem, durationMs }: CallFact): boolean {
  return problem === 'no answer in time' || durationMs > OKTA_WAITS_MS;
}

function callsOf({ events, outages, shortages }: RunFacts): Account['calls'] {
  const all = events.flatMap(({ calls }: EventFact) => calls);
  const disturbed = new Set(all.filter((call) => isDisturbed(call, outages)));
  const starved = new Set(all.filter((call) => !disturbed.has(call) && isStarved(call, shortages)));
  const well = all.filter((call) => !disturbed.has(call) && !starved.has(call));
  const isBad = (call: CallFact): boolean => call.answer === undefined || isLate(call);
  return {
    all: all.length,
    repeats: all.length - events.length,
    disturbed: [...disturbed].filter(isBad).length,
    starved: [...starved].filter(isBad).length,
    cutOff: well.filter(({ problem }) => problem === 'connection lost').length,
    durationsMs: well
      .filter(({ answer }) => answer !== undefined)
      .map(({ durationMs }) => durationMs)
      .sort((a, b) => a - b),
  };
}

function countOf<Item>(items: readonly Item[]): ReadonlyMap<Item, number> {
  const counts = new Map<Item, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
