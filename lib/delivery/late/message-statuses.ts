import { LRUCache } from 'lru-cache';
import { RecentMap } from '../../core/recent-map.js';
import type { FinalReport } from './report.js';

/**
 * What is known of the messages that were sent. Providers tell it in any order, and more than once, and may tell it before
 * the answer to the send has been read: it only moves forward, from sent by failed to delivered.
 */

/** The last 8,000 always. One that is forgotten is met as another process's: its receipt, if it is there, says what follows. */
const MAX_KNOWN = 16_000;
/** What is told of a message that nobody knows is kept so long, milliseconds: no send takes longer to be answered ... */
const EARLY_MS = 15_000;
/** ... and so much of it is, the oldest given up first. */
const MAX_EARLY = 1_000;
/** So many that were given up are remembered: each is told of in several copies, and counts once. */
const MAX_GIVEN_UP = 1_000;

interface Known {
  readonly status: 'sent' | 'failed' | 'delivered';
  /** There is a receipt of it: something could follow. */
  readonly hasReceipt: boolean;
}

/** What nearly every message begins as, and most stay: one for all of them. */
const SENT: Known = { status: 'sent', hasReceipt: true };
const SENT_IDLE: Known = { status: 'sent', hasReceipt: false };

interface Early {
  readonly report: FinalReport;
  readonly sinceMs: number;
}

/** What a report was to those who knew the message, or did not. */
export type StatusChange =
  /** Known before, or older than what is known. */
  | 'none'
  /** Of a message that somebody has a receipt of, perhaps. */
  | 'first'
  /** Of one that nothing can follow. */
  | 'idle'
  /** One that failed arrived all the same. */
  | 'arrived'
  /** Of a message that this process has not sent, or whose answer it has not read yet. */
  | 'early';

export class MessageStatuses {
  readonly #known = new RecentMap<Known>(MAX_KNOWN);
  readonly #early: LRUCache<string, Early>;
  readonly #givenUp = new LRUCache<string, true>({ max: MAX_GIVEN_UP });
  readonly #onUnknown: (key: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onUnknown - told of a message that a report was about, and that nobody has come to know in time: once each. */
  constructor(onUnknown: (key: string) => void) {
    this.#onUnknown = onUnknown;
    this.#early = new LRUCache({
      max: MAX_EARLY,
      dispose: (_early, key, why) => {
        if (why === 'evict') this.#reportUnknown(key);
      },
    });
  }

  /** Knows a message from now on. Gives what was told of it before. */
  know(key: string, hasReceipt: boolean): FinalReport | undefined {
    const report = this.#early.peek(key)?.report;
    if (report === undefined) {
      this.#known.set(key, hasReceipt ? SENT : SENT_IDLE);
      return undefined;
    }
    this.#known.set(key, { status: report.status, hasReceipt });
    this.#early.delete(key);
    return report;
  }

  /** Takes down what a provider tells, at once: whatever comes meanwhile finds it. */
  record(key: string, report: FinalReport): StatusChange {
    const known = this.#known.get(key);
    const before = known?.status ?? this.#early.peek(key)?.report.status ?? 'sent';
    if (before === 'delivered' || before === report.status) return 'none';
    if (known !== undefined) this.#known.set(key, { ...known, status: report.status });
    else {
      this.#early.set(key, { report, sinceMs: performance.now() });
      this.#forgetInTime();
    }
    if (before === 'failed') return 'arrived';
    if (known === undefined) return 'early';
    return known.hasReceipt ? 'first' : 'idle';
  }

  /** Whether a message has arrived, as far as anybody has told. */
  isDelivered(key: string): boolean {
    const known = this.#known.get(key) ?? this.#early.peek(key)?.report;
    return known?.status === 'delivered';
  }

  /** Nobody will come to know a message that was told of. */
  giveUp(key: string): void {
    if (this.#early.delete(key)) this.#reportUnknown(key);
  }

  /** No timer stays behind. */
  close(): void {
    clearTimeout(this.#timer);
    this.#early.clear();
  }

  #reportUnknown(key: string): void {
    const isReported = this.#givenUp.has(key);
    this.#givenUp.set(key, true);
    if (!isReported) this.#onUnknown(key);
  }

  /** One timer for all: they end in the order in which they came. */
  #forgetInTime(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const endedMs = performance.now() - EARLY_MS;
      for (const key of [...this.#early.rkeys()]) {
        if ((this.#early.peek(key)?.sinceMs ?? 0) > endedMs) break;
        this.giveUp(key);
      }
      if (this.#early.size > 0) this.#forgetInTime();
    }, EARLY_MS);
    this.#timer.unref();
  }
}
