import { LRUCache } from 'lru-cache';
import { atMost, RecentMap } from '../../core/caches.js';
import type { MessageOwner, FinalReport } from './receipt.js';

/**
 * The statuses of the messages that this process sent. Reports come in any order, more than once, and sometimes
 * before the answer to the send. A status only moves forward: sent, failed, delivered.
 */

/** At least so many are known. A forgotten message counts as another process's: its receipt decides what follows. */
const MIN_KNOWN = 8_000;
/**
 * How long a report on an unknown message waits for its send, milliseconds: no send takes longer to be
 * answered.
 */
const EARLY_MS = 15_000;
/** How many such reports wait; the oldest are given up first. */
const MAX_EARLY = 1_000;
/** How many given-up messages are remembered: a provider sends several reports on each, and it counts once. */
const MAX_GIVEN_UP = 1_000;

interface Known {
  status: 'sent' | 'failed' | 'delivered';
  /** Whether the code can be sent again. */
  readonly hasReceipt: boolean;
  readonly owner: MessageOwner;
}

interface Early {
  readonly report: FinalReport;
  readonly sinceMs: number;
}

/** What a report changes. */
export type StatusChange =
  /** Nothing: the report came before, or a newer one did. */
  | 'none'
  /** It is the first report on a message that has a receipt. */
  | 'first'
  /** It is the first report on a message without a receipt. */
  | 'idle'
  /** A message that had failed was delivered after all. */
  | 'arrived'
  /** This process has not sent the message, or has not read the answer to its send yet. */
  | 'early';

export class MessageStatuses {
  readonly #known = new RecentMap<Known>(MIN_KNOWN);
  readonly #early: LRUCache<string, Early>;
  readonly #givenUp = new LRUCache<string, true>(atMost(MAX_GIVEN_UP));
  readonly #onUnknown: (key: string) => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param onUnknown - called once for each reported message that no send claims in time. */
  constructor(onUnknown: (key: string) => void) {
    this.#onUnknown = onUnknown;
    this.#early = new LRUCache({
      ...atMost(MAX_EARLY),
      dispose: (_early, key, why) => {
        if (why === 'evict') this.#reportUnknown(key);
      },
    });
  }

  /** Adds a message. Returns the report that came before the answer to its send, if any. */
  know(key: string, hasReceipt: boolean, owner: MessageOwner): FinalReport | undefined {
    const report = this.#early.peek(key)?.report;
    this.#known.set(key, { status: report?.status ?? 'sent', hasReceipt, owner });
    if (report !== undefined) this.#early.delete(key);
    return report;
  }

  /** Records a report. This is synchronous, so that a report which comes next finds it. */
  record(key: string, report: FinalReport): StatusChange {
    const known = this.#known.get(key);
    const before = known?.status ?? this.#early.peek(key)?.report.status ?? 'sent';
    if (before === 'delivered' || before === report.status) return 'none';
    if (known !== undefined) known.status = report.status;
    else {
      this.#early.set(key, { report, sinceMs: performance.now() });
      this.#startTimer();
    }
    if (before === 'failed') return 'arrived';
    if (known === undefined) return 'early';
    return known.hasReceipt ? 'first' : 'idle';
  }

  /** Whose message it is; `undefined` for a message that is not known. */
  ownerOf(key: string): MessageOwner | undefined {
    return this.#known.get(key)?.owner;
  }

  /** Whether a message was delivered, as far as reports say. */
  isDelivered(key: string): boolean {
    const known = this.#known.get(key) ?? this.#early.peek(key)?.report;
    return known?.status === 'delivered';
  }

  /** No send can claim this message any more. */
  giveUp(key: string): void {
    if (this.#early.delete(key)) this.#reportUnknown(key);
  }

  /** Stops the timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#early.clear();
  }

  #reportUnknown(key: string): void {
    const isReported = this.#givenUp.has(key);
    this.#givenUp.set(key, true);
    if (!isReported) this.#onUnknown(key);
  }

  /** One timer serves all: early reports end in the order in which they came. */
  #startTimer(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const endedMs = performance.now() - EARLY_MS;
      for (const key of [...this.#early.rkeys()]) {
        if ((this.#early.peek(key)?.sinceMs ?? 0) > endedMs) break;
        this.giveUp(key);
      }
      if (this.#early.size > 0) this.#startTimer();
    }, EARLY_MS);
    this.#timer.unref();
  }
}
