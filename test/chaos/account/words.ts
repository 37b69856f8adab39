import type { Allowances } from './allowances.js';
import type { RunFacts, WordFact } from './facts.js';
import { callOf, type EventRecord } from './records.js';

/** STOP and START: after the answer to STOP nothing goes by WhatsApp at any gateway; after that to START it may again. */

/** Words within this time may have no order, milliseconds. */
const AT_ONCE_MS = 500;

/**
 * How a message left by WhatsApp after the answer to STOP: in a call that came after it, in a call that had come before,
 * or after a STOP that came again because the first gateway that got it had died.
 */
export type Stopped = 'stopped' | 'stoppedMeanwhile' | 'stoppedAgain';

export function stoppedBy(
  { event, messages }: EventRecord,
  facts: RunFacts,
  allowances: Allowances,
): ReadonlySet<Stopped> {
  const found = messages.flatMap((message): readonly Stopped[] => {
    const { channel, gateway, at } = message;
    const word = channel === 'whatsapp' ? wordAt(at, event.userId, facts) : undefined;
    if (word?.word !== 'STOP' || !allowances.couldKnow(message, word.answeredAt)) return [];
    const from = startOfCall({ gateway, at }, event);
    if (!isWordKnown(word, { gateway, from, at }, allowances)) return [];
    if (from < word.answeredAt) return ['stoppedMeanwhile'];
    const { words = [] } = facts;
    const hasComeBefore = words.some(({ messageId, isTaken }) => messageId === word.messageId && !isTaken);
    return hasComeBefore ? ['stoppedAgain'] : ['stopped'];
  });
  return new Set(found);
}

/** Whether a gateway left WhatsApp out as stopped in a call that came after START had been answered. */
export function isStoppedAfterStart(
  { event, hookEvents }: EventRecord,
  facts: RunFacts,
  allowances: Allowances,
): boolean {
  return hookEvents.some(({ type, gateway, at, isStopped }) => {
    if (type !== 'channels.planned' || isStopped !== true) return false;
    const from = startOfCall({ gateway, at }, event);
    const word = wordAt(from, event.userId, facts);
    if (wordAt(at, event.userId, facts) !== word) return false;
    return word?.word === 'START' && isWordKnown(word, { gateway, from, at }, allowances);
  });
}

/** When the call began that something of a gateway belongs to. */
function startOfCall(
  found: { readonly gateway: number | undefined; readonly at: number },
  { calls }: EventRecord['event'],
): number {
  return (callOf(found, calls) ?? calls.at(-1))?.at ?? found.at;
}

/** Whether a gateway must know a word: both had Redis, and Redis has forgotten nothing. */
function isWordKnown(
  { at, answeredAt, gateway }: WordFact,
  reader: { readonly gateway: number | undefined; readonly from: number; readonly at: number },
  allowances: Allowances,
): boolean {
  return (
    !allowances.hadLost(reader.gateway, reader.from, reader.at) &&
    !allowances.wasStarved(reader.gateway, reader.from, reader.at) &&
    !allowances.hasForgotten(at, reader.at, answeredAt) &&
    !allowances.isUnwritten(gateway, at, answeredAt, reader.at)
  );
}

/** The word that counts at a time; `undefined` if there is none, or if two of them may have another order. */
function wordAt(at: number, userId: string, { words = [] }: RunFacts): WordFact | undefined {
  const known = words.filter((word) => word.userId === userId && word.at <= at);
  const taken = known.filter(({ isTaken, answeredAt }) => isTaken && answeredAt <= at);
  // Twilio may bring a message again. It counts from when a gateway took it first.
  const first = taken.filter(
    (word) =>
      !taken.some((other) => other.messageId === word.messageId && other.answeredAt < word.answeredAt),
  );
  const [last] = first.sort((one, other) => other.at - one.at);
  if (last === undefined) return undefined;
  // Also a message without an answer may have been kept.
  const since = Math.min(
    ...known.filter(({ messageId }) => messageId === last.messageId).map((word) => word.at),
  );
  const hasRival = known.some(
    ({ word, answeredAt }) => word !== last.word && answeredAt >= since - AT_ONCE_MS,
  );
  return hasRival ? undefined : last;
}
