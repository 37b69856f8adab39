import { requireKeys } from '../server/faults.js';
import { appOf } from '../server/phones.js';
import { randomSid } from '../server/random-ids.js';
import type { TwilioContext } from './context.js';
import { addressOf, API_VERSION } from './formats.js';
import { RCS_SENDER } from './senders.js';
import { messagesOfTwiml } from './spoken-twiml.js';
import { postWebhook, signWebhook, type WebhookAnswer } from './webhook.js';

/** A message from a person to a number of the account, for `receive`. */
export interface InboundMessage {
  /** The person's phone, E.164. */
  readonly from: string;
  readonly body: string;
  /** Default: `sms`. */
  readonly channel?: 'sms' | 'whatsapp' | 'rcs' | undefined;
  /** The recipient. Default: `smsNumber`, `sandboxNumber`, or the RCS sender of the Messaging Service. */
  readonly to?: string | undefined;
  /** The inbound webhook of that number. Default: none, only Twilio reacts. */
  readonly url?: string | undefined;
  /** WhatsApp's id of the person, such as `US.13491208655302741918`. Default: none. */
  readonly externalUserId?: string | undefined;
  /** Whether WhatsApp shows `externalUserId` in place of the number, as for people with a username. Default: `false`. */
  readonly isNumberHidden?: boolean | undefined;
  /** The SID of the WhatsApp message that they reply to. Default: none. */
  readonly repliesTo?: string | undefined;
  /** More parameters of the webhook, e.g. `ButtonPayload`, or other values. */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/** The result of an inbound message. */
export interface EmulatedInbound {
  readonly sid: string;
  readonly channel: 'sms' | 'whatsapp' | 'rcs';
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

/**
 * Words of the Messaging Service, for `setAdvancedOptOut`. Twilio's own words count as well. A word is the whole message, in
 * any case.
 */
export interface AdvancedOptOut {
  readonly stop?: readonly string[] | undefined;
  readonly start?: readonly string[] | undefined;
  readonly help?: readonly string[] | undefined;
}

/** The keywords that Twilio handles in an SMS, from its page on opt-out keywords. */
const TWILIO_KEYWORDS = {
  stop: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'],
  start: ['START', 'YES', 'UNSTOP'],
  help: ['HELP', 'INFO'],
} as const;
type Keyword = keyof typeof TWILIO_KEYWORDS;
const KEYWORDS = ['stop', 'start', 'help'] as const satisfies readonly Keyword[];

export class TwilioInbound {
  readonly received: EmulatedInbound[] = [];
  readonly #context: TwilioContext;
  #advancedOptOut: AdvancedOptOut | undefined;

  constructor(context: TwilioContext) {
    this.#context = context;
  }

  async receive(message: InboundMessage): Promise<EmulatedInbound> {
    const { from, body, channel = 'sms', url } = message;
    const { senders, sandboxNumber, smsNumber, sessions, authToken, recipients, phones, clock } =
      this.#context;
    const isWhatsApp = channel === 'whatsapp';
    const to = message.to ?? { sms: smsNumber, whatsapp: sandboxNumber, rcs: RCS_SENDER }[channel];
    const canReceive = channel === 'rcs' ? to === RCS_SENDER : senders.canReceive({ isWhatsApp, number: to });
    if (!canReceive) {
      const what = { sms: 'SMS', whatsapp: 'WhatsApp messages', rcs: 'RCS messages' }[channel];
      throw new Error(`${to} receives no ${what} for this account.`);
    }
    const smsSender = channel === 'rcs' ? smsNumber : to;
    const keyword = this.#keywordOf(body, { isWhatsApp, to });
    const isHandled = this.#advancedOptOut !== undefined && keyword !== undefined;
    const sid = randomSid('SM');
    const at = clock();
    const params = {
      ...this.#paramsOf(message, sid, to),
      ...(isWhatsApp ? whatsAppParamsOf(message, to) : {}),
      ...(isHandled ? { OptOutType: keyword.toUpperCase() } : {}),
      ...message.params,
    };
    const own = isWhatsApp
      ? this.#reactOnWhatsApp(message, to, keyword)
      : this.#reactOnSms(from, smsSender, keyword);
    if (isWhatsApp && sessions.isReachable(from, to)) sessions.wrote(from, to);
    const isForwarded = url !== undefined && own.isForwarded;
    const answer = isForwarded ? await postWebhook(this.#context, url, params) : undefined;
    // After STOP the phone gets Twilio's reply and no other.
    const isSilenced = !isWhatsApp && recipients.hasOptedOut(from, smsSender);
    const replies = [...own.replies, ...(isSilenced ? [] : repliesOf(answer))];
    const signature = url === undefined ? '' : signWebhook(authToken, url, params);
    const made = { sid, channel, from, to, body, isForwarded, url, params, signature, answer, at, replies };
    // Added before its replies, so that a listener sees the message that they answer.
    this.received.push(made);
    for (const text of replies)
      phones.deliver(from, { channel: appOf(channel), text, at: clock(), sid: randomSid('SM') });
    return made;
  }

  setAdvancedOptOut(words: AdvancedOptOut | undefined): void {
    if (words !== undefined) requireKeys('setAdvancedOptOut()', words, KEYWORDS);
    this.#advancedOptOut = words;
  }

  /** The keyword that Twilio recognises. On WhatsApp it does so only by Advanced Opt-Out. */
  #keywordOf(body: string, { isWhatsApp, to }: { isWhatsApp: boolean; to: string }): Keyword | undefined {
    const words = this.#advancedOptOut;
    if (isWhatsApp && (words === undefined || !this.#isInService(to))) return undefined;
    const word = body.trim().toUpperCase();
    return KEYWORDS.find((keyword) =>
      [...TWILIO_KEYWORDS[keyword], ...(words?.[keyword] ?? [])].some(
        (known) => known.toUpperCase() === word,
      ),
    );
  }

  /** The Messaging Service has every WhatsApp sender but the sandbox, which can be in none. */
  #isInService(whatsAppNumber: string): boolean {
    return whatsAppNumber !== this.#context.sandboxNumber;
  }

  #reactOnSms(from: string, sender: string, keyword: Keyword | undefined): Reaction {
    const { recipients } = this.#context;
    if (keyword === 'stop' && recipients.optOut(from, sender)) {
      return forward('You will get no more messages. Reply START to resubscribe.');
    }
    if (keyword === 'start' && recipients.optIn(from, sender)) {
      return forward('You will get messages from this number again.');
    }
    if (keyword === 'help' && this.#advancedOptOut !== undefined) return forward(ADVANCED_REPLIES.help);
    return forward();
  }

  /** Twilio itself handles the sandbox's keywords, and those of Advanced Opt-Out. */
  #reactOnWhatsApp({ from, body }: InboundMessage, to: string, keyword: Keyword | undefined): Reaction {
    const { sandboxNumber, joinCode, sessions } = this.#context;
    if (keyword !== undefined) return forward(ADVANCED_REPLIES[keyword]);
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
    const isOfService = {
      sms: to === smsNumber,
      rcs: true,
      whatsapp: this.#advancedOptOut !== undefined && this.#isInService(to),
    }[channel];
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
      ...(isOfService ? { MessagingServiceSid: messagingServiceSid } : {}),
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

/** The replies that an administrator sets for the words of Advanced Opt-Out. */
const ADVANCED_REPLIES: Readonly<Record<Keyword, string>> = {
  stop: 'You have opted out. Reply START to resubscribe.',
  start: 'You have opted in again.',
  help: 'Reply STOP to unsubscribe.',
};

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
