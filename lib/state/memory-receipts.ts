import { LRUCache } from 'lru-cache';
import { REPORT_LIFE_MS, type Receipt, type ReceiptState } from '../delivery/receipt.js';
import type { FinalReport } from '../delivery/report.js';

/** About 100 codes a second for three minutes; the oldest are forgotten first. */
const MAX_ENTRIES = 20_000;

/** An administrator who presses Preview again and again has no more of them pending. */
export const MAX_PREVIEWS = 20;

/** At 100 codes a second, as many as come while one is remembered. */
const MAX_REPORTS = 6_000;

/** So many receipts are looked at for each that comes: those that are over go. More than one, so that all have their turn. */
const LOOKED_AT = 4;

interface Newest {
  /** When its call came in, milliseconds since 1970; where previews are all that is known, the first of theirs. */
  readonly atMs: number;
  readonly untilMs: number;
  /** Where previews are all that is known, there is none. */
  readonly eventKey: string | undefined;
  /** Those that came after it, the newest last. */
  readonly previews: readonly string[];
}

interface Kept {
  readonly receipt: Receipt;
  readonly untilMs: number;
}

/** Asks nobody: every answer is there at once. */
export interface MemoryReceipts extends ReceiptState {
  isNewest(person: string, eventKey: string, nowMs: number): boolean | 'unknown';
  keepReceipt(...args: Parameters<ReceiptState['keepReceipt']>): FinalReport | undefined;
  /** Without a report, only to keep it elsewhere. */
  takeReceipt(messageKey: string, nowMs: number, report?: FinalReport): Receipt | undefined;
  isDelivered(messageKeys: readonly string[], nowMs: number): boolean;
}

/** The receipts of `memoryState()`. */
export function memoryReceipts(): MemoryReceipts {
  const people = new LRUCache<string, Newest>({ max: MAX_ENTRIES });
  const receipts = new Map<string, Kept>();
  // It goes on over what comes and goes. One that stood still would hold what has gone.
  let looking = receipts.entries();

  const reports = new LRUCache<string, { readonly report: FinalReport; readonly untilMs: number }>({
    max: MAX_REPORTS,
  });
  const reportOf = (messageKey: string, nowMs: number): FinalReport | undefined => {
    const known = reports.get(messageKey);
    return known !== undefined && known.untilMs > nowMs ? known.report : undefined;
  };
  const remember = (messageKey: string, report: FinalReport, nowMs: number): void => {
    if (report.status === 'failed' && reportOf(messageKey, nowMs) !== undefined) return;
    reports.set(messageKey, { report, untilMs: nowMs + REPORT_LIFE_MS });
  };

  /** Codes and numbers go soon after their time, without a timer, however long those live that came before them. */
  const dropExpired = (nowMs: number): void => {
    for (let count = 0; count < LOOKED_AT; count += 1) {
      const next = looking.next();
      if (next.done === true) {
        looking = receipts.entries();
        return;
      }
      const [messageKey, { untilMs }] = next.value;
      if (untilMs <= nowMs) receipts.delete(messageKey);
    }
  };
  const keep = (messageKey: string, kept: Kept): void => {
    // It comes last, where it was there before.
    receipts.delete(messageKey);
    receipts.set(messageKey, kept);
    if (receipts.size <= MAX_ENTRIES) return;
    const { value: oldest } = receipts.keys().next();
    if (oldest !== undefined) receipts.delete(oldest);
  };

  return {
    overtake(person, { eventKey, isPreview, nowMs, ageMs = 0, untilMs }) {
      const known = people.get(person);
      const alive = known !== undefined && known.untilMs > nowMs ? known : undefined;
      const beside = isPreview ? alive : undefined;
      const atMs = nowMs - ageMs;
      const isLate = !isPreview && alive !== undefined && alive.atMs > atMs;
      // Previews overtake nothing. They came after one that is told late.
      if (isLate && alive.eventKey !== undefined) return;
      people.set(person, {
        atMs: beside?.atMs ?? atMs,
        untilMs: Math.max(untilMs, beside?.untilMs ?? 0),
        eventKey: isPreview ? beside?.eventKey : eventKey,
        previews: isPreview
          ? [...(beside?.previews ?? []), eventKey].slice(-MAX_PREVIEWS)
          : isLate
            ? alive.previews
            : [],
      });
    },
    isNewest(person, eventKey, nowMs) {
      const newest = people.get(person);
      if (newest === undefined || newest.untilMs <= nowMs) return 'unknown';
      return newest.eventKey === eventKey || newest.previews.includes(eventKey);
    },
    keepReceipt(messageKey, receipt, { nowMs, untilMs }) {
      dropExpired(nowMs);
      const report = reportOf(messageKey, nowMs);
      if (report === undefined) keep(messageKey, { receipt, untilMs });
      return report;
    },
    takeReceipt(messageKey, nowMs, report) {
      const kept = receipts.get(messageKey);
      receipts.delete(messageKey);
      const receipt = kept !== undefined && kept.untilMs > nowMs ? kept.receipt : undefined;
      if (report !== undefined && (receipt === undefined || report.status === 'failed'))
        remember(messageKey, report, nowMs);
      return receipt;
    },
    isDelivered: (messageKeys, nowMs) =>
      messageKeys.some((id) => reportOf(id, nowMs)?.status === 'delivered'),
  };
}
