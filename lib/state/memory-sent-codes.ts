import { LRUCache } from 'lru-cache';
import type { SentCode, SentCodeLife, SentCodeUse } from '../delivery/sent-codes.js';

/** About 100 codes a second for three minutes; those that nobody asked for the longest are forgotten first. */
const MAX_ENTRIES = 20_000;

interface Kept {
  readonly sent: SentCode;
  readonly untilMs: number;
}

/** Asks nobody: every answer is there at once. */
export interface MemorySentCodes {
  keepSent(key: string, sent: SentCode, life: SentCodeLife): undefined;
  takeSent(key: string, use: SentCodeUse): SentCode | undefined;
}

/** The sent codes of `memoryState()`. */
export function memorySentCodes(): MemorySentCodes {
  const codes = new LRUCache<string, Kept>({ max: MAX_ENTRIES });
  return {
    keepSent(key, sent, { nowMs, untilMs }) {
      const known = codes.get(key);
      const isNewer = known !== undefined && known.untilMs > nowMs && known.sent.asked.atMs > sent.asked.atMs;
      if (!isNewer) codes.set(key, { sent, untilMs });
      return undefined;
    },
    takeSent(key, { nowMs, usedMs }) {
      const known = codes.get(key);
      if (known === undefined || (known.untilMs > nowMs && known.sent.asked.atMs > usedMs)) return undefined;
      codes.delete(key);
      return known.untilMs > nowMs ? known.sent : undefined;
    },
  };
}
