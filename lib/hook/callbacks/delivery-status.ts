import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HookParts } from '../parts.js';
import { messageKey } from '../../delivery/late/report.js';
import { suppressionReasonOf } from '../../delivery/suppressions.js';
import { answer, asyncHandler } from '../../http/exchange.js';
import { STATUS_PATH } from '../../options/settings.js';
import { readSignedForm } from './signed-form.js';
import { SID_NAMESPACE } from '../../channels/twilio/outcome.js';
import { readStatusCallback } from '../../channels/twilio/webhooks.js';

/** The route that Twilio tells what became of a message. */

/** Checks the signature, and tells the stream and late failover. */
export function recordDelivery(parts: HookParts): ReturnType<typeof asyncHandler> {
  const { events, lateFailover, twilioCallbacks, suppressions } = parts;

  const record = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const params = await readSignedForm(req, STATUS_PATH, parts);
    answer(req, res, 204, undefined);
    const delivered = readStatusCallback(params);
    if (delivered === undefined) return;
    twilioCallbacks.came();
    const { transactionId, channel, status, providerCode: code, meaning: reason, report } = delivered;
    const { to, externalUserId } = delivered;
    if (to !== undefined && externalUserId !== undefined) void suppressions.pair(externalUserId, to);
    events.emit({
      type: 'message.status',
      transactionId,
      channel,
      status,
      code,
      reason,
      remedy: report.status === 'failed' ? report.remedy : undefined,
    });
    const suppression = report.status === 'failed' ? suppressionReasonOf(report) : undefined;
    // Also of a message that nothing could follow, of which nothing else is kept.
    if (suppression !== undefined && to !== undefined) void suppressions.add(to, channel, suppression);
    lateFailover?.report(messageKey(SID_NAMESPACE, transactionId), report);
  };

  return asyncHandler(record, 'a callback');
}
