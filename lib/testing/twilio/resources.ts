import type { EmulatedCall } from './calls.js';
import type { EmulatedFeedback, EmulatedMessage } from './messages.js';
import { addressOf, API_VERSION, twilioDate } from './formats.js';

export function messageResource(message: EmulatedMessage, accountSid: string): object {
  const isUnassigned = message.status === 'accepted';
  const hasLeft = ['sent', 'delivered', 'read', 'failed', 'undelivered'].includes(message.status);
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: message.text,
    date_created: twilioDate(message.createdAt),
    date_sent: hasLeft ? twilioDate(message.createdAt) : null,
    date_updated: twilioDate(message.updatedAt),
    direction: 'outbound-api',
    error_code: message.errorCode ?? null,
    error_message: message.errorCode === undefined ? null : `Error ${message.errorCode}`,
    from: isUnassigned ? null : addressOf(message.channel, message.from),
    messaging_service_sid: message.messagingServiceSid ?? null,
    num_media: '0',
    num_segments: isUnassigned ? '0' : '1',
    price: null,
    price_unit: isUnassigned ? null : 'USD',
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${uri}/Media.json` },
    to: addressOf(message.channel, message.to),
    uri: `${uri}.json`,
  };
}

export function feedbackResource(feedback: EmulatedFeedback, accountSid: string): object {
  return {
    account_sid: accountSid,
    date_created: twilioDate(feedback.at),
    date_updated: twilioDate(feedback.at),
    message_sid: feedback.messageSid,
    outcome: feedback.outcome,
    uri: `/${API_VERSION}/Accounts/${accountSid}/Messages/${feedback.messageSid}/Feedback.json`,
  };
}

/** The Call resource, without the TwiML. */
export function callResource(call: EmulatedCall, accountSid: string): object {
  const uri = `/${API_VERSION}/Accounts/${accountSid}/Calls/${call.sid}`;
  const isOver = call.status === 'completed' || call.status === 'failed';
  return {
    account_sid: accountSid,
    answered_by: null,
    api_version: API_VERSION,
    caller_name: null,
    date_created: isOver ? twilioDate(call.createdAt) : null,
    date_updated: isOver ? twilioDate(call.updatedAt) : null,
    direction: 'outbound-api',
    duration: isOver ? '0' : null,
    end_time: isOver ? twilioDate(call.updatedAt) : null,
    forwarded_from: null,
    from: call.from,
    from_formatted: call.from,
    group_sid: null,
    parent_call_sid: null,
    phone_number_sid: null,
    price: null,
    price_unit: 'USD',
    queue_time: '0',
    sid: call.sid,
    start_time: isOver ? twilioDate(call.createdAt) : null,
    status: call.status,
    subresource_uris: Object.fromEntries(
      ['Notifications', 'Recordings', 'Payments', 'Events', 'Siprec', 'Streams', 'Transcriptions'].map(
        (name) => [name.toLowerCase(), `${uri}/${name}.json`],
      ),
    ),
    to: call.to,
    to_formatted: call.to,
    trunk_sid: null,
    uri: `${uri}.json`,
  };
}
