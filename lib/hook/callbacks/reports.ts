import { LRUCache } from 'lru-cache';
import { atMost } from '../../core/caches.js';
import type { DeliveryReport } from '../../core/channel.js';
import { messageKey, shownIdOf, type MessageOwner } from '../../delivery/messages/receipt.js';
import { suppressionReasonOf } from '../../delivery/suppressions.js';
import type { HookParts } from '../call.js';
import { noteDelivered } from '../codes-of-user.js';

/** A report on a message, by whichever route it came. Its texts may be shown. */
export interface ReceivedReport {
  readonly channel: string;
  /** The channel by which the hook sent it. Default: `channel`. */
  readonly planChannel?: string | undefined;
  /** Of the ids of the channel's messages. */
  readonly idNamespace: string;
  /** How the report names its message: by its id, by the reference of its attempt, or by both. */
  readonly transactionId: string | undefined;
  readonly reference: string | undefined;
  readonly report: DeliveryReport;
  /** The provider's word for the status. */
  readonly status: string;
  /** What it means in events. */
  readonly reported: DeliveryReport['status'];
  readonly code: string | undefined;
  readonly reason: string | undefined;
  /** E.164; `undefined` if the report does not say it. */
  readonly to: string | undefined;
}

/** Of so many messages it is known which statuses were told. */
const MAX_TOLD = 8_000;

/**
 * Takes the reports of all providers: to the event stream, the suppressions and late failover. Reports may come in any order, and
 * more than once: each status of a message is told once.
 */
export function createReportTaker(parts: HookParts): (received: ReceivedReport) => void {
  const { events, lateFailover, messageOwners, suppressions } = parts;
  const told = new LRUCache<string, readonly string[]>(atMost(MAX_TOLD));

  return (received) => {
    const { channel, idNamespace, transactionId, reference, report, status, code, reason, to } = received;
    const suppression = report.status === 'failed' ? suppressionReasonOf(report) : undefined;
    // Also for a message without late failover, for which the hook keeps nothing else.
    if (suppression !== undefined && to !== undefined) {
      void suppressions.add(to, received.planChannel ?? channel, suppression);
    }
    const emit = (owner: MessageOwner | undefined, key: string): void => {
      const before = told.get(key) ?? [];
      if (before.includes(status)) return;
      told.set(key, [...before, status]);
      events.emit({
        type: 'message.reported',
        ...owner?.user,
        transactionId: shownIdOf(key, owner),
        channel,
        report: received.reported,
        status,
        code,
        reason,
        remedy: report.status === 'failed' ? report.remedy : undefined,
      });
    };
    // No channel can name an attempt of another one.
    const attempt = reference === undefined ? undefined : messageKey(idNamespace, reference);
    const key =
      transactionId === undefined
        ? (lateFailover?.keyOf(attempt ?? '') ?? attempt ?? '')
        : messageKey(idNamespace, transactionId);
    if (lateFailover !== undefined) {
      lateFailover.report(key, report, { reference: attempt, onOwner: emit });
      return;
    }
    const owner = messageOwners.get(key) ?? messageOwners.get(attempt ?? '');
    if (report.status === 'delivered' && owner !== undefined) noteDelivered(owner, parts);
    emit(owner, key);
  };
}
