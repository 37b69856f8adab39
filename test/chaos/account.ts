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

/** How a code ended. Every event has one end. */
export const ENDS = {
  once: 'sent once',
  onceMore: 'sent, and once more by another channel, since it did not arrive by the first',
  byOktaToo: 'sent, and by Okta too: its gateway was lost before it answered',
  refused: 'never sent: refused by the vendor, and answered ERROR, so that Okta sends it',
  unanswered: 'never sent: its gateway was lost and gave no answer, so that Okta sends it',
  swallowed: 'never sent: the vendor took it and never answered; answered PENDING',
  withGateway: 'never sent: its gateway was lost; its repeat was answered PENDING',
  unknowable: 'sent twice: this machine was so busy that a gateway and Redis were both lost to it',
  violated: 'anything else',
} as const;

/** What must not happen. */
export const VIOLATIONS = {
  twice: 'sent twice by one channel',
  both: 'sent by another channel too, though the first had not failed',
  overtaken: 'sent after a newer one of the same user',
  afterwards: 'sent after Okta had given the call up',
  lost: 'never sent, though it could be',
  disowned: 'sent, though Okta was answered that it was not',
  unanswered: 'never answered, by gateways that were well',
  late: 'answered after more than 3 s, by a gateway that was well',
  unfollowed: 'not delivered by WhatsApp nor sent by SMS, though nothing stood in the way',
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
  /** What came after messages that were not delivered. */
  readonly followUps: ReadonlyMap<FollowUp, number>;
  readonly calls: {
    readonly all: number;
    readonly repeats: number;
    /** Late or never answered, by a gateway that was stopped or killed meanwhile. */
    readonly disturbed: number;
    /** The same, by a gateway that this machine did not let run. */
    readonly starved: number;
    /** Cut off, by a gateway that was well. */
    readonly cutOff: number;
    /** What gateways that were well took to answer; ascending. */
    readonly durationsMs: readonly number[];
  };
}

/** Okta gives up after this, milliseconds. */
const OKTA_WAITS_MS = 3_000;
/** What a message may take to Twilio once it has left, milliseconds. */
const ON_ITS_WAY_MS = 100;
/** What a delivery report may take from the gateway that is told to the one that is about to send, milliseconds. */
const TOLD_MS = 500;

/** Every event of a run, how it ended, and what happened that must not. */
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
    overtaken: messages.some(({ at }) => newerMessages.some((newer) => newer.at < at)),
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

/** Its gateway and Redis were both lost to it, by a shortage: no schedule does that. Nobody could know the repeat. */
function isUnknowable({ calls }: EventFact, { outages }: RunFacts): boolean {
  const [first] = calls;
  const last = calls.at(-1);
  if (first === undefined || last === undefined || first === last) return false;
  return outages.some(
    (outage) => outage.gateway === undefined && overlaps(outage, first.at, last.at + last.durationMs),
  );
}

/** Whether a message may go out by another channel: the one before it has failed, or nothing said that it arrived. */
function mayFollow(
  message: MessageFact,
  before: MessageFact,
  { callbacks }: EventRecord,
  { afterSeconds, outages }: RunFacts,
): boolean {
  if (hasFailed(before) && before.statusAt <= message.at) return true;
  if (afterSeconds === undefined || message.at - before.at < afterSeconds * 1000) return false;
  const delivered = callbacks.filter(({ sid, status, isTaken, at }) => {
    return sid === before.sid && status === 'delivered' && isTaken && at < message.at - TOLD_MS;
  });
  // Whoever was told could tell nobody.
  const isNews = delivered.every(({ at, gateway }) =>
    outages.some((outage) => {
      if (outage.gateway === undefined) return overlaps(outage, before.at, message.at);
      return outage.gateway === gateway && overlaps(outage, at, at + TOLD_MS);
    }),
  );
  return isNews;
}

/** For events without a violation. */
function endOf({ event, messages, asked, told }: EventRecord): End {
  const answer = answerOf(event);
  if (messages.length > 0) {
    if (answer === undefined) return 'byOktaToo';
    if (messages.length === 1) return 'once';
    return isTwice(messages) ? 'unknowable' : 'onceMore';
  }
  if (answer === 'ERROR' || answer === 'UNREADABLE') return 'refused';
  if (answer === undefined) return 'unanswered';
  return isSwallowed({ asked, told }) ? 'swallowed' : 'withGateway';
}

/** Twilio was asked and gave no answer; of a connection that was reset early only the gateway knows. */
function isSwallowed({ asked, told }: Pick<EventRecord, 'asked' | 'told'>): boolean {
  return asked > 0 || told.some(({ type, outcome }) => type === 'attempt.ended' && outcome === 'unknown');
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
