import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../delivery/sent-codes.js';
import { newPeople, personOf, type KeptCode, type People } from './memory-people.js';

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
  const knownAt = (key: string, deliveryChannel: DeliveryChannel, nowMs: number): KeptCode | undefined => {
    const known = people.get(key)?.[deliveryChannel];
    return known !== undefined && known.untilMs > nowMs ? known : undefined;
  };
  return {
    keepSent(key, code, { nowMs, untilMs }) {
      const person = personOf(key, people);
      const kept = person[code.deliveryChannel];
      const known = kept !== undefined && kept.untilMs > nowMs ? kept : undefined;
      const stays =
        known !== undefined &&
        (known.isTaken ? known.code.asked.atMs >= code.asked.atMs : staysBefore(known.code, code));
      if (!stays) person[code.deliveryChannel] = { code, untilMs, isTaken: false };
      return undefined;
    },
    takeSent(key, { deliveryChannel, nowMs, usedMs }) {
      const known = knownAt(key, deliveryChannel, nowMs);
      if (known === undefined || known.isTaken || known.code.asked.atMs > usedMs) return undefined;
      const { code } = known;
      personOf(key, people)[deliveryChannel] = { code, untilMs: nowMs + TAKEN_MS, isTaken: true };
      return code;
    },
    moveSent(key, deliveryChannel, nowMs) {
      const known = knownAt(key, deliveryChannel, nowMs);
      if (known === undefined || known.isTaken) return undefined;
      personOf(key, people)[deliveryChannel] = undefined;
      return known.code;
    },
  };
}
