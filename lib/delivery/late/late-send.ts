import { Budget } from '../../core/budget.js';
import type { DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import type { ReadyChannel } from '../attempt.js';
import type { Delivery, Send } from '../dispatch.js';
import type { HookEvent } from '../../core/events.js';
import { isAbout, maskNumber, maskText, toldId, toToken } from '../../core/masking.js';
import { hopefulSteps } from '../plan.js';
import type { Receipt } from './receipt.js';

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

/** A late send while it runs. Its code is the receipt, by the steps that can still help. */
export interface LateSend extends Send {
  readonly code: Receipt;
  readonly failure: DeliveryFailure;
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
    readonly channelsOn: (channels: readonly string[], request: Receipt['request']) => readonly string[];
    /** What the waiting for it may take. */
    readonly deadlineMs: number;
    /** How long its code still lives, milliseconds. */
    readonly leftMs: number;
    /** By the hook's clock, milliseconds since 1970. */
    readonly nowMs: number;
  },
): LateSend {
  const { messageKey, channels, channelsOn, deadlineMs, leftMs, nowMs } = parts;
  const { request, sentBy, failedIds } = receipt;
  const hopeful = hopefulSteps(receipt.untried, sentBy, failure.moveOn ?? true, channels);
  // A channel may have been switched off since the code was sent.
  const on = channelsOn([...new Set(hopeful.map(({ channel }) => channel))], request);
  const untried = hopeful.filter(({ channel }) => on.includes(channel));
  return {
    code: {
      ...receipt,
      untried,
      failedIds: messageKey === undefined ? failedIds : [...failedIds, messageKey],
    },
    expiresAt: new Date(nowMs + leftMs),
    budget: new Budget(deadlineMs),
    failure,
    dropped: dropCodeOf(),
  };

  function dropCodeOf(): DropCode | undefined {
    if (failure.isFraudBlock === true) return 'FRAUD_BLOCK';
    if (leftMs <= 0) return 'CODE_EXPIRED';
    if (untried.length === 0) return 'NO_CHANNEL_LEFT';
    return receipt.wasLost === true ? 'STATE_LOST' : undefined;
  }
}

/** Nothing leaves any more; what has left goes on. */
export function dropSend(send: LateSend, why: DropCode): void {
  send.dropped ??= why;
  send.budget.hangUp();
}

/** What is told when it has ended. */
export function endOf(
  { code: sent, failure, dropped }: LateSend,
  at: number,
  end: { readonly delivery?: Delivery | undefined; readonly defect?: string | undefined },
): HookEvent {
  const { delivery, defect } = end;
  const isSent = delivery !== undefined && delivery.status !== 'refused';
  const { code: why, reason: whyReason, remedy: whyRemedy } = maskedFailure(failure, sent);
  const event = {
    type: 'failover.ended',
    at,
    ...identityFields(sent),
    fromChannel: sent.sentBy.channel,
    why,
    whyReason,
    whyRemedy,
    attempts: [...sent.attempts, ...(delivery?.attempts ?? [])],
  } as const;
  if (dropped !== undefined && !isSent) {
    const remedy = dropped === 'STATE_LOST' ? STATE_REMEDY : undefined;
    return { ...event, ...NO_ATTEMPT, outcome: 'dropped', code: dropped, reason: REASONS[dropped], remedy };
  }
  if (delivery?.decidedBy === undefined) {
    const code = defect === undefined ? 'DEADLINE' : 'INTERNAL_ERROR';
    const reason = defect ?? 'The time was over before anything could be sent';
    return { ...event, ...NO_ATTEMPT, outcome: 'refused', code, reason, remedy: undefined };
  }
  const { channel, provider, outcome, code, reason, remedy, transactionId } = delivery.decidedBy;
  return { ...event, outcome, channel, provider, code, reason, remedy, transactionId };
}

/** What is told of a message whose provider was asked for it: as of a callback, and whose it was. */
export function statusOf(
  transactionId: string,
  report: DeliveryReport,
  receipt: Receipt,
  at: number,
): HookEvent {
  const { request, sentBy } = receipt;
  const failure = report.status === 'failed' ? maskedFailure(report, receipt) : undefined;
  return {
    type: 'message.status',
    at,
    ...identityFields(receipt),
    channel: sentBy.channel,
    // As in the attempt that told of it.
    transactionId: toldId(transactionId, request, sentBy.to),
    status: report.status,
    code: failure?.code,
    reason: failure?.reason,
    remedy: failure?.remedy,
  };
}

function identityFields({ request }: Receipt): {
  readonly eventId: string;
  readonly oktaRequestId: string | undefined;
  readonly userId: string | undefined;
  readonly to: string;
} {
  const { eventId, oktaRequestId, userId, phoneNumber } = request;
  return { eventId, oktaRequestId, userId, to: maskNumber(phoneNumber) };
}

/** Words of others, without what says who, or which code. */
function maskedFailure(
  { code, reason, remedy }: DeliveryFailure,
  { request, sentBy: { to } }: Receipt,
): { readonly code: string; readonly reason: string | undefined; readonly remedy: string | undefined } {
  return {
    code: isAbout(code, request, to) ? 'FAILED' : toToken(code),
    reason: maskText(reason, request, to) || undefined,
    remedy: maskText(remedy, request, to) || undefined,
  };
}

const NO_ATTEMPT = { channel: undefined, provider: undefined, transactionId: undefined } as const;
