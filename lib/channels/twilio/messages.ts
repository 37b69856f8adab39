import type {
  ChannelSender,
  ConnectedChannel,
  DeliveryReport,
  Message,
  Outcome,
} from '../../core/channel.js';
import type { HttpResult } from '../../core/http.js';
import { readObject } from '../../http/request.js';
import { pickByLocale } from '../../texts/locale.js';
import type { Channel } from '../channel.js';
import { notSent, requireTextChannel, ttlSecondsOf } from '../provider.js';
import { requireSender, requireTwilio, type Composed, type TwilioClient } from './client.js';
import {
  deliveryReportOf,
  MESSAGE_SID,
  outcomeReader,
  readCode,
  requireFeedbackAccepted,
  SID_NAMESPACE,
} from './outcome.js';
import { MESSAGING_SERVICE_SID, senderFor, type TwilioSettings, type WhatsAppSender } from './settings.js';
import { sendReporting } from './status-callbacks.js';

const FACTORY = 'twilioMessages';
const readOutcome = outcomeReader(MESSAGE_SID);

type MessageParameters = Parameters<TwilioClient['messages']['create']>[0];

/** Twilio advises against a shorter `ValidityPeriod`. Its longest one, ten hours, is longer than any code's life. */
const SHORTEST_VALIDITY_SECONDS = 5;

/**
 * SMS and WhatsApp by Twilio's Messages API. The channel named `whatsapp` sends by WhatsApp, every other name but `voice` by SMS.
 * The hook's options have the senders and templates.
 */
export function twilioMessages(): Channel {
  return ({ channel, clock, twilio: connection }) => {
    const twilio = requireTwilio(connection, FACTORY);
    requireTextChannel(channel, FACTORY);
    const isWhatsApp = channel === 'whatsapp';
    const {
      compose,
      usesText,
      senderFor: senderOfTexts,
    } = isWhatsApp
      ? whatsAppBy(requireSender(twilio, 'whatsapp', FACTORY))
      : smsBy(requireSender(twilio, 'sms', FACTORY), twilio.settings.smartEncoding);
    const { contentRetention, addressRetention, statusCallbackUrl } = twilio.settings;
    const hasCallbacks = statusCallbackUrl !== undefined;
    // WhatsApp reports each delivery. For an SMS that arrived, `sent` may be the last status.
    const reports = isWhatsApp ? 'deliveries' : hasCallbacks ? 'failures' : undefined;
    const lookUp: ConnectedChannel['lookUp'] = async (sid, context) =>
      readMessage(await twilio.call((client) => client.messages(sid).fetch(), context));
    return {
      provider: 'TWILIO',
      host: twilio.host,
      usesText,
      reports,
      idNamespace: SID_NAMESPACE,
      senderFor: senderOfTexts,
      confirm: async (sid, context) => {
        requireFeedbackAccepted(
          await twilio.call(
            (client) => client.messages(sid).feedback.create({ outcome: 'confirmed' }),
            context,
          ),
          'Twilio no longer has the message, or takes no feedback for it',
        );
      },
      // For WhatsApp only: an SMS rarely fails late, so polling each SMS does not pay.
      get lookUp() {
        return isWhatsApp && !(hasCallbacks && twilio.callbacks.areTrusted) ? lookUp : undefined;
      },
      send: (message, context) => {
        const composed = compose(message);
        if ('status' in composed) return Promise.resolve(composed);
        return sendReporting(statusCallbackUrl, context, async (statusCallback) => {
          const parameters: Composed<MessageParameters> = {
            ...composed,
            contentRetention,
            addressRetention,
            validityPeriod: ttlSecondsOf(message, clock(), SHORTEST_VALIDITY_SECONDS),
            provideFeedback: true,
            statusCallback,
          };
          const result = await twilio.call(
            (client) => client.messages.create(parameters as MessageParameters),
            context,
          );
          const outcome = readOutcome(result);
          // Also if Twilio refused the callback URL and the message went out without it: the callback is missing, too.
          if (hasCallbacks && outcome.status === 'accepted') twilio.callbacks.expect();
          return outcome;
        });
      },
    };
  };
}

/** The delivery report in Twilio's answer to a poll. Without a readable answer the message is pending. */
function readMessage(result: HttpResult): DeliveryReport {
  if (result.kind !== 'answered' || result.status !== 200) return { status: 'pending' };
  const { status, error_code: errorCode } = readObject(result);
  const code = readCode(errorCode);
  return deliveryReportOf(String(status), code === undefined ? undefined : String(code));
}

interface Composer {
  /** The parameters of a message, or the refusal if it cannot be composed. */
  readonly compose: (message: Message) => Composed<MessageParameters> | Outcome;
  /** Whether the text of the message is sent. */
  readonly usesText: boolean;
  readonly senderFor?: ConnectedChannel['senderFor'];
}

function smsBy(senders: NonNullable<TwilioSettings['senders']['sms']>, hasSmartEncoding: boolean): Composer {
  // Left out in place of `false`, which would override the setting of a Messaging Service.
  const smartEncoded = hasSmartEncoding ? true : undefined;
  return {
    usesText: true,
    senderFor: (country) => smsSenderFor(senders, country),
    compose: ({ to, text: body }) => {
      const sender = senderFor(senders, to);
      if (typeof sender !== 'string') {
        const { service: messagingServiceSid, fallbackFrom } = sender;
        return { to, messagingServiceSid, fallbackFrom, body, smartEncoded };
      }
      return MESSAGING_SERVICE_SID.test(sender)
        ? { to, messagingServiceSid: sender, body, smartEncoded }
        : { to, from: sender, body, smartEncoded };
    },
  };
}

/** The sender of the SMS to a country. Of RCS, the sender of the SMS to phones that it does not reach. */
function smsSenderFor(
  senders: NonNullable<TwilioSettings['senders']['sms']>,
  country: string,
): ChannelSender {
  const isNamed = Object.hasOwn(senders, country);
  const sender = senders[country] ?? senders.default;
  const option = isNamed ? `senders.sms.${country}` : 'senders.sms';
  return typeof sender === 'string'
    ? { from: sender, option, isNamed }
    : { from: sender.fallbackFrom, option: `${option}.fallbackFrom`, isNamed };
}

function whatsAppBy(sender: WhatsAppSender): Composer {
  const from = `whatsapp:${sender.from}`;
  if (sender.kind === 'sandbox' && sender.contentSid === undefined) {
    return {
      usesText: true,
      compose: ({ to, text }) => ({ to: `whatsapp:${to}`, from, body: text }),
    };
  }
  return {
    usesText: false,
    compose: ({ to, locale, request }) => {
      const contentSid =
        sender.kind === 'sandbox' ? sender.contentSid : pickByLocale(sender.templates, locale);
      if (contentSid === undefined) {
        return notSent({
          code: 'NO_TEMPLATE',
          reason: 'No WhatsApp template for this language, and no default',
          remedy: 'Add a default to senders.whatsapp.templates.',
        });
      }
      // No body beside a template. The variable is required: without it, Twilio sends the template's sample as the code.
      const contentVariables = JSON.stringify({ 1: request.otpCode });
      return { to: `whatsapp:${to}`, from, contentSid, contentVariables };
    },
  };
}
