import type { LRUCache } from 'lru-cache';
import type { DetachedAttempt, ReadyChannel } from '../attempt.js';
import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import { steadyMs, TIMED_OUT, waitAtMost } from '../../core/time.js';
import { newToken } from '../../core/token.js';
import { providerOf } from '../plan.js';
import type { PlanStep, Receipt } from '../records.js';
import { isAfter } from '../order.js';
import { LateSends, type LateSendsParts } from './late-sends.js';
import { MessageWatch, type MessageWatchParts } from './message-watch.js';
import {
  isFinal,
  OVERDUE,
  messageOwnerOf,
  transactionIdOf,
  withAccepted,
  type MessageOwner,
} from './receipt.js';
import { RunningAttempts, UnmatchedReports } from './early-reports.js';
import {
  attemptAfterEnd,
  attemptName,
  messageAfter,
  messageAfterNaming,
  messageName,
  type MessageNews,
  type MessageReply,
} from './transitions.js';

/**
 * If a provider accepts a message and then fails to deliver it, the code goes out once more, by the plan's next channel:
 * at most once for each message, while the code is valid, and unless the user has requested a newer code or has signed in.
 *
 * News of a message come in by `accepted`, `unknown` (an attempt without an answer), `report` (a callback, a look-up or a time-out),
 * an alarm of the state, and `failed`. The state has a record of each message (`transitions.ts`). News change it in one update, and
 * `#doReply` does what the reply says: one caller gets `follow`, and sends the code again (`LateSends`).
 */

/** How long `close()` waits for answers of the state to updates, milliseconds: a state that can be reached needs less. */
const KEEP_MS = 300;

/** A report that waits longer for a lost state starts nothing, milliseconds: the user has requested another code by then. */
const REPORT_WAIT_MS = 1_500;

export interface LateFailoverParts extends LateSendsParts, MessageWatchParts {
  /** Whose message it is, by `messageKey`. */
  readonly owners: LRUCache<string, MessageOwner>;
  /** Called when a report says that a message went out whose attempt had ended as unknown: before anything follows. */
  readonly onRecognised: (receipt: Receipt, transactionId: string) => void;
  /** Called when a report says that a message was delivered, once its owner is known. It may be called again. */
  readonly onDelivered: (owner: MessageOwner) => void;
  /** Whether a send of a call is under way that a report may be about. */
  readonly isSending: () => boolean;
}

/** What comes with a report by a callback. */
export interface ReportCallback {
  /** Of the attempt that sent the message, if the report names it. */
  readonly reference?: string | undefined;
  /**
   * Called once, before anything follows: at once, or when the state has answered. Gets whose message it is, `undefined` if neither
   * this process nor the state knows it, and the key of the message.
   */
  readonly onOwner?: ((owner: MessageOwner | undefined, key: string) => void) | undefined;
}

/** How news came, for what follows. */
interface Arrival {
  /** Called before anything follows. */
  readonly tellOwner?: (() => void) | undefined;
  /** Called with the key of the message, if it is kept under another one. */
  readonly goTo: (key: string) => void;
  /** By an alarm of the state: the process that set it has died or closed. */
  readonly isAlarm?: boolean;
  /** The state was lost for too long. */
  readonly wasLost?: boolean;
}

const NOWHERE = (): void => undefined;

/** Whether anything can say what became of an accepted message of a channel. */
function canReport({ port, reports }: ReadyChannel): boolean {
  return (reports ?? port.lookUp) !== undefined;
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
  /** Updates that the state has not confirmed yet, and that no report waits for. */
  readonly #keeping = new Set<Promise<void>>();
  readonly #stopListening: (() => void) | undefined;
  #isClosed = false;

  constructor(parts: LateFailoverParts) {
    const { state, events, afterSeconds } = parts;
    this.#parts = parts;
    this.#watch = new MessageWatch(parts, (key, report) => {
      this.report(key, report);
    });
    this.#unmatched = state.isShared ? undefined : new UnmatchedReports(events);
    this.#sends = new LateSends(parts);
    if (Object.values(afterSeconds).every((seconds) => seconds === undefined)) return;
    this.#stopListening = state.alarms?.onDue((key) => {
      this.#track(this.#hear(key, { token: newToken(), report: OVERDUE }, { goTo: NOWHERE, isAlarm: true }));
    });
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
   * @param reference - of the attempt, if reports may name it alone.
   */
  accepted(
    key: string,
    sentBy: PlanStep,
    makeReceipt: (() => Receipt) | undefined,
    reference?: string,
  ): void {
    if (this.#isClosed) return;
    this.#unmatched?.claim(key);
    const by = providerOf(sentBy, this.#parts.channels);
    if (by === undefined || !canReport(by)) return;
    const receipt = makeReceipt?.();
    if (receipt === undefined) return;
    if (reference !== undefined) {
      // A report may have come before the answer to the send.
      const named = this.#attempts.messageOf(reference);
      // From here on the message has its id, unless the state keeps it under the reference already.
      if (named === undefined || named === reference) this.#attempts.name(reference, key);
      else if (named !== key) {
        this.accepted(named, sentBy, () => receipt, reference);
        return;
      }
    }
    this.#watch.start(key, receipt);
    const replying = this.#update(key, { token: newToken(), accepted: receipt, reference });
    const goTo = (other: string): void => {
      this.#watch.forget(key);
      this.accepted(other, sentBy, () => receipt);
    };
    const sinceMs = steadyMs();
    this.#keep(replying, (reply) => {
      // The report came before anybody knew whose message it is.
      if (reply.before === 'delivered') this.#parts.onDelivered(messageOwnerOf(receipt, key));
      this.#doReply(key, reply, { goTo, wasLost: steadyMs() - sinceMs > REPORT_WAIT_MS });
    });
  }

  /** An attempt goes on without an answer. A report on its message stops it, so that what follows need not wait. */
  stopAtReport(reference: string, attempt: Pick<DetachedAttempt, 'stop' | 'end'>): void {
    this.#attempts.add(reference, attempt);
  }

  /** An attempt has ended, and its outcome is unknown. A report that names its reference may say that its message went out. */
  unknown(reference: string, receipt: Receipt): void {
    if (this.#isClosed) return;
    const named = this.#attempts.messageOf(reference);
    if (named !== undefined) {
      this.#recognise(named, receipt, reference);
      return;
    }
    const news = { token: newToken(), receipt };
    const replying = this.#parts.state.update([attemptName(reference)], ([known]) => {
      const { next, reply } = attemptAfterEnd(known, news, steadyMs());
      return { next: [next], result: reply };
    });
    // A report may have come to another gateway.
    this.#keep(replying, (key) => {
      this.#recognise(key, receipt, reference);
    });
  }

  /** The key of the message of an attempt, as far as this process knows it. */
  keyOf(reference: string): string | undefined {
    return this.#attempts.messageOf(reference);
  }

  /** A provider reports on a message. Reports may come in any order, and more than once. */
  report(key: string, report: DeliveryReport, { reference, onOwner }: ReportCallback = {}): void {
    const { owners, onDelivered } = this.#parts;
    let isTold = false;
    const tellOwner = (): void => {
      if (isTold) return;
      isTold = true;
      const owner = owners.get(key);
      if (report.status === 'delivered' && owner !== undefined) onDelivered(owner);
      onOwner?.(owner, key);
    };
    const owner = owners.get(key) ?? owners.get(reference ?? '');
    if (owner !== undefined) {
      // From now on also for reports without the reference, and while the state is slow.
      owners.set(key, owner);
      // Once the message is recognised, its events have its own id.
      if (owner.reportedId !== undefined) tellOwner();
    }
    const news = this.#isClosed ? undefined : this.#newsIn(key, report, reference);
    if (news === undefined) {
      tellOwner();
      return;
    }
    const goTo = (other: string): void => {
      this.report(other, report, isTold ? {} : { onOwner });
      isTold = true;
    };
    this.#track(this.#hear(key, news, { tellOwner, goTo }).finally(tellOwner));
  }

  /** A message has failed, or its provider refused it after the call was answered: the next channel follows. */
  failed(receipt: Receipt, failure: DeliveryFailure, messageKey?: string): void {
    if (!this.#isClosed) this.#track(this.#sends.send(receipt, failure, messageKey));
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

  /** What the state must hear of a report; `undefined` if the report changes nothing there. */
  #newsIn(key: string, report: DeliveryReport, reference: string | undefined): MessageNews | undefined {
    const { state } = this.#parts;
    const token = newToken();
    const known = state.recall(messageName(key));
    // A message that is known needs no attempt.
    const isKnown = known !== undefined && known.value.status !== 'early';
    const named = isKnown ? undefined : reference;
    if (named !== undefined) this.#attempts.name(named, key);
    if (!isFinal(report)) {
      if (named === undefined) return undefined;
      // `sent` is the last status of many an SMS. Another gateway does not ask the state for each of them.
      const isKeptHere = state.recall(attemptName(named))?.value.status === 'unknown';
      return isKeptHere ? { token, reference: named } : undefined;
    }
    this.#watch.forget(key);
    if (report.status === 'delivered')
      this.#sends.drop(({ failedIds }) => failedIds.includes(key), 'DELIVERED');
    const news = { token, report };
    if (named !== undefined) return { ...news, reference: named };
    // A record only moves forward: a report that changes nothing here changes nothing anywhere.
    return messageAfter(known, news, steadyMs()).next === undefined ? undefined : news;
  }

  /** Tells the state news of a report, and does what it replies. With a lost state, the reply may come late, or never. */
  async #hear(key: string, news: MessageNews, how: Arrival): Promise<void> {
    const replying = this.#update(key, news);
    const inTime = await waitAtMost(replying, REPORT_WAIT_MS);
    if (inTime !== TIMED_OUT) {
      if (inTime !== undefined) this.#doReply(key, inTime, how);
      return;
    }
    // Another gateway may have a newer code, or have the same report. A code that could go out twice is not sent.
    const own = this.#parts.state.recall(messageName(key))?.value;
    const lost = { tellOwner: how.tellOwner, goTo: how.goTo, wasLost: true };
    const isFailedHere = own?.status === 'failed' && own.followToken === news.token;
    if (isFailedHere) this.#doReply(key, { before: 'failed', receipt: own.receipt, follow: own }, lost);
    this.#keep(replying, (late) => {
      this.#doReply(key, isFailedHere ? { ...late, follow: undefined } : late, lost);
    });
  }

  /** Changes the record of a message, and that of its attempt if the news names it, in one step. */
  #update(key: string, news: MessageNews): Promise<MessageReply | undefined> {
    const { state } = this.#parts;
    if (news.reference !== undefined)
      return state.update([messageName(key), attemptName(news.reference)], (known) => {
        const { next, reply } = messageAfterNaming(known, news, key, steadyMs());
        return { next, result: reply };
      });
    return state.update([messageName(key)], ([known]) => {
      const { next, reply } = messageAfter(known, news, steadyMs());
      return { next: [next], result: reply };
    });
  }

  #doReply(key: string, reply: MessageReply, { tellOwner, goTo, isAlarm, wasLost }: Arrival): void {
    const { owners, onRecognised, isSending } = this.#parts;
    const { before, follow, recognised, elsewhere } = reply;
    if (elsewhere !== undefined) {
      goTo(elsewhere);
      return;
    }
    const receipt = recognised ?? reply.receipt;
    if (receipt !== undefined) {
      // Another process sent the message, or this one did before it was restarted.
      owners.set(key, messageOwnerOf(receipt, key));
      this.#unmatched?.claim(key);
    }
    tellOwner?.();
    if (this.#isClosed) return;
    if (recognised !== undefined) {
      onRecognised(recognised, transactionIdOf(key));
      this.#watch.start(key, recognised);
    }
    // Another process may have received the report of a message before this one had the answer to its send.
    if (before !== undefined && before !== 'waiting') this.#watch.forget(key);
    if (follow !== undefined) {
      const { receipt: sent, failure } = follow;
      const following = isAlarm
        ? this.#lookUpLast(key, sent)
        : this.#sends.send(sent, failure, key, { wasLost });
      this.#track(following);
    } else if (before === undefined && owners.get(key) === undefined) {
      // No gateway knows the message. Its send may still be on its way.
      this.#unmatched?.add(key, isSending() || !this.#sends.isIdle);
    }
  }

  /** The message of an attempt whose outcome was unknown went out: from here on it is as any accepted one. */
  #recognise(key: string, receipt: Receipt, reference: string): void {
    if (this.#isClosed) return;
    const settled = withAccepted(receipt, transactionIdOf(key));
    this.#parts.owners.set(key, messageOwnerOf(settled, key));
    this.#parts.onRecognised(settled, transactionIdOf(key));
    this.accepted(key, settled.sentBy, settled.isUnwanted === true ? undefined : () => settled, reference);
  }

  async #lookUpLast(key: string, receipt: Receipt): Promise<void> {
    const report = await this.#watch.lookUpLast(key, receipt);
    if (report.status === 'failed') this.failed(receipt, report, key);
    else this.report(key, report);
  }

  #keep<Reply>(replying: Promise<Reply | undefined>, doReply: (reply: Reply) => void): void {
    const acting = replying.then((reply) => {
      if (reply !== undefined) doReply(reply);
    });
    this.#track(acting, this.#keeping);
  }

  #track(work: Promise<void>, running = this.underWay): void {
    const { events } = this.#parts;
    const tracked = work
      .catch((error: unknown) => {
        events.emitThrown({ extension: 'lateFailover', error, personal: undefined, call: undefined });
      })
      .finally(() => running.delete(tracked));
    running.add(tracked);
  }
}
