import type { HookParts } from '../call.js';
import { shuttingDown } from '../../core/request-error.js';
import { answer, answerText } from '../../http/exchange.js';
import type { Route } from '../../http/routes.js';
import { STATUS_PATH } from '../../options/settings.js';
import { isTwilioWord } from '../../texts/keywords.js';
import { attemptQuery, readAttemptQuery } from '../../channels/twilio/status-callbacks.js';
import type { TwilioPort } from '../../channels/twilio/client.js';
import { SID_NAMESPACE } from '../../channels/twilio/outcome.js';
import {
  fetchRecipient,
  readInbound,
  readOptOutType,
  readStatusCallback,
  replyTwiml,
} from '../../channels/twilio/webhooks.js';
import type { Inbox } from './inbox.js';
import type { ReceivedReport } from './reports.js';
import { queryIn, readSignedForm } from './signed-form.js';

/** The routes of Twilio's callbacks, which are the same for all its channels. Each checks the signature. */

/** The path of the route for messages of users, after `publicUrl`. */
export const INBOUND_PATH = '/twilio/inbound';

/** The statuses of a call that was not picked up: it delivered no code, but no other channel follows. */
const NOT_PICKED_UP: ReadonlySet<string> = new Set(['busy', 'no-answer']);

/** The route for the statuses of messages and calls. */
export function recordDelivery(
  parts: HookParts,
  twilio: Pick<TwilioPort, 'callbacks'>,
  takeReport: (received: ReceivedReport) => void,
): Route['handle'] {
  const { suppressions, underWay } = parts;
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
    const { transactionId, channel, status, report, to, externalUserId } = callback;
    if (to !== undefined && externalUserId !== undefined) void suppressions.pair(externalUserId, to);
    takeReport({
      channel,
      planChannel: planChannelOf(channel),
      idNamespace: SID_NAMESPACE,
      transactionId,
      reference,
      report,
      status,
      reported: NOT_PICKED_UP.has(status) ? 'failed' : report.status,
      code: callback.providerCode,
      reason: callback.meaning,
      to,
    });
  };
}

/** Twilio delivers an SMS by RCS if the Messaging Service has an RCS sender and the phone supports it. */
function planChannelOf(channel: string): string {
  return channel === 'rcs' ? 'sms' : channel;
}

/**
 * The route for the messages of users. For SMS, Twilio keeps the opt-outs and refuses the messages; for RCS it may, with the same
 * keywords. It replies to these itself.
 */
export function receiveTwilioMessages(
  parts: HookParts,
  twilio: Pick<TwilioPort, 'read'>,
  inbox: Inbox,
): Route['handle'] {
  return async (req, res) => {
    // The URL at Twilio may have a query.
    const form = await readSignedForm(req, INBOUND_PATH + queryIn(req.url), parts);
    inbox.requireOpen();
    const message = readInbound(form);
    let reply: string | undefined;
    if (message !== undefined) {
      const { channel, text, isHandled, repliedTo } = message;
      const isWord = isHandled || isTwilioWord(text);
      reply = await inbox.receive(message, {
        idNamespace: SID_NAMESPACE,
        planChannel: planChannelOf(channel),
        keepsStop: channel === 'whatsapp' || (channel === 'rcs' && isWord),
        replies: channel === 'whatsapp' ? 'all' : isWord ? 'none' : 'unknown words',
        keyword: readOptOutType(form),
        findNumber: async () => (repliedTo === undefined ? undefined : fetchRecipient(twilio, repliedTo)),
      });
    }
    answerText(req, res, { status: 200, type: 'text/xml; charset=utf-8', text: replyTwiml(reply) });
  };
}
