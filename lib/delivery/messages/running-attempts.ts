import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { DetachedAttempt } from '../attempt.js';
import { transactionIdOf } from './receipt.js';

/** How many reports wait for the end of their attempt, which takes 13 s at most. Most are about messages of other gateways. */
const MAX_NAMED = 4_000;

/** An attempt of this process that goes on without an answer. */
export interface RunningAttempt extends Pick<DetachedAttempt, 'stop'> {
  readonly end: Promise<unknown>;
}

/** The attempts of this process without an answer, by their references: a report may name their messages. */
export class RunningAttempts {
  readonly #running = new Map<string, RunningAttempt['stop']>();
  /** The key of the message in a report that came here. The state does not hear of reports that are not final. */
  readonly #named = new LRUCache<string, string>(atMost(MAX_NAMED));

  /** An attempt goes on without an answer. It is stopped when a report names it. */
  add(reference: string, { stop, end }: RunningAttempt): void {
    const named = this.#named.get(reference);
    if (named !== undefined) {
      stop(transactionIdOf(named));
      return;
    }
    this.#running.set(reference, stop);
    void end.then(() => this.#running.delete(reference));
  }

  /** A report names an attempt. If it goes on here, it ends as accepted. */
  name(reference: string, messageKey: string): void {
    this.#named.set(reference, messageKey);
    this.#running.get(reference)?.(transactionIdOf(messageKey));
  }

  /** The message of an attempt that a report has named here. */
  messageOf(reference: string): string | undefined {
    return this.#named.get(reference);
  }
}
