import type { ChannelPort, DeliveryReport, Message, Outcome, SendContext } from '../../core/channel.js';
import type { HttpResult } from '../../http/call.js';
import { readObject } from '../../http/outcome.js';
import { pickByLocale } from '../../texts/locale.js';
import { sendUnconnected } from '../provider.js';
import type { TwilioConnection } from './client.js';
import {
  deliveryReportOf,
  MESSAGE_SID,
  outcomeReader,
  readCode,
  requireTaken,
  sendReporting,
  SID_NAMESPACE,
} from './outcome.js';
import type { TwilioClient, TwilioMessageParameters } from './sdk-types.js';
import { noSender, senderFor, type TwilioSettings } from './settings.js';
import { readAddress } from './webhooks.js';

/** What a Twilio channel needs of the hook that it serves. */
export interface TwilioParts {
  readonly twilio: TwilioConnection;
  /** The channel's name in the hook's plan. */
  readonly channel: string;
  /** Milliseconds. */
  readonly clock: () => number;
}

const readOutcome = outcomeReader(MESSAGE_SID);

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
    send: sendUnconnected,
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
      const readResult = (result: HttpResult): Outcome => {
        const outcome = readOutcome(result);
        // Also of one that had to go out without, for Twilio did not take the URL.
        if (hasCallbacks && outcome.status === 'accepted') twilio.callbacks.expect();
        return outcome;
      };
      const sendComposed = (
        composed: TwilioMessageParameters,
        { expiresAt }: Message,
        context: SendContext,
      ): Promise<Outcome> => {
        const { to, from, messagingServiceSid, body, contentSid, contentVariables } = composed;
        const create = (statusCallback: string | undefined) => (client: TwilioClient) =>
          client.messages.create({
            to,
            from,
            messagingServiceSid,
            body,
            contentSid,
            contentVariables,
            // A code that waits in a queue longer than it lives is only a riddle: the default is ten hours.
            validityPeriod: validitySeconds(expiresAt.getTime() - clock()),
            provideFeedback: true,
            statusCallback,
          });
        return sendReporting(twilio.settings.statusCallbackUrl, (statusCallback) =>
          twilio.call(create(statusCallback), context).then(readResult),
        );
      };
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
        send: (message, context) => {
          const composed = compose(message, twilio.settings);
          return 'status' in composed ? Promise.resolve(composed) : sendComposed(composed, message, context);
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

/** The number that one of our messages went to; `undefined` where Twilio does not say it. */
export async function askForRecipient(
  twilio: Pick<TwilioConnection, 'call'>,
  sid: string,
  context: SendContext,
): Promise<string | undefined> {
  const result = await twilio.call((client) => client.messages(sid).fetch(), context);
  if (result.kind !== 'answered' || result.status !== 200) return undefined;
  const { direction, to } = readObject(result);
  const isOurs = typeof direction === 'string' && direction.startsWith('outbound');
  return isOurs && typeof to === 'string' ? readAddress(to)?.number : undefined;
}

function composeSms({ to, text }: Message, settings: TwilioSettings): Composed {
  const sender = senderFor(settings.senders.sms, to);
  if (sender === undefined) return noSender('sms');
  return MESSAGING_SERVICE_SID.test(sender)
    ? { to, messagingServiceSid: sender, body: text }
    : { to, from: sender, body: text };
}

function composeWhatsApp(message: Message, settings: TwilioSettings): Composed {
  const sender = settings.senders.whatsapp;
  if (sender === undefined) return noSender('whatsapp');
  const to = `whatsapp:${message.to}`;
  const from = `whatsapp:${sender.from}`;
  if (sender.kind === 'sandbox' && sender.contentSid === undefined) return { to, from, body: message.text };
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
  return { to, from, contentSid, contentVariables: JSON.stringify({ 1: message.request.otpCode }) };
}

function usesTemplate(settings: TwilioSettings): boolean {
  const sender = settings.senders.whatsapp;
  return sender !== undefined && (sender.kind === 'templates' || sender.contentSid !== undefined);
}

function validitySeconds(lifeMs: number): number {
  return Math.min(Math.max(Math.floor(lifeMs / 1000), VALIDITY_SECONDS.min), VALIDITY_SECONDS.max);
}
