import type { RecentMap } from '../../core/caches.js';
import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../../core/time.js';
import { newToken } from '../../core/token.js';
import { providerOf, type PlanStep } from '../plan.js';
import { isAfter } from '../order.js';
import { LateSends, type LateSendsParts } from './late-sends.js';
import { MessageWatch, type MessageWatchParts } from './message-watch.js';
import {
  isFinal,
  OVERDUE,
  ownerOf,
  transactionIdOf,
  withAccepted,
  type FinalReport,
  type MessageOwner,
  type Receipt,
} from './receipt.js';
import { RunningAttempts, type RunningAttempt } from './running-attempts.js';
import {
  attemptAfterEnd,
  attemptName,
  messageAfter,
  messageAfterNaming,
  messageName,
  type MessageReply,
  type NamingReply,
} from './transitions.js';
import { UnmatchedReports } from './unmatched-reports.js';

/**
 * If a provider accepts a message and then fails to deliver it, the code goes out once more, by the plan's next channel:
 * at most once for each message, while the code is valid, and unless the user has requested a newer code or has signed in.
 *
 * The state has a record of each message (`transitions.ts`). `accepted` and `unknown` keep its receipt there. `report` (a callback),
 * `MessageWatch` (a look-up or a time-out) or an alarm of the state says that the message failed. The one that gets `follow` as the
 * reply sends the code again (`LateSends`).
 */

/** How long `close()` waits for the state to keep receipts, milliseconds: a state that can be reached needs less. */
const KEEP_MS = 300;

/** A report that waits longer for a lost state starts nothing, milliseconds: the user has requested another code by then. */
const REPORT_WAIT_MS = 1_500;

export interface LateFailoverParts extends LateSendsParts, MessageWatchParts {
  /** Whose message it is, by `messageKey`. */
  readonly owners: RecentMap<MessageOwner>;
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
  readonly #attempts = new RunningAttempts();
  /** `undefined` with a shared state: another gateway may have sent the message. */
  readonly #unmatched: UnmatchedReports | undefined;
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
    this.#unmatched = state.isShared
      ? undefined
      : new UnmatchedReports((key) => {
          events.emitCounted('callback.unmatched', (count) => ({
            type: 'callback.unmatched',
            count,
            transactionId: transactionIdOf(key),
          }));
        });
    this.#sends = new LateSends(parts);
    const hasTimeouts = Object.values(parts.afterSeconds).some((seconds) => seconds !== undefined);
    const onAlarm = (key: string): void => {
      this.#track(this.#handleAlarm(key));
    };
    this.#stopListening = hasTimeouts ? state.alarms?.onDue(onAlarm) : undefined;
  }

  /** The user has requested a newer code: no attempt starts any more for an older one. */
  dropOlder(person: string, { eventKey, place }: Pick<Receipt, 'eventKey' | 'place'>): void {
    this.#sends.drop(
      // A preview may come and be sent while the claim of the code is under way.
      (code) => code.person === person && code.eventKey !== eventKey && !isAfter(code.place, place),
      'SUPERSEDED',
    );
  }

  /** The user has signed in with a code: no attempt of it starts any more. */
  codeUsed(person: string, eventId: string): void {
    this.#sends.drop(
      ({ person: owner, request }) => owner === person && request.eventId === eventId,
      'SUPERSEDED',
    );
  }

  /**
   * A channel has accepted a message. Its receipt is kept until the code ends, also if the plan has no step left: the event of a
   * failure then says whose message it was.
   *
   * @param makeReceipt - called if the message can fail later; `undefined` if the code must not be sent again.
   */
  accepted(key: string, sentBy: PlanStep, makeReceipt: (() => Receipt) | undefined): void {
    if (this.#isClosed) return;
    this.#unmatched?.claim(key);
    const by = providerOf(sentBy, this.#parts.channels);
    if ((by?.port.reports ?? by?.port.lookUp) === undefined) return;
    const receipt = makeReceipt?.();
    if (receipt === undefined) return;
    this.#startWatch(key, receipt);
    const news = { token: newToken(), accepted: receipt };
    const keeping = this.#parts.state.update([messageName(key)], ([known]) => {
      const { next, reply } = messageAfter(known, news, steadyMs());
      return { next: [next], result: reply };
    });
    const acting = keeping.then((reply) => {
      if (reply !== undefined) this.#afterAccepted(key, reply);
    });
    this.#track(acting, this.#keeping);
  }

  /** An attempt goes on without an answer. A report on its message stops it, so that what follows need not wait. */
  stopAtReport(reference: string, attempt: RunningAttempt): void {
    this.#attempts.add(reference, attempt);
  }

  /** An attempt has ended, and its outcome is unknown. A report that names its reference may say that its message went out. */
  unknown(reference: string, receipt: Receipt): void {
    if (this.#isClosed) return;
    const named = this.#attempts.messageOf(reference);
    if (named !== undefined) {
      this.#recognise(named, receipt);
      return;
    }
    this.#attempts.keep(reference);
    const news = { token: newToken(), receipt };
    const keeping = this.#parts.state.update([attemptName(reference)], ([known]) => {
      const { next, reply } = attemptAfterEnd(known, news, steadyMs());
      return { next: [next], result: { messageKey: reply } };
    });
    const acting = keeping.then((reply) => {
      // The report came to another gateway.
      if (reply?.messageKey !== undefined) this.#recognise(reply.messageKey, receipt);
    });
    this.#track(acting, this.#keeping);
  }

  /**
   * A provider reports on a message. Reports may come in any order, and more than once.
   *
   * @param callback.reference - of the attempt that sent the message, if the report names it.
   * @param callback.onOwner - called once, with whose message it is if this process or the state knows it: at once, or
   *   when the state has answered, and before anything follows.
   */
  report(key: string, report: DeliveryReport, { reference, onOwner }: ReportCallback = {}): void {
    let isReported = false;
    const reportOwner: OnOwner = (owner) => {
      if (!isReported) onOwner?.(owner);
      isReported = true;
    };
    const { owners } = this.#parts;
    const owner = owners.get(key) ?? owners.get(reference ?? '');
    if (owner !== undefined) {
      // From now on also for reports without the reference, and while the state is slow.
      owners.set(key, owner);
      reportOwner(owner);
    }
    const work = this.#isClosed ? undefined : this.#startReport(key, report, reference, reportOwner);
    if (work === undefined) reportOwner(undefined);
    else {
      this.#track(
        work.finally(() => {
          reportOwner(this.#parts.owners.get(key));
        }),
      );
    }
  }

  /** Records a report. Returns the question to the state that follows, if any. */
  #startReport(
    key: string,
    report: DeliveryReport,
    reference: string | undefined,
    reportOwner: OnOwner,
  ): Promise<void> | undefined {
    const running = reference === undefined ? undefined : this.#attempts.name(reference, key);
    const known = this.#parts.state.recall(messageName(key));
    const mustNameAttempt = reference !== undefined && running === undefined && known === undefined;
    if (!isFinal(report)) {
      // `sent` is the last status of many an SMS. Another gateway does not ask the state for each of them.
      const isHere = mustNameAttempt && this.#attempts.isKept(reference);
      return isHere ? this.#recordReport(key, undefined, reference, reportOwner) : undefined;
    }
    this.#watch.forget(key);
    if (report.status === 'delivered')
      this.#sends.drop(({ failedIds }) => failedIds.includes(key), 'DELIVERED');
    // A record only moves forward: a report that changes nothing here changes nothing anywhere.
    if (messageAfter(known, { token: newToken(), report }, steadyMs()).next === undefined) return undefined;
    return this.#recordReport(key, report, mustNameAttempt ? reference : undefined, reportOwner);
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
    this.#unmatched?.close();
  }

  /** Tells the state of a report, and does what its reply says. With a lost state, the reply may come late, or never. */
  async #recordReport(
    key: string,
    report: FinalReport | undefined,
    reference: string | undefined,
    reportOwner: OnOwner,
  ): Promise<void> {
    const token = newToken();
    const replying = this.#updateRecords(key, token, report, reference);
    const reply = await waitAtMost(replying, REPORT_WAIT_MS);
    if (reply !== TIMED_OUT) {
      if (reply !== undefined) await this.#doReply(key, report, reply, reportOwner);
      return;
    }
    // Another gateway may have a newer code, or have the same report. A code that could go out twice is not sent.
    const own = this.#parts.state.recall(messageName(key))?.value;
    if (own?.status === 'failed' && own.by === token) {
      reportOwner(ownerOf(own.receipt.request));
      await this.#sends.send({ ...own.receipt, wasLost: true }, own.failure, key);
      return;
    }
    this.#awaitLateReply(key, report, replying, reportOwner);
  }

  /** Nothing is sent after a reply that comes too late: it only says whose message has failed. */
  #awaitLateReply(
    key: string,
    report: FinalReport | undefined,
    replying: Promise<NamingReply | undefined>,
    reportOwner: OnOwner,
  ): void {
    const acting = replying.then((late) => {
      if (late === undefined) return;
      const follow = late.follow && {
        ...late.follow,
        receipt: { ...late.follow.receipt, wasLost: true },
      };
      this.#track(this.#doReply(key, report, { ...late, follow }, reportOwner));
    });
    // `close()` does not wait for it.
    void acting.catch((error: unknown) => {
      this.#reportDefect(error);
    });
  }

  #updateRecords(
    key: string,
    token: string,
    report: FinalReport | undefined,
    reference: string | undefined,
  ): Promise<NamingReply | undefined> {
    const { state } = this.#parts;
    if (reference !== undefined)
      return state.update([messageName(key), attemptName(reference)], (known) => {
        const { next, reply } = messageAfterNaming(known, { token, messageKey: key, report }, steadyMs());
        return { next, result: reply };
      });
    if (report === undefined) return Promise.resolve(undefined);
    return state.update([messageName(key)], ([known]) => {
      const { next, reply } = messageAfter(known, { token, report }, steadyMs());
      return { next: [next], result: { ...reply, recognised: undefined } };
    });
  }

  async #doReply(
    key: string,
    report: FinalReport | undefined,
    { before, follow, receipt, recognised }: NamingReply,
    reportOwner: OnOwner,
  ): Promise<void> {
    const { owners } = this.#parts;
    const known = recognised ?? receipt;
    if (known !== undefined) {
      // Another process sent the message, or this one did before it was restarted.
      const owner = ownerOf(known.request);
      owners.set(key, owner);
      this.#unmatched?.claim(key);
      reportOwner(owner);
    }
    if (this.#isClosed) return;
    if (recognised !== undefined) {
      this.#parts.onRecognised(recognised, transactionIdOf(key));
      if (report === undefined && recognised.isUnwanted !== true) this.#startWatch(key, recognised);
    }
    if (follow !== undefined) await this.#sends.send(follow.receipt, follow.failure, key);
    else if (before === undefined && owners.get(key) === undefined) this.#unmatch(key);
  }

  /** Nobody knows the message. Its send may still be on its way. */
  #unmatch(key: string): void {
    if (this.#parts.isSending() || !this.#sends.isIdle) this.#unmatched?.add(key);
    else this.#unmatched?.giveUp(key);
  }

  /** Another process may have received the report of a message before this one had the answer to its send. */
  #afterAccepted(key: string, { before, follow }: MessageReply): void {
    if (this.#isClosed || before === undefined || before === 'waiting') return;
    this.#watch.forget(key);
    if (follow !== undefined) this.failed(follow.receipt, follow.failure, key);
  }

  #startWatch(key: string, receipt: Receipt): void {
    const { state, channels } = this.#parts;
    const by = providerOf(receipt.sentBy, channels);
    const status = state.recall(messageName(key))?.value.status;
    const isOver = status !== undefined && status !== 'waiting';
    if (by !== undefined && receipt.untried.length > 0 && !isOver) this.#watch.start(key, receipt, by);
  }

  /** An alarm has come, of a message that another process sent. */
  async #handleAlarm(key: string): Promise<void> {
    const replying = this.#updateRecords(key, newToken(), OVERDUE, undefined);
    const reply = await waitAtMost(replying, REPORT_WAIT_MS);
    // The message may fail there nevertheless, and nobody else gets its receipt.
    if (reply === TIMED_OUT) this.#awaitLateReply(key, OVERDUE, replying, () => undefined);
    else if (reply?.follow !== undefined) await this.#overdue(key, reply.follow.receipt);
  }

  /** The process that sent a message has died or closed before anything was reported. */
  async #overdue(key: string, receipt: Receipt): Promise<void> {
    this.#parts.owners.set(key, ownerOf(receipt.request));
    const report = await this.#watch.lookUpLast(key, receipt);
    if (report.status === 'failed') await this.#sends.send(receipt, report, key);
    else this.report(key, report);
  }

  /** The message of an attempt whose outcome was unknown went out: from here on it is as any accepted one. */
  #recognise(key: string, receipt: Receipt): void {
    if (this.#isClosed) return;
    const settled = withAccepted(receipt, transactionIdOf(key));
    const { sentBy, request, isUnwanted } = settled;
    this.#parts.owners.set(key, ownerOf(request));
    this.#parts.onRecognised(settled, transactionIdOf(key));
    this.accepted(key, sentBy, isUnwanted === true ? undefined : () => settled);
  }

  #track(work: Promise<void>, running = this.underWay): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#reportDefect(error);
      })
      .finally(() => running.delete(tracked));
    running.add(tracked);
  }

  #reportDefect(error: unknown): void {
    const { events } = this.#parts;
    events.emitThrown({ extension: 'lateFailover', error, personal: undefined, call: undefined });
  }
}
