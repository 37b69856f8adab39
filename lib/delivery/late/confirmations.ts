import type { ReadyChannel } from '../dispatch.js';
import { Throttles, type EventStream } from '../../core/event-stream.js';
import { maskError } from '../../core/masking.js';
import { questionContext } from './question-context.js';
import type { SentCode } from './sent-codes.js';
import { TIMED_OUT, waitAtMost } from '../../core/wait-at-most.js';
import { TelephonyHookError } from '../../core/errors.js';

/** Providers are told that a code which they sent was used: once, a few at a time, and not again where that fails. */

/** What one may take, milliseconds, and how much of it the connection. */
const CONFIRM_MS = 10_000;
const CONNECT_MS = 2_000;
/** So many are under way at a time: codes need the connections more. */
const MOST_AT_ONCE = 8;
/** So many wait for their turn; of more than that providers are not told. */
const MOST_WAITING = 1_000;

interface ConfirmationsParts {
  readonly events: EventStream;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
}

export class Confirmations {
  readonly #parts: ConfirmationsParts;
  /** By channel. */
  readonly #failures: Throttles;
  readonly #waiting: { readonly sent: SentCode; readonly by: ReadyChannel }[] = [];
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: ConfirmationsParts) {
    this.#parts = parts;
    this.#failures = new Throttles(parts.clock);
  }

  /** Tells the provider that sent a code, where its channel can. */
  confirm(sent: SentCode): void {
    const by = this.#parts.channels.get(sent.channel)?.[sent.place];
    // A gateway that shares the state may have channels that this one has not, or providers in another order.
    if (by?.port.confirm === undefined || by.provider !== sent.provider || sent.transactionId === '') return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#tellFailed(sent, new TelephonyHookError('TOO_MANY', 'Too many of them wait for their turn'));
      return;
    }
    this.#waiting.push({ sent, by });
    if (this.#underWay.size < MOST_AT_ONCE) this.#begin();
  }

  /** Resolves when none is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #begin(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const work = confirmBy(next.by, next.sent.transactionId)
      .catch((error: unknown) => {
        this.#tellFailed(next.sent, error);
      })
      .finally(() => {
        this.#underWay.delete(work);
        this.#begin();
      });
    this.#underWay.add(work);
  }

  /** At most once a minute by channel: what fails with one code fails with the next. */
  #tellFailed({ channel, provider, toldId, eventId, oktaRequestId }: SentCode, error: unknown): void {
    const { events } = this.#parts;
    const known = error instanceof TelephonyHookError ? error : undefined;
    this.#failures.of(channel).tell((count) => {
      events.emit({
        type: 'feedback.failed',
        count,
        channel,
        provider,
        code: known?.code ?? 'FAILED',
        reason: maskError(error, undefined),
        remedy: known?.remedy,
        transactionId: toldId,
        eventId,
        oktaRequestId,
      });
    });
  }
}

/** @throws whatever the channel throws, and where nobody answers in time, or lately. */
async function confirmBy({ port, breaker }: ReadyChannel, transactionId: string): Promise<void> {
  if (breaker.state !== 'closed') {
    throw new TelephonyHookError('BREAKER_OPEN', 'The provider does not answer lately: it was not asked');
  }
  const context = questionContext(CONFIRM_MS, CONNECT_MS);
  const end = await waitAtMost(Promise.resolve(port.confirm?.(transactionId, context)), CONFIRM_MS);
  if (end === TIMED_OUT) throw new TelephonyHookError('TIMEOUT', 'No answer in time');
}
