import type { LRUCache } from 'lru-cache';
import type { DeliveryFailure } from '../core/channel.js';
import type { EventStream } from '../core/event-stream.js';
import type { AttemptReport } from '../core/events.js';
import { maskId } from '../core/masking.js';
import { personalDataOf } from '../numbers/personal-data.js';
import type { AttemptEnd, DetachedAttempt, ReadyChannel, Send } from './attempt.js';
import { REFUSED } from './channel-contract.js';
import { keepSentCode } from './messages/last-code.js';
import type { LateFailover } from './messages/late-failover.js';
import { messageKey, messageOwner, ownerOf, withSettled, type MessageOwner } from './messages/receipt.js';
import type { Receipt, PlanStep } from './records.js';
import type { StatePort } from './state.js';
import type { SuppressionList } from './suppression-list.js';
import { suppressionReasonOf } from './suppressions.js';

/** The parts of a hook that keep what happens while a code is sent. */
export interface RecordingParts {
  readonly state: Pick<StatePort, 'update'>;
  readonly events: EventStream;
  readonly suppressions: Pick<SuppressionList, 'add'>;
  readonly messageOwners: LRUCache<string, MessageOwner>;
  /** `undefined` if it is off. */
  readonly lateFailover: Pick<LateFailover, 'accepted' | 'unknown' | 'failed' | 'stopAtReport'> | undefined;
  readonly underWay: {
    readonly detached: Set<Promise<unknown>>;
    readonly lastSuccess: Map<string, number>;
  };
  readonly settings: { readonly clock: () => number };
}

/** A step of a plan that is tried. */
interface TriedStep {
  readonly step: PlanStep;
  readonly channel: ReadyChannel;
  /** The receipt of its message, with the attempts that have ended by now. Most calls need none. */
  readonly makeReceipt: () => Receipt;
}

/**
 * An attempt that takes longer is kept as the user's last code before it ends, milliseconds: the user may use the code before its
 * provider has answered. It is assumed that nobody receives and types a code sooner. Most attempts end sooner, and are written once.
 */
const LONG_ATTEMPT_MS = 1_000;

/** Records what happens while a code is sent: in events, for late failover, and in the list of suppressions. */
export class SendRecorder {
  readonly #send: Send;
  readonly #parts: RecordingParts;
  #longAttempt: NodeJS.Timeout | undefined;

  constructor(send: Send, parts: RecordingParts) {
    this.#send = send;
    this.#parts = parts;
  }

  started(tried: TriedStep): void {
    if (this.#send.code.codeRequest === undefined) return;
    this.#longAttempt = setTimeout(() => {
      this.#keepUnknown(tried);
    }, LONG_ATTEMPT_MS);
  }

  /** A report may name the attempt before its channel has answered. */
  named({ step }: TriedStep, reference: string): void {
    const { code, request } = this.#send;
    const reportedId = (id: string): string =>
      maskId(id, personalDataOf(request, code.profile, step.to), request.eventId);
    this.#parts.messageOwners.set(reference, { ...messageOwner(code), reportedId });
  }

  /** An attempt has ended, or goes on without an answer. */
  ended(tried: TriedStep, end: AttemptEnd): void {
    clearTimeout(this.#longAttempt);
    const { attempt } = end;
    const { events } = this.#parts;
    noteSuccess(attempt, this.#parts);
    if (attempt.outcome === 'unknown') this.#keepUnknown(tried);
    if (events.hasStepListeners) {
      events.emit({ type: 'attempt.ended', ...ownerOf(this.#send.request), ...attempt });
    }
    this.#record(tried, end);
  }

  /** An attempt outlives its call: `close()` waits for it, and an event reports its end. */
  detached(tried: TriedStep, { end, reference, stop }: DetachedAttempt): void {
    const { lateFailover, messageOwners, underWay } = this.#parts;
    if (reference !== undefined) {
      if (!messageOwners.has(reference)) messageOwners.set(reference, messageOwner(this.#send.code));
      lateFailover?.stopAtReport(reference, { stop, end });
    }
    const { detached } = underWay;
    const recorded = end.then((late) => {
      detached.delete(recorded);
      this.#endedLate(tried, late);
    });
    detached.add(recorded);
  }

  #keepUnknown({ step, channel: { provider } }: TriedStep): void {
    const attempt = { channel: step.channel, provider };
    keepSentCode(this.#send.code, { status: 'unknown', attempt, step, transactionId: '' }, this.#parts.state);
  }

  #endedLate({ makeReceipt, ...tried }: TriedStep, end: AttemptEnd): void {
    const { outcome, attempt } = end;
    const receipt = withSettled(makeReceipt(), attempt);
    reportSettled(attempt, this.#send.request, this.#parts);
    this.#record({ ...tried, makeReceipt: () => receipt }, end);
    if (outcome.status !== 'refused') return;
    const { code = REFUSED, reason = '', remedy } = attempt;
    const { moveOn, isFraudBlock, isNotReached } = outcome;
    this.#failOver((lateFailover, isWanted) => {
      const failure = { status: 'failed', code, reason, remedy, moveOn, isFraudBlock, isNotReached } as const;
      if (isWanted) lateFailover.failed(receipt, failure);
    });
  }

  #record({ step, channel, makeReceipt }: TriedStep, { outcome, attempt, reference }: AttemptEnd): void {
    const { code } = this.#send;
    const { state, messageOwners } = this.#parts;
    if (outcome.status === 'refused') suppressRefusing(step, outcome, this.#parts);
    const owner = { ...messageOwner(code), reportedId: attempt.transactionId };
    if (reference !== undefined) messageOwners.set(reference, owner);
    if (reference !== undefined && outcome.status === 'unknown') {
      this.#failOver((lateFailover, isWanted) => {
        lateFailover.unknown(reference, { ...makeReceipt(), isUnwanted: isWanted ? undefined : true });
      });
    }
    if (outcome.status !== 'accepted') return;
    const { transactionId } = outcome;
    // The user may use the code even if Okta hung up.
    keepSentCode(code, { status: 'accepted', attempt, step, transactionId }, state);
    if (transactionId === '') return;
    const key = messageKey(channel.idNamespace, transactionId);
    messageOwners.set(key, owner);
    this.#failOver((lateFailover, isWanted) => {
      lateFailover.accepted(key, step, isWanted ? makeReceipt : undefined, reference);
    });
  }

  /** The code is out: an error of a custom channel must not be reported as a failed send. */
  #failOver(
    work: (lateFailover: NonNullable<RecordingParts['lateFailover']>, isWanted: boolean) => void,
  ): void {
    const { lateFailover, events } = this.#parts;
    if (lateFailover === undefined) return;
    const { code, request, budget } = this.#send;
    try {
      // If the caller hung up, Okta does not expect the code any more.
      work(lateFailover, !budget.hasHungUp);
    } catch (error) {
      const personal = personalDataOf(request, code.profile);
      events.emitThrown({ extension: 'lateFailover', error, personal, call: request });
    }
  }
}

/** A report says that a message went out whose attempt had ended as unknown. */
export function recordRecognised(
  receipt: Receipt,
  transactionId: string,
  parts: Pick<RecordingParts, 'events' | 'settings' | 'state' | 'underWay'>,
): void {
  const attempt = receipt.attempts.at(-1);
  if (attempt === undefined) return;
  reportSettled(attempt, receipt.request, parts);
  keepSentCode(receipt, { status: 'accepted', attempt, step: receipt.sentBy, transactionId }, parts.state);
}

function reportSettled(
  attempt: AttemptReport,
  request: Receipt['request'],
  parts: Pick<RecordingParts, 'events' | 'settings' | 'underWay'>,
): void {
  noteSuccess(attempt, parts);
  parts.events.emit({ type: 'attempt.settled', ...ownerOf(request), ...attempt });
}

function noteSuccess(
  { outcome, channel }: AttemptReport,
  { underWay, settings }: Pick<RecordingParts, 'settings' | 'underWay'>,
): void {
  if (outcome === 'accepted') underWay.lastSuccess.set(channel, settings.clock());
}

/** If a failure says that the recipient cannot be reached, later codes skip the channel. */
export function suppressRefusing(
  { channel, to }: PlanStep,
  failure: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>,
  { suppressions }: Pick<RecordingParts, 'suppressions'>,
): void {
  const reason = suppressionReasonOf(failure);
  if (reason !== undefined) void suppressions.add(to, channel, reason);
}
