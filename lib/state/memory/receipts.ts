import { RecentMap } from '../../core/caches.js';
import type { NewEvent } from '../../delivery/state.js';

/** What a process keeps of the order of each person's codes. */

/** The people of at least the last so many codes are remembered: 100 a second for 80 seconds. */
const MIN_PEOPLE = 8_000;

/** Previews that are pending at once, for an administrator who repeats Preview in the Admin Console. */
export const MAX_PREVIEWS = 20;

const NONE: readonly string[] = [];

class Person {
  atMs = 0;
  untilMs = 0;
  eventKey: string | undefined = undefined;
  previews: readonly string[] = NONE;
}

export interface MemoryOrder {
  overtake(person: string, event: NewEvent): void;
  isNewest(person: string, eventKey: string, nowMs: number): boolean | 'unknown';
}

export function memoryOrder(): MemoryOrder {
  const people = new RecentMap<Person>(MIN_PEOPLE);
  return {
    overtake(person, { eventKey, isPreview, nowMs, ageMs = 0, after, untilMs }) {
      const known = people.get(person);
      const alive = known !== undefined && known.untilMs > nowMs ? known : undefined;
      const beside = isPreview ? alive : undefined;
      const atMs = nowMs - ageMs;
      // An event that arrives now is the newest, whatever any clock says.
      const isLate = !isPreview && ageMs > 0 && alive !== undefined && alive.atMs > atMs;
      // Previews supersede nothing. Those that are known came after an event that is recorded late.
      if (isLate && alive.eventKey !== undefined && alive.eventKey !== after) return;
      const next = known ?? new Person();
      const before = isLate ? alive.previews : NONE;
      next.previews = isPreview ? [...(beside?.previews ?? []), eventKey].slice(-MAX_PREVIEWS) : before;
      next.atMs = beside?.atMs ?? atMs;
      next.untilMs = Math.max(untilMs, alive?.untilMs ?? 0);
      next.eventKey = isPreview ? beside?.eventKey : eventKey;
      people.set(person, next);
    },
    isNewest(person, eventKey, nowMs) {
      const newest = people.get(person);
      if (newest === undefined || newest.untilMs <= nowMs) return 'unknown';
      return newest.eventKey === eventKey || newest.previews.includes(eventKey);
    },
  };
}
