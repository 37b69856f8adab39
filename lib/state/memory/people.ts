import { RecentMap } from '../../core/caches.js';
import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../../delivery/late/sent-codes.js';

/** Holds about 100 codes a second for one and a half to three minutes. */
const MAX_PEOPLE = 16_000;

type DeliveryChannel = LastCode['deliveryChannel'];

/** The last code of a person by text message or by call. */
export interface KeptCode {
  readonly code: LastCode;
  readonly untilMs: number;
  /** Whether its use was reported. The entry then only keeps earlier codes from being stored. */
  readonly isTaken: boolean;
}

const NONE: readonly string[] = [];

/**
 * Everything that is kept of one person. One object, because a call that reads one part has just read
 * another.
 */
export class Person {
  /**
   * When the call of the newest event arrived, by the steady clock. With previews only: when the first of
   * them arrived.
   */
  atMs = 0;
  /** Until when the newest event is remembered. */
  untilMs = 0;
  /** The newest event; `undefined` if there are only previews. */
  eventKey: string | undefined = undefined;
  /** Previews since the newest event, the newest last. */
  previews: readonly string[] = NONE;
  sms: KeptCode | undefined = undefined;
  voice: KeptCode | undefined = undefined;
}

/** By the digest that names a person. */
export type People = RecentMap<Person>;

export function newPeople(): People {
  return new RecentMap<Person>(MAX_PEOPLE);
}

/** The entry of a person; a new one if there is none. */
function personOf(key: string, people: People): Person {
  // A person with something new to keep is one of the newest.
  const known = people.use(key);
  if (known !== undefined) return known;
  const person = new Person();
  people.set(key, person);
  return person;
}

/** The last code of a person, unless it has expired. */
function codeOf(
  person: Person | undefined,
  deliveryChannel: DeliveryChannel,
  nowMs: number,
): KeptCode | undefined {
  const kept = person?.[deliveryChannel];
  return kept !== undefined && kept.untilMs > nowMs ? kept : undefined;
}

/** Drops expired codes, also of a person who goes on requesting others. */
export function dropExpiredCodes(person: Person, nowMs: number): void {
  person.sms = codeOf(person, 'sms', nowMs);
  person.voice = codeOf(person, 'voice', nowMs);
}

/** The port with synchronous results. */
export interface MemorySentCodes {
  keepSent(person: string, code: LastCode, life: SentCodeLife): undefined;
  takeSent(person: string, use: SentCodeUse): LastCode | undefined;
  /** Removes a code that was not used yet, to keep it elsewhere. */
  moveSent(person: string, deliveryChannel: DeliveryChannel, nowMs: number): LastCode | undefined;
}

/** The sent codes of `memoryState()`, and those that a Redis state keeps while Redis is lost. */
export function memorySentCodes(people: People = newPeople()): MemorySentCodes {
  return {
    keepSent(key, code, { nowMs, untilMs }) {
      const person = personOf(key, people);
      const known = codeOf(person, code.deliveryChannel, nowMs);
      const stays =
        known !== undefined &&
        (known.isTaken ? known.code.asked.atMs >= code.asked.atMs : staysBefore(known.code, code));
      if (!stays) person[code.deliveryChannel] = { code, untilMs, isTaken: false };
      return undefined;
    },
    takeSent(key, { deliveryChannel, nowMs, usedMs }) {
      const known = codeOf(people.get(key), deliveryChannel, nowMs);
      if (known === undefined || known.isTaken || known.code.asked.atMs > usedMs) return undefined;
      const { code } = known;
      personOf(key, people)[deliveryChannel] = { code, untilMs: nowMs + TAKEN_MS, isTaken: true };
      return code;
    },
    moveSent(key, deliveryChannel, nowMs) {
      const known = codeOf(people.get(key), deliveryChannel, nowMs);
      if (known === undefined || known.isTaken) return undefined;
      personOf(key, people)[deliveryChannel] = undefined;
      return known.code;
    },
  };
}
