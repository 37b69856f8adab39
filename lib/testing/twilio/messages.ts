import { isObject, parseJson } from '../../core/json.js';
import { formOf, type RecordedRequest } from '../server/request.js';
import { randomSid } from '../server/random-ids.js';
import type { Mutable } from '../server/status-callbacks.js';
import type { EmulatedTemplate, TwilioContent } from './content.js';
import type { TwilioContext } from './context.js';
import { refuse, type TwilioError } from './errors.js';
import { isCallbackUrl, isE164, readAddress } from './formats.js';
import { RCS_SENDER } from './senders.js';
import { renderTemplate } from './templates.js';

/**
 * A message that Twilio accepted. Its status is first `queued` or `accepted`, then `sent`, `delivered`, `failed` or
 * `undelivered`. Its numbers have no `whatsapp:` or `rcs:`.
 */
export interface EmulatedMessage {
  /** `rcs` if the Messaging Service sends it by RCS. Phones show it in the app of their SMS. */
  readonly channel: 'sms' | 'whatsapp' | 'rcs';
  readonly sid: string;
  /** E.164. For a Messaging Service, the number or the RCS sender that it chose. */
  readonly from: string;
  /** E.164. */
  readonly to: string;
  /** The current one. */
  readonly status: string;
  /** Twilio's error code, if it failed after it was accepted. */
  readonly errorCode: number | undefined;
  readonly statusCallback: string | undefined;
  /** Milliseconds by the emulator's clock. */
  readonly createdAt: number;
  /** When its status last changed. */
  readonly updatedAt: number;
  readonly messagingServiceSid: string | undefined;
  /** The sender of the SMS to a phone without RCS. */
  readonly fallbackFrom: string | undefined;
  /** Free text; `undefined` for a template. */
  readonly body: string | undefined;
  readonly contentSid: string | undefined;
  /** The template's variables, read from their JSON. */
  readonly contentVariables: Readonly<Record<string, string>> | undefined;
  /** The text on the phone: the free text, or the template with its variables. A missing variable is replaced by its sample. */
  readonly text: string;
  /** Seconds. */
  readonly validityPeriod: number | undefined;
  readonly provideFeedback: boolean;
  readonly smartEncoded: boolean;
  /** With `discard`, its resource has no body after it was sent. */
  readonly contentRetention: 'retain' | 'discard' | undefined;
  /** With `obfuscate`, its resource has `XXXX` as the end of `to` after it was sent. */
  readonly addressRetention: 'retain' | 'obfuscate' | undefined;
  /** The feedback that was posted for it. */
  readonly feedback: string | undefined;
}

/** The outcome of a message, as its sender reported it to Twilio. */
export interface EmulatedFeedback {
  readonly messageSid: string;
  readonly outcome: 'confirmed' | 'unconfirmed';
  /** Milliseconds by the emulator's clock. */
  readonly at: number;
}

const MAX_BODY = 1600;
const MAX_VALIDITY_SECONDS = 36_000;

/** Reads the parameters of `POST Messages.json`. Returns a message with its template, or Twilio's refusal. */
export function readMessage(
  request: RecordedRequest,
  { senders, recipients, smsNumber, messagingServiceSid: rcsServiceSid, clock }: TwilioContext,
  content: TwilioContent,
):
  | { readonly message: Mutable<EmulatedMessage>; readonly template: EmulatedTemplate | undefined }
  | { readonly error: TwilioError } {
  const field = formOf(request);
  const toText = field('To');
  if (toText === undefined) return refuse(21604, "A 'To' phone number is required.");
  const fromText = field('From');
  const service = field('MessagingServiceSid');
  if (service === undefined && field('FallbackFrom') !== undefined && fromText === undefined) {
    return refuse(21666, "'FallbackFrom' requires a 'MessagingServiceSid'.");
  }
  if (fromText === undefined && service === undefined) {
    return refuse(21603, "A 'From' phone number or a 'MessagingServiceSid' is required.");
  }
  const body = field('Body');
  const contentSid = field('ContentSid');
  if (body === undefined && contentSid === undefined) return refuse(21602, 'Message body is required.');
  if (body !== undefined && Array.from(body).length > MAX_BODY) {
    return refuse(21617, `The concatenated message body exceeds the ${MAX_BODY} character limit.`);
  }
  const variablesText = field('ContentVariables');
  if (contentSid === undefined && variablesText !== undefined) {
    return refuse(21654, 'ContentVariables need a ContentSid.');
  }
  const contentVariables = variablesText === undefined ? {} : readVariables(variablesText);
  if (contentVariables === undefined) return refuse(21656, 'The ContentVariables parameter is invalid.');
  const template = contentSid === undefined ? undefined : content.find(contentSid, contentVariables);
  if (contentSid !== undefined && (template === undefined || !/^HX[\da-f]{32}$/i.test(contentSid))) {
    return refuse(21655, 'The ContentSid is invalid.');
  }

  const to = readAddress(toText);
  const from = fromText === undefined ? undefined : readAddress(fromText);
  if (from !== undefined && from.isWhatsApp !== to.isWhatsApp) {
    return refuse(21910, 'The From and To pair are not of the same channel.');
  }
  if (!isE164(to.number)) {
    return refuse(21211, `The 'To' number ${to.number} is not a valid phone number.`);
  }
  if (service !== undefined && !senders.hasService(service)) {
    return refuse(21701, 'The Messaging Service does not exist.');
  }
  const fallbackFrom = field('FallbackFrom');
  if (fallbackFrom !== undefined) {
    if (fromText !== undefined) return refuse(21664, "'FallbackFrom' cannot be used with a 'From' sender.");
    const isSender = senders.refuseMessageFrom({ isWhatsApp: false, number: fallbackFrom }) === undefined;
    if (!isSender || fallbackFrom === service) return refuse(21665, "Invalid 'FallbackFrom' sender.");
    if (service !== rcsServiceSid) return refuse(21667, 'The Messaging Service has no RCS sender.');
  }
  if (from === undefined && to.isWhatsApp) {
    return refuse(21703, 'The Messaging Service has no sender for this channel.');
  }
  const senderError = from === undefined ? undefined : senders.refuseMessageFrom(from);
  if (senderError !== undefined) return { error: senderError };
  if (from?.number === to.number) return refuse(21266, "'To' and 'From' number cannot be the same.");
  const smsFrom = from?.number ?? fallbackFrom ?? smsNumber;
  const recipientError =
    (to.isWhatsApp ? undefined : senders.refuseTo('sms', to.number)) ?? recipients.refuseMessage(to, smsFrom);
  if (recipientError !== undefined) return { error: recipientError };

  const statusCallback = field('StatusCallback');
  if (statusCallback !== undefined && !isCallbackUrl(statusCallback)) {
    return refuse(21609, `The 'StatusCallback' URL ${statusCallback} is not a valid URL.`);
  }
  const validity = field('ValidityPeriod');
  if (validity !== undefined && !isValidity(validity)) {
    return refuse(21624, `The ValidityPeriod must be an integer between 1 and ${MAX_VALIDITY_SECONDS}.`);
  }
  const contentRetention = field('ContentRetention');
  if (!isOneOf(contentRetention, 'retain', 'discard')) return refuse(30029, 'Invalid ContentRetention.');
  const addressRetention = field('AddressRetention');
  if (!isOneOf(addressRetention, 'retain', 'obfuscate')) return refuse(30030, 'Invalid AddressRetention.');
  const isRcs = from === undefined && service === rcsServiceSid && recipients.hasRcs(to.number);
  const now = clock();
  return {
    template,
    message: {
      sid: randomSid('SM'),
      channel: to.isWhatsApp ? 'whatsapp' : isRcs ? 'rcs' : 'sms',
      from: isRcs ? RCS_SENDER : smsFrom,
      to: to.number,
      messagingServiceSid: service,
      fallbackFrom,
      body,
      contentSid,
      contentVariables: contentSid === undefined ? undefined : contentVariables,
      text: template === undefined ? (body ?? '') : renderTemplate(template, contentVariables).text,
      status: service === undefined ? 'queued' : 'accepted',
      errorCode: undefined,
      statusCallback,
      validityPeriod: validity === undefined ? undefined : Number(validity),
      provideFeedback: isTrue(field('ProvideFeedback')),
      smartEncoded: isTrue(field('SmartEncoded')),
      contentRetention,
      addressRetention,
      feedback: undefined,
      createdAt: now,
      updatedAt: now,
    },
  };
}

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true';

/** Whether a parameter has one of its values, or is left out. */
function isOneOf<Value extends string>(
  text: string | undefined,
  ...values: readonly Value[]
): text is Value | undefined {
  return text === undefined || values.some((value) => value === text);
}

function isValidity(text: string): boolean {
  const seconds = Number(text);
  return /^\d{1,5}$/.test(text) && seconds >= 1 && seconds <= MAX_VALIDITY_SECONDS;
}

function readVariables(text: string): Record<string, string> | undefined {
  const variables = parseJson(text);
  if (!isObject(variables)) return undefined;
  const entries = Object.entries(variables);
  const isText = entries.every((entry): entry is [string, string] => typeof entry[1] === 'string');
  return isText ? Object.fromEntries(entries) : undefined;
}
