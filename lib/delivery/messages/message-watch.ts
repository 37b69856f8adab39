import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import type { EventStream } from '../../core/event-stream.js';
import { maskError } from '../../core/masking.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../../core/time.js';
import type { ReadyChannel } from '../attempt.js';
import type { StatePort } from '../state.js';
import { providerOf } from '../plan.js';
import { questionContext, readReport } from '../channel-contract.js';
import { statusOf } from './late-sends.js';
import { isFinal, OVERDUE, PENDING, personalDataIn, transactionIdOf, type FinalReport } from './receipt.js';
import type { Receipt } from '../records.js';
import { messageName } from './transitions.js';

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

/** When a look-up is made, milliseconds after the message was accepted: most failures come within seconds. */
const LOOK_UP_AT_MS: readonly number[] = [3_000, 8_000, 20_000];

/** How many messages are looked up at a time. Each costs three calls, where a code costs one. */
const MAX_LOOKED_UP = 200;
/** How many look-ups of watched messages run at a time. One that is due meanwhile is left out. */
const MAX_LOOK_UPS = 8;
/** How many messages have a time-out without look-ups. */
const MAX_WATCHED = 20_000;

export interface MessageWatchParts {
  readonly state: StatePort;
  readonly events: EventStream;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** By channel: after how many seconds a message without a delivery report counts as lost. */
  readonly afterSeconds: Readonly<Record<string, number | undefined>>;
  /** Called when a look-up finds that a message has failed. */
  readonly onLookedUpFailure: (receipt: Receipt, failure: DeliveryFailure) => void;
  /** Whether codes need the connections more than look-ups do. */
  readonly isBusy: () => boolean;
}

/** A message that is watched. */
interface Watched {
  readonly receipt: Receipt;
  readonly by: ReadyChannel;
  /** `false` if its provider sends callbacks, or if there is no room for its look-ups. */
  readonly isLookedUp: boolean;
  /** After how long it counts as lost without a delivery report, milliseconds. */
  readonly overdueMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** Its timers are of this process; none keeps it alive. */
export class MessageWatch {
  readonly #parts: MessageWatchParts;
  readonly #onReport: (key: string, report: FinalReport) => void;
  readonly #watched = new Map<string, Watched>();
  #lookedUp = 0;
  #lookUps = 0;
  #isStopped = false;

  /** @param onReport - called once for a watched message, when it is delivered, has failed or is overdue. */
  constructor(parts: MessageWatchParts, onReport: (key: string, report: FinalReport) => void) {
    this.#parts = parts;
    this.#onReport = onReport;
  }

  /**
   * Watches a message that waits for its report until its code ends, if its provider can be asked or its channel has a time-out, and
   * if there is room.
   */
  start(key: string, receipt: Receipt): void {
    const { afterSeconds, state, channels } = this.#parts;
    const { sentBy, untried, isUnwanted, expiresAtMs } = receipt;
    const by = providerOf(sentBy, channels);
    const { status = 'waiting' } = state.recall(messageName(key))?.value ?? {};
    if (by === undefined || untried.length === 0 || isUnwanted === true || status !== 'waiting') return;
    const { name, port, reports } = by;
    const overdueMs = ((reports === 'deliveries' ? afterSeconds[name] : undefined) ?? Infinity) * 1000;
    const lifeMs = expiresAtMs - steadyMs();
    const alarmMs = overdueMs + ALARM_AFTER_MS;
    if (alarmMs < lifeMs) state.alarms?.set(key, alarmMs);
    const isOverdueInTime = overdueMs < lifeMs;
    const isLookedUp = port.lookUp !== undefined && this.#lookedUp < MAX_LOOKED_UP;
    // Without room for look-ups there may be room for a time-out.
    const hasRoom = isLookedUp || (isOverdueInTime && this.#watched.size < MAX_WATCHED);
    if (this.#isStopped || this.#watched.has(key) || !hasRoom) return;
    const times = (isLookedUp ? LOOK_UP_AT_MS : []).filter((atMs) => atMs < Math.min(overdueMs, lifeMs));
    if (isOverdueInTime) times.push(overdueMs);
    if (times.length === 0) return;
    if (isLookedUp) this.#lookedUp += 1;
    const watched = { receipt, by, isLookedUp, overdueMs, timer: undefined };
    this.#watched.set(key, watched);
    this.#wait(key, watched, times, 0);
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
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    this.#watched.delete(key);
    if (watched.isLookedUp) this.#lookedUp -= 1;
  }

  /** Stops watching all messages, for good. */
  stop(): void {
    this.#isStopped = true;
    for (const key of [...this.#watched.keys()]) this.forget(key);
  }

  #wait(key: string, watched: Watched, [atMs, ...later]: readonly number[], sinceMs: number): void {
    if (atMs === undefined) {
      this.forget(key);
      return;
    }
    watched.timer = setTimeout(() => {
      void this.#look(key, watched, atMs, later);
    }, atMs - sinceMs).unref();
  }

  async #look(key: string, watched: Watched, atMs: number, later: readonly number[]): Promise<void> {
    const { state, isBusy } = this.#parts;
    const { receipt, by, isLookedUp, overdueMs } = watched;
    const isOverdue = atMs === overdueMs;
    // `unknown` counts as wanted here: the state is asked again before anything is sent.
    const isWanted =
      steadyMs() < receipt.expiresAtMs && Boolean(await state.isCurrent(receipt.person, receipt));
    if (!isWanted) this.forget(key);
    if (!this.#watched.has(key)) return;
    const mayAsk = isLookedUp && (isOverdue || (this.#lookUps < MAX_LOOK_UPS && !isBusy()));
    // Look-ups of alarms do not count: they must not push out those of this process.
    if (mayAsk) this.#lookUps += 1;
    const report = mayAsk ? await this.#lookUp(by, key, receipt) : PENDING;
    if (mayAsk) this.#lookUps -= 1;
    // A callback may have come meanwhile, or the hook may be closed.
    if (!this.#watched.has(key)) return;
    if (!isFinal(report) && !isOverdue) {
      this.#wait(key, watched, later, atMs);
      return;
    }
    this.forget(key);
    if (isFinal(report)) this.#emitFound(key, report, receipt);
    this.#onReport(key, isFinal(report) ? report : OVERDUE);
  }

  /** Reports failures at most once a minute: a look-up that fails for one message fails for the next. Never rejects. */
  #lookUp(by: ReadyChannel, key: string, receipt: Receipt): Promise<DeliveryReport> {
    return lookUpBy(by, transactionIdOf(key), (error) => {
      const reason = `${by.name}: ${maskError(error, personalDataIn(receipt))}`;
      this.#parts.events.emitFailed({ extension: 'lookUp', reason, call: receipt.request });
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
