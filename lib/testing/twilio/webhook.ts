import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { formPost } from '../server/outbound.js';
import { randomSid } from '../server/random-ids.js';
import type { TwilioContext } from './context.js';

/** The answer of a customer's server. */
export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** `X-Twilio-Signature` of a form that is posted to a URL; its fragment holds connection settings and is not signed. */
export function signWebhook(
  authToken: string,
  url: string,
  params: Readonly<Record<string, string>>,
): string {
  return getExpectedTwilioSignature(authToken, withoutFragment(url), params);
}

/** Posts a form as Twilio does. Resolves to `undefined` without an answer. */
export async function postWebhook(
  { server, authToken }: TwilioContext,
  url: string,
  params: Readonly<Record<string, string>>,
): Promise<WebhookAnswer | undefined> {
  const proof = {
    'user-agent': 'TwilioProxy/1.1',
    'x-twilio-signature': signWebhook(authToken, url, params),
    'i-twilio-idempotency-token': randomSid(''),
  };
  const { status, headers, text } = await server.outbound.call(formPost(withoutFragment(url), proof, params));
  if (status === undefined || text === undefined) return undefined;
  return { status, contentType: headers['content-type'] ?? '', body: text };
}

function withoutFragment(url: string): string {
  return url.split('#')[0] ?? url;
}
