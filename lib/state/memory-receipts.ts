import { LRUCache } from 'lru-cache';
import type { Receipt, ReceiptState } from '../delivery/receipt.js';

/** About 100 codes a second for three minutes; the oldest are forgotten first. */
const MAX_ENTRIES = 20_000;

/** An administrator who presses Preview again and again has no more of them pending. */
const MAX_PREVIEWS = 20;

interface Newest {
  readonly untilMs: number;
  /** The newest event, where there is one, and the previews that came after it. */
  readonly eventKeys: readonly string[];
}

/** The receipts of `memoryState()`. */
export function memoryReceipts(): ReceiptState {
  const people = new LRUCache<string, Newest>({ max: MAX_ENTRIES });
  const receipts = new LRUCache<string, { readonly receipt: Receipt; readonly untilMs: number }>({
    max: MAX_ENTRIES,
  });

  /** Codes and numbers go soon after their time, without a timer: for each that comes, two that are over may go. */
  const dropExpired = (nowMs: number): void => {
    for (let count = 0; count < 2; count += 1) {
      const { value: oldest } = receipts.rvalues().next();
      if (oldest === undefined || oldest.untilMs > nowMs) return;
      receipts.pop();
    }
  };

  return {
    overtake(person, { eventKey, isPreview, nowMs, untilMs }) {
      const known = isPreview ? people.get(person) : undefined;
      const beside = known !== undefined && known.untilMs > nowMs ? known : undefined;
      people.set(person, {
        untilMs: Math.max(untilMs, beside?.untilMs ?? 0),
        eventKeys: [...(beside?.eventKeys ?? []).slice(0, MAX_PREVIEWS), eventKey],
      });
    },
    isNewest(person, eventKey, nowMs) {
      const newest = people.get(person);
      return newest !== undefined && newest.untilMs > nowMs && newest.eventKeys.includes(eventKey);
    },
    keepReceipt(transactionId, receipt, { nowMs, untilMs }) {
      dropExpired(nowMs);
      receipts.set(transactionId, { receipt, untilMs });
    },
    takeReceipt(transactionId, nowMs) {
      const kept = receipts.get(transactionId);
      receipts.delete(transactionId);
      return kept !== undefined && kept.untilMs > nowMs ? kept.receipt : undefined;
    },
  };
}
