import { BoundedMap } from '../delivery/bounded-map.js';
import {
  staysBefore,
  TAKEN_MS,
  type LastCode,
  type SentCodeLife,
  type SentCodeUse,
} from '../delivery/sent-codes.js';

/** About 100 codes a second for three minutes; the oldest are forgotten first. */
const MAX_ENTRIES = 20_000;

interface Kept {
  readonly code: LastCode;
  readonly untilMs: number;
  /** It was given to one, and stands for what must not be kept any more. */
  readonly isTaken: boolean;
}

/** Asks nobody: every answer is there at once. */
export interface MemorySentCodes {
  keepSent(key: string, code: LastCode, life: SentCodeLife): undefined;
  takeSent(key: string, use: SentCodeUse): LastCode | undefined;
  /** Gives it to be kept elsewhere. */
  moveSent(key: string, nowMs: number): LastCode | undefined;
}

/** The sent codes of `memoryState()`. */
export function memorySentCodes(): MemorySentCodes {
  const codes = new BoundedMap<Kept>(MAX_ENTRIES);
  const knownAt = (key: string, nowMs: number): Kept | undefined => {
    const known = codes.get(key);
    return known !== undefined && known.untilMs > nowMs ? known : undefined;
  };
  return {
    keepSent(key, code, { nowMs, untilMs }) {
      const known = knownAt(key, nowMs);
      const stays =
        known !== undefined &&
        (known.isTaken ? known.code.asked.atMs >= code.asked.atMs : staysBefore(known.code, code));
      if (!stays) codes.set(key, { code, untilMs, isTaken: false });
      return undefined;
    },
    takeSent(key, { nowMs, usedMs }) {
      const known = knownAt(key, nowMs);
      if (known === undefined || known.isTaken || known.code.asked.atMs > usedMs) return undefined;
      codes.set(key, { code: known.code, untilMs: nowMs + TAKEN_MS, isTaken: true });
      return known.code;
    },
    moveSent(key, nowMs) {
      const known = knownAt(key, nowMs);
      if (known === undefined || known.isTaken) return undefined;
      codes.delete(key);
      return known.code;
    },
  };
}
