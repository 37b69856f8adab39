import type { CallFact, EventFact, MessageFact, RunFacts } from './facts.js';
import { followUpsOf, type FollowUp } from './follow-up.js';
import {
  answerOf,
  hasFailed,
  isDisturbed,
  isStarved,
  overlaps,
  recordsOf,
  type EventRecord,
} from './records.js';

/** The results of a code. Every event has one. */
export const ENDS = {
  once: 'sent once',
  onceMore: 'sent, and once more by another channel, since it did not arrive by the first',
  byOktaToo: 'sent, and by Okta too: its gateway was lost before it answered',
  refused: 'never sent: refused by the vendor, and answered ERROR, so that Okta sends it',
  unanswered: 'never sent: its gateway was lost and gave no answer, so that Okta sends it',
  swallowed: 'never sent: the vendor got the request and never answered; answered PENDING',
  withGateway: 'never sent: its gateway was lost; its repeat was answered PENDING',
  unknowable: 'sent twice: this machine was so busy that a gateway and Redis were both lost to it',
  violated: 'anything else',
} as const;

/** Results that are faults. */
export const VIOLATIONS = {
  twice: 'sent twice by one channel',
  both: 'sent by another channel too, though the first had not failed',
  superseded: 'sent after a newer one of the same user',
  afterwards: 'sent after Okta had given the call up',
  lost: 'never sent, though it could be',
  disowned: 'sent, though Okta was answered that it was not',
  unanswered: 'never answered, by gateways that worked',
  late: 'answered after more than 3 s, by a gateway that worked',
  unfollowed: 'neither delivered by WhatsApp nor sent by SMS, though no outage prevented it',
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
  const followUps = records.map((record) => followUpsOf(record, facts));
  const found = records.map((record, index): readonly ViolationKind[] => [
    ...violationsOf(record, facts),
    ...(followUps[index]?.includes('none') === true ? (['unfollowed'] as const) : []),
  ]);
  return {
    ends: countOf(records.map((record, index) => (found[index]?.length === 0 ? endOf(record) : 'violated'))),
    violations: records.flatMap((record, index) => (found[index] ?? []).map((kind) => ({ kind, record }))),
    followUps: countOf(followUps.flat()),
    calls: callsOf(facts),
  };
}

function violationsOf(record: EventRecord, facts: RunFacts): readonly ViolationKind[] {
  const { event, messages, newerMessages } = record;
  const answer = answerOf(event);
  const { outages, shortages } = facts;
  const isWell = event.calls.every((call) => !isDisturbed(call, outages) && !isStarved(call, shortages));
  const rules: Readonly<Record<Exclude<ViolationKind, 'unfollowed'>, boolean>> = {
    twice: isTwice(messages) && !isUnknowable(event, facts),
    both: messages.some((message, index) => {
      if (isUnknowable(event, facts)) return false;
      const before = messages[index - 1];
      if (before === undefined || before.channel === message.channel) return false;
      return !mayFollow(message, before, record, facts);
    }),
    superseded: messages.some(({ at }) => newerMessages.some((newer) => newer.at < at)),
    afterwards: event.calls.every(({ at, durationMs }) => {
      return messages[0] !== undefined && messages[0].at > at + durationMs + ON_ITS_WAY_MS;
    }),
    lost:
      messages.length === 0 &&
      (answer === 'SUCCESSFUL' || (answer === 'PENDING' && !isSwallowed(record) && isWell)),
    disowned: messages.length > 0 && (answer === 'ERROR' || answer === 'UNREADABLE'),
    unanswered: (answer === undefined || answer === 'UNREADABLE') && isWell,
    late: event.calls.some((call) => {
      return isLate(call) && !isDisturbed(call, outages) && !isStarved(call, shortages);
    }),
  };
  return (Object.keys(rules) as (keyof typeof rules)[]).filter((kind) => rules[kind]);
}

function isTwice(messages: readonly MessageFact[]): boolean {
  return new Set(messages.map(({ channel }) => channel)).size < messages.length;
}

/** A shortage of CPU lost both the gateway and Redis: no gateway could recognise the repeat. No schedule does that. */
function isUnknowable({ calls }: EventFact, { outages }: RunFacts): boolean {
  const [first] = calls;
  const last = calls.at(-1);
  if (first === undefined || last === undefined || first === last) return false;
  return outages.some(
    (outage) => outage.gateway === undefined && overlaps(outage, first.at, last.at + last.durationMs),
  );
}

/** Whether a second channel may send: the message before it has failed, or no report of its delivery came. */
function mayFollow(
  message: MessageFact,
  before: MessageFact,
  { callbacks }: EventRecord,
  { afterSeconds, outages }: RunFacts,
): boolean {
  if (hasFailed(before) && before.statusAt <= message.at) return true;
  if (afterSeconds === undefined || message.at - before.at < afterSeconds * 1000) return false;
  const delivered = callbacks.filter(({ sid, status, isTaken, at }) => {
    return sid === before.sid && status === 'delivered' && isTaken && at < message.at - REPORT_MS;
  });
  // The gateway with the report could not pass it on.
  const couldNotSpread = delivered.every(({ at, gateway }) =>
    outages.some((outage) => {
      if (outage.gateway === undefined) return overlaps(outage, before.at, message.at);
      return outage.gateway === gateway && overlaps(outage, at, at + REPORT_MS);
    }),
  );
  return couldNotSpread;
}

/** For events without a violation. */
function endOf({ event, messages, sendRequests, hookEvents }: EventRecord): End {
  const answer = answerOf(event);
  if (messages.length > 0) {
    if (answer === undefined) return 'byOktaToo';
    if (messages.length === 1) return 'once';
    return isTwice(messages) ? 'unknowable' : 'onceMore';
  }
  if (answer === 'ERROR' || answer === 'UNREADABLE') return 'refused';
  if (answer === undefined) return 'unanswered';
  return isSwallowed({ sendRequests, hookEvents }) ? 'swallowed' : 'withGateway';
}

/** Twilio got a request and gave no answer. Only the gateway knows of a connection that was reset early. */
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
