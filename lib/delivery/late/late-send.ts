import { Budget } from '../../core/budget.js';
import type { DeliveryFailure, DeliveryReport, TelephonyRequest } from '../../core/channel.js';
import type { Delivery, ReadyChannel } from '../dispatch.js';
import type { EmittedEvent } from '../../core/events.js';
import { isAbout, maskNumber, maskText, toldId, toToken } from '../../core/masking.js';
import { leavesHopeFor } from '../plan.js';
import type { PlanStep, Receipt } from './receipt.js';

/** One code that did not arrive: by what it may go out once more, and what is told of that. */

/** Why it does not go out once more. */
export type DropCode =
  'FRAUD_BLOCK' | 'CODE_EXPIRED' | 'NO_CHANNEL_LEFT' | 'OVERTAKEN' | 'DELIVERED' | 'STATE_LOST';

const REASONS: Readonly<Record<DropCode, string>> = {
  FRAUD_BLOCK: 'A fraud filter held the message back',
  CODE_EXPIRED: 'The code had ended',
  NO_CHANNEL_LEFT: 'No channel that is left could help',
  OVERTAKEN: 'A newer code was asked for, or the user has signed in',
  DELIVERED: 'The message arrived after all',
  STATE_LOST: 'It is not known whether a newer code was asked for',
};
const STATE_REMEDY = 'See the remedy of state.lost, or the reason of extension.failed.';

/** A late send while it is under way. */
export interface LateSend {
  /** The keys of the messages that failed: should one of them arrive after all, nothing more is sent. */
  readonly failedIds: readonly string[];
  readonly receipt: Receipt;
  readonly failure: DeliveryFailure;
  readonly request: TelephonyRequest;
  /** What of the plan is left that the reason of the failure leaves hope for. */
  readonly steps: readonly PlanStep[];
  readonly budget: Budget;
  /** Set once; nothing leaves after that. */
  dropped: DropCode | undefined;
}

/** The one place where it is decided whether a failure is followed by anything. */
export function startLateSend(
  receipt: Receipt,
  failure: DeliveryFailure,
  parts: {
    /** Of the message that failed; `undefined` for a send that was refused after its call. */
    readonly messageKey: string | undefined;
    readonly channels: ReadonlyMap<string, readonly ReadyChannel[]>;
    readonly channelsOn: (channels: readonly string[], request: TelephonyRequest) => readonly string[];
    /** What the waiting for it may take. */
    readonly deadlineMs: number;
    /** How long its code still lives, milliseconds. */
    readonly leftMs: number;
    /** By the hook's clock, milliseconds since 1970. */
    readonly nowMs: number;
  },
): LateSend {
  const { messageKey, channels, channelsOn, deadlineMs, leftMs, nowMs } = parts;
  const request = { ...receipt.request, expiresAt: new Date(nowMs + leftMs) };
  const hopeful = hopefulSteps(receipt, failure, channels);
  // A channel may have been switched off since the code was sent.
  const on = channelsOn([...new Set(hopeful.map(({ channel }) => channel))], request);
  const steps = hopeful.filter(({ channel }) => on.includes(channel));
  const dropped =
    failure.isFraudBlock === true
      ? 'FRAUD_BLOCK'
      : leftMs <= 0
        ? 'CODE_EXPIRED'
        : steps.length === 0
          ? 'NO_CHANNEL_LEFT'
          : receipt.wasLost === true
            ? 'STATE_LOST'
            : undefined;
  const failedIds = messageKey === undefined ? receipt.failedIds : [...receipt.failedIds, messageKey];
  return { failedIds, receipt, failure, request, steps, budget: new Budget(deadlineMs), dropped };
}

/** Nothing leaves any more; what has left goes on. */
export function dropSend(send: LateSend, why: DropCode): void {
  send.dropped ??= why;
  send.budget.hangUp();
}

/** What is told when it has ended. */
export function endOf(
  { receipt, failure, dropped }: LateSend,
  end: { readonly delivery?: Delivery | undefined; readonly defect?: string | undefined },
): EmittedEvent {
  const { delivery, defect } = end;
  const isSent = delivery !== undefined && delivery.status !== 'refused';
  const { code: why, reason: whyReason, remedy: whyRemedy } = toldFailure(failure, receipt);
  const event = {
    type: 'failover.ended',
    ...whose(receipt),
    fromChannel: receipt.sentBy.channel,
    why,
    whyReason,
    whyRemedy,
    attempts: [...receipt.attempts, ...(delivery?.attempts ?? [])],
  } as const;
  if (dropped !== undefined && !isSent) {
    const remedy = dropped === 'STATE_LOST' ? STATE_REMEDY : undefined;
    return { ...event, ...NOBODY, outcome: 'dropped', code: dropped, reason: REASONS[dropped], remedy };
  }
  if (delivery?.decidedBy === undefined) {
    const code = defect === undefined ? 'DEADLINE' : 'INTERNAL_ERROR';
    const reason = defect ?? 'The time was over before anything could be sent';
    return { ...event, ...NOBODY, outcome: 'refused', code, reason, remedy: undefined };
  }
  const { channel, provider, outcome, code, reason, remedy, transactionId } = delivery.decidedBy;
  return { ...event, outcome, channel, provider, code, reason, remedy, transactionId };
}

/** What is told of a message whose provider was asked for it: as of a callback, and whose it was. */
export function statusOf(transactionId: string, report: DeliveryReport, receipt: Receipt): EmittedEvent {
  const { request, sentBy } = receipt;
  const failure = report.status === 'failed' ? toldFailure(report, receipt) : undefined;
  return {
    type: 'message.status',
    ...whose(receipt),
    channel: sentBy.channel,
    // As in the attempt that told of it.
    transactionId: toldId(transactionId, request, sentBy.to),
    status: report.status,
    code: failure?.code,
    reason: failure?.reason,
    remedy: failure?.remedy,
  };
}

function whose({ request }: Receipt): {
  readonly eventId: string;
  readonly oktaRequestId: string | undefined;
  readonly userId: string | undefined;
  readonly to: string;
} {
  const { eventId, oktaRequestId, userId, phoneNumber } = request;
  return { eventId, oktaRequestId, userId, to: maskNumber(phoneNumber) };
}

/** Words of others, without what says who, or which code. */
function toldFailure(
  { code, reason, remedy }: DeliveryFailure,
  { request, sentBy: { to } }: Receipt,
): { readonly code: string; readonly reason: string | undefined; readonly remedy: string | undefined } {
  return {
    code: isAbout(code, request, to) ? 'FAILED' : toToken(code),
    reason: maskText(reason, request, to) || undefined,
    remedy: maskText(remedy, request, to) || undefined,
  };
}

const NOBODY = { channel: undefined, provider: undefined, transactionId: undefined } as const;

function hopefulSteps(
  { sentBy, untried }: Receipt,
  { moveOn = true }: DeliveryFailure,
  channels: ReadonlyMap<string, readonly ReadyChannel[]>,
): readonly PlanStep[] {
  const providerOf = ({ channel, provider }: PlanStep): string | undefined =>
    channels.get(channel)?.[provider]?.provider;
  const failed = { ...sentBy, provider: providerOf(sentBy) ?? '' };
  return untried.filter((step) => {
    const provider = providerOf(step);
    return provider !== undefined && leavesHopeFor({ ...step, provider }, failed, moveOn);
  });
}
