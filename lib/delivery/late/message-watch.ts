import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import type { EventStream } from '../../core/event-stream.js';
import { maskError } from '../../core/masking.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../../core/time.js';
import type { ReadyChannel } from '../attempt.js';
import type { GuardedState } from '../guarded-state.js';
import { providerOf } from '../plan.js';
import { readReport } from '../read-outcome.js';
import { questionContext } from '../send-context.js';
import { statusOf } from './late-sends.js';
import { Polling } from './polling.js';
import { type Receipt, isFinal, OVERDUE, PENDING, transactionIdOf, type FinalReport } from './receipt.js';

/**
 * Watches accepted messages whose failure no callback may report: asks their providers, and takes a message without a
 * delivery report in time for lost. An alarm of the state lets another process go on if this one dies.
 */

/**
 * How much later an alarm is due than this process's own timer, milliseconds: the process that sent the message
 * knows best whether it was delivered.
 */
const ALARM_AFTER_MS = 1_000;

/** How long one look-up may take, and of that its connection, milliseconds. */
const LOOK_UP_MS = 3_000;
const LOOK_UP_CONNECT_MS = 1_000;

export interface MessageWatchParts {
  readonly state: GuardedState;
  readonly events: EventStream;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** By channel: after how many seconds a message without a delivery report counts as lost. */
  readonly afterSeconds: Readonly<Record<string, number | undefined>>;
  /** Called when a look-up finds that a message has failed. */
  readonly onLookedUpFailure: (receipt: Receipt, failure: DeliveryFailure) => void;
  /** Whether codes need the connections more than look-ups do. */
  readonly isBusy: () => boolean;
}

export class MessageWatch {
  readonly #parts: MessageWatchParts;
  readonly #polling: Polling;
  readonly #onReport: (key: string, report: FinalReport) => void;

  /** @param onReport - called once for a watched message, when it is delivered, has failed or is overdue. */
  constructor(parts: MessageWatchParts, onReport: (key: string, report: FinalReport) => void) {
    this.#parts = parts;
    this.#polling = new Polling(parts.isBusy);
    this.#onReport = onReport;
  }

  /** Watches a message, if its provider can be asked or its channel has a time-out. */
  start(key: string, receipt: Receipt, by: ReadyChannel): void {
    const { name, port } = by;
    const { afterSeconds, state } = this.#parts;
    const seconds = port.reports === 'deliveries' ? afterSeconds[name] : undefined;
    if (port.lookUp === undefined && seconds === undefined) return;
    const lifeMs = receipt.expiresAtMs - steadyMs();
    const alarmMs = seconds === undefined ? Infinity : seconds * 1000 + ALARM_AFTER_MS;
    if (alarmMs < lifeMs) state.setAlarm(key, alarmMs, receipt);
    this.#polling.start(key, {
      ask: port.lookUp === undefined ? undefined : () => this.#lookUp(by, key, receipt),
      overdueMs: seconds === undefined ? undefined : seconds * 1000,
      lifeMs,
      // `unknown` counts as wanted here: the state is asked again before anything is sent.
      isWanted: async () => steadyMs() < receipt.expiresAtMs && Boolean(await state.isNewest(receipt)),
      onEnd: (end) => {
        if (end !== 'overdue') this.#emitFound(key, end, receipt);
        this.#onReport(key, end === 'overdue' ? OVERDUE : end);
      },
    });
  }

  /** Looks a message up whose process has died or closed. Without an answer it is overdue. Never rejects. */
  async lookUpLast(key: string, receipt: Receipt): Promise<FinalReport> {
    const by = providerOf(receipt.sentBy, this.#parts.channels);
    const report = by === undefined ? PENDING : await this.#lookUp(by, key, receipt);
    if (!isFinal(report)) return OVERDUE;
    this.#emitFound(key, report, receipt);
    return report;
  }

  /** Stops watching a message. */
  forget(key: string): void {
    this.#polling.forget(key);
  }

  /** Stops watching all messages, for good. */
  stop(): void {
    this.#polling.stop();
  }

  /** Reports failures at most once a minute: a look-up that fails for one message fails for the next. Never rejects. */
  #lookUp(by: ReadyChannel, key: string, { request }: Receipt): Promise<DeliveryReport> {
    return lookUpBy(by, transactionIdOf(key), (error) => {
      const reason = `${by.name}: ${maskError(error, request)}`;
      this.#parts.events.emitFailed({ extension: 'lookUp', reason, call: request });
    });
  }

  /** Reports what a look-up found by the same event as a callback. */
  #emitFound(key: string, report: DeliveryReport, receipt: Receipt): void {
    const { events, onLookedUpFailure } = this.#parts;
    if (report.status === 'failed') onLookedUpFailure(receipt, report);
    events.emit(statusOf(transactionIdOf(key), report, receipt));
  }
}

/**
 * Asks a provider once for the status of a message, and checks its answer. It is not asked while its circuit
 * breaker is open, or if it sends callbacks by now. Never rejects.
 *
 * @param onFailure - called with what the provider's channel throws, and for a malformed answer.
 */
export async function lookUpBy(
  { port, breaker, client }: Pick<ReadyChannel, 'port' | 'breaker' | 'client'>,
  transactionId: string,
  onFailure: (error: unknown) => void,
): Promise<DeliveryReport> {
  if (breaker.state !== 'closed' || port.lookUp === undefined) return PENDING;
  const context = questionContext(client, LOOK_UP_MS, LOOK_UP_CONNECT_MS);
  try {
    const report = await waitAtMost(Promise.resolve(port.lookUp(transactionId, context)), LOOK_UP_MS);
    return report === TIMED_OUT ? PENDING : readReport(report);
  } catch (error) {
    onFailure(error);
    return PENDING;
  }
}
