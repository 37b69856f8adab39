import type { ChannelPort, DeliveryFailure, DeliveryReport, MoveOn } from '../../core/channel.js';
import type { PlanStep } from '../plan.js';

/** What is told of a message that its provider had accepted. */

/** What is final of a message, or nearly: one that failed may arrive all the same. */
export type FinalReport = { readonly status: 'delivered' } | DeliveryFailure;

/**
 * By what a message is known: the provider's own id, with where it comes from before it, for two channels may both count
 * from 1. What is told outside is the id.
 */
export function messageKey(idNamespace: string, transactionId: string): string {
  return `${idNamespace} ${transactionId}`;
}

/** Where the message ids of a step's provider come from. */
export function idNamespaceOf(
  { channel, provider }: PlanStep,
  { idNamespace }: Pick<ChannelPort<never>, 'idNamespace'>,
): string {
  return idNamespace ?? `${channel}.${provider}`;
}

/** The provider's own id; no namespace has a space in it. */
export function transactionIdOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** What is not final says nothing. */
export const PENDING: DeliveryReport = { status: 'pending' };

/** What counts as the failure of a message that nothing says delivered in time. */
export const OVERDUE: DeliveryFailure = {
  status: 'failed',
  code: 'NOT_DELIVERED_IN_TIME',
  reason: 'Nothing said in time that it was delivered',
};

/** Whether a report says that a message was delivered, or failed. */
export function isFinal(report: DeliveryReport): report is FinalReport {
  return report.status !== 'pending';
}

/**
 * Holds what a channel of the user's own gives to its port.
 *
 * @throws Error for what is no report.
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
