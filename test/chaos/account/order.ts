import type { Allowances } from './allowances.js';
import type { CallFact, EventFact, MessageFact, RunFacts } from './facts.js';
import { callOf, endOf, startOf, workEndOf, type EventRecord } from './records.js';

/** The order of one user's codes: none leaves after a newer one, nor after its use. An event's first call decides. */

/** Calls within this time may have no order: their ways to Redis may take so long. Milliseconds. */
const AT_ONCE_MS = 150;
/** The same for the first calls at one gateway, which knows their order: so long may their ways to it take. Milliseconds. */
const AT_ONE_GATEWAY_MS = 50;
/** From the answer to a report of a use until no late send leaves any more, milliseconds. */
const USED_MS = 500;

/** A gateway without CPU at most so long before a message may have decided before, milliseconds. */
const STARVED_MS = 1_000;

/**
 * How a code left after a newer one: by the first call of its event, by a repeat that had come before the newer one left,
 * or by one that came later.
 */
export type Superseded = 'superseded' | 'repeated' | 'revived';

export function supersededBy(record: EventRecord, allowances: Allowances): ReadonlySet<Superseded> {
  const found = record.messages.flatMap((message): readonly Superseded[] => {
    const newer = newerOf(message, record, allowances);
    if (newer === undefined) return [];
    // What follows late comes from the call that sent the first message.
    const call = callOf(record.messages[0] ?? message, record.event.calls);
    if (call === undefined || call === record.event.calls[0]) return ['superseded'];
    return call.at <= newer.at ? ['repeated'] : ['revived'];
  });
  return new Set(found);
}

/** The first newer message that had left before this one, if its gateway could know it. */
function newerOf(
  message: MessageFact,
  { event, messages, newer, newerMessages }: EventRecord,
  allowances: Allowances,
): MessageFact | undefined {
  const from = startOf(event);
  const isLate = messages[0] !== message && isAfterCalls(message, event);
  const isExcused =
    allowances.wasStarved(message.gateway, message.at - STARVED_MS, message.at) ||
    allowances.hadLost(message.gateway, isLate ? message.at : from, message.at) ||
    mayBeUnknown(event.calls[0], allowances);
  if (isExcused) return undefined;
  for (const newerEvent of newer) {
    const left = newerMessages.find(({ code }) => code === newerEvent.code);
    const atOnceMs = areAtOneGateway(event, newerEvent) ? AT_ONE_GATEWAY_MS : AT_ONCE_MS;
    if (left === undefined || startOf(newerEvent) - from <= atOnceMs) continue;
    const isSameProcess =
      message.gateway !== undefined && message.gateway === left.gateway && message.life === left.life;
    if (isSameProcess ? message.at <= left.at : !allowances.couldKnow(message, left.at)) continue;
    if (allowances.hasForgotten(from, message.at, left.at + AT_ONCE_MS)) continue;
    if (!isLost(left, newerEvent, message, isLate, allowances)) return left;
  }
  return undefined;
}

/**
 * Whether the order may not know a newer code: its gateway had lost Redis. Once it has written what it kept, a code that
 * came before is not sent late any more, although a running call may go on.
 */
function isLost(
  { gateway, at }: MessageFact,
  newer: EventFact,
  message: MessageFact,
  isLate: boolean,
  allowances: Allowances,
): boolean {
  const from = startOf(newer);
  if (isLate && gateway !== undefined) return allowances.isUnwritten(gateway, from, at, message.at);
  return allowances.hadLost(gateway, from, message.at);
}

/** Whether every call of the event had its answer before a message left. */
export function isAfterCalls({ at }: MessageFact, { calls }: EventFact): boolean {
  return calls.every((call) => call.at > at || (call.answer !== undefined && endOf(call) < at));
}

/** Whether one process got the first calls of both events. */
function areAtOneGateway({ calls: [one] }: EventFact, { calls: [other] }: EventFact): boolean {
  if (one?.gateway === undefined || one.life === undefined) return false;
  return one.gateway === other?.gateway && one.life === other.life;
}

/** A first call whose gateway died, or had lost Redis, may be known to nobody: its repeat is then a new code. */
function mayBeUnknown(call: CallFact | undefined, allowances: Allowances): boolean {
  if (call?.gateway === undefined) return true;
  // Of a caller who hangs up, the claim may go on, until Redis counts as lost.
  const to = call.at + call.durationMs + AT_ONCE_MS;
  return allowances.hadLost(call.gateway, call.at, to) || allowances.wasOut(call.gateway, call.at, to);
}

/**
 * Whether a gateway has said that a newer code, or a use, ended this one, although none had come. An event's first call
 * gives its place, if anybody knows that call.
 */
export function isSupersededByNobody(
  { event, hookEvents, others }: EventRecord,
  { uses = [] }: RunFacts,
  allowances: Allowances,
): boolean {
  const from = startOf(event) - AT_ONCE_MS;
  return hookEvents.some(({ text, at }) => {
    if (!text.split(' ').includes('SUPERSEDED') || allowances.hasForgotten(from, at)) return false;
    const isUsed = uses.some(
      ({ userId, usedAt }) => userId === event.userId && usedAt >= from && usedAt <= at,
    );
    const hasNewer = others.some(({ calls }) => {
      const writtenAt = Math.max(...calls.slice(0, 1).map(workEndOf));
      const isForgotten = allowances.hasForgotten(calls[0]?.at ?? from, at, writtenAt);
      const isPlaced = !isForgotten && !mayBeUnknown(calls[0], allowances);
      // A gateway that has lost Redis takes the repeat of an event that it does not know for a new code.
      const placing = calls.filter((call, nth) => nth === 0 || !isPlaced || mayBeUnknown(call, allowances));
      return placing.some((call) => call.at >= from && call.at <= at);
    });
    return !isUsed && !hasNewer;
  });
}

/** Whether a message left although its code, or a newer one, had been used. */
export function isSentAfterUse(
  { event, messages }: EventRecord,
  { uses = [] }: RunFacts,
  allowances: Allowances,
): boolean {
  const from = startOf(event);
  if (mayBeUnknown(event.calls[0], allowances)) return false;
  return messages.some((message) =>
    uses.some(({ usedAt, at, gateway, isTaken, userId }) => {
      const isLater = isTaken && userId === event.userId && from + AT_ONCE_MS < usedAt;
      if (!isLater || message.at < at + USED_MS) return false;
      return (
        !allowances.hasForgotten(from, message.at, at + USED_MS) &&
        !allowances.hadLost(message.gateway, message.at, message.at) &&
        !allowances.isUnwritten(gateway, at, at, message.at) &&
        !allowances.wasStarved(message.gateway, at, message.at) &&
        // The gateway records the use after its answer.
        !allowances.wasOut(gateway, at, at + USED_MS)
      );
    }),
  );
}
