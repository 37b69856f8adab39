import twilio from 'twilio';
import type { DeliveryReport } from '../../core/channel.js';
import { CALL_SID, deliveryReportOf, MESSAGE_SID, PROVIDER_CODE } from './outcome.js';
import { meaningOf } from './refusals.js';
import type { FormFields } from './signature.js';

/** What Twilio reports of a message or a call. */
export interface StatusCallback {
  /** The id that Twilio gave when it accepted the message or call. */
  readonly transactionId: string;
  readonly channel: 'whatsapp' | 'sms' | 'voice';
  /** E.164; `undefined` where it is none. */
  readonly to: string | undefined;
  /** WhatsApp's id of the recipient, where Twilio tells it. */
  readonly externalUserId?: string | undefined;
  /** Twilio's word for it, e.g. `delivered`, `undelivered`, `no-answer`. */
  readonly status: string;
  /** Twilio's error code, on failures only. */
  readonly providerCode: string | undefined;
  /** What the code means, in our words; `undefined` for one that is not in our table. */
  readonly meaning: string | undefined;
  /** What that means for the plan. */
  readonly report: DeliveryReport;
}

const STATUS = /^[a-z]+([-_][a-z]+)*$/;

/** A status callback of a message or a call; `undefined` for a body that is neither. */
export function readStatusCallback(params: FormFields): StatusCallback | undefined {
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
    to: readAddress(first(params, 'To'))?.number,
    externalUserId: readExternalUserId(params),
    channel: isCall ? 'voice' : isWhatsApp(params) ? 'whatsapp' : 'sms',
    status,
    providerCode,
    meaning: providerCode === undefined ? undefined : meaningOf(Number(providerCode)),
    report: deliveryReportOf(status, providerCode),
  };
}

/** What somebody wrote to one of our senders. */
export interface ReceivedMessage {
  /** Twilio's id of it. */
  readonly messageId: string;
  readonly channel: 'whatsapp' | 'sms' | 'rcs';
  /** Who wrote it, E.164; not there where WhatsApp shows their id alone and nothing has told whose it is. */
  readonly from?: string | undefined;
  /** WhatsApp's id of who wrote it, such as `US.13491208655302741918`, where it shows one: the same for all they write to this business. */
  readonly externalUserId?: string | undefined;
  /** Twilio's id of the message that they replied to. */
  readonly repliedTo?: string | undefined;
  /** What they wrote, as it came. */
  readonly text: string;
  /** An SMS whose word Twilio has understood and answered itself. */
  readonly isHandled: boolean;
}

/** Of a user who has a username: a country, and what the business knows them by, which tells no number. */
const EXTERNAL_USER_ID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;

/** Who a message is from, or to: somebody's number or id behind the name of the channel, which SMS has none of. */
export function readAddress(text: string | undefined):
  | {
      readonly channel: ReceivedMessage['channel'];
      readonly number?: string | undefined;
      readonly id?: string | undefined;
    }
  | undefined {
  const [, prefix = 'sms', user = ''] = /^(?:(whatsapp|rcs):)?(\S+)$/i.exec(text?.trim() ?? '') ?? [];
  const channel = prefix.toLowerCase() as ReceivedMessage['channel'];
  if (/^\+[1-9]\d{6,14}$/.test(user)) return { channel, number: user };
  return channel === 'whatsapp' && EXTERNAL_USER_ID.test(user) ? { channel, id: user } : undefined;
}

/** Beside a number, or in its place. Twilio's announcements have two names for it. */
function readExternalUserId(params: FormFields): string | undefined {
  const id = first(params, 'ExternalUserId') ?? first(params, 'ExternalUserIdentifier');
  return id !== undefined && EXTERNAL_USER_ID.test(id) ? id : undefined;
}

/** What the inbound webhook of a number tells; `undefined` for what comes from nobody, such as a short code. */
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
    // Of a Messaging Service with Advanced Opt-Out, whose words are its own.
    isHandled: (first(params, 'OptOutType') ?? '') !== '',
  };
}

/** TwiML that answers with a message, or with nothing. */
export function replyTwiml(text: string | undefined): string {
  const response = new twilio.twiml.MessagingResponse();
  if (text !== undefined) response.message(text);
  return response.toString();
}

function isWhatsApp(params: FormFields): boolean {
  return (
    ['To', 'From'].some((name) => first(params, name)?.toLowerCase().startsWith('whatsapp:')) ||
    first(params, 'ChannelPrefix')?.toLowerCase() === 'whatsapp'
  );
}

/** Some codes were words once (`InvalidSandboxRequest`); of those only letters are kept, since it is logged. */
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
