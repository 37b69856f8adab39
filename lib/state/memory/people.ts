import { RecentMap } from '../../core/recent-map.js';
import type { LastCode } from '../../delivery/late/sent-codes.js';

/** About 100 codes a second for a minute and a half to three minutes. */
const MAX_PEOPLE = 16_000;

/** The last code of a person by texts, or by calls. */
export interface KeptCode {
  readonly code: LastCode;
  readonly untilMs: number;
  /** It was given to one, and stands for what must not be kept any more. */
  readonly isTaken: boolean;
}

const NONE: readonly string[] = [];

/** All that is kept of one person, in one place: who asks for one part has asked for another a moment ago. */
export class Person {
  /** When the call of the newest event came in, by the steady clock; where previews are all that is known, the first of theirs. */
  atMs = 0;
  /** How long the newest event is known. */
  untilMs = 0;
  /** Where previews are all that is known, there is none. */
  eventKey: string | undefined = undefined;
  /** Those that came after it, the newest last. */
  previews: readonly string[] = NONE;
  sms: KeptCode | undefined = undefined;
  voice: KeptCode | undefined = undefined;
}

/** As a digest names them. */
export type People = RecentMap<Person>;

export function newPeople(): People {
  return new RecentMap<Person>(MAX_PEOPLE);
}

/** Somebody of whom something is kept from now on, if nothing was. */
export function personOf(key: string, people: People): Person {
  // What is kept now is of the newest.
  const known = people.use(key);
  if (known !== undefined) return known;
  const person = new Person();
  people.set(key, person);
  return person;
}

/** The last code of a person, while it is kept. */
export function codeOf(
  person: Person | undefined,
  deliveryChannel: LastCode['deliveryChannel'],
  nowMs: number,
): KeptCode | undefined {
  const kept = person?.[deliveryChannel];
  return kept !== undefined && kept.untilMs > nowMs ? kept : undefined;
}

/** Codes whose time is over do not stay for as long as the person comes for others. */
export function forgetEnded(person: Person, nowMs: number): void {
  person.sms = codeOf(person, 'sms', nowMs);
  person.voice = codeOf(person, 'voice', nowMs);
}
