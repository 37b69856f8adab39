import type { DeliveryFailure } from '../core/channel.js';
import type { AttemptReport } from '../core/events.js';
import { tryPlan, type Delivery, type LateEnd, type Send } from '../delivery/dispatch.js';
import type { LateFailover } from '../delivery/late/late-failover.js';
import { ownerOf, type Receipt } from '../delivery/late/receipt.js';
import type { PlanStep } from '../delivery/plan.js';
import { suppressionReasonOf } from '../delivery/suppressions.js';
import { keepAccepted } from './last-codes.js';
import { reportFailure, type HookParts } from './parts.js';

/** Sends a code by its plan. */

/**
 * Tries the steps of a plan, reports each attempt, and keeps what late failover may need.
 *
 * @param options.mayFailOver - `false` for a code that is not sent again if its message fails.
 */
export function sendCode(
  send: Send,
  { mayFailOver }: { readonly mayFailOver: boolean },
  parts: HookParts,
): Promise<Delivery> {
  const { code, request } = send;

  const onAccepted = (
    transactionId: string,
    step: PlanStep,
    makeReceipt: () => Receipt,
    attempt: AttemptReport,
  ): void => {
    keepAccepted(transactionId, attempt, step, code, parts);
    parts.messageOwners?.set(transactionId, ownerOf(request));
    failOver(({ lateFailover, isWanted }) => {
      lateFailover.accepted(
        transactionId,
        step,
        request,
        isWanted ? () => forKeeping(makeReceipt(), parts) : undefined,
      );
    });
  };
  const onUnknown = (reference: string, receipt: Receipt): void => {
    failOver(({ lateFailover, isWanted }) => {
      lateFailover.unknown(reference, {
        ...forKeeping(receipt, parts),
        isUnwanted: isWanted ? undefined : true,
      });
    });
  };
  const onLateEnd = ({ attempt, transactionId, failure, reference, receipt }: LateEnd): void => {
    if (transactionId !== undefined) onAccepted(transactionId, receipt.sentBy, () => receipt, attempt);
    if (reference !== undefined) onUnknown(reference, receipt);
    if (failure === undefined) return;
    suppressRefusing(receipt.sentBy, failure, parts);
    failOver(({ lateFailover, isWanted }) => {
      if (isWanted) lateFailover.failed(forKeeping(receipt, parts), failure);
    });
  };
  /** The code is out: an error of a custom channel must not be reported as a failed send. */
  const failOver = (
    work: (late: { readonly lateFailover: LateFailover; readonly isWanted: boolean }) => void,
  ): void => {
    const { lateFailover } = parts;
    if (lateFailover === undefined) return;
    try {
      // If the caller hung up, Okta does not expect the code any more.
      work({ lateFailover, isWanted: mayFailOver && !send.budget.hasHungUp });
    } catch (error) {
      reportFailure('lateFailover', request, parts)(error);
    }
  };

  return tryPlan(
    send,
    {
      onAttempt: (attempt) => {
        reportAttempt(attempt, request, parts);
      },
      onComposeFailure: reportFailure('composeText', request, parts),
      onRefused: (step, refusal) => {
        suppressRefusing(step, refusal, parts);
      },
      onAccepted,
      onUnknown,
      onDetached: (late) => {
        recordDetached(late, request, onLateEnd, parts);
      },
    },
    parts,
  );
}

function reportAttempt(
  attempt: AttemptReport,
  request: Receipt['request'],
  { events, underWay, settings }: HookParts,
): void {
  if (attempt.outcome === 'accepted') underWay.lastSuccess.set(attempt.channel, settings.clock());
  if (events.hasStepListeners) events.emit({ type: 'attempt.ended', ...ownerOf(request), ...attempt });
}

/** A send that outlives its call: `close()` waits for it, and an event reports its end. */
function recordDetached(
  late: Promise<LateEnd>,
  request: Receipt['request'],
  onEnd: (end: LateEnd) => void,
  parts: HookParts,
): void {
  const { detached } = parts.underWay;
  const recorded = late.then((end) => {
    detached.delete(recorded);
    reportSettled(end.attempt, request, parts);
    onEnd(end);
  });
  detached.add(recorded);
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

/** A receipt holds no more of a person than its next send may read. */
function forKeeping(receipt: Receipt, { settings }: HookParts): Receipt {
  const isHandedOut =
    settings.composeText !== undefined ||
    receipt.untried.some(({ channel }) => settings.ownChannels.has(channel));
  const { profile } = receipt;
  // A live request has `expiresAt`; a rest pattern would take 2 µs (V8 copies its result property by property).
  const request = {
    ...receipt.request,
    expiresAt: undefined,
    raw: isHandedOut ? receipt.request.raw : undefined,
  };
  const readsProfile = isHandedOut || settings.texts?.readsProfile(request) === true;
  return { ...receipt, request, profile: readsProfile ? profile : undefined };
}
