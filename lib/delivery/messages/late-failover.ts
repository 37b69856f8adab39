import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import { waitAtMost } from '../../core/time.js';
import { providerOf, type PlanStep } from '../plan.js';
import type { NewEvent } from '../state.js';
import { LateSends, type LateSendsParts } from './late-sends.js';
import { MessageStatuses, type StatusChange } from './message-statuses.js';
import { MessageWatch, type MessageWatchParts } from './message-watch.js';
import {
  isFinal,
  messageKey,
  OVERDUE,
  ownerOf,
  transactionIdOf,
  type FinalReport,
  type MessageOwner,
  type Receipt,
} from './receipt.js';
import { UnknownAttempts, withAccepted, type RunningAttempt } from './unknown-attempts.js';

/**
 * If a provider accepts a message and then fails to deliver it, the code goes out once more, by the plan's next channel:
 * at most once for each message, while the code is valid, and unless the user has requested a newer code or has signed in.
 *
 * `accepted` keeps a receipt, and so does `unknown` until a report says that the message went out. `report` (a
 * callback), `MessageWatch` (a look-up or a time-out) or an alarm of the state says that the message failed. The
 * process that takes the receipt from the state sends the code again (`LateSends`).
 */

/** How long `close()` waits for the state to keep receipts, milliseconds: a state that can be reached needs less. */
const KEEP_MS = 300;

export interface LateFailoverParts extends LateSendsParts, MessageWatchParts {
  /** Called when a report says that a message went out whose attempt had ended as unknown: before anything follows. */
  readonly onRecognised: (receipt: Receipt, transactionId: string) => void;
  /** Whether a send of a call is under way that a report may be about. */
  readonly isSending: () => boolean;
}

/** Gets whose message a report is about; `undefined` if neither this process nor the state knows it. */
export type OnOwner = (owner: MessageOwner | undefined) => void;

/** What comes with a report by a callback. */
export interface ReportCallback {
  readonly reference?: string | undefined;
  readonly onOwner?: OnOwner | undefined;
}

export class LateFailover {
  /** Late sends, and the questions before them. `close()` of the hook waits for these. */
  readonly underWay = new Set<Promise<void>>();
  readonly #parts: LateFailoverParts;
  readonly #watch: MessageWatch;
  readonly #messages: MessageStatuses;
  readonly #unknown: UnknownAttempts;
  readonly #sends: LateSends;
  /** Receipts that the state has not confirmed yet. */
  readonly #keeping = new Set<Promise<void>>();
  #isClosed = false;
  readonly #stopListening: (() => void) | undefined;

  constructor(parts: LateFailoverParts) {
    const { state, events } = parts;
    this.#parts = parts;
    this.#watch = new MessageWatch(parts, (key, report) => {
      this.report(key, report);
    });
    this.#unknown = new UnknownAttempts(state, (key, receipt) => {
      this.#recognise(key, receipt);
    });
    this.#messages = new MessageStatuses((key) => {
      // With a shared state, another gateway may have sent the message.
      if (state.isShared) return;
      events.emitCounted('callback.unmatched', (count) => ({
        type: 'callback.unmatched',
        count,
        transactionId: transactionIdOf(key),
      }));
    });
    this.#sends = new LateSends(parts, (key) => this.#messages.isDelivered(key));
    const hasTimeouts = Object.values(parts.afterSeconds).some((seconds) => seconds !== undefined);
    const onAlarm = (key: string): void => {
      this.#track(this.#handleAlarm(key));
    };
    this.#stopListening = hasTimeouts ? state.onAlarm(onAlarm) : undefined;
  }

  /** The user has requested a newer code: no attempt starts any more for an older one. */
  dropOlder(person: string, eventKey: string): void {
    this.#sends.drop((code) => code.person === person && code.eventKey !== eventKey, 'SUPERSEDED');
  }

  /**
   * The user has signed in with a code: no attempt starts any more for it or an older one.
   *
   * @param usedKey - the event of the used code, if it is known.
   */
  codeUsed(person: string, signIn: NewEvent, usedKey: string | undefined): void {
    this.#parts.state.overtake(person, signIn, undefined);
    this.#sends.drop((code) => code.person === person && code.eventKey === usedKey, 'SUPERSEDED');
  }

  /**
   * A channel has accepted a message. Its receipt is kept until the code ends, also if the plan has no step
   * left: the event of a failure then says whose message it was.
   *
   * @param transactionId - the provider's id of the message.
   * @param request - says whose message it is.
   * @param makeReceipt - called if the message can fail later; `undefined` if the code must not be sent again.
   */
  accepted(
    transactionId: string,
    sentBy: PlanStep,
    request: Receipt['request'],
    makeReceipt: (() => Receipt) | undefined,
  ): void {
    const by = providerOf(sentBy, this.#parts.channels);
    if (this.#isClosed || transactionId === '' || by === undefined) return;
    if ((by.port.reports ?? by.port.lookUp) === undefined) return;
    const { idNamespace = `${sentBy.channel}.${sentBy.provider}` } = by.port;
    const key = messageKey(idNamespace, transactionId);
    const receipt = makeReceipt?.();
    const early = this.#messages.know(key, receipt !== undefined, ownerOf(request));
    if (receipt === undefined || early?.status === 'delivered') return;
    if (early !== undefined) {
      this.failed(receipt, early, key);
      return;
    }
    if (receipt.untried.length > 0) this.#watch.start(key, receipt, by);
    const keeping = this.#parts.state.keepReceipt(key, receipt, (before) => {
      this.#reportedBefore(key, receipt, before);
    });
    if (keeping !== undefined) this.#keep(keeping);
  }

  /** An attempt goes on without an answer. A report on its message stops it, so that what follows need not wait. */
  stopAtReport(reference: string, attempt: RunningAttempt): void {
    this.#unknown.stopAtReport(reference, attempt);
  }

  /** An attempt has ended, and its outcome is unknown. A report that names its reference may say that its message went out. */
  unknown(reference: string, receipt: Receipt): void {
    if (!this.#isClosed) this.#keep(this.#unknown.keep(reference, receipt));
  }

  /**
   * A provider reports on a message. Reports may come in any order, and more than once.
   *
   * @param callback.reference - of the attempt that sent the message, if the report names it.
   * @param callback.onOwner - called once, with whose message it is if this process or the state knows it: at once, or
   *   when the state has answered, and before anything follows.
   */
  report(key: string, report: DeliveryReport, callback: ReportCallback = {}): void {
    let isReported = false;
    const reportOwner: OnOwner = (owner) => {
      if (!isReported) callback.onOwner?.(owner);
      isReported = true;
    };
    const owner = this.#messages.ownerOf(key);
    if (owner !== undefined) reportOwner(owner);
    // A message that is known needs no reference.
    const reference = owner === undefined ? callback.reference : undefined;
    const work = this.#isClosed ? undefined : this.#startReport(key, report, reference, reportOwner);
    if (work === undefined) reportOwner(undefined);
    else {
      this.#track(
        work.finally(() => {
          reportOwner(this.#messages.ownerOf(key));
        }),
      );
    }
  }

  /** Records a report. Returns the questions to the state that follow, if any. */
  #startReport(
    key: string,
    report: DeliveryReport,
    reference: string | undefined,
    reportOwner: OnOwner,
  ): Promise<void> | undefined {
    if (reference !== undefined) this.#unknown.name(reference, key, reportOwner);
    if (!isFinal(report)) {
      // `sent` is the last status of many an SMS. Another gateway does not ask the state for each of them.
      const isHere = reference !== undefined && this.#unknown.isHere(reference);
      return isHere ? this.#unknown.take(reference, key, reportOwner) : undefined;
    }
    const change = this.#messages.record(key, report);
    if (change === 'none') return undefined;
    this.#watch.forget(key);
    if (change === 'arrived') this.#dropDelivered(key);
    // Another process may be about to send the code again: the state must know the report as well.
    return change === 'idle' ? undefined : this.#settle(key, report, change, { reference, reportOwner });
  }

  /** A message has failed, or its provider refused it after the call was answered: the next channel follows. */
  failed(receipt: Receipt, failure: DeliveryFailure, key?: string): void {
    if (!this.#isClosed) this.#track(this.#sends.send(receipt, failure, key));
  }

  /** Resolves when the state has confirmed the receipts that it is keeping, or after a time-out. */
  async kept(): Promise<void> {
    if (this.#keeping.size > 0) await waitAtMost(Promise.all(this.#keeping), KEEP_MS);
  }

  /** Drops what is not due yet, and leaves alarms to other processes. Running late sends go on. */
  stopWaiting(): void {
    this.#stopListening?.();
    this.#watch.stop();
  }

  /** Starts nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.stopWaiting();
    this.#messages.close();
  }

  /** An alarm has come, of a message that another process sent. */
  async #handleAlarm(key: string): Promise<void> {
    if (this.#messages.isDelivered(key)) return;
    const receipt = await this.#take(key, OVERDUE, (late) => {
      this.#track(this.#overdue(key, late));
    });
    if (receipt !== undefined) await this.#overdue(key, receipt);
  }

  /** The process that sent a message has died or closed before anything was reported. */
  async #overdue(key: string, receipt: Receipt): Promise<void> {
    const report = await this.#watch.lookUpLast(key, receipt);
    if (this.#messages.record(key, report) === 'early')
      this.#messages.know(key, true, ownerOf(receipt.request));
    this.#watch.forget(key);
    if (report.status === 'failed') await this.#sends.send(receipt, report, key);
  }

  /** Another process received the report of a message before this one had the answer to its send. */
  #reportedBefore(key: string, receipt: Receipt, report: FinalReport): void {
    if (this.#isClosed) return;
    this.#watch.forget(key);
    // The same report may have come here too, before there was a receipt to take.
    if (this.#messages.record(key, report) === 'arrived') this.#dropDelivered(key);
    if (report.status === 'failed' && !this.#messages.isDelivered(key)) this.failed(receipt, report, key);
  }

  #dropDelivered(key: string): void {
    this.#sends.drop(({ failedIds }) => failedIds.includes(key), 'DELIVERED');
  }

  async #settle(
    key: string,
    report: FinalReport,
    change: StatusChange,
    { reference, reportOwner }: { readonly reference: string | undefined; readonly reportOwner: OnOwner },
  ): Promise<void> {
    const receipt = await this.#take(key, report, (late) => {
      if (report.status === 'failed') this.failed(late, report, key);
    });
    const isEarly = change === 'early';
    if (receipt !== undefined) {
      // Another process sent the message, or this one did before it was restarted.
      const owner = ownerOf(receipt.request);
      if (isEarly) this.#messages.know(key, true, owner);
      reportOwner(owner);
      if (report.status === 'failed') await this.#sends.send(receipt, report, key);
      return;
    }
    // From here on the state knows the report: who recognises the message at another gateway gets it with the receipt.
    if (isEarly && reference !== undefined) await this.#unknown.take(reference, key, reportOwner);
    reportOwner(this.#messages.ownerOf(key));
    // Nothing is under way that could still claim this message.
    const isIdle = !this.#parts.isSending() && this.#sends.isIdle && this.#unknown.isIdle;
    if (isEarly && isIdle) this.#messages.giveUp(key);
  }

  /** The message of an attempt whose outcome was unknown went out: from here on it is as any accepted one. */
  #recognise(key: string, receipt: Receipt): void {
    if (this.#isClosed) return;
    const transactionId = transactionIdOf(key);
    const settled = withAccepted(receipt, transactionId);
    this.#parts.onRecognised(settled, transactionId);
    const { sentBy, request, isUnwanted } = settled;
    this.accepted(transactionId, sentBy, request, isUnwanted === true ? undefined : () => settled);
  }

  #keep(work: Promise<void>): void {
    const keeping = work.finally(() => this.#keeping.delete(keeping));
    this.#keeping.add(keeping);
  }

  /** @param onLate - gets the receipt if the state was lost or slow, and has it after the time-out. */
  #take(key: string, report: FinalReport, onLate: (receipt: Receipt) => void): Promise<Receipt | undefined> {
    return this.#parts.state.takeReceipt(key, report, (receipt) => {
      if (!this.#isClosed) onLate(receipt);
    });
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#parts.state.reportUnusable('receipt', error);
      })
      .finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
  }
}
