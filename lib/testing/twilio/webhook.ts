import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks.js';
import { request, type Dispatcher } from 'undici';
import { randomSid } from '../server/random-ids.js';
import type { TwilioContext } from './context.js';

/** The answer of a customer's server. */
export interface WebhookAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const TIMEOUT_MS = 15_000;

/** `X-Twilio-Signature` of a form that is posted to a URL; its fragment holds connection settings and is not signed. */
export function signWebhook(
  authToken: string,
  url: string,
  params: Readonly<Record<string, string>>,
): string {
  return getExpectedTwilioSignature(authToken, withoutFragment(url), params);
}

/** Posts a form as Twilio does. Rejects without an answer. */
export async function postWebhook(
  { dispatcher, authToken }: TwilioContext,
  url: string,
  params: Readonly<Record<string, string>>,
): Promise<WebhookAnswer> {
  const response = await request(withoutFragment(url), {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- undici calls its `dispatch` only
    dispatcher: dispatcher as Dispatcher,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': signWebhook(authToken, url, params),
      'i-twilio-idempotency-token': randomSid(''),
    },
    body: new URLSearchParams(params).toString(),
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    status: response.statusCode,
    contentType: String(response.headers['content-type'] ?? ''),
    body: await response.body.text(),
  };
}

function withoutFragment(url: string): string {
  return url.split('#')[0] ?? url;
}
