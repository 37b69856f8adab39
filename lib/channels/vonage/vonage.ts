import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose/jwt/sign';
import type { Message } from '../../core/channel.js';
import type { HttpRequest } from '../../core/http.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import { numberOfSender } from '../../numbers/phone-number.js';
import { TIMED_OUT, waitAtMost } from '../../core/time.js';
import { ConfigurationError } from '../../core/errors.js';
import { readPrivateKey } from '../../core/private-key.js';
import type { Channel } from '../channel.js';
import { checkProvider, notSent, requireTextChannel } from '../provider.js';
import { templateComponentsOf, templateLanguageOf } from '../whatsapp-template.js';
import { describeRefusal, isVonageError } from './error-codes.js';
import { readVonageOptions, type VonageChannelOptions, type VonageTemplate } from './options.js';

const FACTORY = 'vonageChannel';
const MESSAGE_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A token's life, and the rest of it that a call needs. Vonage accepts one day at most. */
const TOKEN_LIFE_SECONDS = 15 * 60;
const TOKEN_SPARE_SECONDS = 5 * 60;

/** How long a message may wait for its token to be signed, milliseconds. Signing takes about one. */
const SIGNING_MS = 700;

/** Vonage refuses a shorter time to live. Its default is days. */
const SHORTEST_TTL_SECONDS = 20;

/** Vonage's limit of `client_ref`, which its records show. */
const CLIENT_REF_LENGTH = 100;

/**
 * SMS and WhatsApp by Vonage's Messages API. The channel named `whatsapp` sends by WhatsApp, every other name by SMS, unless
 * `kind` decides. Vonage reports a message by status webhooks only, which the hook does not mount, and cannot be polled. So
 * no other channel follows a message that Vonage has accepted.
 *
 * Sources: Vonage's Messages API reference (v1), "Send a WhatsApp Authentication Template", and its page on
 * authentication.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function vonageChannel(options: VonageChannelOptions): Channel {
  const settings = readVonageOptions(options, FACTORY);
  const { from, kind, template, baseUrl } = settings;
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
      usesText: !(isWhatsApp && template !== undefined),
      // Vonage has no resource that both kinds of credentials may read. So the check posts an incomplete message, which
      // Vonage refuses with 422 if it accepts the credentials.
      check: async (context) => {
        const request = requestOf(await authorize(), {});
        await checkProvider(
          { name: 'Vonage', describe: describeRefusal },
          request,
          context,
          ({ status }) => status === 422,
        );
      },
      send: async (message, { http }) => {
        const body = isWhatsApp ? whatsAppOf(message, template) : smsOf(message, clock());
        const authorization = await waitAtMost(authorize(), SIGNING_MS).catch(() => TIMED_OUT);
        if (typeof authorization !== 'string') return notSent(NO_TOKEN);
        const result = await http(
          requestOf(authorization, {
            ...body,
            from: withoutPlus(from),
            to: withoutPlus(message.to),
            client_ref: message.request.eventId.slice(0, CLIENT_REF_LENGTH),
          }),
        );
        return outcomeOf(result, VONAGE);
      },
    };
  };
}

const NO_TOKEN = {
  code: 'NO_TOKEN',
  reason: 'No token for Vonage could be signed in time',
  remedy: 'Check whether the process is busy, and privateKey of vonageChannel.',
} as const;

/** The body of a message, without its sender and recipient. */
interface VonageMessage {
  readonly channel: 'sms' | 'whatsapp';
  readonly message_type: 'text' | 'custom';
  readonly text?: string;
  /** Seconds. */
  readonly ttl?: number;
  readonly custom?: object;
}

/** Vonage refuses numbers with a plus. */
function withoutPlus(number: string): string {
  return numberOfSender(number)?.slice(1) ?? number;
}

function smsOf({ text, expiresAt }: Message, nowMs: number): VonageMessage {
  // An expired code must not arrive.
  const ttl = Math.max(Math.floor((expiresAt.getTime() - nowMs) / 1000), SHORTEST_TTL_SECONDS);
  return { channel: 'sms', message_type: 'text', text, ttl };
}

/** Vonage passes `custom` on to WhatsApp unchanged; its content is WhatsApp's form of an authentication template. */
function whatsAppOf({ text, locale, request }: Message, template: VonageTemplate | undefined): VonageMessage {
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

/** The `Authorization` of each call: Basic with key and secret, else a signed token that is reused for ten minutes. */
function authorizer(options: VonageChannelOptions, clock: () => number): () => Promise<string> {
  if (options.apiKey !== undefined) {
    const pair = Buffer.from(`${options.apiKey}:${options.apiSecret}`).toString('base64');
    return () => Promise.resolve(`Basic ${pair}`);
  }
  const { applicationId } = options;
  const { privateKey } = readPrivateKey(options.privateKey);
  let current: { readonly authorization: Promise<string>; readonly issuedAt: number } | undefined;
  return () => {
    const nowSeconds = Math.floor(clock() / 1000);
    // The absolute difference: a clock that is set back must not make a token live longer.
    const age = current === undefined ? Infinity : Math.abs(nowSeconds - current.issuedAt);
    if (current === undefined || age > TOKEN_LIFE_SECONDS - TOKEN_SPARE_SECONDS) {
      const signing = signToken(applicationId, privateKey, nowSeconds);
      const mine = { authorization: signing, issuedAt: nowSeconds };
      current = mine;
      // After a failure the next call signs anew.
      signing.catch(() => {
        if (current === mine) current = undefined;
      });
    }
    return current.authorization;
  };
}

async function signToken(applicationId: string, key: KeyObject, nowSeconds: number): Promise<string> {
  const token = await new SignJWT({ application_id: applicationId })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + TOKEN_LIFE_SECONDS)
    .setJti(randomUUID())
    .sign(key);
  return `Bearer ${token}`;
}

const VONAGE: AnswerReader = {
  provider: 'Vonage',
  readSuccess: (answer) => {
    const { message_uuid: id } = readObject(answer);
    return typeof id === 'string' && MESSAGE_UUID.test(id) ? id : undefined;
  },
  readRefusal: (answer) => (isVonageError(answer) ? describeRefusal(answer) : undefined),
};
