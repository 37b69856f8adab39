import twilio from 'twilio';
import { readObject } from '../../http/request.js';
import type { ReceivedMessage } from '../channel.js';
import type { TwilioPort } from './client.js';
import { CALL_SID, deliveryReportOf, meaningOf, MESSAGE_SID, PROVIDER_CODE } from './outcome.js';
import { E164 } from '../../numbers/phone-number.js';
import { KEYWORDS, type Keyword } from '../../texts/keywords.js';
import type { FormFields } from './signature.js';
import { twimlText } from './twiml-text.js';

/** Reads Twilio's webhooks: status callbacks and inbound messages. Their signature is already checked. */

const STATUS = /^[a-z]+([-_][a-z]+)*$/;

/** Reads a status callback of a message or a call; `undefined` if the form is not one. */
export function readStatusCallback(params: FormFields) {
  const callSid = first(params, 'CallSid');
  const isCall = callSid !== undefined && CALL_SID.test(callSid);
  const transactionId = isCall ? callSid : (first(params, 'MessageSid') ?? first(params, 'SmsSid'));
  if (transactionId === undefined || !(isCall || MESSAGE_SID.test(transactionId))) return undefined;
  const status = isCall
    ? first(params, 'CallStatus')
    : (first(params, 'MessageStatus') ?? first(params, 'SmsStatus'));
  if (status === undefined || !STATUS.test(status)) return undefined;
  const providerCode = readProviderCode(first(params, 'ErrorCode'));
  return {
    transactionId,
    /** `undefined` if the recipient is not a number. */
    to: readAddress(first(params, 'To'))?.number,
    /** WhatsApp's id of the recipient, if Twilio sends it. */
    externalUserId: readExternalUserId(params),
    /** `rcs` for a message that the hook sends as SMS and Twilio by RCS. */
    channel: isCall ? 'voice' : channelOf(params),
    status,
    /** On failures only. */
    providerCode,
    /** In our words; `undefined` if the code is not in our table. */
    meaning: providerCode === undefined ? undefined : meaningOf(Number(providerCode))?.reason,
    report: deliveryReportOf(status, providerCode),
  };
}

/** WhatsApp's id of a user with a username: a country, and an id for this business, which does not reveal the number. */
const EXTERNAL_USER_ID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;

/** Reads `From` or `To`: a number or WhatsApp id after the channel's prefix. SMS has no prefix. */
function readAddress(text: string | undefined):
  | {
      readonly channel: string;
      readonly number?: string | undefined;
      readonly id?: string | undefined;
    }
  | undefined {
  const [, prefix = 'sms', user = ''] = /^(?:(whatsapp|rcs):)?(\S+)$/i.exec(text?.trim() ?? '') ?? [];
  const channel = prefix.toLowerCase();
  if (E164.test(user)) return { channel, number: user };
  return channel === 'whatsapp' && EXTERNAL_USER_ID.test(user) ? { channel, id: user } : undefined;
}

/** Twilio's announcements have two names for this parameter. */
function readExternalUserId(params: FormFields): string | undefined {
  const id = first(params, 'ExternalUserId') ?? first(params, 'ExternalUserIdentifier');
  return id !== undefined && EXTERNAL_USER_ID.test(id) ? id : undefined;
}

/** Reads an inbound message; `undefined` if its sender is no user, such as a short code. */
export function readInbound(params: FormFields): ReceivedMessage | undefined {
  const messageId = first(params, 'MessageSid') ?? first(params, 'SmsSid');
  const sender = readAddress(first(params, 'From'));
  if (messageId === undefined || !MESSAGE_SID.test(messageId) || sender === undefined) return undefined;
  const repliedTo = first(params, 'OriginalRepliedMessageSid');
  return {
    messageId,
    channel: sender.channel,
    from: sender.number,
    externalUserId: sender.id ?? readExternalUserId(params),
    repliedTo: repliedTo !== undefined && MESSAGE_SID.test(repliedTo) ? repliedTo : undefined,
    text: first(params, 'Body') ?? '',
    isHandled: (first(params, 'OptOutType') ?? '') !== '',
  };
}

/**
 * The keyword that Twilio has recognised in a message. Only a Messaging Service with Advanced Opt-Out reports it. Its words
 * are set at Twilio, so the text does not show which keyword they mean.
 */
export function readOptOutType(params: FormFields): Keyword | undefined {
  const keyword = first(params, 'OptOutType')?.toLowerCase();
  return KEYWORDS.find((known) => known === keyword);
}

/** The limits of reading a message's recipient, and of connecting for it, milliseconds. */
const RECIPIENT_MS = 1_000;
const CONNECT_MS = 500;

/** Reads the number that one of our messages went to; `undefined` if Twilio does not say it in time. */
export async function fetchRecipient(
  twilio: Pick<TwilioPort, 'read'>,
  sid: string,
): Promise<string | undefined> {
  const result = await twilio.read((client) => client.messages(sid).fetch(), RECIPIENT_MS, CONNECT_MS);
  if (result.kind !== 'answered' || result.status !== 200) return undefined;
  const { direction, to } = readObject(result);
  const isOurs = typeof direction === 'string' && direction.startsWith('outbound');
  return isOurs && typeof to === 'string' ? readAddress(to)?.number : undefined;
}

/** TwiML that replies with a text, or with nothing. */
export function replyTwiml(text = ''): string {
  const response = new twilio.twiml.MessagingResponse();
  const reply = twimlText(text);
  if (reply !== '') response.message(reply);
  return response.toString();
}

/** The channel in the prefix of an address, such as `rcs:`, or in the parameter for it. An SMS has neither. */
function channelOf(params: FormFields): 'whatsapp' | 'rcs' | 'sms' {
  const addresses = ['To', 'From'].map((name) => /^(\w+):/.exec(first(params, name) ?? '')?.[1]);
  const prefixes = [...addresses, first(params, 'ChannelPrefix')].map((prefix) => prefix?.toLowerCase());
  return (['whatsapp', 'rcs'] as const).find((channel) => prefixes.includes(channel)) ?? 'sms';
}

/** Some old codes are words (`InvalidSandboxRequest`). Only their letters are kept, because the code is logged. */
function readProviderCode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (PROVIDER_CODE.test(trimmed)) return trimmed;
  const letters = trimmed.replace(/[^A-Za-z_]/g, '').slice(0, 40);
  return letters === '' ? undefined : letters;
}

function first(params: FormFields, name: string): string | undefined {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  return Array.isArray(value) ? value[0] : value;
}
