import type { Message, SendContext } from '../../core/channel.js';
import type { HttpRequest } from '../../core/http.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import { numberOfSender } from '../../numbers/phone-number.js';
import { ConfigurationError } from '../../core/errors.js';
import type { Channel } from '../channel.js';
import { dltIdsOf, type Dlt } from '../dlt.js';
import { checkProvider, missingCredential } from '../check-provider.js';
import { notSent, requireTextChannel, ttlSecondsOf } from '../provider.js';
import { authorizer, NO_TOKEN } from './authorization.js';
import { messageReceiver } from './callbacks.js';
import { templateComponentsOf, templateLanguageOf } from '../whatsapp-template.js';
import { describeRefusal, isVonageError } from './error-codes.js';
import { readVonageOptions, withoutPlus, type VonageChannelOptions, type VonageTemplate } from './options.js';

const FACTORY = 'vonageChannel';
const MESSAGE_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Vonage refuses a shorter time to live. Its default is days. */
const SHORTEST_TTL_SECONDS = 20;

/** Vonage's limit of `client_ref`, which its records show. */
const CLIENT_REF_LENGTH = 100;

/**
 * SMS and WhatsApp by Vonage's Messages API. The channel named `whatsapp` sends by WhatsApp, every other name by SMS, unless
 * `kind` decides. With `signatureSecret` it receives Vonage's status webhooks and inbound messages. A message has no status that
 * can be polled.
 *
 * Sources: Vonage's Messages API reference (v1), "Send a WhatsApp Authentication Template", and its pages on
 * authentication and signed webhooks.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function vonageChannel(options: VonageChannelOptions): Channel {
  const settings = readVonageOptions(options, FACTORY);
  const { from, kind, template, baseUrl, signatureSecret, dlt, apiKey } = settings;
  const { origin, host } = new URL(baseUrl);
  const requestOf = (authorization: string, json: object): HttpRequest => ({
    url: `${origin}/v1/messages`,
    headers: { authorization, 'user-agent': USER_AGENT },
    json,
  });
  return ({ channel, clock }) => {
    requireTextChannel(channel, FACTORY);
    const isWhatsApp = (kind ?? channel) === 'whatsapp';
    if (isWhatsApp && numberOfSender(from) === undefined) {
      throw new ConfigurationError(['from must be a phone number in E.164 form for WhatsApp'], {
        of: FACTORY,
      });
    }
    const authorize = authorizer(settings, clock);
    return {
      provider: 'VONAGE',
      host,
      senderFor: isWhatsApp ? undefined : () => ({ from, hasDlt: dlt !== undefined }),
      usesText: !(isWhatsApp && template !== undefined),
      ...(signatureSecret === undefined
        ? {}
        : {
            // Networks report only some of the SMS that arrive. WhatsApp reports each message that reaches a phone.
            reports: isWhatsApp ? 'deliveries' : 'failures',
            receive: messageReceiver(
              { kind: isWhatsApp ? 'whatsapp' : 'sms', sender: numberOfSender(from) },
              { signatureSecret, apiKey, clock },
            ),
          }),
      // Vonage has no resource that both kinds of credentials may read. So the check posts an incomplete message, which
      // Vonage refuses with 422 if it accepts the credentials.
      check: async (context) => {
        const authorization = await authorize(context);
        if (authorization === undefined) throw missingCredential(NO_TOKEN);
        const request = requestOf(authorization, {});
        await checkProvider(
          { name: 'Vonage', describe: describeRefusal },
          request,
          context,
          ({ status }) => status === 422,
        );
      },
      send: async (message, context) => {
        const authorization = await authorize(context);
        if (authorization === undefined) return notSent(NO_TOKEN);
        const body = isWhatsApp ? whatsAppOf(message, template) : smsOf(message, dlt, clock());
        const result = await context.http(
          requestOf(authorization, {
            ...body,
            from: withoutPlus(from),
            to: withoutPlus(message.to),
            ...reporting(message, context),
          }),
        );
        return outcomeOf(result, VONAGE);
      },
    };
  };
}

/** Asks for the status webhooks, if they can be received. `client_ref` comes with each of them. */
function reporting({ request }: Message, { callbackUrl, reference }: SendContext): object {
  if (callbackUrl === undefined) return { client_ref: request.eventId.slice(0, CLIENT_REF_LENGTH) };
  return { client_ref: reference, webhook_url: callbackUrl, webhook_version: 'v1' };
}

/** The body of an SMS, without its sender and recipient. */
function smsOf(message: Message, dlt: Dlt | undefined, nowMs: number): object {
  const { text } = message;
  const ttl = ttlSecondsOf(message, nowMs, SHORTEST_TTL_SECONDS);
  const ids = dltIdsOf(message, dlt);
  const sms = ids && { entity_id: ids.entityId, content_id: ids.contentId };
  return { channel: 'sms', message_type: 'text', text, ttl, sms };
}

/** Vonage passes `custom` on to WhatsApp unchanged; its content is WhatsApp's form of an authentication template. */
function whatsAppOf({ text, locale, request }: Message, template: VonageTemplate | undefined): object {
  if (template === undefined) return { channel: 'whatsapp', message_type: 'text', text };
  return {
    channel: 'whatsapp',
    message_type: 'custom',
    custom: {
      type: 'template',
      template: {
        name: template.name,
        language: { policy: 'deterministic', code: templateLanguageOf(template, locale) },
        components: templateComponentsOf(request.otpCode),
      },
    },
  };
}

const VONAGE: AnswerReader = {
  provider: 'Vonage',
  readSuccess: (answer) => {
    const { message_uuid: id } = readObject(answer);
    return typeof id === 'string' && MESSAGE_UUID.test(id) ? id : undefined;
  },
  readRefusal: (answer) => (isVonageError(answer) ? describeRefusal(answer) : undefined),
};
