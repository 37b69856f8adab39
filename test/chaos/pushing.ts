import { createHmac, timingSafeEqual } from 'node:crypto';
import { outcomeOf, twilioMessages, type Channel, type PushedReport } from '#lib/index.js';

/**
 * WhatsApp by another provider than Twilio: it pushes its reports, which name their message by its id, by the reference of its
 * attempt, or by both. Its API answers as Twilio's does.
 */

/** The providers of WhatsApp, in their order. SMS goes by Twilio. */
export type WhatsAppProviders = 'twilio' | 'pushing' | 'both';

/** How a report names its message. */
export type Naming = 'id' | 'reference' | 'both';

export interface PushingAccount {
  readonly baseUrl: string;
  /** Signs what the provider pushes. */
  readonly secret: string;
}

/** The body of a request for a message. */
export interface PushingRequest {
  readonly code: string;
  readonly reference: string;
  readonly callbackUrl: string | undefined;
}

/** What the provider pushes: a status of a message, or a user's words. */
type Push =
  | { readonly sid?: string; readonly reference?: string; readonly status: string }
  | { readonly messageId: string; readonly from: string; readonly text: string };

export const PUSHING = 'PUSHING';
export const MESSAGES_PATH = '/pushing/messages';
/** Below the path of the hook. */
export const PUSH_PATH = '/callbacks/whatsapp';
/** The answer to a push that was taken. */
export const PUSH_TAKEN = 204;

/** The channels of a gateway with these providers of WhatsApp; without any, Twilio's sender makes the channel. */
export function channelsOf(
  providers: WhatsAppProviders,
  account: PushingAccount,
): Readonly<Record<string, Channel | readonly [Channel, Channel]>> {
  if (providers === 'twilio') return {};
  const pushing = pushingChannel(account);
  return { whatsapp: providers === 'both' ? [pushing, twilioMessages()] : pushing };
}

function pushingChannel({ baseUrl, secret }: PushingAccount): Channel {
  return {
    provider: PUSHING,
    reports: 'deliveries',
    async send({ request }, { http, reference, callbackUrl }) {
      const json: PushingRequest = { code: request.otpCode, reference, callbackUrl };
      return outcomeOf(await http({ url: baseUrl + MESSAGES_PATH, json }), {
        provider: PUSHING,
        readSuccess: (answer) => (answer.json as { sid?: string }).sid,
        readRefusal: ({ status }) => ({ code: `HTTP_${status}`, reason: 'Refused' }),
      });
    },
    receive: {
      handle({ headers, rawBody }) {
        const given = Buffer.from(String(headers[SIGNATURE]), 'hex');
        const expected = signatureOf(secret, rawBody);
        if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { status: 401 };
        const push = JSON.parse(rawBody.toString()) as Push;
        return {
          status: PUSH_TAKEN,
          ...('status' in push ? { reports: [reportOf(push)] } : { inbound: [push] }),
        };
      },
    },
  };
}

const SIGNATURE = 'pushing-signature';
export const PUSH_HEADERS = ['content-type', SIGNATURE] as const;

function signatureOf(secret: string, body: string | Buffer): Buffer {
  return createHmac('sha256', secret).update(body).digest();
}

function reportOf({ sid, reference, status }: Extract<Push, { readonly status: string }>): PushedReport {
  const message = { transactionId: sid, reference, providerStatus: status };
  if (status === 'undelivered')
    return { ...message, status: 'failed', code: 'LOST', reason: 'Not delivered' };
  return { ...message, status: status === 'delivered' ? 'delivered' : 'pending' };
}

/** A report on a message. */
export function pushOf(
  message: { readonly sid: string; readonly reference: string | undefined },
  status: string,
  naming: Naming,
): Push {
  return {
    ...(naming === 'reference' ? {} : { sid: message.sid }),
    ...(naming === 'id' || message.reference === undefined ? {} : { reference: message.reference }),
    status,
  };
}

/** What a report in the body of a request says. */
export function readPush(body: string): { readonly status: string; readonly isNamed: boolean } {
  const { status, reference } = JSON.parse(body) as Extract<Push, { readonly status: string }>;
  return { status, isNamed: reference !== undefined };
}

/** The request of a push. */
export function signPush(
  push: Push,
  secret: string,
): { readonly body: string; readonly headers: Readonly<Record<string, string>> } {
  const body = JSON.stringify(push);
  const signature = signatureOf(secret, body).toString('hex');
  return { body, headers: { 'content-type': 'application/json', [SIGNATURE]: signature } };
}

export function providersBy(chance: () => number): WhatsAppProviders {
  const lot = chance();
  if (lot < 0.35) return 'twilio';
  return lot < 0.75 ? 'pushing' : 'both';
}

export function namingBy(chance: () => number): Naming {
  const lot = chance();
  if (lot < 0.35) return 'id';
  return lot < 0.65 ? 'reference' : 'both';
}
