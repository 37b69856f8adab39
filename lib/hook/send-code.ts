import type { DeliveryFailure } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import type { DetachedAttempt } from '../delivery/attempt.js';
import { tryPlan, type Delivery, type LateEnd, type Send, type SendListener } from '../delivery/dispatch.js';
import type { LateFailover } from '../delivery/messages/late-failover.js';
import { messageKey, ownerOf, withSettled, type Receipt } from '../delivery/messages/receipt.js';
import { providerOf, type PlanStep } from '../delivery/plan.js';
import { suppressionReasonOf } from '../delivery/suppressions.js';
import { personalDataOf } from '../numbers/personal-data.js';
import { keepAccepted, keepStarted } from './last-codes.js';
import type { HookParts } from './parts.js';

/** Sends a code by its plan: tries the steps, reports each attempt, and keeps what late failover may need. */
export function sendCode(send: Send, parts: HookParts): Promise<Delivery> {
  return tryPlan(send, new SendRecorder(send, parts), parts);
}

/** Records what happens while a code is sent: in events, for late failover and in the list of suppressions. */
class SendRecorder implements SendListener {
  readonly #send: Send;
  readonly #parts: HookParts;

  constructor(send: Send, parts: HookParts) {
    this.#send = send;
    this.#parts = parts;
  }

  onStart(step: PlanStep, provider: string): void {
    keepStarted(step, provider, this.#send.code, this.#parts);
  }

  onAttempt(attempt: AttemptReport): void {
    const { events, underWay, settings } = this.#parts;
    if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
    if (!events.hasStepListeners) return;
    events.emit({ type: 'attempt.ended', ...ownerOf(this.#send.request), ...attempt });
  }

  onComposeFailure(error: unknown): void {
    this.#emitThrown('composeText', error);
  }

  onRefused(step: PlanStep, refusal: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>): void {
    suppressRefusing(step, refusal, this.#parts);
  }

  onAccepted(
    transactionId: string,
    step: PlanStep,
    makeReceipt: () => Receipt,
    attempt: AttemptReport,
  ): void {
    const { code, request } = this.#send;
    keepAccepted(transactionId, attempt, step, code, this.#parts);
    if (transactionId === '') return;
    const { channels, messageOwners } = this.#parts;
    const { idNamespace = `${step.channel}.${step.provider}` } = providerOf(step, channels)?.port ?? {};
    const key = messageKey(idNamespace, transactionId);
    messageOwners.set(key, ownerOf(request));
    this.#failOver((lateFailover, isWanted) => {
      lateFailover.accepted(key, step, isWanted ? makeReceipt : undefined);
    });
  }

  onUnknown(reference: string, receipt: Receipt): void {
    this.#parts.messageOwners.set(reference, ownerOf(this.#send.request));
    this.#failOver((lateFailover, isWanted) => {
      lateFailover.unknown(reference, isWanted ? receipt : { ...receipt, isUnwanted: true });
    });
  }

  /** A send that outlives its call: `close()` waits for it, and an event reports its end. */
  onDetached(late: Promise<LateEnd>, { reference, stop }: DetachedAttempt): void {
    const { lateFailover, messageOwners, underWay } = this.#parts;
    if (reference !== undefined) {
      messageOwners.set(reference, ownerOf(this.#send.request));
      lateFailover?.stopAtReport(reference, { stop, end: late });
    }
    const { detached } = underWay;
    const recorded = late.then((end) => {
      detached.delete(recorded);
      this.#onLateEnd(end);
    });
    detached.add(recorded);
  }

  #onLateEnd({ attempt, transactionId, failure, reference, receipt: atAnswer }: LateEnd): void {
    const receipt = withSettled(atAnswer, attempt);
    reportSettled(attempt, this.#send.request, this.#parts);
    if (transactionId !== undefined) this.onAccepted(transactionId, receipt.sentBy, () => receipt, attempt);
    if (reference !== undefined) this.onUnknown(reference, receipt);
    if (failure === undefined) return;
    this.onRefused(receipt.sentBy, failure);
    this.#failOver((lateFailover, isWanted) => {
      if (isWanted) lateFailover.failed(receipt, failure);
    });
  }

  /** The code is out: an error of a custom channel must not be reported as a failed send. */
  #failOver(work: (lateFailover: LateFailover, isWanted: boolean) => void): void {
    const { lateFailover } = this.#parts;
    if (lateFailover === undefined) return;
    const { budget } = this.#send;
    try {
      // If the caller hung up, Okta does not expect the code any more.
      work(lateFailover, !budget.hasHungUp);
    } catch (error) {
      this.#emitThrown('lateFailover', error);
    }
  }

  #emitThrown(extension: 'composeText' | 'lateFailover', error: unknown): void {
    const { code, request } = this.#send;
    const personal = personalDataOf(request, code.profile);
    this.#parts.events.emitThrown({ extension, error, personal, call: request });
  }
}

/** A report says that a message went out whose attempt had ended as unknown. */
export function recordRecognised(
  receipt: Receipt,
  transactionId: string,
  parts: Omit<HookParts, 'lateFailover'>,
): void {
  const attempt = receipt.attempts.at(-1);
  if (attempt === undefined) return;
  reportSettled(attempt, receipt.request, parts);
  keepAccepted(transactionId, attempt, receipt.sentBy, receipt, parts);
}

function reportSettled(
  attempt: AttemptReport,
  request: Receipt['request'],
  { events, underWay, settings }: Omit<HookParts, 'lateFailover'>,
): void {
  if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
  events.emit({ type: 'attempt.settled', ...ownerOf(request), ...attempt });
}

/** If a failure says that the recipient cannot be reached, later codes skip the channel. */
export function suppressRefusing(
  { channel, to }: PlanStep,
  failure: Pick<DeliveryFailure, 'moveOn' | 'isNotReached'>,
  { suppressions }: Pick<HookParts, 'suppressions'>,
): void {
  const reason = suppressionReasonOf(failure);
  if (reason !== undefined) void suppressions.add(to, channel, reason);
}
