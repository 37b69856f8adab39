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
  /** The other events of the same user that the guard has allowed. */
  readonly others: readonly EventFact[];
  /** The number of requests to providers to send the code. */
  readonly sendRequests: number;
}

export function recordsOf(facts: RunFacts): readonly EventRecord[] {
  const events = [...facts.events].sort((a, b) => startOf(a) - startOf(b));
  const byUser = groupedBy(events, ({ userId }) => userId);
  const messages = groupedBy(inOrder(facts.messages), ({ code }) => code);
  const callbacks = groupedBy(inOrder(facts.callbacks), ({ sid }) => sid);
  const hookEvents = groupedBy(inOrder(facts.hookEvents), ({ eventId }) => eventId);
  const isAllowed = ({ eventId, code, calls }: EventFact): boolean => {
    const ofEvent = hookEvents.get(eventId) ?? [];
    const types = new Set(ofEvent.map(({ type }) => type));
    // Without Redis, one gateway may have blocked it and another one allowed it, which then read the profile.
    if (messages.has(code) || !types.has('guard.blocked') || types.has('profile.read')) return true;
    // So may a gateway that died before it said so.
    return calls.some(({ gateway, life, problem }) => {
      const isBlocked = ofEvent.some(
        (event) => event.type === 'guard.blocked' && event.gateway === gateway && event.life === life,
      );
      return problem === 'connection lost' && !isBlocked;
    });
  };
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
      others: ofUser.filter((other) => other !== event && isAllowed(other)),
      sendRequests: facts.sendRequests.get(event.code) ?? 0,
    };
  });
}

/** The time of Okta's first call. */
export function startOf({ calls }: EventFact): number {
  return calls[0]?.at ?? 0;
}

export function endOf({ at, durationMs }: CallFact): number {
  return at + durationMs;
}

/** The call that a message comes from: of those of its gateway the first one, since repeats wait for it. */
export function callOf(
  { at, gateway }: Pick<MessageFact, 'at' | 'gateway'>,
  calls: readonly CallFact[],
): CallFact | undefined {
  const before = calls.filter((call) => call.at <= at && (gateway === undefined || call.gateway === gateway));
  return before.find((call) => endOf(call) >= at) ?? before.at(-1);
}

/** The answer that counts for Okta: the last one, because Okta repeats only a call without an answer. */
export function answerOf({ calls }: EventFact): CallFact['answer'] {
  return calls.at(-1)?.answer;
}

/** The time of a call that a caller who has not hung up waits for, milliseconds. */
const WORK_MS = 3_000;

/** Until when a gateway may work on a call: also after its caller has hung up. */
export function workEndOf(call: CallFact): number {
  return call.problem === 'hung up' ? call.at + WORK_MS : endOf(call);
}

/** Whether the gateway of the call was stopped, killed or starting during the call, or while it worked on. */
export function isDisturbed(call: CallFact, outages: readonly OutageFact[]): boolean {
  const { at, gateway } = call;
  const to = workEndOf(call);
  return outages.some(
    (outage) =>
      outage.gateway !== undefined &&
      // If no gateway accepted the call, any outage counts.
      (gateway === undefined || outage.gateway === gateway) &&
      overlaps(outage, at, to),
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

/** Whether two messages went by the same provider of one channel. Another provider follows a failure as another channel does. */
export function isSameWay(one: MessageFact, other: MessageFact): boolean {
  return one.channel === other.channel && one.provider === other.provider;
}

export function hasFailed({ status }: MessageFact): boolean {
  return status === 'failed' || status === 'undelivered';
}

/** When a message failed; `undefined` if it did not. It may have arrived since. */
export function failedAtOf(message: MessageFact): number | undefined {
  return hasFailed(message) ? message.statusAt : message.failedAt;
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
