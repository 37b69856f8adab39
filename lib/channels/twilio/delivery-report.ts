import type { DeliveryReport } from '../../core/channel.js';
import { describeRefusal } from './error-codes.js';

/** Twilio's words for what became of a message or a call, in those of the plan. */

/** It will not arrive. A call that nobody took (`busy`, `no-answer`) did reach the phone. */
export const FAILED_STATUSES: ReadonlySet<string> = new Set(['failed', 'undelivered', 'canceled']);

/** `read` goes beyond delivered; `partially_delivered` is of several parts, and old. */
const DELIVERED_STATUSES: ReadonlySet<string> = new Set([
  'delivered',
  'read',
  'partially_delivered',
  'completed',
]);

/**
 * What a status says. One that is neither delivered nor failed is pending: `sent` may be the last word on a text that
 * arrived.
 *
 * @param providerCode Twilio's error code, where there is one; it was a word once
 */
export function deliveryReportOf(status: string, providerCode: string | undefined): DeliveryReport {
  if (DELIVERED_STATUSES.has(status)) return { status: 'delivered' };
  if (!FAILED_STATUSES.has(status)) return { status: 'pending' };
  const number = Number(providerCode);
  const described = describeRefusal(Number.isNaN(number) ? undefined : number, 400);
  return { status: 'failed', ...described, code: providerCode ?? status.toUpperCase() };
}
