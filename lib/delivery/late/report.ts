import type { ConnectedChannel, DeliveryFailure, DeliveryReport } from '../../core/channel.js';
import type { PlanStep } from '../plan.js';

/** Reports of providers on messages that they had accepted. */

/** A report that ends the waiting. A message that failed may still be delivered. */
export type FinalReport =
  | {
      readonly status: 'delivered';
      /** Under the key of an attempt (`UnknownAttempts`): the key of its message. */
      readonly messageKey?: string | undefined;
    }
  | DeliveryFailure;

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
  { idNamespace }: Pick<ConnectedChannel, 'idNamespace'>,
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
  remedy: 'Nothing, if the phone was off or had no network. Otherwise raise lateFailover.afterSeconds.',
};

/** Whether a report says that a message was delivered or has failed. */
export function isFinal(report: DeliveryReport): report is FinalReport {
  return report.status !== 'pending';
}
