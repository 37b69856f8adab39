import type { HookParts } from '../call.js';
import { type MessageOwner, messageKey } from '../../delivery/messages/receipt.js';
import { suppressionReasonOf } from '../../delivery/suppressions.js';
import { shuttingDown } from '../../core/request-error.js';
import { answer } from '../../http/exchange.js';
import type { Route } from '../../http/routes.js';
import { STATUS_PATH } from '../../options/settings.js';
import { readSignedForm } from './signed-form.js';
import { attemptQuery, readAttemptQuery } from '../../channels/twilio/status-callbacks.js';
import type { TwilioPort } from '../../channels/twilio/client.js';
import { SID_NAMESPACE } from '../../channels/twilio/outcome.js';
import { readStatusCallback } from '../../channels/twilio/webhooks.js';

/** The statuses of a call that was not picked up: it delivered no code, but no other channel follows. */
const NOT_PICKED_UP: ReadonlySet<string> = new Set(['busy', 'no-answer']);

/**
 * The route for Twilio's status callbacks: checks the signature, then reports the status to the event stream, the
 * suppressions and late failover.
 */
export function recordDelivery(parts: HookParts, twilio: Pick<TwilioPort, 'callbacks'>): Route['handle'] {
  const { events, lateFailover, messageOwners, suppressions, underWay } = parts;

  return async (req, res) => {
    const reference = readAttemptQuery(req.url);
    const query = reference === undefined ? '' : attemptQuery(reference);
    const params = await readSignedForm(req, STATUS_PATH + query, parts);
    // Until then, reports still decide about sends under way.
    if (underWay.isDrained) throw shuttingDown();
    answer(req, res, 204, undefined);
    const callback = readStatusCallback(params);
    if (callback === undefined) return;
    twilio.callbacks.came();
    const { transactionId, channel, status, providerCode: code, meaning: reason, report } = callback;
    const { to, externalUserId } = callback;
    if (to !== undefined && externalUserId !== undefined) void suppressions.pair(externalUserId, to);
    const suppression = report.status === 'failed' ? suppressionReasonOf(report) : undefined;
    // Also for a message without late failover, for which the hook keeps nothing else.
    if (suppression !== undefined && to !== undefined) void suppressions.add(to, channel, suppression);
    const emitReported = (owner: MessageOwner | undefined): void => {
      events.emit({
        type: 'message.reported',
        ...owner,
        transactionId,
        channel,
        report: NOT_PICKED_UP.has(status) ? 'failed' : report.status,
        status,
        code,
        reason,
        remedy: report.status === 'failed' ? report.remedy : undefined,
      });
    };
    const key = messageKey(SID_NAMESPACE, transactionId);
    if (lateFailover === undefined)
      emitReported(messageOwners.get(key) ?? messageOwners.get(reference ?? ''));
    else lateFailover.report(key, report, { reference, onOwner: emitReported });
  };
}
