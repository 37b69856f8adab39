import { LRUCache } from 'lru-cache';
import { atMost } from '../core/caches.js';

/** The order of each person's codes: an older code must not be delivered after a newer one. */

/**
 * A call whose claim was sent longer ago than this asks the state for newer codes before its first attempt,
 * milliseconds. It orders nothing: a call that has waited for nothing need not ask twice.
 */
export const NEW_CALL_MS = 25;

/** The last so many people are remembered: 100 codes a second for 80 seconds. */
export const MAX_PEOPLE = 8_000;

/**
 * The order within this process, for all hooks that share a state. It answers at once, and serves alone while the
 * state is lost.
 */
export class LocalOrder {
  /** The number of the newest call of each person that the guard has allowed. */
  readonly #passed = new LRUCache<string, number>(atMost(MAX_PEOPLE));
  #calls = 0;

  /** The number of a call that arrives now. Its event keeps it, also if a repeat sends its code. */
  arrive(): number {
    this.#calls += 1;
    return this.#calls;
  }

  /** The guard has allowed a call: its code may be sent at any moment. */
  pass(person: string, arrival: number): void {
    if (!this.hasNewer(person, arrival)) this.#passed.set(person, arrival);
  }

  /** Whether the guard has allowed a call of the person that arrived later. */
  hasNewer(person: string, arrival: number): boolean {
    return (this.#passed.get(person) ?? 0) > arrival;
  }
}

/** In place of the newest event: the user has used a code, so that none is current. */
export const NOBODY = '-';
/** In place of the newest event: no code is known, or it is not known which of several is the newest. */
export const UNKNOWN = '?';

/**
 * The order of a person's events as a state keeps it. The claims give it: an event gets its place with its first claim
 * and keeps it, also after a release. `state/redis/step-scripts.ts` does the same as the functions below.
 */
export interface OrderRecord {
  /** How many events have come. */
  readonly count: number;
  /** The token of the claim that made the record. Places of another record cannot be compared with its own. */
  readonly epoch: string;
  /** The count of the newest event; 0 if only events are known that were not allowed, or previews. */
  readonly newestPlace: number;
  /** The newest event itself, `NOBODY` or `UNKNOWN`. After a failover of the state, two events may have one place. */
  readonly newestEvent: string;
  /** When the code of the newest event was requested, by Okta's clock, milliseconds since 1970. */
  readonly requestedAtMs: number;
}

/**
 * The place of an event, `count.epoch`; `undefined` if it has none: the process that claimed it decided alone. It ends with `~` if
 * its process decided alone, and the state learned of it later: the event came before that, and perhaps before events with a lower place.
 */
export type Place = string | undefined;

/** An event as the question for the newest code names it. */
export interface PlacedEvent {
  readonly eventKey: string;
  readonly place?: Place | undefined;
  /** Previews take places, but supersede nothing. */
  readonly isPreview?: boolean | undefined;
}

/** An event that claims its place. */
export interface ClaimingEvent extends PlacedEvent {
  /** Whether the guard allows it: it then supersedes older ones. */
  readonly passes: boolean;
  readonly requestedAtMs: number;
  /** Of its claim. */
  readonly token: string;
  /** Its process decided alone, and the state is back. */
  readonly wasAlone?: boolean | undefined;
}

/**
 * Gives an event its place, unless it has one, and makes it the newest if it is. If its process decided alone, and another one is known as the
 * newest, it is unknown which of the two is newer. So it is with an event that had its place before the newest became unknown.
 */
export function takePlace(
  known: OrderRecord | undefined,
  event: ClaimingEvent,
): { readonly order: OrderRecord; readonly place: string; readonly isCurrent: boolean | 'unknown' } {
  const place = readPlace(event.place) ?? {
    count: (known?.count ?? 0) + 1,
    epoch: known?.epoch ?? event.token,
    wasAlone: event.wasAlone === true,
  };
  // A record that is gone is made again from the place that the event has.
  const before = known ?? {
    count: place.count,
    epoch: place.epoch,
    newestPlace: 0,
    newestEvent: UNKNOWN,
    requestedAtMs: 0,
  };
  const isComparable = place.epoch === before.epoch;
  const count = isComparable ? Math.max(before.count, place.count) : before.count;
  const isAbove = event.passes && !event.isPreview && isComparable && place.count > before.newestPlace;
  const { eventKey, requestedAtMs } = event;
  const hasOther = before.newestPlace > 0 && before.newestEvent !== eventKey;
  const mayBeOlder = place.wasAlone || (before.newestEvent === UNKNOWN && place.count < before.count);
  let order: OrderRecord = { ...before, count };
  if (isAbove && hasOther && mayBeOlder) {
    const latestMs = Math.max(before.requestedAtMs, requestedAtMs);
    order = { ...order, newestEvent: UNKNOWN, requestedAtMs: latestMs };
  } else if (isAbove) order = { ...order, newestPlace: place.count, newestEvent: eventKey, requestedAtMs };
  const text = `${place.count}.${place.epoch}${place.wasAlone ? ALONE : ''}`;
  return { order, place: text, isCurrent: isCurrent(order, { ...event, place: text }) };
}

/**
 * Whether an event is its person's newest; a preview, whether no event is newer. `'unknown'`: a running call goes on,
 * but nothing is sent late.
 */
export function isCurrent(
  order: OrderRecord | undefined,
  { eventKey, place, isPreview }: PlacedEvent,
): boolean | 'unknown' {
  if (order === undefined) return 'unknown';
  const own = readPlace(place);
  const isComparable = own !== undefined && own.epoch === order.epoch;
  if (isPreview) {
    if (isComparable && own.count <= order.newestPlace) return false;
    return isComparable && !own.wasAlone ? true : 'unknown';
  }
  if (order.newestEvent === eventKey) return true;
  // Also while the newest is not known, an event before it is superseded.
  if (order.newestEvent === UNKNOWN) return isComparable && own.count < order.newestPlace ? false : 'unknown';
  if (own === undefined) return 'unknown';
  if (!isComparable) return false;
  // Its claim has not allowed an event after the newest one, but a process that decided alone may have.
  if (!own.wasAlone) return own.count > order.newestPlace ? 'unknown' : false;
  // After a failover of Redis, the newest event may have had its place before this one was given its own.
  return own.count >= order.newestPlace && order.newestEvent !== NOBODY ? 'unknown' : false;
}

/** Whether the first place certainly comes after the second one. */
export function isAfter(one: Place, two: Place): boolean {
  const [later, earlier] = [readPlace(one), readPlace(two)];
  if (later === undefined || earlier === undefined) return false;
  return later.epoch === earlier.epoch && later.count > earlier.count && !later.wasAlone;
}

/** A user has used a code: if the newest one was requested before, none is current. */
export function useNewest(order: OrderRecord, usedAtMs: number): OrderRecord {
  const isUsed = order.newestPlace > 0 && order.requestedAtMs <= usedAtMs;
  return isUsed ? { ...order, newestEvent: NOBODY } : order;
}

/** Ends the place of an event whose process decided alone. */
const ALONE = '~';

interface ReadPlace {
  readonly count: number;
  readonly epoch: string;
  readonly wasAlone: boolean;
}

function readPlace(place: Place): ReadPlace | undefined {
  if (place === undefined) return undefined;
  const dot = place.indexOf('.');
  const wasAlone = place.endsWith(ALONE);
  const epoch = wasAlone ? place.slice(dot + 1, -1) : place.slice(dot + 1);
  return { count: Number(place.slice(0, dot)), epoch, wasAlone };
}
