import type { ReadyChannel } from '../attempt.js';
import type { EventStream } from '../../core/event-stream.js';
import type { Failure } from '../../core/events.js';
import { maskError, maskText, toToken } from '../../core/masking.js';
import { questionContext } from '../channel-contract.js';
import type { SentCode } from '../records.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { ProviderError, reportedCode, TelephonyHookError } from '../../core/errors.js';

/**
 * Confirms to providers that a code which they sent was used: once for each code, a few at a time, without a
 * retry.
 */

/** How long one confirmation may take, and of that its connection, milliseconds. */
const CONFIRM_MS = 10_000;
const CONNECT_MS = 2_000;
/** How many run at a time: codes need the connections more. */
const MAX_RUNNING = 8;
/** How many wait for their turn. More than that are dropped, with an event. */
const MAX_WAITING = 1_000;

interface ConfirmationsParts {
  readonly events: EventStream;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
}

/** A code that a user has used, and the provider that sent it. */
interface Waiting {
  readonly sent: SentCode;
  readonly userId: string;
  readonly by: ReadyChannel;
}

export class Confirmations {
  readonly #parts: ConfirmationsParts;
  readonly #waiting: Waiting[] = [];
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: ConfirmationsParts) {
    this.#parts = parts;
  }

  /** Confirms a code to the provider that sent it, if its channel can. */
  confirm(sent: SentCode, userId: string): void {
    const by = this.#parts.channels.get(sent.channel)?.[sent.providerIndex];
    // Another gateway may have sent it, with other channels or its providers in another order.
    if (by?.port.confirm === undefined || by.provider !== sent.provider || sent.transactionId === '') return;
    if (this.#waiting.length >= MAX_WAITING) {
      const reason = 'Too many of them wait for their turn';
      this.#reportFailure({ sent, userId }, { code: 'TOO_MANY', reason, remedy: LOOK_AT_STATUS });
      return;
    }
    this.#waiting.push({ sent, userId, by });
    if (this.#underWay.size < MAX_RUNNING) this.#begin();
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #begin(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const work = confirmBy(next.by, next.sent.transactionId)
      .catch(failureOf)
      .then((failure) => {
        if (failure !== undefined) this.#reportFailure(next, failure);
      })
      .finally(() => {
        this.#underWay.delete(work);
        this.#begin();
      });
    this.#underWay.add(work);
  }

  /** Emits at most one event a minute for a channel: a confirmation that fails for one code fails for the next. */
  #reportFailure({ sent, userId }: Omit<Waiting, 'by'>, failure: Failure): void {
    const { channel, provider, reportedId, eventId, oktaRequestId } = sent;
    this.#parts.events.emitCounted(`feedback ${channel}`, (count) => ({
      type: 'feedback.failed',
      count,
      channel,
      provider,
      ...failure,
      transactionId: reportedId,
      eventId,
      oktaRequestId,
      userId,
    }));
  }
}

const WAIT = 'Look at the status page of the provider. Later reports go out once it answers.';
const CHECK_WAY = 'Check the network, and whether the process is busy.';
const LOOK_AT_STATUS = "Look at the provider's status page.";

/** Resolves to `undefined` if the provider has the report. Rejects with what the channel throws. */
async function confirmBy(
  { port, breaker, client }: ReadyChannel,
  transactionId: string,
): Promise<Failure | undefined> {
  if (breaker.state !== 'closed') {
    const reason = 'The provider does not answer at the moment, so no request was sent';
    return { code: 'BREAKER_OPEN', reason, remedy: WAIT };
  }
  const context = questionContext(client, CONFIRM_MS, CONNECT_MS);
  const end = await waitAtMost(Promise.resolve(port.confirm?.(transactionId, context)), CONFIRM_MS);
  return end === TIMED_OUT ? { code: 'TIMEOUT', reason: 'No answer in time', remedy: CHECK_WAY } : undefined;
}

/** The failure in what a channel has thrown. */
function failureOf(error: unknown): Failure {
  const reason = maskError(error, undefined);
  if (!(error instanceof TelephonyHookError)) return { code: 'FAILED', reason, remedy: undefined };
  // A custom channel may quote anything; the package's channels throw `ProviderError`.
  const remedy =
    error instanceof ProviderError ? error.remedy : maskText(error.remedy, undefined) || undefined;
  return { code: toToken(reportedCode(error)), reason, remedy };
}
