import type { ChannelPort, DeliveryReport, Message, Outcome } from '../delivery/channel.js';
import type { HttpResult } from '../delivery/http-call.js';
import { readObject } from '../delivery/http-outcome.js';
import { pickByLocale } from '../delivery/locale.js';
import type { TwilioConnection, TwilioMessageParameters, TwilioSettings } from './client.js';
import { deliveryReportOf } from './delivery-report.js';
import { MESSAGE_SID, outcomeOf, readCode, requireTaken, sendReporting, SID_NAMESPACE } from './outcome.js';
import { notConnected, noSender, senderFor } from './senders.js';

/** What a Twilio channel needs of the hook that it serves. */
export interface TwilioParts {
  readonly twilio: TwilioConnection;
  /** The channel's name in the hook's plan. */
  readonly channel: string;
  /** Milliseconds. */
  readonly clock: () => number;
}

const MESSAGING_SERVICE_SID = /^MG[0-9a-z]{32}$/i;

/** What a message is sent with, or why it is not. */
type Composed = TwilioMessageParameters | Outcome;

/** What Twilio takes for `ValidityPeriod`, in seconds; it advises against less than 5. */
const VALIDITY_SECONDS = { min: 5, max: 36_000 };

/**
 * SMS and WhatsApp by Twilio's Messages API: WhatsApp where the channel is called `whatsapp`, SMS under every
 * other name. Which senders and templates it uses is in the hook's options.
 */
export function twilioMessages(): ChannelPort<TwilioParts> {
  return {
    provider: 'TWILIO',
    send: () => Promise.resolve(notConnected()),
    // A new channel each time, so that one that is written down once can serve two hooks.
    connect: (parts) => {
      const { twilio, channel, clock } = parts;
      const isWhatsApp = channel === 'whatsapp';
      const compose = isWhatsApp ? composeWhatsApp : composeSms;
      const hasCallbacks = twilio.settings.statusCallbackUrl !== undefined;
      // WhatsApp says of everything that arrives that it did; `sent` may be the last word on an SMS that arrived.
      const reports = isWhatsApp ? 'deliveries' : hasCallbacks ? 'failures' : undefined;
      const lookUp: ChannelPort<never>['lookUp'] = async (sid, context) =>
        readMessage(await twilio.call((client) => client.messages(sid).fetch(), context));
      return {
        provider: 'TWILIO',
        host: twilio.host,
        usesText: !isWhatsApp || !usesTemplate(twilio.settings),
        reports,
        idNamespace: SID_NAMESPACE,
        confirm: async (sid, context) => {
          requireTaken(
            await twilio.call(
              (client) => client.messages(sid).feedback.create({ outcome: 'confirmed' }),
              context,
            ),
            'Twilio has the message no more, or takes no feedback for it',
          );
        },
        // Hardly an SMS fails late, so that asking for each would not pay.
        get lookUp() {
          return isWhatsApp && !(hasCallbacks && twilio.callbacks.areTrusted) ? lookUp : undefined;
        },
        send: async (message, context) => {
          const composing = compose(message, twilio.settings, context.leaveWithinMs);
          const composed = composing instanceof Promise ? await composing : composing;
          if ('status' in composed) return composed;
          const parameters: TwilioMessageParameters = {
            ...composed,
            // A code that waits in a queue longer than it lives is only a riddle: the default is ten hours.
            validityPeriod: validitySeconds(message.expiresAt.getTime() - clock()),
            provideFeedback: true,
          };
          return sendReporting(twilio.settings.statusCallbackUrl, async (statusCallback) => {
            const result = await twilio.call(
              (client) => client.messages.create({ ...parameters, statusCallback }),
              context,
            );
            const outcome = outcomeOf(result, MESSAGE_SID);
            // Also of one that had to go out without, for Twilio did not take the URL.
            if (hasCallbacks && outcome.status === 'accepted') twilio.callbacks.expect();
            return outcome;
          });
        },
      };
    },
  };
}

/** What Twilio says of a message that it was asked for. */
function readMessage(result: HttpResult): DeliveryReport {
  if (result.kind !== 'answered' || result.status !== 200) return { status: 'pending' };
  const { status, error_code: errorCode } = readObject(result);
  const code = readCode(errorCode);
  return deliveryReportOf(String(status), code === undefined ? undefined : String(code));
}

function composeSms(
  { to, text }: Message,
  settings: TwilioSettings,
  waitMs: number,
): Composed | Promise<Composed> {
  const composeFrom = (sender: string | undefined): Composed =>
    sender === undefined ? noSender('sms') : { to, ...fromSender(sender), body: text };
  const sender = senderFor(settings.senders.sms, to, waitMs);
  return sender instanceof Promise ? sender.then(composeFrom) : composeFrom(sender);
}

function composeWhatsApp(message: Message, settings: TwilioSettings): Composed {
  const sender = settings.senders.whatsapp;
  if (sender === undefined) return noSender('whatsapp');
  const addresses = { to: `whatsapp:${message.to}`, from: `whatsapp:${sender.from}` };
  if (sender.kind === 'sandbox' && sender.contentSid === undefined) {
    return { ...addresses, body: message.text };
  }
  const contentSid =
    sender.kind === 'sandbox' ? sender.contentSid : pickByLocale(sender.templates, message.locale);
  if (contentSid === undefined) {
    return {
      status: 'refused',
      code: 'NO_TEMPLATE',
      reason: 'No WhatsApp template for this language, and no default',
      remedy: 'Add a default to senders.whatsapp.templates.',
      moveOn: true,
      hasLeft: false,
    };
  }
  // Never a body beside it; and never without the variable: the template's sample would go out as the code.
  return { ...addresses, contentSid, contentVariables: JSON.stringify({ 1: message.request.otpCode }) };
}

function usesTemplate(settings: TwilioSettings): boolean {
  const sender = settings.senders.whatsapp;
  return sender !== undefined && (sender.kind === 'templates' || sender.contentSid !== undefined);
}

function fromSender(sender: string): { messagingServiceSid: string } | { from: string } {
  return MESSAGING_SERVICE_SID.test(sender) ? { messagingServiceSid: sender } : { from: sender };
}

function validitySeconds(lifeMs: number): number {
  return Math.min(Math.max(Math.floor(lifeMs / 1000), VALIDITY_SECONDS.min), VALIDITY_SECONDS.max);
}
