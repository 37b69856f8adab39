import twilio from 'twilio';
import type { DeliveryReport } from '../delivery/channel.js';
import { deliveryReportOf } from './delivery-report.js';
import { meaningOf } from './error-codes.js';
import { CALL_SID, MESSAGE_SID, PROVIDER_CODE } from './outcome.js';

/** A form-encoded body as it came: a name that was repeated has all its values. */
export type FormFields = Readonly<Record<string, string | string[]>>;

/** What Twilio reports of a message or a call. */
export interface StatusCallback {
  /** The id that Twilio gave when it accepted the message or call. */
  readonly transactionId: string;
  readonly channel: 'whatsapp' | 'sms' | 'voice';
  /** E.164; `undefined` where it is none. */
  readonly to: string | undefined;
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

/**
 * True if Twilio has signed a webhook with one of the tokens. Tokens are several while one is being replaced.
 *
 * @param parts.url the URL as Twilio was told it, never one put together from what a request says of its host
 * @param parts.signature the `X-Twilio-Signature` header
 */
export function isSignedByTwilio(parts: {
  readonly authTokens: readonly string[];
  readonly url: string;
  readonly signature: string | undefined;
  readonly params: FormFields;
}): boolean {
  const { authTokens, url, signature, params } = parts;
  if (signature === undefined || signature === '') return false;
  return authTokens.some((token) => {
    // Anybody can sign with an empty token.
    if (token === '') return false;
    try {
      return twilio.validateRequest(token, signature, url, params);
    } catch {
      return false;
    }
  });
}

/** The `X-Twilio-Signature` of a form, as Twilio makes it; `url` is the one that Twilio was told. */
export function signWebhook(parts: {
  readonly authToken: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
}): string {
  return twilio.getExpectedTwilioSignature(parts.authToken, parts.url, parts.params);
}

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
    to: ADDRESS.exec(first(params, 'To')?.trim() ?? '')?.[2],
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
  readonly channel: 'whatsapp' | 'sms';
  /** Who wrote it, E.164. */
  readonly from: string;
  /** What they wrote, as it came. */
  readonly text: string;
  /** An SMS whose word Twilio has understood and answered itself. */
  readonly isHandled: boolean;
}

const ADDRESS = /^(?:(whatsapp):)?(\+[1-9]\d{6,14})$/i;

/** What the inbound webhook of a number tells; `undefined` for what comes from no phone, such as a short code. */
export function readInbound(params: FormFields): ReceivedMessage | undefined {
  const messageId = first(params, 'MessageSid') ?? first(params, 'SmsSid');
  const [, whatsApp, from] = ADDRESS.exec(first(params, 'From')?.trim() ?? '') ?? [];
  if (messageId === undefined || !MESSAGE_SID.test(messageId) || from === undefined) return undefined;
  const channel = whatsApp === undefined ? 'sms' : 'whatsapp';
  // Of a Messaging Service with Advanced Opt-Out, whose words are its own.
  const isHandled = (first(params, 'OptOutType') ?? '') !== '';
  return { messageId, channel, from, text: first(params, 'Body') ?? '', isHandled };
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
