import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { DetachedAttempt } from '../attempt.js';
import { transactionIdOf } from './receipt.js';

/** How many kept references are known: those of two minutes with 8 lost answers a second. */
const MAX_KEPT = 1_000;
/** How many reports wait for the end of their attempt, which takes 13 s at most. Most are about messages of other gateways. */
const MAX_NAMED = 4_000;

/** An attempt of this process that goes on without an answer. */
export interface RunningAttempt extends Pick<DetachedAttempt, 'stop'> {
  readonly end: Promise<unknown>;
}

/** What this process knows of attempts without an answer, by their references: a report may name their messages. */
export class RunningAttempts {
  readonly #running = new Map<string, RunningAttempt>();
  /** Whose receipts this process has kept in the state. */
  readonly #kept = new LRUCache<string, true>(atMost(MAX_KEPT));
  /** The key of the message in a report that came here. */
  readonly #named = new LRUCache<string, string>(atMost(MAX_NAMED));

  /** An attempt goes on without an answer. It is stopped when a report names it. */
  add(reference: string, attempt: RunningAttempt): void {
    const named = this.#named.get(reference);
    if (named !== undefined) {
      attempt.stop(transactionIdOf(named));
      return;
    }
    this.#running.set(reference, attempt);
    void attempt.end.then(() => this.#running.delete(reference));
  }

  /** A report names an attempt. Returns the end of the attempt if it goes on here: its message is known as accepted then. */
  name(reference: string, messageKey: string): Promise<unknown> | undefined {
    this.#named.set(reference, messageKey);
    const running = this.#running.get(reference);
    running?.stop(transactionIdOf(messageKey));
    return running?.end;
  }

  /** The message of an attempt that a report has named here. */
  messageOf(reference: string): string | undefined {
    return this.#named.get(reference);
  }

  /** The receipt of an attempt is kept in the state. */
  keep(reference: string): void {
    this.#kept.set(reference, true);
  }

  /** Whether this process has kept the receipt of an attempt. Another one may have recognised its message since. */
  isKept(reference: string): boolean {
    return this.#kept.has(reference);
  }
}
