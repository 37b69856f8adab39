import type {
  CallbackFact,
  CallFact,
  EventFact,
  MessageFact,
  OutageFact,
  RunFacts,
  ShortageFact,
  HookEventFact,
} from './facts.js';

/** All records of one event, in the order of time. */
export interface EventRecord {
  readonly event: EventFact;
  readonly messages: readonly MessageFact[];
  /** The callbacks of these messages. */
  readonly callbacks: readonly CallbackFact[];
  readonly hookEvents: readonly HookEventFact[];
  /** Later events of the same user, and their messages. */
  readonly newer: readonly EventFact[];
  readonly newerMessages: readonly MessageFact[];
  /** The number of requests to Twilio to send the code. */
  readonly sendRequests: number;
}

export function recordsOf(facts: RunFacts): readonly EventRecord[] {
  const events = [...facts.events].sort((a, b) => startOf(a) - startOf(b));
  const byUser = groupedBy(events, ({ userId }) => userId);
  const messages = groupedBy(inOrder(facts.messages), ({ code }) => code);
  const callbacks = groupedBy(inOrder(facts.callbacks), ({ sid }) => sid);
  const hookEvents = groupedBy(inOrder(facts.hookEvents), ({ eventId }) => eventId);
  return events.map((event) => {
    const ofUser = byUser.get(event.userId) ?? [];
    const newer = ofUser.slice(ofUser.indexOf(event) + 1);
    const own = messages.get(event.code) ?? [];
    return {
      event,
      messages: own,
      callbacks: inOrder(own.flatMap(({ sid }) => callbacks.get(sid) ?? [])),
      hookEvents: hookEvents.get(event.eventId) ?? [],
      newer,
      newerMessages: newer.flatMap(({ code }) => messages.get(code) ?? []),
      sendRequests: facts.sendRequests.get(event.code) ?? 0,
    };
  });
}

/** The time of Okta's first call. */
export function startOf({ calls }: EventFact): number {
  return calls[0]?.at ?? 0;
}

/** The answer that counts for Okta: the last one, because Okta repeats only a call without an answer. */
export function answerOf({ calls }: EventFact): CallFact['answer'] {
  return calls.at(-1)?.answer;
}

/** Whether the gateway of the call was stopped, killed or starting during the call. */
export function isDisturbed({ at, durationMs, gateway }: CallFact, outages: readonly OutageFact[]): boolean {
  return outages.some(
    (outage) =>
      outage.gateway !== undefined &&
      // If no gateway accepted the call, any outage counts.
      (gateway === undefined || outage.gateway === gateway) &&
      overlaps(outage, at, at + durationMs),
  );
}

export function overlaps(outage: OutageFact, from: number, to: number): boolean {
  return outage.from <= to && outage.to >= from;
}

/** A call whose process had no CPU for longer than this proves nothing, milliseconds. */
const TOO_SHORT_MS = 400;

/** Whether the gateway or Okta had no CPU for too long during the call. */
export function isStarved(
  { at, durationMs, gateway }: CallFact,
  shortages: readonly ShortageFact[],
): boolean {
  const end = at + durationMs;
  const lost = shortages
    .filter((shortage) => shortage.gateway === undefined || shortage.gateway === gateway)
    .map(({ from, to }) => Math.max(0, Math.min(to, end) - Math.max(from, at)));
  return lost.reduce((sum, ms) => sum + ms, 0) > TOO_SHORT_MS;
}

export function hasFailed({ status }: MessageFact): boolean {
  return status === 'failed' || status === 'undelivered';
}

function inOrder<Fact extends { readonly at: number }>(facts: readonly Fact[]): Fact[] {
  return [...facts].sort((a, b) => a.at - b.at);
}

function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
