import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../../delivery/late/sent-codes.js';
import { codeOf, newPeople, personOf, type People } from './people.js';

type DeliveryChannel = LastCode['deliveryChannel'];

/** Asks nobody: every answer is there at once. */
export interface MemorySentCodes {
  keepSent(person: string, code: LastCode, life: SentCodeLife): undefined;
  takeSent(person: string, use: SentCodeUse): LastCode | undefined;
  /** Gives it to be kept elsewhere. */
  moveSent(person: string, deliveryChannel: DeliveryChannel, nowMs: number): LastCode | undefined;
}

/** The sent codes of `memoryState()`. */
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
