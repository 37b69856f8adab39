import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { AttemptReport } from '../../core/events.js';
import { maskId } from '../../core/masking.js';
import type { DetachedAttempt } from '../attempt.js';
import type { GuardedState } from '../guarded-state.js';
import {
  messageKey,
  ownerOf,
  personalDataIn,
  transactionIdOf,
  type MessageOwner,
  type Receipt,
} from './receipt.js';

/**
 * Attempts whose outcome is unknown: whether their message went out, and under which id, only a report says that names
 * the attempt's reference. Until then the state keeps the message's receipt under the reference. Who recognises the
 * message takes the receipt from there first, which one caller can do, and then keeps it under the message's own key.
 * So there is one receipt at any time, and the code is sent again at most once.
 */

/** How many kept references are known: those of two minutes with 8 lost answers a second. */
const MAX_KEPT = 1_000;
/** How many reports wait for the end of their attempt, which takes 13 s at most. Most are about messages of other gateways. */
const MAX_NAMED = 4_000;

/** An attempt of this process that goes on without an answer. */
export interface RunningAttempt extends Pick<DetachedAttempt, 'stop'> {
  readonly end: Promise<unknown>;
  readonly owner: MessageOwner;
}

export class UnknownAttempts {
  readonly #state: GuardedState;
  readonly #onRecognised: (key: string, receipt: Receipt) => void;
  /** The references that this process keeps. */
  readonly #kept = new LRUCache<string, true>(atMost(MAX_KEPT));
  /** By reference: the key of the message in a report that came here. */
  readonly #named = new LRUCache<string, string>(atMost(MAX_NAMED));

  /** By reference: an attempt of this process that goes on without an answer. */
  readonly #running = new Map<string, RunningAttempt>();

  /** How many questions to the state are open. */
  #open = 0;

  /** @param onRecognised - called once for a receipt, which no state has then. */
  constructor(state: GuardedState, onRecognised: (key: string, receipt: Receipt) => void) {
    this.#state = state;
    this.#onRecognised = onRecognised;
  }

  /** Whether no answer of the state is awaited that could claim a message. */
  get isIdle(): boolean {
    return this.#open === 0;
  }

  /** An attempt goes on without an answer. It is stopped when a report names it. */
  stopAtReport(reference: string, attempt: RunningAttempt): void {
    const named = this.#named.get(reference);
    if (named !== undefined) {
      attempt.stop(transactionIdOf(named));
      return;
    }
    this.#running.set(reference, attempt);
    void attempt.end.then(() => this.#running.delete(reference));
  }

  /**
   * A report on a message that this process does not know names an attempt.
   *
   * @param onFound - called with whose message it is if the attempt goes on here, before anything follows.
   */
  name(reference: string, key: string, onFound: (owner: MessageOwner) => void): void {
    this.#named.set(reference, key);
    const running = this.#running.get(reference);
    if (running === undefined) return;
    onFound(running.owner);
    running.stop(transactionIdOf(key));
  }

  /** Whether an attempt of this process goes on, or this process keeps its receipt. Another one may have taken that since. */
  isHere(reference: string): boolean {
    return this.#running.has(reference) || this.#kept.has(reference);
  }

  /** Keeps the receipt of an attempt that has ended, unless a report has named it before. Never rejects. */
  async keep(reference: string, receipt: Receipt): Promise<void> {
    const named = this.#named.get(reference);
    if (named !== undefined) {
      this.#onRecognised(named, receipt);
      return;
    }
    this.#kept.set(reference, true);
    await this.#whileOpen(async () => {
      await this.#state.keepReceipt(stateKey(reference), receipt, (before) => {
        // The report came to another gateway.
        if (before.status === 'delivered' && before.messageKey !== undefined)
          this.#onRecognised(before.messageKey, receipt);
      });
    });
  }

  /**
   * Recognises a message by a report that names its attempt, if the state has the receipt. If not, the state remembers
   * which message it is: the process of the attempt may not know the outcome yet.
   *
   * @param onFound - called with whose message it is, before it is recognised.
   */
  async take(reference: string, key: string, onFound: (owner: MessageOwner) => void): Promise<void> {
    const running = this.#running.get(reference);
    // At its end, its message is known as accepted.
    if (running !== undefined) {
      await running.end;
      return;
    }
    this.#kept.delete(reference);
    // Here only the key counts: what was reported is kept under the key of the message.
    const found = { status: 'delivered', messageKey: key } as const;
    const onLate = (receipt: Receipt): void => {
      this.#onRecognised(key, receipt);
    };
    await this.#whileOpen(async () => {
      const receipt = await this.#state.takeReceipt(stateKey(reference), found, onLate);
      if (receipt === undefined) return;
      onFound(ownerOf(receipt.request));
      this.#onRecognised(key, receipt);
    });
  }

  async #whileOpen(work: () => Promise<void>): Promise<void> {
    this.#open += 1;
    try {
      await work();
    } finally {
      this.#open -= 1;
    }
  }
}

function stateKey(reference: string): string {
  return messageKey('attempt', reference);
}

/** The receipt of an attempt that was unknown when its call was answered, with the attempt as it turned out. */
export function withSettled(receipt: Receipt, attempt: AttemptReport): Receipt {
  const { attempts } = receipt;
  const before = attempts.at(-1)?.outcome === 'unknown' ? attempts.slice(0, -1) : attempts;
  return { ...receipt, attempts: [...before, attempt] };
}

/** The same for a message that a report has named. */
export function withAccepted(receipt: Receipt, transactionId: string): Receipt {
  const { attempts, request } = receipt;
  const last = attempts.at(-1);
  if (last === undefined) return receipt;
  const { channel, provider, durationMs, providerRequestId } = last;
  const id = maskId(transactionId, personalDataIn(receipt), request.eventId);
  const accepted = {
    channel,
    provider,
    outcome: 'accepted',
    durationMs,
    transactionId: id,
    providerRequestId,
  } as const;
  return withSettled(receipt, accepted);
}
