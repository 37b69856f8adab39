import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../../delivery/late/sent-codes.js';
import { codeOf, newPeople, personOf, type People } from './people.js';

type DeliveryChannel = LastCode['deliveryChannel'];

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
