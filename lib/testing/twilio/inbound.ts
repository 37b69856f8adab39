import { randomSid } from '../server/random-ids.js';
import type { TwilioContext } from './context.js';
import { addressOf, API_VERSION } from './formats.js';
import { messagesOfTwiml } from './spoken-twiml.js';
import { postWebhook, signWebhook, type WebhookAnswer } from './webhook.js';

/** A message from a person to a number of the account, for `receive`. */
export interface InboundMessage {
  /** The person's phone, E.164. */
  readonly from: string;
  readonly body: string;
  /** Default: `sms`. */
  readonly channel?: 'sms' | 'whatsapp' | undefined;
  /** The recipient. Default: `smsNumber`, or `sandboxNumber`. */
  readonly to?: string | undefined;
  /** The inbound webhook of that number. Default: none, only Twilio reacts. */
  readonly url?: string | undefined;
  /** WhatsApp's id of the person, such as `US.13491208655302741918`. Default: none. */
  readonly externalUserId?: string | undefined;
  /** Whether WhatsApp shows `externalUserId` in place of the number, as for people with a username. Default: `false`. */
  readonly isNumberHidden?: boolean | undefined;
  /** The SID of the WhatsApp message that they reply to. Default: none. */
  readonly repliesTo?: string | undefined;
  /**
   * More parameters of the webhook, e.g. `ButtonPayload`, or other values, e.g. `From: 'rcs:+44…'`.
   */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** The result of an inbound message. */
export interface EmulatedInbound {
  readonly sid: string;
  readonly channel: 'sms' | 'whatsapp';
  readonly from: string;
  readonly to: string;
  readonly body: string;
  /** Whether it went to the webhook. Without a `url` it does not, and the sandbox keeps its own keywords. */
  readonly isForwarded: boolean;
  readonly url: string | undefined;
  /** The form that the webhook is posted. */
  readonly params: Readonly<Record<string, string>>;
  /** Its `X-Twilio-Signature`; empty without a `url`. */
  readonly signature: string;
  /** The webhook's answer; `undefined` if there is none. */
  readonly answer: WebhookAnswer | undefined;
  /** When it was sent, milliseconds by the emulator's clock. */
  readonly at: number;
  /** The replies on the phone, from Twilio and from the webhook's TwiML. */
  readonly replies: readonly string[];
}

/** The keywords that Twilio handles in an SMS, from its page on opt-out keywords. */
const STOP = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT']);
const START = new Set(['START', 'YES', 'UNSTOP']);

export class TwilioInbound {
  readonly received: EmulatedInbound[] = [];
  readonly #context: TwilioContext;

  constructor(context: TwilioContext) {
    this.#context = context;
  }

  async receive(message: InboundMessage): Promise<EmulatedInbound> {
    const { from, body, channel = 'sms', url } = message;
    const { senders, sandboxNumber, smsNumber, sessions, authToken, recipients, phones, clock } =
      this.#context;
    const isWhatsApp = channel === 'whatsapp';
    const to = message.to ?? (isWhatsApp ? sandboxNumber : smsNumber);
    if (!senders.canReceive({ isWhatsApp, number: to })) {
      throw new Error(`${to} receives no ${isWhatsApp ? 'WhatsApp messages' : 'SMS'} for this account.`);
    }
    const sid = randomSid('SM');
    const at = clock();
    const params = {
      ...this.#paramsOf(message, sid, to),
      ...(isWhatsApp ? whatsAppParamsOf(message, to) : {}),
      ...message.params,
    };
    const own = isWhatsApp ? this.#reactOnWhatsApp(from, to, body) : this.#reactOnSms(from, to, body);
    if (isWhatsApp && sessions.isReachable(from, to)) sessions.wrote(from, to);
    const isForwarded = url !== undefined && own.isForwarded;
    const answer = isForwarded ? await postWebhook(this.#context, url, params) : undefined;
    // After STOP the phone gets Twilio's reply and no other.
    const isSilenced = !isWhatsApp && recipients.hasOptedOut(from, to);
    const replies = [...own.replies, ...(isSilenced ? [] : repliesOf(answer))];
    const signature = url === undefined ? '' : signWebhook(authToken, url, params);
    const received: EmulatedInbound = {
      sid,
      channel,
      from,
      to,
      body,
      isForwarded,
      url,
      params,
      signature,
      answer,
      at,
      replies,
    };
    // Added before its replies, so that a listener sees the message that they answer.
    this.received.push(received);
    for (const text of replies) phones.deliver(from, { channel, text, at: clock(), sid: randomSid('SM') });
    return received;
  }

  #reactOnSms(from: string, to: string, body: string): Reaction {
    const { recipients } = this.#context;
    const word = body.trim().toUpperCase();
    if (STOP.has(word) && recipients.optOut(from, to)) {
      return forward('You will get no more messages. Reply START to resubscribe.');
    }
    if (START.has(word) && recipients.optIn(from, to)) {
      return forward('You will get messages from this number again.');
    }
    return forward();
  }

  /** On WhatsApp, Twilio handles only the sandbox's keywords. */
  #reactOnWhatsApp(from: string, to: string, body: string): Reaction {
    const { sandboxNumber, joinCode, sessions } = this.#context;
    if (to !== sandboxNumber) return forward();
    const word = body.trim().toLowerCase();
    if (word === `join ${joinCode}`) {
      sessions.join(from);
      return keep('You have joined the sandbox. Reply stop to leave it.');
    }
    if (!sessions.isReachable(from, to)) {
      return keep(`You are not in this sandbox. Send join ${joinCode} to join it.`);
    }
    if (word !== 'stop') return forward();
    sessions.leave(from);
    return forward(`You have left the sandbox. Send join ${joinCode} to join it again.`);
  }

  #paramsOf(
    { from, body, channel = 'sms' }: InboundMessage,
    sid: string,
    to: string,
  ): Record<string, string> {
    const { accountSid, smsNumber, messagingServiceSid } = this.#context;
    return {
      AccountSid: accountSid,
      ApiVersion: API_VERSION,
      Body: body,
      From: addressOf(channel, from),
      MessageSid: sid,
      NumMedia: '0',
      NumSegments: '1',
      SmsMessageSid: sid,
      SmsSid: sid,
      SmsStatus: 'received',
      To: addressOf(channel, to),
      ...(channel === 'sms' && to === smsNumber ? { MessagingServiceSid: messagingServiceSid } : {}),
    };
  }
}

function whatsAppParamsOf(
  { from, externalUserId, isNumberHidden = false, repliesTo }: InboundMessage,
  to: string,
): Record<string, string> {
  const isHidden = isNumberHidden && externalUserId !== undefined;
  return {
    MessageType: 'text',
    ProfileName: 'Somebody',
    ...(isHidden ? { From: `whatsapp:${externalUserId}` } : { WaId: from.slice(1) }),
    ...(externalUserId === undefined ? {} : { ExternalUserId: externalUserId }),
    ...(repliesTo === undefined
      ? {}
      : { OriginalRepliedMessageSid: repliesTo, OriginalRepliedMessageSender: `whatsapp:${to}` }),
  };
}

interface Reaction {
  readonly replies: readonly string[];
  readonly isForwarded: boolean;
}

/** The message goes to the webhook, too. */
function forward(...replies: readonly string[]): Reaction {
  return { replies, isForwarded: true };
}

function keep(...replies: readonly string[]): Reaction {
  return { replies, isForwarded: false };
}

/** The replies in TwiML. Another content type and a failure give none. */
function repliesOf(answer: WebhookAnswer | undefined): readonly string[] {
  if (answer === undefined || answer.status < 200 || answer.status > 299) return [];
  return /\bxml\b/i.test(answer.contentType) ? (messagesOfTwiml(answer.body) ?? []) : [];
}
