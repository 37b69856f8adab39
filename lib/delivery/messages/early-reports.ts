import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { EventStream } from '../../core/event-stream.js';
import type { DetachedAttempt } from '../attempt.js';
import { shownIdOf, transactionIdOf } from './receipt.js';

/** Reports that come before the end of the send that they are about. */

/** How many reports wait for the end of their attempt, which takes 13 s at most. Most are about messages of other gateways. */
const MAX_NAMED = 4_000;

/** The attempts of this process without an answer, by their references: a report may name their messages. */
export class RunningAttempts {
  readonly #running = new Map<string, DetachedAttempt['stop']>();
  /** The key of the message in a report that came here. The state does not hear of reports that are not final. */
  readonly #named = new LRUCache<string, string>(atMost(MAX_NAMED));

  /** An attempt goes on without an answer. It is stopped when a report names it. */
  add(reference: string, { stop, end }: Pick<DetachedAttempt, 'stop' | 'end'>): void {
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

/** How long a report on an unknown message waits for its send, milliseconds: no send takes longer to be answered. */
const WAIT_MS = 15_000;
/** How many messages wait; the oldest are given up first. */
const MAX_WAITING = 1_000;
/** How many given-up messages are remembered: a provider sends several reports on each, and it counts once. */
const MAX_GIVEN_UP = 1_000;

/** Messages that were reported and that no send of this process has claimed yet. */
export class UnmatchedReports {
  readonly #waiting: LRUCache<string, true>;
  readonly #givenUp = new LRUCache<string, true>(atMost(MAX_GIVEN_UP));
  readonly #events: Pick<EventStream, 'emitCounted'>;

  /** @param events - get each message that no send claims in time, once. */
  constructor(events: Pick<EventStream, 'emitCounted'>) {
    this.#events = events;
    this.#waiting = new LRUCache({
      ...atMost(MAX_WAITING),
      ttl: WAIT_MS,
      // With timers that keep no process alive.
      ttlAutopurge: true,
      ttlResolution: 0,
      perf: performance,
      dispose: (_value, key, why) => {
        if (why === 'evict' || why === 'expire') this.#giveUp(key);
      },
    });
  }

  /**
   * A message was reported that no send has claimed.
   *
   * @param isSending - whether a send that may claim it is under way.
   */
  add(messageKey: string, isSending: boolean): void {
    if (!isSending) {
      this.#waiting.delete(messageKey);
      this.#giveUp(messageKey);
    } else if (!this.#waiting.has(messageKey)) this.#waiting.set(messageKey, true);
  }

  /** A send has claimed a message. */
  claim(messageKey: string): void {
    this.#waiting.delete(messageKey);
  }

  /** Gives nothing up any more. */
  close(): void {
    this.#waiting.clear();
  }

  /** No send can claim a message any more. */
  #giveUp(messageKey: string): void {
    const isReported = this.#givenUp.has(messageKey);
    this.#givenUp.set(messageKey, true);
    if (isReported) return;
    const type = 'callback.unmatched';
    const transactionId = shownIdOf(messageKey);
    this.#events.emitCounted(type, (count) => ({ type, count, transactionId }));
  }
}
