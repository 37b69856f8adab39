import type { DeliveryFailure, DeliveryReport, TelephonyRequest } from '../../core/channel.js';
import type { Delivery, ReadyChannel, Rest } from '../dispatch.js';
import type { GuardedState } from '../guarded-state.js';
import { Throttle, type EventStream } from '../../core/event-stream.js';
import { EXTENSION_REMEDIES } from '../../core/extensions.js';
import { dropSend, endOf, startLateSend, statusOf, type LateSend } from './late-send.js';
import { maskError } from '../../core/masking.js';
import { MessageStatuses, type News } from './message-statuses.js';
import { lookUpBy, Polling } from './polling.js';
import { placeOf, type NewEvent, type Receipt } from './receipt.js';
import {
  idNamespaceOf,
  isFinal,
  messageKey,
  OVERDUE,
  PENDING,
  transactionIdOf,
  type FinalReport,
} from './report.js';
import { steadyMs } from '../../core/steady-clock.js';
import { waitAtMost } from '../../core/wait-at-most.js';

/**
 * A code that did not arrive goes out once more, by the plan's next channel: at most once per attempt, while the code
 * is good, where it can help, and unless something newer has come for the same person.
 */

/** What `close()` waits for a state to keep receipts, milliseconds: more than one that is there needs. */
const KEEP_MS = 300;

/**
 * What an alarm gives the process that set it to notice by itself, milliseconds: it knows best what was delivered.
 */
const ALARM_AFTER_MS = 1_000;

export interface LateFailoverParts {
  readonly state: GuardedState;
  readonly events: EventStream;
  /** Milliseconds since 1970; never fails. */
  readonly clock: () => number;
  /** What the waiting for a late send may take. */
  readonly deadlineMs: number;
  /** By channel: when a message that nothing says delivered counts as lost. */
  readonly afterSeconds: Readonly<Record<string, number | undefined>>;
  readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
  /** Those of a plan's channels that are on for a user at this moment. */
  readonly channelsOn: (channels: readonly string[], request: TelephonyRequest) => readonly string[];
  /** A provider that was asked says that a message has failed. */
  readonly onLearnt: (receipt: Receipt, failure: DeliveryFailure) => void;
  /** Sends a code by what is left of its plan, if it is still wanted right before each attempt. */
  readonly send: (send: LateSend, isStillWanted: () => Promise<boolean>) => Promise<Delivery>;
  /** Whether a send is under way, other than a late one, that a report may be about. */
  readonly isSending: () => boolean;
  /** Whether codes need the connections more than questions do. */
  readonly isBusy: () => boolean;
}

export class LateFailover {
  /** Late sends, and what is asked before them: `close()` waits for these. */
  readonly underWay = new Set<Promise<void>>();
  readonly #parts: LateFailoverParts;
  readonly #state: GuardedState;
  readonly #polling: Polling;
  readonly #messages: MessageStatuses;
  readonly #sends = new Set<LateSend>();
  readonly #lookUpFailures: Throttle;
  /** What the state is keeping. */
  readonly #keeping = new Set<Promise<void>>();
  #isDraining = false;
  #isClosed = false;
  readonly #stopListening: (() => void) | undefined;

  constructor(parts: LateFailoverParts) {
    const { state, events, clock, isBusy } = parts;
    this.#parts = parts;
    this.#state = state;
    this.#polling = new Polling(isBusy);
    const unknowns = new Throttle(clock);
    this.#lookUpFailures = new Throttle(clock);
    this.#messages = new MessageStatuses((key) => {
      if (state.isShared) return;
      unknowns.tell((count) => {
        events.emit({
          type: 'message.unknown',
          count,
          transactionId: transactionIdOf(key),
        });
      });
    });
    this.#stopListening = this.#listen(parts);
  }

  /** Listens for what other processes waited for, where anything is waited for. */
  #listen({ state, afterSeconds }: LateFailoverParts): (() => void) | undefined {
    if (Object.values(afterSeconds).every((seconds) => seconds === undefined)) return undefined;
    return state.onAlarm(async (key) => {
      // Another process takes it.
      if (this.#isDraining || this.#isClosed) throw new Error('closed');
      if (this.#messages.isDelivered(key)) return;
      const receipt = await this.#take(key, OVERDUE);
      if (receipt !== undefined) this.#track(this.#overdue(key, receipt));
    });
  }

  /** A new event of a person is going to be sent: nothing of an older one leaves from now on. */
  dropOlder(person: string, eventKey: string): void {
    for (const send of this.#sends) {
      const { receipt } = send;
      if (receipt.person === person && receipt.eventKey !== eventKey) dropSend(send, 'OVERTAKEN');
    }
  }

  /**
   * A person has signed in by a code: nothing of it, nor of an older one, leaves from now on.
   *
   * @param usedKey - which of the person's events the code was of, where that is known.
   */
  codeUsed(person: string, signIn: NewEvent, usedKey: string | undefined): void {
    this.#state.overtake(person, signIn, undefined);
    for (const send of this.#sends) {
      const { receipt } = send;
      if (receipt.person === person && receipt.eventKey === usedKey) dropSend(send, 'OVERTAKEN');
    }
  }

  /**
   * A channel has accepted a message, by the provider's own id: it is kept while its code is good. With nothing left of the plan
   * as well: that the message has failed is told then, and whose it was.
   *
   * @param makeReceipt - `undefined` where nothing may follow.
   */
  accepted(transactionId: string, { by, untried }: Rest, makeReceipt: (() => Receipt) | undefined): void {
    const { port } = by;
    if (this.#isClosed || transactionId === '' || (port.reports ?? port.lookUp) === undefined) return;
    const key = messageKey(idNamespaceOf(by, placeOf(by, this.#parts.channels)), transactionId);
    const receipt = makeReceipt?.();
    const early = this.#messages.know(key, receipt !== undefined);
    if (receipt === undefined || early?.status === 'delivered') return;
    if (early !== undefined) {
      this.failed(receipt, early, key);
      return;
    }
    if (untried.length > 0) this.#watch(key, receipt, by);
    const keeping = this.#state.keepReceipt(key, receipt).then((before) => {
      if (before !== undefined) this.#reportedBefore(key, receipt, before);
    });
    this.#keeping.add(keeping);
    void keeping.finally(() => this.#keeping.delete(keeping));
  }

  /** A provider says what became of a message, by its key. Neither the order nor repeats of what it says matter. */
  report(key: string, report: DeliveryReport): void {
    if (this.#isClosed || !isFinal(report)) return;
    const news = this.#messages.tell(key, report);
    if (news === 'none') return;
    this.#polling.forget(key);
    // What has not left yet need not. Another process may be about to send: the state is told, too.
    if (news === 'arrived') this.#dropDelivered(key);
    if (news !== 'idle') this.#track(this.#settle(key, report, news));
  }

  /** A message has failed, or was refused after its call was answered: the next channel. */
  failed(receipt: Receipt, failure: DeliveryFailure, key?: string): void {
    if (!this.#isClosed) this.#track(this.#sendAgain(key, receipt, failure));
  }

  /** Resolves when the state has said of what it keeps whether anything was reported before, or is not going to. */
  async kept(): Promise<void> {
    if (this.#keeping.size > 0) await waitAtMost(Promise.all(this.#keeping), KEEP_MS);
  }

  /** What is not due yet is dropped; what is under way goes on. */
  stopWaiting(): void {
    this.#isDraining = true;
    this.#polling.stop();
  }

  /** Nothing begins any more. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening?.();
    this.#polling.stop();
    this.#messages.close();
  }

  /** Whoever waited for a message has died, or closed. */
  async #overdue(key: string, receipt: Receipt): Promise<void> {
    const { channel, provider } = receipt.sentBy;
    const by = this.#parts.channels.get(channel)?.[provider];
    const answer = by === undefined ? PENDING : await this.#lookUp(key, receipt, by);
    const report = isFinal(answer) ? answer : OVERDUE;
    if (report === answer) this.#tellStatus(key, report, receipt);
    if (this.#messages.tell(key, report) === 'early') this.#messages.know(key, true);
    this.#polling.forget(key);
    if (report.status === 'failed') await this.#sendAgain(key, receipt, report);
  }

  /** Another process was told of a message before this one had the answer to its send. */
  #reportedBefore(key: string, receipt: Receipt, report: FinalReport): void {
    if (this.#isClosed) return;
    this.#polling.forget(key);
    // It may have been told here as well, meanwhile: there was no receipt for it to take.
    if (this.#messages.tell(key, report) === 'arrived') this.#dropDelivered(key);
    if (report.status === 'failed' && !this.#messages.isDelivered(key)) this.failed(receipt, report, key);
  }

  #dropDelivered(key: string): void {
    for (const send of this.#sends) if (send.failedIds.includes(key)) dropSend(send, 'DELIVERED');
  }

  async #settle(key: string, report: FinalReport, news: News): Promise<void> {
    const receipt = await this.#take(key, report);
    const isEarly = news === 'early';
    if (receipt !== undefined) {
      // Another process sent it, or this one before it was started anew.
      if (isEarly) this.#messages.know(key, true);
      if (report.status === 'failed') await this.#sendAgain(key, receipt, report);
    } else if (isEarly && !this.#parts.isSending() && this.#sends.size === 0) {
      // There is no send whose answer may yet say that it is ours.
      this.#messages.giveUp(key);
    }
  }

  /** Where the state is lost, what failed is told of when it is back. */
  #take(key: string, report: FinalReport): Promise<Receipt | undefined> {
    return this.#state.takeReceipt(key, report, (receipt) => {
      if (report.status === 'failed') this.failed(receipt, report, key);
    });
  }

  #watch(key: string, receipt: Receipt, by: ReadyChannel): void {
    const { name, port } = by;
    const { afterSeconds } = this.#parts;
    const seconds = port.reports === 'deliveries' ? afterSeconds[name] : undefined;
    if (port.lookUp === undefined && seconds === undefined) return;
    const lifeMs = receipt.expiresAtMs - steadyMs();
    const alarmMs = seconds === undefined ? Infinity : seconds * 1000 + ALARM_AFTER_MS;
    if (alarmMs < lifeMs) this.#state.setAlarm(key, alarmMs, receipt);
    this.#polling.start(key, {
      ask: port.lookUp === undefined ? undefined : () => this.#lookUp(key, receipt, by),
      overdueMs: seconds === undefined ? undefined : seconds * 1000,
      lifeMs,
      // Where nobody knows what is newest, it is asked again before anything leaves.
      isWanted: async () => this.#hasLife(receipt) && Boolean(await this.#state.isNewest(receipt)),
      onEnd: (end) => {
        if (end !== 'overdue') this.#tellStatus(key, end, receipt);
        this.report(key, end === 'overdue' ? OVERDUE : end);
      },
    });
  }

  async #sendAgain(key: string | undefined, receipt: Receipt, failure: DeliveryFailure): Promise<void> {
    const { channels, channelsOn, deadlineMs, events, clock } = this.#parts;
    const leftMs = receipt.expiresAtMs - steadyMs();
    const parts = { messageKey: key, channels, channelsOn, deadlineMs, leftMs, nowMs: clock() };
    const send = startLateSend(receipt, failure, parts);
    const isStillWanted = async (): Promise<boolean> => {
      const [isNewest, isDelivered] = await Promise.all([
        this.#state.isNewest(receipt),
        this.#state.isDelivered(send.failedIds, receipt),
      ]);
      if (isDelivered || send.failedIds.some((id) => this.#messages.isDelivered(id)))
        send.dropped ??= 'DELIVERED';
      if (!this.#hasLife(receipt)) send.dropped ??= 'CODE_EXPIRED';
      if (isNewest === 'unknown') send.dropped ??= 'STATE_LOST';
      if (!isNewest) send.dropped ??= 'OVERTAKEN';
      return send.dropped === undefined;
    };
    this.#sends.add(send);
    try {
      const delivery = send.dropped === undefined ? await this.#parts.send(send, isStillWanted) : undefined;
      events.emit(endOf(send, { delivery }));
    } catch (error) {
      // A channel of the user's own broke where it must not.
      events.emit(endOf(send, { defect: maskError(error, send.request) }));
    } finally {
      this.#sends.delete(send);
      send.budget.close();
    }
  }

  #hasLife({ expiresAtMs }: Receipt): boolean {
    return steadyMs() < expiresAtMs;
  }

  #lookUp(key: string, receipt: Receipt, by: ReadyChannel): Promise<DeliveryReport> {
    const { events } = this.#parts;
    const { request } = receipt;
    const { eventId, oktaRequestId } = request;
    return lookUpBy(by, transactionIdOf(key), (error) => {
      // At most once a minute: what fails with one message fails with the next.
      this.#lookUpFailures.tell((count) => {
        events.emit({
          type: 'extension.failed',
          eventId,
          oktaRequestId,
          extension: 'lookUp',
          count,
          reason: `${by.name}: ${maskError(error, request)}`,
          remedy: EXTENSION_REMEDIES.lookUp,
        });
      });
    });
  }

  /** What a provider said that was asked, as its callbacks are told. */
  #tellStatus(key: string, report: DeliveryReport, receipt: Receipt): void {
    const { events, onLearnt } = this.#parts;
    if (report.status === 'failed') onLearnt(receipt, report);
    events.emit(statusOf(transactionIdOf(key), report, receipt));
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#state.reportUnusable('receipt', error);
      })
      .finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
  }
}
