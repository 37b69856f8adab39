import { createHash } from 'node:crypto';
import type { Message, Outcome, UserProfile } from '../../core/channel.js';
import { asList, textFieldOf } from '../../core/json.js';
import type { HttpAnswer } from '../../core/http.js';
import { USER_AGENT } from '../../http/call.js';
import { outcomeOf, readObject, type AnswerReader } from '../../http/request.js';
import { lazyRules, optionsOf, readOptionsBy, textOf } from '../../core/option-rules.js';
import type { Channel } from '../channel.js';
import { describeRefusal } from './error-codes.js';
import { checkProvider } from '../check-provider.js';
import { notSent, originRule, requireTextChannel, secretRule } from '../provider.js';

/** The options of `lineChannel`. */
export interface LineChannelOptions {
  /** A long-lived channel access token of the LINE Official Account's Messaging API channel. */
  readonly channelAccessToken: string;
  /**
   * The attribute of the Okta profile that holds the user's LINE id of this channel's provider. Anyone who may change it
   * can get the user's codes. Default `lineUserId`.
   */
  readonly userIdAttribute?: string | undefined;
  /** In place of `https://api.line.me`, e.g. an emulator. `https`, or `http` on loopback. */
  readonly baseUrl?: string | undefined;
}

/** The default of `userIdAttribute`. */
export const DEFAULT_USER_ID_ATTRIBUTE = 'lineUserId';

const FACTORY = 'lineChannel';
const ORIGIN = 'https://api.line.me';
const PUSH_PATH = '/v2/bot/message/push';
/** The account's own facts; reading them checks the token. */
const INFO_PATH = '/v2/bot/info';

const RULES = lazyRules(() =>
  optionsOf<Record<keyof LineChannelOptions, string>>('an object', {
    channelAccessToken: secretRule(
      "the channel access token of the account's Messaging API channel",
    ).required(),
    userIdAttribute: textOf("the name of a profile attribute, such as 'lineUserId', or be left out")
      .pattern(/^\w+$/)
      .default(DEFAULT_USER_ID_ATTRIBUTE),
    baseUrl: originRule(ORIGIN),
  }),
);

/** A user's id. Groups (`C…`) and rooms (`R…`) are not allowed, because others would read the code. */
const USER_ID = /^U[0-9a-f]{32}$/;
const MESSAGE_ID = /^\d{1,40}$/;
const REQUEST_ID = /^[\w-]{1,64}$/;

/**
 * Push messages by LINE's Messaging API, as text, to the LINE user id in a profile attribute. LINE reports nothing after it
 * has accepted a message, and accepts messages to users who have blocked the account. So no other channel follows.
 *
 * Sources: LINE's Messaging API reference, "Send push message", "Get bot info" and "Status codes"; its page on retrying requests.
 *
 * @throws ConfigurationError that names every problem of the options and its remedy.
 */
export function lineChannel(options: LineChannelOptions): Channel {
  const { channelAccessToken, userIdAttribute, baseUrl } = readOptionsBy(RULES(), options, FACTORY);
  const { origin, host } = new URL(baseUrl);
  const headers = { authorization: `Bearer ${channelAccessToken}`, 'user-agent': USER_AGENT };
  return ({ channel }) => {
    requireTextChannel(channel, FACTORY);
    return {
      provider: 'LINE',
      host,
      check: (context) =>
        checkProvider(
          { name: 'LINE', describe: ({ status, body }) => describeRefusal(status, body) },
          { method: 'GET', url: origin + INFO_PATH, headers },
          context,
          (answer) => answer.status === 200 && readObject(answer)['userId'] !== undefined,
        ),
      send: async (message, { http }) => {
        const to = userIdOf(message.profile, userIdAttribute);
        if (to === undefined) return noUserId(message.profile);
        const result = await http({
          url: origin + PUSH_PATH,
          headers: { ...headers, 'x-line-retry-key': retryKeyOf(message, to) },
          json: { to, messages: [{ type: 'text', text: message.text }] },
        });
        return outcomeOf(result, LINE);
      },
    };
  };
}

function userIdOf(profile: UserProfile | undefined, attribute: string): string | undefined {
  const value = profile !== undefined && Object.hasOwn(profile, attribute) ? profile[attribute] : undefined;
  return typeof value === 'string' && USER_ID.test(value) ? value : undefined;
}

function noUserId(profile: UserProfile | undefined): Outcome {
  return notSent({
    code: 'NO_LINE_USER_ID',
    reason:
      profile === undefined
        ? 'There is no Okta profile to read the LINE user id from'
        : 'The Okta profile holds no LINE user id',
    remedy:
      "Set lineChannel's userIdAttribute to the attribute that holds it: 'U' and 32 hexadecimal digits.",
  });
}

/**
 * The retry key: the same for the same message of the same event, so that LINE accepts it once, whichever gateway sends it.
 * A repeat comes here only if no gateway recognised it. Another text, as in an edited preview, is another message.
 */
function retryKeyOf({ request, text }: Message, to: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([request.eventId, to, text]))
    .digest('hex');
  // RFC 9562: version 8 is for UUIDs of a custom digest.
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 3) | 8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}

/** Each answer of LINE has it: Messaging API reference, "Response headers". */
const REQUEST_ID_HEADER = 'x-line-request-id';

const LINE: AnswerReader = {
  provider: 'LINE',
  requestIdHeader: REQUEST_ID_HEADER,
  readSuccess,
  readRefusal,
};

function readSuccess(answer: HttpAnswer): string | undefined {
  const [first] = asList(readObject(answer)['sentMessages']);
  const id = textFieldOf(first, 'id');
  return id !== undefined && MESSAGE_ID.test(id) ? id : undefined;
}

function readRefusal(answer: HttpAnswer): Outcome | undefined {
  const { status, headers, body } = answer;
  // LINE's own answers name their request. A proxy's JSON may have a `message` as well.
  if (headers[REQUEST_ID_HEADER] === undefined || typeof readObject(answer)['message'] !== 'string')
    return undefined;
  // LINE has accepted this message before, from another gateway, and names that request.
  if (status === 409) {
    const acceptedBy = headers['x-line-accepted-request-id'];
    return acceptedBy !== undefined && REQUEST_ID.test(acceptedBy)
      ? { status: 'accepted', transactionId: acceptedBy }
      : { status: 'unknown', reason: 'LINE already has this message and does not report its status' };
  }
  return describeRefusal(status, body);
}
