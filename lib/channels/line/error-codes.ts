import { type Refusal, withEffect } from '../../core/channel.js';
import type { RefusalMeaning } from '../provider.js';

/** LINE's refusals and what they mean for the plan. The texts are ours. Source: Messaging API reference, "Status codes". */

const CHECK_TOKEN =
  "Issue a channel access token of the Messaging API channel in the LINE Developers Console and put it into lineChannel's channelAccessToken.";
const CHECK_PLAN = "Look at the LINE Official Account's plan and at what its Messaging API channel may do.";
const RAISE_LIMIT = "Raise the LINE Official Account's plan, or its limit of additional messages.";
const WAIT = 'Nothing, if another channel sent the code. LINE takes messages again soon.';
const CHECK_STATUS = "Look at LINE's status page.";
const CHECK_USER =
  "Compare the attribute with the user's id of this channel's provider: each provider has its own ids.";

/** A refusal by its HTTP status and, if the status has several meanings, by LINE's sentence. */
export function describeRefusal(status: number, body: string): Refusal {
  return { status: 'refused', code: `HTTP_${status}`, ...withEffect(meaningOf(status, body)) };
}

/** LINE has no error codes, only sentences. They are compared, but never logged. */
function meaningOf(status: number, body: string): RefusalMeaning {
  switch (status) {
    case 400:
      return body.includes('Failed to send messages')
        ? { reason: 'LINE knows no such user of this account', remedy: CHECK_USER }
        : { reason: 'LINE does not accept the user id or the text', remedy: CHECK_USER };
    case 401:
      return {
        reason: 'LINE does not accept the channel access token',
        remedy: CHECK_TOKEN,
        cause: 'account',
      };
    case 403:
      return {
        reason: 'The LINE account may not send push messages',
        remedy: CHECK_PLAN,
        cause: 'account',
      };
    case 429:
      return body.includes('monthly limit')
        ? {
            reason: 'The messages of the LINE account for this month are used up',
            remedy: RAISE_LIMIT,
          }
        : { reason: 'Too many requests to LINE at once', remedy: WAIT };
    case 503:
      return { reason: 'LINE is not available', remedy: CHECK_STATUS };
    default:
      return { reason: 'Refused by LINE', remedy: CHECK_PLAN };
  }
}
