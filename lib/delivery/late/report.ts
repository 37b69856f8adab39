import type { ChannelPort, DeliveryFailure, DeliveryReport, MoveOn } from '../../core/channel.js';
import type { PlanStep } from '../plan.js';

/** Reports of providers on messages that they had accepted. */

/** A report that ends the waiting. A message that failed may still be delivered. */
export type FinalReport = { readonly status: 'delivered' } | DeliveryFailure;

/**
 * The key of a message: the namespace of its id, and the id. Two channels may both count their ids from 1.
 * Events have the id alone.
 */
export function messageKey(idNamespace: string, transactionId: string): string {
  return `${idNamespace} ${transactionId}`;
}

/** The namespace of the message ids of a step's provider. */
export function idNamespaceOf(
  { channel, provider }: PlanStep,
  { idNamespace }: Pick<ChannelPort<never>, 'idNamespace'>,
): string {
  return idNamespace ?? `${channel}.${provider}`;
}

/** The provider's id in a key. No namespace has a space in it. */
export function transactionIdOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** A report that says nothing. */
export const PENDING: DeliveryReport = { status: 'pending' };

/** The failure of a message without a delivery report in time. */
export const OVERDUE: DeliveryFailure = {
  status: 'failed',
  code: 'NOT_DELIVERED_IN_TIME',
  reason: 'Nothing said in time that it was delivered',
};

/** Whether a report says that a message was delivered or has failed. */
export function isFinal(report: DeliveryReport): report is FinalReport {
  return report.status !== 'pending';
}

/**
 * Checks the answer of a custom channel to a look-up.
 *
 * @throws Error for a malformed answer.
 */
export function readReport(report: unknown): DeliveryReport {
  const { status, code, reason, moveOn, isFraudBlock, isNotReached, remedy } = Object(report) as Record<
    string,
    unknown
  >;
  if (status === 'delivered' || status === 'pending') return { status };
  if (status !== 'failed') throw new Error('its answer has no status that is known');
  return {
    status,
    code: (typeof code === 'string' || typeof code === 'number' ? String(code) : '') || 'FAILED',
    reason: typeof reason === 'string' ? reason : '',
    moveOn: isMoveOn(moveOn) ? moveOn : true,
    isFraudBlock: isFraudBlock === true,
    isNotReached: isNotReached === true,
    remedy: typeof remedy === 'string' ? remedy : undefined,
  };
}

function isMoveOn(value: unknown): value is MoveOn {
  return typeof value === 'boolean' || value === 'other-channel' || value === 'other-provider';
}
