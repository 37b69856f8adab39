import type {
  CallbackFact,
  CallFact,
  EventFact,
  MessageFact,
  OutageFact,
  RunFacts,
  ShortageFact,
  ToldFact,
} from './facts.js';

/** What is known of one event, put together. Everything is in the order in which it happened. */
export interface EventRecord {
  readonly event: EventFact;
  readonly messages: readonly MessageFact[];
  /** Of these messages. */
  readonly callbacks: readonly CallbackFact[];
  readonly told: readonly ToldFact[];
  /** Later events of the same user, and their messages. */
  readonly newer: readonly EventFact[];
  readonly newerMessages: readonly MessageFact[];
  /** How often Twilio was asked to send its code. */
  readonly asked: number;
}

export function recordsOf(facts: RunFacts): readonly EventRecord[] {
  const events = [...facts.events].sort((a, b) => startOf(a) - startOf(b));
  const byUser = groupedBy(events, ({ userId }) => userId);
  const messages = groupedBy(inOrder(facts.messages), ({ code }) => code);
  const callbacks = groupedBy(inOrder(facts.callbacks), ({ sid }) => sid);
  const told = groupedBy(inOrder(facts.told), ({ eventId }) => eventId);
  return events.map((event) => {
    const ofUser = byUser.get(event.userId) ?? [];
    const newer = ofUser.slice(ofUser.indexOf(event) + 1);
    const own = messages.get(event.code) ?? [];
    return {
      event,
      messages: own,
      callbacks: inOrder(own.flatMap(({ sid }) => callbacks.get(sid) ?? [])),
      told: told.get(event.eventId) ?? [],
      newer,
      newerMessages: newer.flatMap(({ code }) => messages.get(code) ?? []),
      asked: facts.asked.get(event.code) ?? 0,
    };
  });
}

/** When Okta first called for it. */
export function startOf({ calls }: EventFact): number {
  return calls[0]?.at ?? 0;
}

/** What Okta goes by: if it calls again, then after no answer. */
export function answerOf({ calls }: EventFact): CallFact['answer'] {
  return calls.at(-1)?.answer;
}

/** Whether the gateway that had the call was stopped, killed or coming back meanwhile. */
export function isDisturbed({ at, durationMs, gateway }: CallFact, outages: readonly OutageFact[]): boolean {
  return outages.some(
    (outage) =>
      outage.gateway !== undefined &&
      // Where no gateway took it, any that was away is to blame.
      (gateway === undefined || outage.gateway === gateway) &&
      overlaps(outage, at, at + durationMs),
  );
}

export function overlaps(outage: OutageFact, from: number, to: number): boolean {
  return outage.from <= to && outage.to >= from;
}

/** A call that a process had no processor for, so much of its time that it says nothing, milliseconds. */
const TOO_SHORT_MS = 400;

/** Whether this machine let neither the gateway nor Okta work on it for too long. */
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
